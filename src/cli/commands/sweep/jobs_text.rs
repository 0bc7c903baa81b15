//! The jobs of a sweep, for `runner sweep status` and `stop`.

use serde_json::{Value, json};

use crate::cli::text::terminal;
use crate::slurm::job_state::{self, JobState};
use crate::slurm::program::ProgramError;
use crate::slurm::queue;
use crate::sweep::dir::SweepDir;

/// Number of jobs that a line names.
const NAMED: usize = 4;

/// Jobs by name, each with its state.
pub type Jobs = Result<Vec<(String, JobState)>, ProgramError>;

/// Returns the jobs as lines; those with the same state share one.
pub fn lines(jobs: &Jobs) -> Vec<String> {
    let jobs = match jobs {
        Ok(jobs) => jobs,
        Err(error) => return vec![format!("unknown: {error}")],
    };
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (name, state) in jobs {
        let text = state.to_text();
        match groups.iter_mut().find(|(other, _)| *other == text) {
            Some((_, names)) => names.push(name),
            None => groups.push((text, vec![name])),
        }
    }
    let line = |(text, names): &(String, Vec<&str>)| match names.len() {
        count if count > NAMED => {
            format!("{} and {} more: {text}", names[..NAMED - 1].join(", "), count + 1 - NAMED)
        }
        _ => format!("{}: {text}", names.join(", ")),
    };
    groups.iter().map(line).collect()
}

/// Returns the jobs as JSON; `null` if the queue gives no answer.
pub fn to_json(jobs: &Jobs) -> Value {
    let job =
        |(name, state): &(String, JobState)| json!({ "job": name, "state": state.word(), "text": state.to_text() });
    jobs.as_ref().map_or(Value::Null, |jobs| jobs.iter().map(job).collect())
}

/// Whether a job is in the queue.
pub fn has_queued(jobs: &Jobs) -> bool {
    jobs.as_ref().is_ok_and(|jobs| jobs.iter().any(|(_, state)| state.is_in_queue()))
}

/// Cancels the jobs that are in the queue, and says so. They have the time that Slurm gives them to save checkpoints.
///
/// # Errors
/// When the queue gives no answer, or the jobs cannot be cancelled.
pub fn cancel(dir: &SweepDir) -> anyhow::Result<()> {
    let jobs = job_state::read(dir.path())?;
    let names: Vec<String> = jobs.into_iter().filter(|(_, state)| state.is_in_queue()).map(|(name, _)| name).collect();
    if names.is_empty() {
        return Ok(());
    }
    queue::cancel(&names)?;
    let jobs = if names.len() == 1 { "job" } else { "jobs" };
    terminal::say(&format!("cancelled {} {jobs} of Slurm", names.len()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_with_the_same_state_share_a_line() {
        let state = |number: usize| match number {
            0 => JobState::Running("n1".to_owned()),
            _ => JobState::Queued("(Resources)".to_owned()),
        };
        let jobs = |count: usize| Ok((0..count).map(|number| (format!("12_{number}"), state(number))).collect());
        assert_eq!(lines(&jobs(3)), ["12_0: running on n1", "12_1, 12_2: queued (Resources)"]);
        assert_eq!(lines(&jobs(9))[1], "12_1, 12_2, 12_3 and 5 more: queued (Resources)");
        assert!(has_queued(&jobs(1)));
        let failed = Err(ProgramError::Missing("squeue".to_owned()));
        assert_eq!(lines(&failed), ["unknown: `squeue` is not in `PATH`"]);
        assert_eq!(to_json(&failed), Value::Null);
    }
}
