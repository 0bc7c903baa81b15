//! Puts the job of this process into the queue again.

use crate::slurm::job::Job;
use crate::slurm::program::{self, ProgramError};

/// What happens to the work of a job whose time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requeued {
    /// The job is in the queue again.
    Again,
    /// A job that waits for the end of this one continues.
    Successor,
}

/// Puts a job into the queue again, unless a follow-up job continues. Slurm sends SIGTERM to its processes then.
///
/// # Errors
/// When `scontrol` is missing or fails.
pub fn requeue(job: &Job) -> Result<Requeued, ProgramError> {
    if job.has_successor {
        return Ok(Requeued::Successor);
    }
    let arguments = ["requeue", &job.id].map(str::to_owned);
    program::run("scontrol", &arguments, |_| {}).map(|_| Requeued::Again)
}
