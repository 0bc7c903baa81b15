//! Whether the job of a batch system leaves time for another epoch.

use std::time::Duration;

use anyhow::{anyhow, ensure};

use crate::config::hint::Hint;
use crate::slurm::job_clock::JobClock;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::ended::EndedStack;
use crate::sweep::record::SweepRecord;

/// Time that a job leaves, and the time that an epoch takes.
#[derive(Debug)]
pub struct TimeCheck<'a> {
    clock: &'a JobClock,
    /// Time that the job left when the worker started; `None` without a limit.
    at_start: Option<Duration>,
    /// Longest epoch: of this worker, or before its first one estimated from the stacks that have ended.
    epoch: Duration,
    is_measured: bool,
}

impl<'a> TimeCheck<'a> {
    /// Returns the check of a worker that starts.
    pub fn new(clock: &'a JobClock, dir: &SweepDir, record: &SweepRecord) -> TimeCheck<'a> {
        let at_start = clock.usable();
        // without a limit nothing needs to be read
        let epoch = at_start.map_or(0.0, |_| estimate(dir, record));
        TimeCheck { clock, at_start, epoch: Duration::from_secs_f64(epoch), is_measured: false }
    }

    /// Takes the longest epoch of a stack that this worker has trained; 0 if there was none.
    pub fn measured(&mut self, seconds: f64) {
        let Some(epoch) = Duration::try_from_secs_f64(seconds).ok().filter(|epoch| !epoch.is_zero()) else { return };
        self.epoch = if self.is_measured { self.epoch.max(epoch) } else { epoch };
        self.is_measured = true;
    }

    /// Whether less time is left than an epoch takes.
    pub fn is_over(&self) -> bool {
        self.clock.usable().is_some_and(|left| left <= self.epoch)
    }

    /// Checks that the worker had time for an epoch when it started: otherwise the job would be in the queue again and again
    /// without a result.
    ///
    /// # Errors
    /// When the time limit of the job is too short.
    pub fn check_limit(&self) -> anyhow::Result<()> {
        let Some(at_start) = self.at_start else { return Ok(()) };
        let epoch = self.epoch;
        ensure!(
            at_start > epoch,
            anyhow!(
                "the time limit of the job leaves {} s before the signal to leave, but an epoch takes {:.1} s",
                at_start.as_secs(),
                epoch.as_secs_f64()
            )
            .context(Hint("submit with a longer limit: `-- --time=HOURS:MINUTES:SECONDS`".to_owned()))
        );
        Ok(())
    }
}

/// Returns the estimated seconds of an epoch: the longest mean of the stacks that have ended; 0 if there is none.
fn estimate(dir: &SweepDir, record: &SweepRecord) -> f64 {
    let stacks = record.stacks.iter().filter_map(|stack| EndedStack::read(dir, &stack.name).ok());
    let means = stacks.filter_map(|end| {
        let epochs = end.trials.iter().map(|trial| trial.epochs).max().filter(|epochs| *epochs > 0)?;
        Some(end.seconds / epochs as f64).filter(|mean| mean.is_finite() && *mean >= 0.0)
    });
    means.fold(0.0, f64::max)
}
