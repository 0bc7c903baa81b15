//! State of the jobs of a sweep or a run, in words: from their records, the queue and their logs.

use std::path::Path;

use crate::slurm::job_log;
use crate::slurm::program::ProgramError;
use crate::slurm::queue::{self, QueuedJob};
use crate::slurm::submission::{self, Submission};

/// Beginning of the last line that a process prints when it leaves because the time of its job is over.
pub const OUT_OF_TIME: &str = "the time of the job is over";

/// Beginning of the last line of a process that a signal has stopped.
const INTERRUPTED: &str = "interrupted";

/// Beginnings of the last line of a process that has left as it should.
const ORDERLY: [&str; 5] = ["all stacks have ended", "stopped", INTERRUPTED, "the sweep was stopped", OUT_OF_TIME];

/// Number of lines of a log that are shown.
const SHOWN: usize = 3;

/// State of a job or of a task of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It has not started, for this reason.
    Queued(String),
    /// It runs on these machines.
    Running(String),
    /// It was preempted and waits to continue, for this reason.
    Preempted(String),
    /// Its time was over and it waits to continue, for this reason.
    OutOfTime(String),
    /// It is in another state, as Slurm calls it.
    Other(String),
    /// It has left as it should; the last line of its log.
    Finished(String),
    /// It has ended otherwise; the last lines of its log.
    Failed(Vec<String>),
    /// It has ended, and has no log in the directory.
    Ended,
}

impl JobState {
    /// Returns the state in words.
    pub fn to_text(&self) -> String {
        match self {
            JobState::Queued(reason) => format!("queued {reason}"),
            JobState::Running(machines) => format!("running on {machines}"),
            JobState::Preempted(reason) => format!("preempted and waiting {reason}"),
            JobState::OutOfTime(reason) => format!("out of time and waiting to continue {reason}"),
            JobState::Other(state) => state.to_lowercase(),
            JobState::Finished(line) if line.starts_with(INTERRUPTED) => {
                "left with checkpoints: interrupted".to_owned()
            }
            JobState::Finished(line) => format!("finished: {line}"),
            JobState::Failed(lines) if lines.is_empty() => "ended before it could print anything".to_owned(),
            JobState::Failed(lines) => format!("failed: {}", lines.join(" / ")),
            JobState::Ended => "ended; its log is in the file of `--output`".to_owned(),
        }
    }

    /// Returns the state as one word.
    pub fn word(&self) -> &'static str {
        match self {
            JobState::Queued(_) => "queued",
            JobState::Running(_) => "running",
            JobState::Preempted(_) => "preempted",
            JobState::OutOfTime(_) => "out_of_time",
            JobState::Other(_) => "other",
            JobState::Finished(_) => "finished",
            JobState::Failed(_) => "failed",
            JobState::Ended => "ended",
        }
    }

    /// Whether it is in the queue.
    pub fn is_in_queue(&self) -> bool {
        match self {
            JobState::Queued(_)
            | JobState::Running(_)
            | JobState::Preempted(_)
            | JobState::OutOfTime(_)
            | JobState::Other(_) => true,
            JobState::Finished(_) | JobState::Failed(_) | JobState::Ended => false,
        }
    }
}

/// Returns the numbers of all jobs that were submitted for a directory.
pub fn ids(submissions: &[Submission]) -> Vec<String> {
    submissions.iter().flat_map(|submission| &submission.jobs).map(|job| job.id.clone()).collect()
}

/// Returns the state of each job or task that was submitted for a directory, by its name, in their order. The queue is asked
/// once, if there are jobs.
///
/// # Errors
/// When the queue cannot be asked.
pub fn read(directory: &Path) -> Result<Vec<(String, JobState)>, ProgramError> {
    let submissions = submission::read_all(directory);
    let queued = queue::list(&ids(&submissions))?;
    let names = submissions.iter().flat_map(|submission| &submission.jobs).flat_map(|job| job.task_names());
    Ok(names.map(|name| (name.clone(), state_of(directory, &name, &queued))).collect())
}

fn state_of(directory: &Path, name: &str, queued: &[QueuedJob]) -> JobState {
    let path = job_log::path(directory, name);
    let lines = job_log::last_lines(&path, SHOWN);
    // Slurm adds lines of its own after those of the process
    let own = lines.iter().rev().find(|line| !line.starts_with("slurmstepd"));
    let is_out_of_time = own.is_some_and(|line| line.starts_with(OUT_OF_TIME));
    match queued.iter().find(|job| job.name == name) {
        Some(job) => match job.state.as_str() {
            "PENDING" | "CONFIGURING" | "REQUEUED" if job.restarts == 0 => JobState::Queued(job.place.clone()),
            "PENDING" | "CONFIGURING" | "REQUEUED" if is_out_of_time => JobState::OutOfTime(job.place.clone()),
            "PENDING" | "CONFIGURING" | "REQUEUED" | "PREEMPTED" => JobState::Preempted(job.place.clone()),
            "RUNNING" => JobState::Running(job.place.clone()),
            // a job that has ended stays in the list for some minutes
            "COMPLETED" | "FAILED" | "CANCELLED" | "TIMEOUT" | "NODE_FAIL" | "OUT_OF_MEMORY" | "BOOT_FAIL"
            | "DEADLINE" => ended(&path, lines),
            _ => JobState::Other(job.state.clone()),
        },
        None => ended(&path, lines),
    }
}

fn ended(path: &Path, lines: Vec<String>) -> JobState {
    let is_orderly = |line: &String| ORDERLY.iter().any(|beginning| line.starts_with(beginning));
    match lines.last() {
        None if !path.exists() => JobState::Ended,
        Some(last) if is_orderly(last) => JobState::Finished(last.clone()),
        _ => JobState::Failed(lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(log: Option<&str>, queued: Option<(&str, u32, &str)>) -> String {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("slurm")).unwrap();
        if let Some(log) = log {
            std::fs::write(job_log::path(directory.path(), "12_3"), log).unwrap();
        }
        let queued: Vec<QueuedJob> = queued
            .into_iter()
            .map(|(state, restarts, place)| QueuedJob {
                name: "12_3".to_owned(),
                state: state.to_owned(),
                restarts,
                place: place.to_owned(),
            })
            .collect();
        state_of(directory.path(), "12_3", &queued).to_text()
    }

    #[test]
    fn states_are_words() {
        assert_eq!(state(None, Some(("PENDING", 0, "(Resources)"))), "queued (Resources)");
        assert_eq!(state(Some("S001: training\n"), Some(("RUNNING", 0, "n1"))), "running on n1");
        let killed = "S001: training\nS001: left with a checkpoint\ninterrupted\n\
                      slurmstepd-n1: error: *** JOB 12 ON n1 CANCELLED AT 2026-11-29 DUE TO PREEMPTION ***\n";
        assert_eq!(state(Some(killed), Some(("PENDING", 1, "(BeginTime)"))), "preempted and waiting (BeginTime)");
        let out = "S001: left with a checkpoint\nthe time of the job is over: it is in the queue again as 12_3\n";
        let waiting = "out of time and waiting to continue (BeginTime)";
        assert_eq!(state(Some(out), Some(("PENDING", 1, "(BeginTime)"))), waiting);
        assert_eq!(state(Some(out), Some(("COMPLETING", 1, "n1"))), "completing");
        assert_eq!(state(Some("all stacks have ended\n"), None), "finished: all stacks have ended");
        assert_eq!(state(Some("S001: training\ninterrupted\n"), None), "left with checkpoints: interrupted");
        let failed = "a\nb\nerror: no such directory\nhint: create it\n";
        assert_eq!(state(Some(failed), None), "failed: b / error: no such directory / hint: create it");
        assert_eq!(state(Some("S001: training\n"), None), "failed: S001: training");
        assert_eq!(state(Some(""), None), "ended before it could print anything");
        assert_eq!(state(None, None), "ended; its log is in the file of `--output`");
        assert_eq!(
            state(Some("all stacks have ended\n"), Some(("COMPLETED", 0, ""))),
            "finished: all stacks have ended"
        );
    }
}
