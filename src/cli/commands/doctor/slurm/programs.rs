//! Slurm's programs.

use std::path::Path;

/// The programs that submit jobs, show settings and put jobs back into the queue, list jobs, and end jobs.
const PROGRAMS: [&str; 4] = ["sbatch", "scontrol", "squeue", "scancel"];

/// Returns those of [`PROGRAMS`] that are not on `PATH`.
pub fn missing() -> Vec<&'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_found = |name: &str| std::env::split_paths(&path).any(|folder| is_executable(&folder.join(name)));
    PROGRAMS.into_iter().filter(|name| !is_found(name)).collect()
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
