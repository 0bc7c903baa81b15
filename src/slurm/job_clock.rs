//! Time that is left to the job of this process.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::slurm::duration;
use crate::slurm::job::Job;
use crate::slurm::program;

/// Time between two questions to the controller.
const INTERVAL: Duration = Duration::from_secs(60);

/// Knows how much time is left to a job. The controller is asked at most once a minute.
#[derive(Debug)]
pub struct JobClock {
    job: Job,
    answer: Mutex<Option<Answer>>,
}

/// An answer of the controller.
#[derive(Clone, Copy, Debug)]
struct Answer {
    given: Instant,
    /// Time that was left; `None` if it is not limited or unknown.
    left: Option<Duration>,
}

impl JobClock {
    /// Returns the clock of the job of this process; `None` outside of Slurm.
    pub fn of_this_process() -> Option<JobClock> {
        Job::of_this_process().map(|job| JobClock { job, answer: Mutex::new(None) })
    }

    /// Returns the time until Slurm sends the signal to leave; `None` if it is not limited or unknown.
    pub fn usable(&self) -> Option<Duration> {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |answer: &Answer| answer.given.elapsed() < INTERVAL;
        let Answer { given, left } = match answer.filter(is_recent) {
            Some(answer) => answer,
            None => *answer.insert(Answer { given: Instant::now(), left: self.ask() }),
        };
        Some(left?.saturating_sub(given.elapsed()).saturating_sub(self.job.lead))
    }

    fn ask(&self) -> Option<Duration> {
        let arguments = ["-h", "-j", &self.job.id, "-o", "%L"].map(str::to_owned);
        // without an answer, the signal will say when the time is over
        duration::parse(program::run("squeue", &arguments, |_| {}).ok()?.lines().next()?)
    }
}
