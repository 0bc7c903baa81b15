//! Logs of jobs: what their processes and Slurm itself print.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::slurm::submission::FOLDER;

/// Number of bytes at the end of a log that are read.
const READ: u64 = 8192;

/// Name of the logs of a job as `sbatch --output` takes it: of an array, of a single job.
pub fn pattern(is_array: bool) -> &'static str {
    if is_array { "%A_%a.log" } else { "%j.log" }
}

/// Path of the log of a job or a task in a directory.
pub fn path(directory: &Path, task: &str) -> PathBuf {
    directory.join(FOLDER).join(format!("{task}.log"))
}

/// Returns the last lines of a log, at most this number, without empty ones; none if it cannot be read.
pub fn last_lines(path: &Path, most: usize) -> Vec<String> {
    let text = read_end(path).unwrap_or_default();
    let mut lines: Vec<String> =
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    lines.split_off(lines.len().saturating_sub(most))
}

fn read_end(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(READ)))?;
    let mut bytes = Vec::new();
    file.take(READ).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_those_with_words() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("12_0.log");
        assert_eq!(last_lines(&log, 2), Vec::<String>::new());
        std::fs::write(&log, format!("{}\nfirst\n\nsecond  \nthird\n\n", "x".repeat(20_000))).unwrap();
        assert_eq!(last_lines(&log, 2), ["second", "third"]);
        assert_eq!(last_lines(&log, 3), ["first", "second", "third"]);
    }
}
