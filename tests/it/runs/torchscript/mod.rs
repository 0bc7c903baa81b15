//! Networks, losses and metrics written in PyTorch and exported as TorchScript. The files are in `tests/golden/torchscript`.

mod limits;
mod losses;
mod networks;

use std::path::Path;

use crate::support::{TestDir, assert_says, stderr};

/// Deletes the files, and checks that commands use the copies that the run `idea` keeps, and refuse a changed copy of the first
/// one.
fn assert_commands_use_copies(dir: &TestDir, files: &[&str], more: &[&str], key: &str) {
    files.iter().for_each(|file| std::fs::remove_file(dir.path(file)).unwrap());
    for arguments in [&["eval", "idea"][..], &["reproduce", "idea"], &["report", "idea"], more] {
        dir.run(arguments).code(0);
    }
    let stem = files[0].strip_suffix(".pt").unwrap();
    let mut copies = std::fs::read_dir(dir.path("runs/idea/latest")).unwrap().map(|entry| entry.unwrap().path());
    let copy =
        copies.find(|path| path.file_name().unwrap().to_string_lossy().starts_with(&format!("{stem}-"))).unwrap();
    std::fs::write(copy, "changed").unwrap();
    let message = stderr(&dir.run(&["eval", "idea"]).code(2));
    assert_says(&message, &[&format!("`{key}` has changed"), "is not the file that the run started with"]);
}

/// Copies a file of `tests/golden/torchscript` into the directory.
fn copy(dir: &TestDir, file: &str, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/torchscript").join(file);
    dir.write(name, std::fs::read(path).unwrap());
}
