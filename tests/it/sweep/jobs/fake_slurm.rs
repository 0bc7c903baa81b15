//! Programs of Slurm that write down how they were called, and print what a file says.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::support::TestDir;

/// The programs that are replaced.
const PROGRAMS: [&str; 5] = ["sbatch", "squeue", "scontrol", "scancel", "sacct"];

/// Adds a line to `calls`, prints the file `NAME.out`, and fails with the words of `NAME.err` if there are some. Each call of
/// sbatch gets the next number as its answer.
const SCRIPT: &str = r#"#!/bin/sh
here=$(dirname "$0")
name=$(basename "$0")
case " $* " in *" --version "*) exit 0;; esac
echo "$name $*" >> "$here/calls"
[ -e "$here/$name.err" ] && { cat "$here/$name.err" >&2; exit 1; }
[ -e "$here/$name.out" ] && cat "$here/$name.out"
case "$name $1" in
  "sbatch --parsable") last=$(cat "$here/last" 2>/dev/null || echo 11); echo $((last + 1)) | tee "$here/last";;
esac
exit 0
"#;

/// A directory with the programs.
pub struct FakeSlurm {
    folder: PathBuf,
}

impl FakeSlurm {
    /// Puts the programs beside the data cache of a test.
    pub fn new(dir: &TestDir) -> FakeSlurm {
        let folder = dir.data_path("slurm-bin");
        std::fs::create_dir_all(&folder).unwrap();
        for program in PROGRAMS {
            let path = folder.join(program);
            std::fs::write(&path, SCRIPT).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        FakeSlurm { folder }
    }

    /// Puts the programs first in `PATH`, outside of any job.
    pub fn enter(&self, mut command: Command) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.folder.display()));
        for variable in ["SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "RUNNER_SLURM_CHAIN"] {
            command.env_remove(variable);
        }
        command
    }

    /// Sets what a program prints.
    pub fn answer(&self, program: &str, text: &str) {
        std::fs::write(self.folder.join(format!("{program}.out")), text).unwrap();
    }

    /// Lets a program fail with these words.
    pub fn refuse(&self, program: &str, words: &str) {
        std::fs::write(self.folder.join(format!("{program}.err")), words).unwrap();
    }

    /// Removes a program.
    pub fn remove(&self, program: &str) {
        std::fs::remove_file(self.folder.join(program)).unwrap();
    }

    /// Returns how a program was called so far, a line for each call.
    pub fn calls(&self, program: &str) -> Vec<String> {
        let calls = std::fs::read_to_string(self.folder.join("calls")).unwrap_or_default();
        let lines = calls.lines().filter_map(|line| line.strip_prefix(program)?.strip_prefix(' '));
        lines.map(str::to_owned).collect()
    }

    /// Returns how a program was called by its only call.
    #[track_caller]
    pub fn call(&self, program: &str) -> String {
        let calls = self.calls(program);
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls[0].clone()
    }
}
