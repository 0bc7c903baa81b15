//! Records of submissions: files `slurm/submit-<n>.json` in the directory of a sweep or a run, each written once beside the
//! script `slurm/submit-<n>.sh`.

use std::io::Result;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::io::bounded_file;
use crate::sweep::dir::create_once::create_once;

/// Subdirectory with scripts, records and logs of jobs.
pub const FOLDER: &str = "slurm";

/// Value of `schema` in records of this version.
pub const SCHEMA: &str = "runner.slurm/1";

/// Highest number of a submission of one directory.
const MOST: u32 = 100_000;

/// Jobs that were submitted by one command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// `runner.slurm/1`.
    pub schema: String,
    /// When: UTC, RFC 3339.
    pub submitted: String,
    /// Options of `sbatch` that the user added.
    pub options: Vec<String>,
    /// The jobs.
    pub jobs: Vec<SubmittedJob>,
}

/// A job that was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmittedJob {
    /// Its number.
    pub id: String,
    /// Number of its tasks; `None` if it is no array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<usize>,
    /// The job whose end it waits for, if it follows another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<String>,
}

impl SubmittedJob {
    /// Returns the names of its tasks as Slurm shows them: `12_0`, `12_1`; or `12`, if it is no array.
    pub fn task_names(&self) -> Vec<String> {
        match self.tasks {
            None => vec![self.id.clone()],
            Some(tasks) => (0..tasks).map(|task| format!("{}_{task}", self.id)).collect(),
        }
    }
}

/// Writes the script of a submission under the next free number in this directory, and returns its path.
///
/// # Errors
/// Those of the system.
pub fn write_script(directory: &Path, script: &str) -> Result<PathBuf> {
    let folder = directory.join(FOLDER);
    std::fs::create_dir_all(&folder)?;
    for number in 1..MOST {
        let path = folder.join(format!("submit-{number}.sh"));
        if create_once(&path, script.as_bytes())? {
            return Ok(path);
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// Writes the record of a submission beside its script.
///
/// # Errors
/// When it cannot be written.
pub fn write(script: &Path, submission: &Submission) -> anyhow::Result<()> {
    let path = script.with_extension("json");
    let json = serde_json::to_string_pretty(submission).context("failed to serialize the record of a submission")?;
    let created = create_once(&path, format!("{json}\n").as_bytes());
    created.map(drop).with_context(|| format!("failed to write `{}`", path.display()))
}

/// Reads all records of submissions in a directory, in their order. Files that are no records are left out.
pub fn read_all(directory: &Path) -> Vec<Submission> {
    let read = |number: &u32| {
        let path = directory.join(FOLDER).join(format!("submit-{number}.json"));
        serde_json::from_slice(&bounded_file::read(&path, bounded_file::JSON).ok()?).ok()
    };
    let entries = std::fs::read_dir(directory.join(FOLDER)).into_iter().flatten().flatten();
    let mut numbers: Vec<u32> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_prefix("submit-")?.strip_suffix(".json")?.parse().ok()
        })
        .collect();
    numbers.sort_unstable();
    numbers.iter().filter_map(read).filter(|submission: &Submission| submission.schema == SCHEMA).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn submissions_are_numbered_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read_all(directory.path()), []);
        let submission = |id: &str, tasks| Submission {
            schema: SCHEMA.to_owned(),
            submitted: "2026-11-29T08:00:00Z".to_owned(),
            options: Vec::new(),
            jobs: vec![SubmittedJob { id: id.to_owned(), tasks, follows: None }],
        };
        let all: Vec<Submission> = (1..=11).map(|id| submission(&id.to_string(), Some(2))).collect();
        for one in &all {
            let script = write_script(directory.path(), "#!/bin/bash\n").unwrap();
            write(&script, one).unwrap();
        }
        assert_eq!(read_all(directory.path()), all, "the eleventh is the last one");
        std::fs::write(directory.path().join("slurm/submit-12.json"), "{").unwrap();
        assert_eq!(read_all(directory.path()).len(), 11);
        assert_eq!(all[2].jobs[0].task_names(), ["3_0", "3_1"]);
        assert_eq!(submission("7", None).jobs[0].task_names(), ["7"]);
    }
}
