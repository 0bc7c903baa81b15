//! The worker processes of a sweep on this machine.

use std::path::PathBuf;

use anyhow::{Context, anyhow};

use crate::config::hint::Hint;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::beat::Beat;
use crate::sweep::dir::claim::lease_name;
use crate::sweep::dir::state::SweepState;
use crate::sweep::supervise::process::Process;
use crate::sweep::work::identity::{host, new_name};

/// Number of workers in a row that may end with an error before they have taken a stack.
const MOST_FAILED_STARTS: u32 = 3;

/// Number of workers in a row that may be killed while they have no stack.
const MOST_KILLED: u32 = 20;

/// Exit codes above this are those of processes that have ended because of a signal, in order.
const EXIT_BY_SIGNAL: i32 = 128;

/// How a worker is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Environment variables in addition to those of this process.
    pub environment: Vec<(String, String)>,
}

/// The worker processes.
#[derive(Debug)]
pub struct Pool {
    dir: SweepDir,
    host: String,
    slots: Vec<Slot>,
    /// Number of workers that were started.
    started: u32,
    /// Whether dead workers are not replaced any more.
    is_stopping: bool,
}

/// A place for a worker, which has one after the other.
#[derive(Debug)]
struct Slot {
    command: WorkerCommand,
    process: Option<Process>,
    /// Number of its last workers that took no stack.
    failed_starts: u32,
}

/// A worker that died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// The stack that it was training, if any.
    pub stack: Option<String>,
    /// Why it died: `signal 9`.
    pub cause: String,
}

impl Pool {
    /// Starts a worker for each command.
    ///
    /// # Errors
    /// When a process cannot be started; those that were started are stopped.
    pub fn start(dir: &SweepDir, commands: Vec<WorkerCommand>) -> anyhow::Result<Pool> {
        let slots = commands.into_iter().map(|command| Slot { command, process: None, failed_starts: 0 });
        let mut pool = Pool { dir: dir.clone(), host: host(), slots: slots.collect(), started: 0, is_stopping: false };
        for place in 0..pool.slots.len() {
            pool.start_worker(place).inspect_err(|_| pool.stop(libc::SIGTERM))?;
        }
        Ok(pool)
    }

    fn start_worker(&mut self, place: usize) -> anyhow::Result<()> {
        self.started += 1;
        let name = format!("{}-{}", new_name(&self.host, std::process::id()), self.started);
        let slot = &mut self.slots[place];
        let WorkerCommand { program, arguments, environment } = &slot.command;
        slot.process = Some(Process::start(program, name, arguments, environment)?);
        Ok(())
    }

    /// Returns the workers that died since the last call, and replaces them. Their leases become free at once. `state` is
    /// the state of the sweep after their deaths.
    ///
    /// # Errors
    /// When a process cannot be started, or workers end again and again before they take a stack.
    pub fn replace_dead(&mut self, state: &SweepState) -> anyhow::Result<Vec<Death>> {
        let mut deaths = Vec::new();
        for place in 0..self.slots.len() {
            let slot = &mut self.slots[place];
            let Some(process) = &mut slot.process else { continue };
            let Some(status) = process.ended()? else { continue };
            let (name, cause) = (process.name.clone(), process.cause(status));
            slot.process = None;
            if status.success() {
                continue;
            }
            let held = state.running.iter().find(|running| {
                running.claim.as_ref().is_some_and(|claim| claim.worker == name) && running.beat != Beat::Released
            });
            if let Some(held) = held {
                // a worker that a signal has stopped before it had anything to save has left, and is not dead
                let has_left = status.code().is_some_and(|code| code > EXIT_BY_SIGNAL);
                let beat = if has_left { Beat::Released } else { Beat::Died(cause.clone()) };
                let written = beat.write(&self.dir, &lease_name(&held.stack, held.generation));
                written.context("failed to record the death of a worker")?;
            }
            if self.is_stopping {
                continue;
            }
            let slot = &mut self.slots[place];
            slot.failed_starts = if held.is_some() { 0 } else { slot.failed_starts + 1 };
            let most = if status.code().is_some() { MOST_FAILED_STARTS } else { MOST_KILLED };
            if slot.failed_starts >= most {
                let failed = slot.failed_starts;
                self.stop(libc::SIGTERM);
                let hint = format!("see the logs in `{}`", self.dir.file("workers").display());
                return Err(
                    anyhow!("{failed} workers in a row ended before they took a stack: {cause}").context(Hint(hint))
                );
            }
            deaths.push(Death { stack: held.map(|held| held.stack.clone()), cause });
            if !state.is_over() {
                self.start_worker(place)?;
            }
        }
        Ok(deaths)
    }

    /// Number of running workers.
    pub fn running(&self) -> usize {
        self.slots.iter().filter(|slot| slot.process.is_some()).count()
    }

    /// Whether a worker has ended since the last call of [`Pool::replace_dead`].
    ///
    /// # Errors
    /// When the system does not answer.
    pub fn has_ended(&mut self) -> anyhow::Result<bool> {
        for process in self.slots.iter_mut().filter_map(|slot| slot.process.as_mut()) {
            if process.ended()?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sends a signal to all workers, and replaces none of them any more.
    pub fn stop(&mut self, signal: i32) {
        self.is_stopping = true;
        self.signal(signal);
    }

    /// Lets all workers save a checkpoint.
    pub fn save_checkpoints(&self) {
        #[cfg(unix)]
        self.signal(libc::SIGUSR1);
    }

    fn signal(&self, signal: i32) {
        self.slots.iter().filter_map(|slot| slot.process.as_ref()).for_each(|process| process.signal(signal));
    }
}

impl Drop for Pool {
    /// Workers do not outlive the pool: those that still run save a checkpoint and leave.
    fn drop(&mut self) {
        self.stop(libc::SIGTERM);
    }
}
