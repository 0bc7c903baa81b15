//! Trains the stacks of a run in worker processes, replaces those that die, and brings their results in.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use crate::config::hint::Hint;
use crate::experiment::plan::study::Study;
use crate::experiment::run::parts::{Part, folder_of_parts};
use crate::experiment::run::progress::{RunProgress, StacksProgress};
use crate::experiment::run::scheduler::TrialResults;
use crate::experiment::run::{Finished, LoadedData, Options, Run};
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::run_state::RunState;
use crate::run_dir::RunDir;
use crate::run_dir::writer::Writer;
use crate::sweep::dir::saved_progress::SavedProgress;
use crate::workers::message::{ErrorRecord, Order, Report};
pub use crate::workers::process::WorkerSetup;
use crate::workers::process::{Event, Process};

/// Number of workers in a row that may die in a stack without saving anything more.
const MOST_DEATHS: u32 = 3;

/// Maximum time between two looks at signals.
const LOOK: Duration = Duration::from_millis(100);

/// File in the subdirectory of the parts: the devices of the workers.
const DEVICES: &str = "devices";

/// Maximum time to wait for workers whose run was killed: they save checkpoints and leave.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The workers of a run.
#[derive(Clone, Debug)]
pub struct Workers {
    /// How each is started.
    pub setups: Vec<WorkerSetup>,
    /// Maximum number of workers that share the memory of a device.
    pub sharing: usize,
    /// Directory of the runs that pretrained weights are from.
    pub runs: PathBuf,
}

/// A run whose stacks are to be trained.
#[derive(Debug)]
pub struct OpenRun {
    /// The run directory.
    pub folder: RunDir,
    /// The run record.
    pub record: RunRecord,
    /// The data of its first trials, if they are loaded.
    pub loaded: LoadedData,
}

/// Returns the devices of the workers of a run that was interrupted, as `--devices` takes them; `None` if it had none.
pub fn devices_of(run: &Path) -> Option<String> {
    std::fs::read_to_string(folder_of_parts(run).join(DEVICES)).ok().map(|text| text.trim().to_owned())
}

/// Trains the unfinished stacks of a run.
///
/// # Errors
/// When the data of the first trials cannot be loaded, or a worker cannot be started. Later errors are in [`Finished`].
pub fn train(
    study: &Study,
    run: OpenRun,
    workers: &Workers,
    options: &Options,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<Finished> {
    let OpenRun { folder, record, mut loaded } = run;
    let started = record.started()?;
    let run_state = RunState::new(&folder, record);
    let run = Run { study, folder: &folder, run_state: &run_state, options, started };
    let shown = folder.path().display();
    options.signals.set_exit_message(format!("interrupted: continue with `runner resume {shown}`"));
    wait_for_earlier_workers(&folder, watch)?;
    let failures = run.plan(&mut loaded, workers.sharing, watch)?;
    drop(loaded); // the workers load the data themselves
    let mut results = TrialResults { failures, ..TrialResults::default() };
    let parts = run.unfinished(&mut results.histories, watch);
    run.move_checkpoint(&parts)?;
    let names: Vec<&str> = workers.setups.iter().map(|setup| setup.device.as_str()).collect();
    let parent = folder_of_parts(folder.path());
    std::fs::create_dir_all(&parent)
        .and_then(|()| std::fs::write(parent.join(DEVICES), names.join(",")))
        .with_context(|| format!("failed to write to `{}`", parent.display()))?;
    if let [_] = &parts[..]
        && parts[0].trials.len() > 1
        && workers.setups.len() > 1
    {
        let each = (parts[0].trials.len() / workers.setups.len()).max(1);
        watch.note(&format!(
            "all {} models are in one stack, which one worker trains: split it with `--stack {each}`",
            parts[0].trials.len()
        ));
    }
    let stacks = StacksProgress { all: parts.len(), ..StacksProgress::default() };
    watch.starting_workers(study, workers.setups.len().min(parts.len()), &stacks);
    let events = options.events.map(|events| events.folder(&study.name, folder.path()));
    let all = parts.len();
    let (sender, reports) = mpsc::channel();
    let slot = |_| Slot { process: None, task: None, started: 0 };
    let waiting = parts.into_iter().map(|part| Task { part, deaths: 0, saved: SavedProgress::default() });
    let mut coordinator = Coordinator {
        waiting: waiting.collect(),
        slots: (0..workers.setups.len().min(all)).map(slot).collect(),
        started: (Instant::now(), run.run_state.record().training_seconds.unwrap_or(0.0)),
        ended: 0,
        run: &run,
        folder: &folder,
        workers,
        options,
        watch,
        sender,
        reports,
        all,
        events,
    };
    coordinator.train(&mut results)?;
    drop(coordinator); // workers that still run leave
    run.finish(results)
}

/// Waits until the workers of a run whose process was killed have left.
fn wait_for_earlier_workers(folder: &RunDir, watch: &mut dyn RunProgress) -> anyhow::Result<()> {
    let parts: Vec<PathBuf> = std::fs::read_dir(folder_of_parts(folder.path()))
        .map(|entries| entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect())
        .unwrap_or_default();
    let busy = || parts.iter().find_map(|part| Writer::find(part).filter(|writer| writer.is_running));
    let since = Instant::now();
    let mut is_said = false;
    while let Some(writer) = busy() {
        if since.elapsed() > LONGEST_WAIT {
            let process = writer.process.map(|process| format!(", process {process}")).unwrap_or_default();
            let hint = Hint("wait until it ends, or stop it".to_owned());
            return Err(anyhow!("a worker of `{}` is still running{process}", folder.path().display()).context(hint));
        }
        if !std::mem::replace(&mut is_said, true) {
            watch.note("workers of the interrupted run are still saving checkpoints: waiting for them");
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// A stack that waits for a worker.
struct Task {
    part: Part,
    /// Number of workers in a row that died without saving anything more.
    deaths: u32,
    /// What was saved when the last worker got it.
    saved: SavedProgress,
}

/// A place for a worker.
struct Slot {
    process: Option<Process>,
    task: Option<Task>,
    /// Number of processes that were started in this place.
    started: usize,
}

/// Gives stacks to workers.
struct Coordinator<'a> {
    run: &'a Run<'a>,
    folder: &'a RunDir,
    workers: &'a Workers,
    options: &'a Options<'a>,
    watch: &'a mut dyn RunProgress,
    waiting: VecDeque<Task>,
    slots: Vec<Slot>,
    sender: Sender<(usize, usize, Event)>,
    reports: Receiver<(usize, usize, Event)>,
    all: usize,
    ended: usize,
    /// Directory of the run's event files, if there are some.
    events: Option<PathBuf>,
    /// When this process started the workers, and the seconds that earlier ones had trained.
    started: (Instant, f64),
}

impl Coordinator<'_> {
    /// Trains all stacks.
    fn train(&mut self, results: &mut TrialResults) -> anyhow::Result<()> {
        let signals = self.options.signals;
        signals.training.store(true, Ordering::SeqCst); // a signal lets the workers save checkpoints
        let mut is_stopping = false;
        for number in 0..self.slots.len() {
            self.next(number)?;
        }
        while self.slots.iter().any(|slot| slot.task.is_some()) {
            if signals.is_stopped() && !std::mem::replace(&mut is_stopping, true) {
                self.waiting.clear();
                results.is_over = true;
                let order = if signals.has_timed_out() { Order::EndTime } else { Order::Stop };
                self.send_to_all(&order);
            }
            if signals.checkpoint.swap(false, Ordering::SeqCst) {
                self.send_to_all(&Order::SaveCheckpoint);
            }
            self.show_progress();
            match self.reports.recv_timeout(LOOK) {
                Ok((number, start, event)) if self.slots[number].started == start => match event {
                    Event::Report(Report::Note(text)) => self.watch.note(&text),
                    Event::Report(Report::Ended { failures, is_stopped, checkpoint }) => {
                        results.checkpoint = results.checkpoint.max(checkpoint);
                        self.take_in(number, failures, is_stopped, results);
                        self.next(number)?;
                    }
                    Event::Ended => self.replace(number, is_stopping, results)?,
                },
                Ok(_) => {} // of an earlier process
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        Ok(())
    }

    fn send_to_all(&mut self, order: &Order) {
        self.slots.iter_mut().filter_map(|slot| slot.process.as_mut()).for_each(|process| process.send(order));
    }

    /// Gives the next stack to a worker, which is started if there is none.
    fn next(&mut self, number: usize) -> anyhow::Result<()> {
        let slot = &mut self.slots[number];
        let Some(mut task) = self.waiting.pop_front() else {
            // without orders, it leaves
            slot.started += 1;
            slot.process = None;
            return Ok(());
        };
        if slot.process.is_none() {
            let setup = &self.workers.setups[number];
            let first = Order::Start {
                run: self.folder.path().to_path_buf(),
                runs: self.workers.runs.clone(),
                device: setup.seen_as.clone(),
                threads: self.options.threads,
                checkpoint: self.options.checkpoint_interval.to_string(),
                tensorboard: self.events.clone(),
                narrows: self.options.narrows,
            };
            slot.started += 1;
            slot.process = Some(Process::start(setup, &first, number, slot.started, self.sender.clone())?);
        }
        task.saved = SavedProgress::read(&task.part.folder(self.folder.path()));
        if let Some(process) = &mut slot.process {
            process.send(&Order::Train { group: task.part.group, trials: task.part.trials.clone() });
        }
        slot.task = Some(task);
        Ok(())
    }

    /// Brings a stack that has ended into the run.
    fn take_in(&mut self, number: usize, failures: Vec<ErrorRecord>, is_stopped: bool, results: &mut TrialResults) {
        let Some(task) = self.slots[number].task.take() else { return };
        let mut errors: Vec<anyhow::Error> = failures.into_iter().map(ErrorRecord::into_error).collect();
        let (since, before) = self.started;
        self.run.run_state.set_training_seconds(before + since.elapsed().as_secs_f64());
        match self.run.bring_in(&task.part) {
            Ok(histories) => results.histories.extend(histories),
            Err(_) if is_stopped || !errors.is_empty() => {} // it has no files yet
            Err(error) => errors.push(error.context("failed to read the results of a worker")),
        }
        results.is_over |= is_stopped;
        if let Some(error) = errors.first() {
            self.run.run_state.mark_failed(task.part.group, &task.part.trials, error);
        }
        if !is_stopped {
            self.ended += 1;
            let what = if errors.is_empty() { "done" } else { "failed" };
            let device = &self.workers.setups[number].device;
            let text = format!("stack {} of {} {what} on {device}: {}", self.ended, self.all, names_of(&task.part));
            self.watch.stack_ended(&text);
        }
        results.failures.extend(errors);
    }

    /// Replaces a worker that has ended although it has a stack.
    fn replace(&mut self, number: usize, is_stopping: bool, results: &mut TrialResults) -> anyhow::Result<()> {
        let slot = &mut self.slots[number];
        let cause = slot.process.as_mut().map_or_else(String::new, Process::wait);
        slot.process = None;
        let Some(mut task) = slot.task.take() else { return Ok(()) };
        if is_stopping {
            return Ok(()); // it was killed while it saved a checkpoint: an earlier one stays
        }
        let saved = SavedProgress::read(&task.part.folder(self.folder.path()));
        task.deaths = if saved == task.saved { task.deaths + 1 } else { 1 };
        let stem = task.part.trials[0].stem();
        if task.deaths >= MOST_DEATHS {
            let hint = "see the system's log, or train fewer models at once with `--stack`";
            let error = anyhow!("the worker died {} times without progress ({cause})", task.deaths)
                .context(format!("failed to train the stack of `{stem}`"))
                .context(Hint(hint.to_owned()));
            self.run.run_state.mark_failed(task.part.group, &task.part.trials, &error);
            results.failures.push(error);
            self.ended += 1;
        } else {
            self.watch.note(&format!("a worker died while training `{stem}` ({cause}); another one takes its place"));
            self.waiting.push_front(task);
        }
        self.next(number)
    }

    /// Records the epoch of a stack in training, for lists of runs, and reports the progress of all.
    fn show_progress(&mut self) {
        let tasks = self.slots.iter().filter_map(|slot| slot.task.as_ref());
        let progress = tasks.filter_map(|task| Writer::find(&task.part.folder(self.folder.path()))?.progress);
        let training: Vec<(usize, usize)> = progress.collect();
        if let Some((epoch, epochs)) = training.iter().max() {
            self.folder.record_progress(*epoch, *epochs);
        }
        self.watch.trained_by_workers(&StacksProgress { ended: self.ended, all: self.all, training });
    }
}

/// Returns the names of the trials of a stack, shortened.
fn names_of(part: &Part) -> String {
    match &part.trials[..] {
        [one] => one.stem(),
        [first, .., last] => format!("{} to {}", first.stem(), last.stem()),
        [] => String::new(),
    }
}
