//! Real limits: the maximum file size and a small disk.

use std::io::Write;
use std::process::Command as StdCommand;

use super::faulty_disk::{Disk, Outcome, assert_files_complete, folders};
use crate::support::RUNNER;

/// A network with 90 KB of weights; all other files are small.
const WIDE: [&str; 2] = ["--set", "network.layers=[{ linear = 300 }, \"relu\", { linear = 10 }]"];

/// Runs the wide network from a shell script. `"$@"` is the command of the program.
fn exp_in_script(disk: &Disk, shell: &[&str], script: &str) -> Outcome {
    let command = disk.command(&[], &[]);
    let environment = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let mut outer = StdCommand::new(shell[0]);
    outer.envs(environment).current_dir(disk.dir.path(""));
    outer.args(&shell[1..]).args(["-c", script, "sh", RUNNER, "exp", "idea.toml", "--device", "cpu"]).args(WIDE);
    Outcome::new(outer.output().unwrap())
}

#[test]
fn exceeding_the_file_size_limit_is_an_error_and_no_crash() {
    let disk = Disk::new();
    // in blocks of 512 or 1024 bytes, depending on the shell: smaller than the weights, larger than every other file
    let outcome = exp_in_script(&disk, &["sh"], "ulimit -f 80; exec \"$@\"").code(2);
    outcome.assert_says(&["File too large", "base-seed0.safetensors"]);
    assert_files_complete(&disk.run());
    assert!(disk.run().join("base-seed0.json").is_file());
    assert!(!disk.run().join("base-seed0.safetensors").exists());
}

/// A shell that can mount file systems in its own namespace. `None` if the system does not allow it.
fn shell_that_mounts() -> Option<&'static [&'static str]> {
    let shell: &[&str] = &["unshare", "--user", "--map-root-user", "--mount", "sh"];
    let probe = StdCommand::new(shell[0]).args(&shell[1..]).args(["-c", "mount -t tmpfs none /mnt"]).output();
    probe.is_ok_and(|probe| probe.status.success()).then_some(shell)
}

#[test]
fn files_that_do_not_fit_on_a_small_disk_go_to_the_fallback_directory() {
    let Some(shell) = shell_that_mounts() else {
        let skipped = "skipped: no disk can be mounted here; the tests with ENOSPC cover the same case";
        return writeln!(std::io::stderr(), "{skipped}").unwrap();
    };
    let disk = Disk::new();
    disk.dir.write("runs/.keep", "");
    disk.dir.write("after/.keep", "");
    // 64 KiB, too small for the weights; the shell copies the files before its namespace disappears
    let script = "mount -t tmpfs -o size=64k none runs && \"$@\"; code=$?; cp -a runs/. after; df runs >&2; exit $code";
    let outcome = exp_in_script(&disk, shell, script).code(2);
    outcome.assert_says(&["No space left on device", "base-seed0.safetensors"]);
    let runs = folders(&disk.dir.path("after/idea"));
    assert_eq!(runs.len(), 1);
    assert_files_complete(&runs[0]);
    let dir = disk.fallback_directory(&disk.cache().join("runner"));
    assert_files_complete(&dir);
    assert!(dir.join("base-seed0.safetensors").metadata().unwrap().len() > 64 * 1024);
    assert!(runs[0].join("base-seed0.json").exists() || dir.join("base-seed0.json").exists());
}
