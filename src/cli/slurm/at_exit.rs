//! What a process does at its end when the time of its job is over.

use std::sync::OnceLock;

use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::io::signals::{self, SIGUSR2};
use crate::slurm::job::Job;
use crate::slurm::job_state::OUT_OF_TIME;
use crate::slurm::queue::{Requeued, requeue};

/// Returns how a command of a job ends: one that SIGUSR2 has stopped puts its job into the queue again, and succeeds.
pub fn after(exit: Exit) -> Exit {
    match exit {
        Exit::Interrupted(SIGUSR2) => match leave_job() {
            true => Exit::Done,
            false => Exit::Failed,
        },
        Exit::Interrupted(_) | Exit::Done | Exit::Missed | Exit::Failed => exit,
    }
}

/// Puts the job of this process into the queue again, if it belongs to one, and says so. Returns whether somebody continues.
/// Threads that call it at the same time do it once: that of the signals and the one that works.
fn leave_job() -> bool {
    static IS_CONTINUED: OnceLock<bool> = OnceLock::new();
    *IS_CONTINUED.get_or_init(|| {
        let Some(job) = Job::of_this_process() else { return false };
        // Slurm ends the job once it is in the queue again, and the line about it must be in the log before
        signals::ignore_sigterm();
        let requeued = requeue(&job);
        match &requeued {
            Ok(Requeued::Again) => terminal::say(&format!("{OUT_OF_TIME}: it is in the queue again as {}", job.id)),
            Ok(Requeued::Successor) => terminal::say(&format!("{OUT_OF_TIME}: the next job of the chain continues")),
            Err(error) => {
                terminal::say(&format!("failed to put the job into the queue again: {error}"));
                terminal::say("hint: submit with `--chain N`, or submit the script in `slurm/` again");
            }
        }
        requeued.is_ok()
    })
}
