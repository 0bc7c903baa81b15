//! The loop of a worker: it takes a stack, trains it as an ordinary run, publishes its end, and takes the next one.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use tch::Device;

use crate::data::source::DataSpec;
use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::store::kept_table;
use crate::device::fault::contained;
use crate::experiment::run::checkpointing::CheckpointInterval;
use crate::experiment::run::progress::RunProgress;
use crate::experiment::run::progress::event_log::EventFiles;
use crate::experiment::run::{Finished, LoadedData, Options, run_leased};
use crate::experiment::store::pretrained;
use crate::io::signals::Signals;
use crate::run_dir::RunDir;
use crate::slurm::job_clock::JobClock;
use crate::sweep::dir::beat::{self, Beat};
use crate::sweep::dir::ended::EndedStack;
use crate::sweep::dir::lease::Lease;
use crate::sweep::dir::{SweepDir, stop_request};
use crate::sweep::record::SweepRecord;
use crate::sweep::work::conclusion::{Conclusion, Problem, conclude};
use crate::sweep::work::data_check::DataCheck;
use crate::sweep::work::event::{Event, Events};
use crate::sweep::work::heartbeat::{Heartbeat, Interruption, Supervision};
use crate::sweep::work::identity::Identity;
use crate::sweep::work::queue::{Next, Queue};
use crate::sweep::work::time_check::TimeCheck;
use crate::train::callback::{Callback, EpochReport};

/// Number of failures in a row with the same cause after which a sweep is stopped, if failures stop it.
const SAME_FAILURES: u32 = 3;

/// Time between two attempts to take a stack while others have all of them.
const PAUSE: Duration = Duration::from_millis(300);

/// Options of a worker.
#[derive(Debug)]
pub struct WorkOptions<'a> {
    /// Device of the tensors.
    pub device: Device,
    /// Maximum number of CPU threads.
    pub threads: usize,
    /// When checkpoints are written.
    pub checkpoint_interval: CheckpointInterval,
    /// Directory below which TensorBoard event files are written, if they are.
    pub events: Option<&'a EventFiles>,
    /// Cache of data sets.
    pub cache: &'a Cache,
    /// Directory of the runs that pretrained weights are from.
    pub runs: PathBuf,
    /// Whether repeated failures with the same cause stop the sweep.
    pub stop_on_failure: bool,
    /// Whether the data may differ from those of the sweep.
    pub force: bool,
    /// The process that started this worker, which ends with it.
    pub parent: Option<u32>,
    /// Clock of the job of a batch system that this process belongs to.
    pub job_clock: Option<&'a JobClock>,
    /// Signals that the process received.
    pub signals: &'a Arc<Signals>,
}

/// Why a worker has left a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// All stacks have ended.
    Over,
    /// The sweep is asked to stop, for this reason.
    Stopped(String),
    /// A signal has stopped it.
    Interrupted,
    /// The process that started it is gone.
    Orphaned,
    /// Its job ends before an epoch could end.
    OutOfTime,
}

/// What a worker keeps when it has trained the stacks of a round.
#[derive(Debug, Default)]
pub struct Kept {
    loaded: LoadedData,
    /// Cause of the last failures, and their number.
    failures: Option<(String, u32)>,
}

/// Trains stacks of a sweep until all have ended, or the worker is stopped.
///
/// # Errors
/// When the files of the sweep cannot be used, the device has failed, or this machine does not have the data of the sweep.
/// Errors of stacks are recorded, and the worker continues.
pub fn work(
    dir: &SweepDir,
    record: &SweepRecord,
    identity: &Identity,
    options: &WorkOptions,
    kept: &mut Kept,
    events: &mut dyn Events,
) -> anyhow::Result<Departure> {
    let interval = beat::interval();
    let stacks = record.stacks.iter().map(|stack| stack.name.as_str());
    let mut queue = Queue::new(dir, identity, stacks, interval);
    let supervision = Supervision { dir: dir.clone(), parent: options.parent };
    let time = options.job_clock.map(|clock| TimeCheck::new(clock, dir, record));
    let mut worker = Worker { dir, record, identity, options, supervision, interval, kept, events, time };
    let started = Instant::now();
    let mut attempts = 0;
    dir.remove_temporary_files();
    loop {
        // a lease that has just been taken must be released: the first signal does not end the program at once
        options.signals.training.store(true, Ordering::SeqCst);
        if options.signals.is_stopped() {
            return Ok(Departure::Interrupted);
        }
        match worker.supervision.interruption() {
            Some(Interruption::Requested) => {
                return Ok(Departure::Stopped(stop_request::reason(dir).unwrap_or_default()));
            }
            Some(Interruption::Orphaned) => return Ok(Departure::Orphaned),
            Some(Interruption::LeaseLost) | None => {}
        }
        if worker.time.as_ref().is_some_and(TimeCheck::is_over) {
            worker.time.as_ref().map_or(Ok(()), TimeCheck::check_limit)?;
            return Ok(Departure::OutOfTime);
        }
        match queue.next(started.elapsed()) {
            Ok(Next::Over) => return Ok(Departure::Over),
            Ok(Next::Wait) => thread::sleep(PAUSE.min(interval)),
            Ok(Next::GiveUp(end)) => worker.publish(&end)?,
            Ok(Next::Train(lease)) => worker.train(&lease)?,
            // a file server may be away for a moment
            Err(error) if attempts < 10 => {
                attempts += 1;
                worker.events.event(&Event::Retrying { error: &error.to_string() });
                thread::sleep(Duration::from_secs(1));
                continue;
            }
            Err(error) => {
                return Err(error).with_context(|| format!("failed to use the files in `{}`", dir.path().display()));
            }
        }
        attempts = 0;
    }
}

/// A worker at a stack.
struct Worker<'a> {
    dir: &'a SweepDir,
    record: &'a SweepRecord,
    identity: &'a Identity,
    options: &'a WorkOptions<'a>,
    supervision: Supervision,
    interval: Duration,
    kept: &'a mut Kept,
    events: &'a mut dyn Events,
    /// Whether the time of the job is enough, in a job of a batch system.
    time: Option<TimeCheck<'a>>,
}

impl Worker<'_> {
    /// Trains the stack of a lease, and publishes its end. The heartbeat ends after that.
    ///
    /// # Errors
    /// When the end cannot be published, or this worker cannot train any stack.
    fn train(&mut self, lease: &Lease) -> anyhow::Result<()> {
        let (stack, signals) = (lease.stack.as_str(), self.options.signals);
        self.events.event(&Event::Claimed { stack, generation: lease.generation });
        let heartbeat = Heartbeat::start(lease, &self.supervision, signals, self.interval)
            .context("failed to start the thread of the heartbeat")?;
        signals.set_exit_action(heartbeat.release_at_exit());
        let started = Instant::now();
        let outcome = contained(|| self.run(lease));
        let is_stopped = signals.is_stopped();
        let seconds = started.elapsed().as_secs_f64();
        let conclusion = conclude(self.record, outcome, is_stopped, stack);
        let is_lost = heartbeat.interruption() == Some(Interruption::LeaseLost) || !lease.is_current();
        let result = match conclusion {
            _ if is_lost => {
                self.events.event(&Event::LeaseLost { stack });
                drop(heartbeat);
                Ok(())
            }
            Conclusion::Publish(end) => {
                let (generation, worker) = (lease.generation, self.identity.worker.clone());
                let end = EndedStack { generation, worker, seconds, ..end };
                let published = self.publish(&end);
                // the stack has ended, so nobody looks at it; otherwise another worker can publish its end at once
                let last = if published.is_ok() { Beat::None } else { Beat::Released };
                let _ = heartbeat.end(&last);
                published
            }
            Conclusion::Release => {
                let released = heartbeat.end(&Beat::Released).context("failed to release the lease on a stack");
                self.events.event(&Event::Released { stack });
                released
            }
            Conclusion::Leave(error, beat) => {
                let _ = heartbeat.end(&beat); // otherwise its silence shows it
                Err(error)
            }
        };
        signals.clear_exit_action();
        // only a signal stops the worker itself; it looks at everything else before the next stack
        signals.resume_unless_signaled();
        result
    }

    /// Runs the study of a stack in its run directory.
    fn run(&mut self, lease: &Lease) -> Result<Finished, Problem> {
        let name = &lease.stack;
        let plan = self.record.stacks.iter().find(|stack| stack.name == *name);
        let plan = plan.context("the record of the sweep has no such stack")?;
        // the sweep could plan all configurations when it started: here, files are missing or have changed
        let mut study = self.record.study_of_stack(plan).map_err(Problem::Machine)?;
        kept_table::LAST.release(); // the rows are read under the lease, so that a failure to read them ends this claim
        pretrained::resolve(&mut study.plans, &self.options.runs).map_err(Problem::Machine)?;
        let folder = RunDir::open_leased(&self.dir.stack(name), lease.check())?;
        let WorkOptions { device, threads, checkpoint_interval, cache, signals, force, .. } = *self.options;
        if force {
            self.kept.loaded = LoadedData::default(); // the files may have changed since they were loaded
        }
        let data = DataCheck { dir: self.dir, may_differ: force };
        if data.is_of_other_data(&folder, &study).map_err(Problem::Machine)? {
            self.events.event(&Event::Note { stack: name, text: "its data have changed: training it from the start" });
            folder.clear().context("failed to remove the files of a run with other data")?;
        }
        let expected = data.expected(&study.plans[0].spec.data).map_err(Problem::Machine)?;
        // the planned stacks fit into the free memory, which other programs may have taken since
        let stack = self.record.options.stack;
        // which configurations are dropped depends on those in a stack
        let halving = self.record.halving_rule(name);
        let narrows = halving.is_none();
        // the trials of all stacks belong to one run: the sweep
        let events = self.options.events.map(|all| all.folder(&self.record.experiment, self.dir.path()));
        let events = events.map(EventFiles::In);
        let events = events.as_ref();
        let options = Options { device, threads, stack, narrows, checkpoint_interval, events, cache, signals };
        let mut watch =
            Notes { stack: name, events: &mut *self.events, data, has_other_data: false, longest_epoch: 0.0 };
        let finished = run_leased(&study, folder, expected, halving, &options, &mut self.kept.loaded, &mut watch);
        let is_of_machine = watch.has_other_data || self.kept.loaded.is_unavailable;
        self.time.iter_mut().for_each(|time| time.measured(watch.longest_epoch));
        match finished {
            Err(error) if is_of_machine => Err(Problem::Machine(error)),
            Ok(mut finished) if is_of_machine && !finished.failures.is_empty() => {
                Err(Problem::Machine(finished.failures.swap_remove(0)))
            }
            finished => Ok(finished?),
        }
    }

    /// Publishes the end of a stack. If failures stop the sweep, and this is one of several with the same cause, asks all
    /// workers to stop.
    fn publish(&mut self, end: &EndedStack) -> anyhow::Result<()> {
        if !end.publish(self.dir)? {
            self.events.event(&Event::LeaseLost { stack: &end.stack });
            return Ok(());
        }
        let EndedStack { stack, seconds, failure, trials, .. } = end;
        let failure = failure.as_ref();
        self.events.event(&Event::Ended { stack, trials: trials.len(), seconds: *seconds, failure });
        self.kept.failures = failure.map(|failure| {
            let before = self.kept.failures.take().filter(|(cause, _)| *cause == failure.cause);
            (failure.cause.clone(), before.map_or(1, |(_, times)| times + 1))
        });
        if let Some((cause, SAME_FAILURES..)) = self.kept.failures.as_ref().filter(|_| self.options.stop_on_failure) {
            let reason = format!("{SAME_FAILURES} stacks in a row failed with the same cause: {cause}");
            stop_request::request(self.dir, &reason).context("failed to stop the sweep")?;
        }
        Ok(())
    }
}

/// Passes the warnings of a run on, and checks its data.
struct Notes<'a> {
    stack: &'a str,
    events: &'a mut dyn Events,
    data: DataCheck<'a>,
    /// Whether the data are not those of the sweep.
    has_other_data: bool,
    /// Seconds of the longest epoch.
    longest_epoch: f64,
}

impl Callback for Notes<'_> {
    fn epoch(&mut self, report: &EpochReport) {
        self.longest_epoch = self.longest_epoch.max(report.seconds);
    }

    fn note(&mut self, text: &str) {
        self.events.event(&Event::Note { stack: self.stack, text });
    }
}

impl DownloadProgress for Notes<'_> {
    fn doing(&mut self, what: &str) {
        self.events.event(&Event::Note { stack: self.stack, text: what });
    }
}

impl RunProgress for Notes<'_> {
    fn loaded(&mut self, data: &DataSpec, sha256: &str) -> anyhow::Result<()> {
        self.data.check(data, sha256).inspect_err(|_| self.has_other_data = true)
    }
}
