//! The job that this process belongs to, from the environment variables of Slurm.

use std::time::Duration;

/// Environment variable with the job's number.
const JOB: &str = "SLURM_JOB_ID";

/// Environment variable, written into scripts, with the number of seconds before the end of a job at which Slurm sends SIGUSR2.
pub const LEAD_VARIABLE: &str = "RUNNER_SLURM_SIGNAL";

/// Environment variable, written into scripts: follow-up jobs continue, and the job is not requeued.
pub const CHAIN_VARIABLE: &str = "RUNNER_SLURM_CHAIN";

/// Time before the end of a job at which Slurm sends SIGUSR2, for scripts that do not name one.
pub const LEAD: Duration = Duration::from_secs(180);

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Number of the job, or of the array and the task in it: `12`, `12_3`.
    ///
    /// `SLURM_JOB_ID` is not used in an array: that of its last task is the number of the whole array, and all of its tasks would
    /// be requeued.
    pub id: String,
    /// Time before the end of the job at which Slurm sends SIGUSR2.
    pub lead: Duration,
    /// Whether a follow-up job continues, so that this one is not requeued.
    pub has_successor: bool,
    /// Number of GPUs that Slurm gave the job on this machine.
    pub gpus: Option<usize>,
}

/// Whether this process belongs to a job.
pub fn is_in_job() -> bool {
    std::env::var_os(JOB).is_some_and(|id| !id.is_empty())
}

impl Job {
    /// Returns the job of this process; `None` outside of Slurm.
    pub fn of_this_process() -> Option<Job> {
        Job::from_variables(&|name| std::env::var(name).ok())
    }

    /// Returns the job that environment variables describe.
    fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Option<Job> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let own = variable(JOB)?;
        let array = variable("SLURM_ARRAY_JOB_ID").zip(variable("SLURM_ARRAY_TASK_ID"));
        Some(Job {
            id: array.map_or(own, |(array, task)| format!("{array}_{task}")),
            lead: variable(LEAD_VARIABLE).and_then(|text| text.parse().ok()).map_or(LEAD, Duration::from_secs),
            has_successor: variable(CHAIN_VARIABLE).is_some(),
            gpus: variable("SLURM_GPUS_ON_NODE").and_then(|text| text.parse().ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(variables: &[(&str, &str)]) -> Option<Job> {
        Job::from_variables(&|name| {
            variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_task_of_an_array_is_named_by_array_and_task() {
        assert_eq!(job(&[]), None);
        assert_eq!(job(&[("SLURM_JOB_ID", "")]), None);
        let alone = Job { id: "12".to_owned(), lead: LEAD, has_successor: false, gpus: None };
        assert_eq!(job(&[("SLURM_JOB_ID", "12")]), Some(alone));
        let array = [("SLURM_JOB_ID", "12"), ("SLURM_ARRAY_JOB_ID", "12"), ("SLURM_ARRAY_TASK_ID", "7")];
        assert_eq!(job(&array).unwrap().id, "12_7", "the last task has the number of the array");
    }

    #[test]
    fn the_script_says_when_the_signal_comes_and_whether_a_job_follows() {
        let found = job(&[
            ("SLURM_JOB_ID", "12"),
            ("RUNNER_SLURM_SIGNAL", "30"),
            ("RUNNER_SLURM_CHAIN", "1"),
            ("SLURM_GPUS_ON_NODE", "2"),
        ]);
        let wanted = Job { id: "12".to_owned(), lead: Duration::from_secs(30), has_successor: true, gpus: Some(2) };
        assert_eq!(found, Some(wanted));
    }
}
