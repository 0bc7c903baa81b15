//! Slurm's programs.

use std::path::Path;

/// Which of Slurm's programs are on `PATH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Programs {
    /// `sbatch`, which submits jobs.
    pub sbatch: bool,
    /// `scontrol`, which shows settings and puts jobs back into the queue.
    pub scontrol: bool,
    /// `squeue`, which lists jobs.
    pub squeue: bool,
    /// `scancel`, which ends jobs.
    pub scancel: bool,
}

impl Programs {
    /// Returns the programs of this machine.
    pub fn find() -> Programs {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_found = |name: &str| std::env::split_paths(&path).any(|folder| is_executable(&folder.join(name)));
        Programs {
            sbatch: is_found("sbatch"),
            scontrol: is_found("scontrol"),
            squeue: is_found("squeue"),
            scancel: is_found("scancel"),
        }
    }

    /// Returns the names of those that are missing.
    pub fn missing(&self) -> Vec<&'static str> {
        let all =
            [(self.sbatch, "sbatch"), (self.scontrol, "scontrol"), (self.squeue, "squeue"), (self.scancel, "scancel")];
        all.into_iter().filter(|(is_found, _)| !is_found).map(|(_, name)| name).collect()
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
