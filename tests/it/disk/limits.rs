//! Real limits: of the size of files, and of a small disk.

use std::io::Write;
use std::process::Command as StdCommand;

use super::faulty_disk::{Disk, Ended, assert_whole, folders};
use crate::support::RUNNER;

/// Weights of 90 KB, the rest being small.
const WIDE: [&str; 2] = ["--set", "network.layers=[{ linear = 300 }, \"relu\", { linear = 10 }]"];

/// Runs the wide idea from a shell's script, which finds the program's command in `"$@"` and the folder of runs in `$1`.
fn exp_in_script(disk: &Disk, shell: &[&str], script: &str) -> Ended {
    let command = disk.command(&[], &[]);
    let environment = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let mut outer = StdCommand::new(shell[0]);
    outer.envs(environment).current_dir(disk.place.path(""));
    outer.args(&shell[1..]).args(["-c", script, "sh", RUNNER, "exp", "idea.toml", "--device", "cpu"]).args(WIDE);
    Ended::of(outer.output().unwrap())
}

#[test]
fn a_limit_of_file_sizes_is_an_error_and_not_the_end_of_the_program() {
    let disk = Disk::new();
    // in blocks of 512 bytes or of 1024, as the shell has it: less than the weights, more than all the rest
    let ended = exp_in_script(&disk, &["sh"], "ulimit -f 80; exec \"$@\"").code(2);
    ended.says(&["File too large", "base-seed0.safetensors"]);
    assert_whole(&disk.run());
    assert!(disk.run().join("base-seed0.json").is_file());
    assert!(!disk.run().join("base-seed0.safetensors").exists());
}

/// A shell that may mount, in a world of its own; none where the system does not let it.
fn shell_that_mounts() -> Option<&'static [&'static str]> {
    let shell: &[&str] = &["unshare", "--user", "--map-root-user", "--mount", "sh"];
    let tried = StdCommand::new(shell[0]).args(&shell[1..]).args(["-c", "mount -t tmpfs none /mnt"]).output();
    tried.is_ok_and(|tried| tried.status.success()).then_some(shell)
}

#[test]
fn a_disk_that_is_too_small_keeps_what_it_holds_and_the_rest_is_rescued() {
    let Some(shell) = shell_that_mounts() else {
        let skipped = "skipped: no disk may be mounted here; what fails with ENOSPC above stands in for it";
        return writeln!(std::io::stderr(), "{skipped}").unwrap();
    };
    let disk = Disk::new();
    disk.place.write("runs/.keep", "");
    disk.place.write("after/.keep", "");
    // 64 KiB, on which the weights do not fit; what it holds in the end is copied out, for it ends with the shell
    let script = "mount -t tmpfs -o size=64k none runs && \"$@\"; code=$?; cp -a runs/. after; df runs >&2; exit $code";
    let ended = exp_in_script(&disk, shell, script).code(2);
    ended.says(&["No space left on device", "base-seed0.safetensors"]);
    let runs = folders(&disk.place.path("after/idea"));
    assert_eq!(runs.len(), 1);
    assert_whole(&runs[0]);
    let place = disk.rescued(&disk.cache().join("runner"));
    assert_whole(&place);
    assert!(place.join("base-seed0.safetensors").metadata().unwrap().len() > 64 * 1024);
    assert!(runs[0].join("base-seed0.json").exists() || place.join("base-seed0.json").exists());
}
