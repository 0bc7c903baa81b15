//! The loop of a worker: it takes a stack, trains it as an ordinary run, publishes its end, and takes the next one.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use tch::Device;

use crate::config::hint::{Hint, in_a_line};
use crate::data::store::cache::Cache;
use crate::data::store::fetch::DownloadProgress;
use crate::device::fault::{Fault, contained};
use crate::experiment::plan::Plan;
use crate::experiment::run::checkpointing::CheckpointInterval;
use crate::experiment::run::progress::{RunProgress, StackInfo};
use crate::experiment::run::{Finished, LoadedData, Options, error, run_leased};
use crate::experiment::store::pretrained;
use crate::io::signals::Signals;
use crate::run_dir::RunDir;
use crate::sweep::dir::beat::{self, Beat};
use crate::sweep::dir::ended::{EndedStack, EndedTrial, Failure};
use crate::sweep::dir::lease::Lease;
use crate::sweep::dir::{SweepDir, data_sum, file_sums, stop_request};
use crate::sweep::record::SweepRecord;
use crate::sweep::work::event::{Event, Events};
use crate::sweep::work::heartbeat::{Heartbeat, Interruption, Supervision};
use crate::sweep::work::identity::{Identity, now};
use crate::sweep::work::queue::{Next, Queue};
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
    /// Cache of data sets.
    pub cache: &'a Cache,
    /// Directory of the runs that pretrained weights are from.
    pub runs: PathBuf,
    /// Whether repeated failures with the same cause stop the sweep.
    pub stop_on_failure: bool,
    /// The process that started this worker, which ends with it.
    pub parent: Option<u32>,
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
}

/// Trains stacks of a sweep until all have ended, or the worker is stopped.
///
/// # Errors
/// When the files of the sweep cannot be used, or the device has failed. Errors of stacks are recorded, and the worker
/// continues.
pub fn work(
    dir: &SweepDir,
    record: &SweepRecord,
    identity: &Identity,
    options: &WorkOptions,
    events: &mut dyn Events,
) -> anyhow::Result<Departure> {
    let interval = beat::interval();
    let stacks = record.stacks.iter().map(|stack| stack.name.as_str());
    let mut queue = Queue::new(dir, identity, stacks, interval);
    let supervision = Supervision { dir: dir.clone(), parent: options.parent };
    let loaded = LoadedData::default();
    let mut worker = Worker { dir, record, identity, options, supervision, interval, loaded, events, failures: None };
    let started = Instant::now();
    let mut attempts = 0;
    dir.remove_temporary_files();
    loop {
        // without a stack there is nothing to save: a signal ends the program at once
        options.signals.training.store(false, Ordering::SeqCst);
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
    loaded: LoadedData,
    events: &'a mut dyn Events,
    /// Cause of the last failures, and their number.
    failures: Option<(String, u32)>,
}

impl Worker<'_> {
    /// Trains the stack of a lease, and publishes its end.
    ///
    /// # Errors
    /// When the end cannot be published, or the device has failed.
    fn train(&mut self, lease: &Lease) -> anyhow::Result<()> {
        let (stack, signals) = (lease.stack.as_str(), self.options.signals);
        self.events.event(&Event::Claimed { stack, generation: lease.generation });
        signals.training.store(true, Ordering::SeqCst);
        let heartbeat = Heartbeat::start(lease, &self.supervision, signals, self.interval)
            .context("failed to start the thread of the heartbeat")?;
        let started = Instant::now();
        let outcome = contained(|| self.run(lease));
        let is_stopped = signals.is_stopped();
        let interruption = heartbeat.end();
        // only a signal stops the worker itself; it looks at everything else before the next stack
        signals.resume_unless_signaled();
        if interruption == Some(Interruption::LeaseLost) || !lease.is_current() {
            self.events.event(&Event::LeaseLost { stack });
            return Ok(());
        }
        let mut end = EndedStack::new(stack, lease.generation, &self.identity.worker, now());
        end.seconds = started.elapsed().as_secs_f64();
        match outcome {
            Ok(Ok(finished)) if finished.interrupted => return self.release(lease),
            Ok(Ok(finished)) => {
                let metric = &self.record.metric;
                end.trials = finished.histories.iter().map(|history| EndedTrial::new(history, metric)).collect();
                if let Some(error) = finished.failures.first() {
                    self.check_device(lease, error)?;
                    end.failure = Some(failure_of(error));
                } else if let Some(problem) = missing_files(&finished) {
                    end.failure = Some(failure_of(&problem));
                } else if let Err(error) = finished.folder.flush() {
                    let error = anyhow::Error::new(error).context("failed to flush the files of the run to disk");
                    end.failure = Some(failure_of(&error));
                } else {
                    match file_sums::of_directory(finished.folder.path()) {
                        Ok(sums) => end.files = sums,
                        Err(error) => {
                            let error = anyhow::Error::new(error).context("failed to read the files of the run");
                            end.failure = Some(failure_of(&error));
                        }
                    }
                }
            }
            Ok(Err(_)) if is_stopped => return self.release(lease),
            Ok(Err(error)) => {
                self.check_device(lease, &error)?;
                end.failure = Some(failure_of(&error));
            }
            Err(panic) => {
                let error = from_panic(&*panic, stack);
                self.check_device(lease, &error)?;
                end.failure = Some(failure_of(&error));
            }
        }
        self.publish(&end)?;
        let _ = lease.beat(&Beat::None); // the stack has ended, so nobody looks at it
        Ok(())
    }

    /// Runs the study of a stack in its run directory.
    fn run(&mut self, lease: &Lease) -> anyhow::Result<Finished> {
        let name = &lease.stack;
        let plan = self.record.stacks.iter().find(|stack| stack.name == *name);
        let mut study = self.record.study_of_stack(plan.context("the record of the sweep has no such stack")?)?;
        pretrained::resolve(&mut study.plans, &self.options.runs)?;
        let folder = RunDir::open_leased(&self.dir.stack(name), lease.check())?;
        let WorkOptions { device, threads, checkpoint_interval, cache, signals, .. } = *self.options;
        let options =
            Options { device, threads, stack: self.record.options.stack, checkpoint_interval, cache, signals };
        let data = &study.plans[0].spec.data;
        let known = data_sum::known(self.dir, data);
        let is_known = known.is_some();
        let mut watch = Notes { stack: name, events: &mut *self.events };
        let finished = run_leased(&study, folder, known, &options, &mut self.loaded, &mut watch)?;
        if let Some(history) = finished.histories.first().filter(|_| !is_known) {
            let found = &history.data.sha256;
            let recorded = data_sum::record(self.dir, data, found).context("failed to record the data's checksum")?;
            ensure!(
                recorded == *found,
                "the data of `{}` differ from those of another worker: their checksum is {}…, and {}… there",
                data.name(),
                short(found),
                short(&recorded)
            );
        }
        Ok(finished)
    }

    /// Leaves a stack with its checkpoint, so that another worker can continue it at once.
    fn release(&mut self, lease: &Lease) -> anyhow::Result<()> {
        lease.beat(&Beat::Released).context("failed to release the lease on a stack")?;
        self.events.event(&Event::Released { stack: &lease.stack });
        Ok(())
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
        self.failures = failure.map(|failure| {
            let before = self.failures.take().filter(|(cause, _)| *cause == failure.cause);
            (failure.cause.clone(), before.map_or(1, |(_, times)| times + 1))
        });
        if let Some((cause, SAME_FAILURES..)) = self.failures.as_ref().filter(|_| self.options.stop_on_failure) {
            let reason = format!("{SAME_FAILURES} stacks in a row failed with the same cause: {cause}");
            stop_request::request(self.dir, &reason).context("failed to stop the sweep")?;
        }
        Ok(())
    }

    /// Returns the error if the device cannot be used any more: this worker ends, and another one tries the stack again.
    fn check_device(&self, lease: &Lease, error: &anyhow::Error) -> anyhow::Result<()> {
        match error.downcast_ref::<Fault>() {
            Some(fault @ Fault::DeviceLost(_)) => {
                let _ = lease.beat(&Beat::Died(fault.to_string())); // otherwise its silence shows it
                Err(anyhow::Error::new(fault.clone()).context(format!("failed to train stack {}", lease.stack)))
            }
            _ => Ok(()),
        }
    }
}

/// Returns an error if files of a run could not be written to its directory.
fn missing_files(finished: &Finished) -> Option<anyhow::Error> {
    let errors = finished.folder.write_errors().filter(|errors| errors.is_incomplete())?;
    let reason = errors.reason.unwrap_or_else(|| "files were removed during the run".to_owned());
    let hint = match &errors.in_fallback[..] {
        [] => "make room on the disk".to_owned(),
        [first, ..] => format!("make room on the disk; files are in `{}`", first.parent().unwrap_or(first).display()),
    };
    Some(anyhow!(reason).context("failed to write the files of the run").context(Hint(hint)))
}

fn failure_of(error: &anyhow::Error) -> Failure {
    let hint = error.downcast_ref::<Hint>().map(|hint| hint.0.clone());
    let cause = error.chain().map(ToString::to_string).filter(|text| Some(text) != hint.as_ref()).last();
    Failure { error: in_a_line(error), cause: cause.unwrap_or_default(), hint }
}

/// Converts a panic into the error of a stack.
fn from_panic(panic: &(dyn Any + Send), stack: &str) -> anyhow::Error {
    let what = format!("failed to train stack {stack}");
    match Fault::from_panic(panic) {
        Some(fault) => error::into_run_error(fault, &what, error::Operation::Stack(None)),
        None => error::from_panic(panic, &what),
    }
}

fn short(sum: &str) -> &str {
    sum.get(..12).unwrap_or(sum)
}

/// Passes the warnings of a run on.
struct Notes<'a> {
    stack: &'a str,
    events: &'a mut dyn Events,
}

impl Callback for Notes<'_> {
    fn epoch(&mut self, _report: &EpochReport) {}

    fn note(&mut self, text: &str) {
        self.events.event(&Event::Note { stack: self.stack, text });
    }
}

impl DownloadProgress for Notes<'_> {
    fn doing(&mut self, what: &str) {
        self.events.event(&Event::Note { stack: self.stack, text: what });
    }

    fn progress(&mut self, _bytes: u64, _of: Option<u64>) {}
}

impl RunProgress for Notes<'_> {
    fn starting(&mut self, _plans: &[&Plan], _stack: &StackInfo) {}
}
