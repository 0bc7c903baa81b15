//! State of the jobs of a sweep or a run, in words: from their records, the queue and their logs.

use std::path::Path;

use crate::slurm::job_log;
use crate::slurm::program::ProgramError;
use crate::slurm::queue::{self, QueuedJob};
use crate::slurm::sbatch_options::SbatchOptions;
use crate::slurm::submission::{self, Submission};

/// Beginning of the last line that a process prints when it leaves because the time of its job is over.
pub const OUT_OF_TIME: &str = "the time of the job is over";

/// Beginning of the last line of a process that a signal has stopped.
const INTERRUPTED: &str = "interrupted";

/// Beginnings of the last line of a process that has left as it should.
const ORDERLY: [&str; 5] = ["all stacks have ended", "stopped", INTERRUPTED, "the sweep was stopped", OUT_OF_TIME];

/// Number of lines at the end of a log that are looked at.
const READ: usize = 12;

/// Number of lines that are shown of a log without an error message.
const SHOWN: usize = 3;

/// Beginning of an error message.
const ERROR: &str = "error: ";

/// Beginning of lines that Slurm adds to a log: `slurmstepd-n1: error: …`.
const SLURM: &str = "slurmstepd";

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
    /// It has ended, and its log is not in the directory, because `--output` of `sbatch` is elsewhere.
    Ended,
    /// It has ended without a log: it was cancelled before it started, or could not start.
    NotStarted,
}

impl JobState {
    /// Returns the state in words.
    pub fn to_text(&self) -> String {
        match self {
            // Slurm has not looked at it yet
            JobState::Queued(reason) if reason == "(None)" => "queued".to_owned(),
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
            JobState::Failed(lines) => {
                let text = lines.join(" / ");
                format!("failed: {}", text.strip_prefix(ERROR).unwrap_or(&text))
            }
            JobState::Ended => "ended; its log is in the file of `--output`".to_owned(),
            JobState::NotStarted => "ended before it started".to_owned(),
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
            JobState::NotStarted => "not_started",
        }
    }

    /// Whether it is in the queue.
    pub fn is_in_queue(&self) -> bool {
        !matches!(self, JobState::Finished(_) | JobState::Failed(_) | JobState::Ended | JobState::NotStarted)
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
    let states_of = |submission: &Submission| -> Vec<(String, JobState)> {
        let without_log = match SbatchOptions(&submission.options).has_output() {
            true => JobState::Ended,
            false => JobState::NotStarted,
        };
        let names = submission.jobs.iter().flat_map(|job| job.task_names());
        names.map(|name| (name.clone(), state_of(directory, &name, &queued, &without_log))).collect()
    };
    Ok(submissions.iter().flat_map(states_of).collect())
}

/// Returns the state of a job. `without_log` is that of a job that has ended and has no log in the directory.
fn state_of(directory: &Path, name: &str, queued: &[QueuedJob], without_log: &JobState) -> JobState {
    let path = job_log::path(directory, name);
    let lines = job_log::last_lines(&path, READ);
    let is_out_of_time = own(&lines).is_some_and(|line| line.starts_with(OUT_OF_TIME));
    match queued.iter().find(|job| job.name == name) {
        Some(job) => match job.state.as_str() {
            "PENDING" | "CONFIGURING" | "REQUEUED" if job.restarts == 0 => JobState::Queued(job.place.clone()),
            "PENDING" | "CONFIGURING" | "REQUEUED" if is_out_of_time => JobState::OutOfTime(job.place.clone()),
            "PENDING" | "CONFIGURING" | "REQUEUED" | "PREEMPTED" => JobState::Preempted(job.place.clone()),
            "RUNNING" => JobState::Running(job.place.clone()),
            // a job that has ended stays in the list for some minutes
            "COMPLETED" | "FAILED" | "CANCELLED" | "TIMEOUT" | "NODE_FAIL" | "OUT_OF_MEMORY" | "BOOT_FAIL"
            | "DEADLINE" => ended(&path, &lines, without_log),
            _ => JobState::Other(job.state.clone()),
        },
        None => ended(&path, &lines, without_log),
    }
}

fn ended(path: &Path, lines: &[String], without_log: &JobState) -> JobState {
    let is_orderly = |line: &String| ORDERLY.iter().any(|beginning| line.starts_with(beginning));
    match own(lines) {
        Some(last) if is_orderly(last) => JobState::Finished(last.clone()),
        None if !path.exists() => without_log.clone(),
        Some(_) | None => JobState::Failed(shown(lines)),
    }
}

/// Returns the last line of the process itself.
fn own(lines: &[String]) -> Option<&String> {
    lines.iter().rev().find(|line| !line.starts_with(SLURM))
}

/// Returns the lines that are shown of a failed job: the last error message and what follows it, else the last lines.
fn shown(lines: &[String]) -> Vec<String> {
    let last_error = lines.iter().rposition(|line| line.starts_with(ERROR));
    let first = last_error.unwrap_or(lines.len().saturating_sub(SHOWN));
    let without_name = |line: &String| {
        let text = match line.split_once(": ") {
            Some((name, text)) if name.starts_with(SLURM) => text,
            _ => line,
        };
        text.trim().to_owned()
    };
    lines[first..].iter().map(without_name).collect()
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
        state_of(directory.path(), "12_3", &queued, &JobState::NotStarted).to_text()
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
        assert_eq!(state(Some(failed), None), "failed: no such directory / hint: create it");
        let long =
            "S001: training\nerror: failed to use the device\n  because a\n  because b\n  because c\nhint: change it\n";
        let wanted = "failed: failed to use the device / because a / because b / because c / hint: change it";
        assert_eq!(state(Some(long), None), wanted);
        let cancelled =
            "S001: left with a checkpoint\ninterrupted\nslurmstepd-n1: error: *** JOB 12 ON n1 CANCELLED AT 1 ***\n";
        assert_eq!(state(Some(cancelled), None), "left with checkpoints: interrupted");
        let killed = "S001: training\nslurmstepd-n1: error: Detected 1 oom_kill event in StepId=12.batch.\n";
        let wanted = "failed: S001: training / error: Detected 1 oom_kill event in StepId=12.batch.";
        assert_eq!(state(Some(killed), None), wanted);
        assert_eq!(state(Some("S001: training\n"), None), "failed: S001: training");
        assert_eq!(state(Some(""), None), "ended before it could print anything");
        assert_eq!(state(None, None), "ended before it started");
        assert_eq!(state(None, Some(("PENDING", 0, "(None)"))), "queued");
        assert_eq!(
            state(Some("all stacks have ended\n"), Some(("COMPLETED", 0, ""))),
            "finished: all stacks have ended"
        );
    }
}
