//! How often a command reads a file.

use super::faulty_disk::{Disk, Outcome};
use crate::support::IDEA;

#[test]
fn each_history_is_read_once_per_command() {
    let disk = Disk::new();
    let variants = "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\n";
    disk.dir.write("idea.toml", format!("{IDEA}\n{variants}"));
    disk.exp(&[], &[]).code(0);
    let name = "a-seed0.json";
    // the library logs each system call that it delays
    let faults = [("CALL", "read"), ("MATCH", name), ("DELAY", "1")];
    for arguments in [
        &["eval", "idea", "--data", "train"][..],
        &["predict", "idea", "--index", "0", "--rows", "train"],
        &["plot", "idea", "--output", "curves.svg"],
        &["report", "idea", "--output", "report.html"],
        &["runs"],
        &["compare", "idea"],
        &["compare", "idea/a", "idea/b"],
    ] {
        let _ = std::fs::remove_file(disk.log());
        Outcome::new(disk.command(arguments, &faults).output().unwrap()).code(0);
        // the run is read once for each argument that names it
        let expected = if arguments.contains(&"idea/b") { 2 } else { 1 };
        assert_eq!(disk.faults().len(), expected, "{arguments:?}: {:?}", disk.faults());
    }
}
