//! The worker processes of a sweep on this machine.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::{Context, anyhow};

use crate::config::hint::Hint;
use crate::io::host_name::host_name;
use crate::io::signals::{SIGUSR2, Signals};
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::beat::Beat;
use crate::sweep::dir::claim::lease_name;
use crate::sweep::dir::state::SweepState;
use crate::sweep::supervise::process::Process;
use crate::sweep::work::deaths;
use crate::sweep::work::identity::new_name;

/// Number of workers of a device in a row that may end with an error before they have taken a stack.
const MOST_FAILED_STARTS: u32 = 3;

/// Number of workers of a device in a row that may end with an error without training a stack to its end. It is larger
/// than the number of deaths after which a stack is given up: then the stack was the reason, and not the device.
const MOST_ERRORS: u32 = deaths::MOST + 2;

/// Number of workers of a device in a row that may be killed while they have no stack.
const MOST_KILLED: u32 = 20;

/// Exit codes above this are those of processes that have ended because of a signal, in order.
const EXIT_BY_SIGNAL: i32 = 128;

/// How a worker is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerCommand {
    /// Device of its tensors, for messages.
    pub device: String,
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
    /// Number of its last workers that were killed without a stack.
    killed: u32,
    /// Number of its last workers that took no stack, because of an error.
    failed_starts: u32,
    /// Number of its last workers that trained no stack to its end, because of an error.
    errors: u32,
    /// Why it gets no more workers.
    given_up: Option<String>,
}

impl Slot {
    fn new(command: WorkerCommand) -> Slot {
        Slot { command, process: None, killed: 0, failed_starts: 0, errors: 0, given_up: None }
    }

    /// Counts the end of a worker. Returns whether the device cannot be used.
    fn count(&mut self, end: WorkerEnd) -> bool {
        let WorkerEnd { is_error, had_stack, has_trained } = end;
        self.killed = if is_error || had_stack || has_trained { 0 } else { self.killed + 1 };
        self.failed_starts = if is_error && !had_stack && !has_trained { self.failed_starts + 1 } else { 0 };
        self.errors = match (is_error, has_trained) {
            (true, false) => self.errors + 1,
            (false, false) => self.errors,
            (_, true) => 0,
        };
        self.killed >= MOST_KILLED || self.failed_starts >= MOST_FAILED_STARTS || self.errors >= MOST_ERRORS
    }
}

/// End of a worker that left before the sweep has ended.
#[derive(Clone, Copy, Debug)]
struct WorkerEnd {
    /// Whether it ended with an error, and was not killed.
    is_error: bool,
    /// Whether it had a stack.
    had_stack: bool,
    /// Whether it had trained a stack to its end.
    has_trained: bool,
}

/// A worker that died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// Device of the worker.
    pub device: String,
    /// The stack that it was training, if any.
    pub stack: Option<String>,
    /// Why it died: `signal 9`.
    pub cause: String,
    /// Whether another worker takes its place.
    pub is_replaced: bool,
}

impl Pool {
    /// Starts a worker for each command.
    ///
    /// # Errors
    /// When a process cannot be started; those that were started are stopped.
    pub fn start(dir: &SweepDir, commands: Vec<WorkerCommand>) -> anyhow::Result<Pool> {
        let slots = commands.into_iter().map(Slot::new).collect();
        let mut pool = Pool { dir: dir.clone(), host: host_name(), slots, started: 0, is_stopping: false };
        for place in 0..pool.slots.len() {
            pool.start_worker(place).inspect_err(|_| pool.stop(libc::SIGTERM))?;
        }
        Ok(pool)
    }

    fn start_worker(&mut self, place: usize) -> anyhow::Result<()> {
        self.started += 1;
        let name = format!("{}-{}", new_name(&self.host, std::process::id()), self.started);
        let slot = &mut self.slots[place];
        let WorkerCommand { program, arguments, environment, .. } = &slot.command;
        slot.process = Some(Process::start(program, name, arguments, environment)?);
        Ok(())
    }

    /// Returns the workers that died since the last call, and replaces them. Their leases become free at once. A device
    /// whose workers fail again and again gets no more. `state` is the state of the sweep after their deaths.
    ///
    /// # Errors
    /// When a process cannot be started, or no device can be used.
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
            let end = WorkerEnd {
                is_error: status.code().is_some_and(|code| code <= EXIT_BY_SIGNAL),
                had_stack: held.is_some(),
                has_trained: state.ended.values().any(|end| end.worker == name && end.failure.is_none()),
            };
            if slot.count(end) {
                slot.given_up = Some(cause.clone());
            }
            let (device, is_replaced) = (slot.command.device.clone(), slot.given_up.is_none());
            deaths.push(Death { device, stack: held.map(|held| held.stack.clone()), cause, is_replaced });
            if is_replaced && !state.is_over() {
                self.start_worker(place)?;
            }
        }
        let causes: Option<Vec<&str>> = self.slots.iter().map(|slot| slot.given_up.as_deref()).collect();
        if let Some([first, ..]) = causes.as_deref()
            && !state.is_over()
        {
            let hint = format!("see the logs in `{}`", self.dir.file("workers").display());
            return Err(anyhow!("the workers failed again and again: {first}").context(Hint(hint)));
        }
        Ok(deaths)
    }

    /// Passes the signals of this process on to the workers. Returns whether a worker has ended since the last call of
    /// [`Pool::replace_dead`].
    ///
    /// # Errors
    /// When the system does not answer.
    pub fn pass_on(&mut self, signals: &Signals) -> anyhow::Result<bool> {
        if signals.is_stopped() {
            self.stop(signals.signal());
        }
        if signals.checkpoint.swap(false, Ordering::SeqCst) {
            self.save_checkpoints();
        }
        self.has_ended()
    }

    /// Number of running workers.
    pub fn running(&self) -> usize {
        self.slots.iter().filter(|slot| slot.process.is_some()).count()
    }

    fn has_ended(&mut self) -> anyhow::Result<bool> {
        for process in self.slots.iter_mut().filter_map(|slot| slot.process.as_mut()) {
            if process.ended()?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sends a signal to all workers, once: a second one would end them without a checkpoint. None of them is replaced
    /// any more. Instead of SIGUSR2 they get SIGTERM: only this process puts a job of a batch system into the queue again.
    pub fn stop(&mut self, signal: i32) {
        if !std::mem::replace(&mut self.is_stopping, true) {
            self.signal(if signal == SIGUSR2 { libc::SIGTERM } else { signal });
        }
    }

    /// Lets all workers save a checkpoint.
    fn save_checkpoints(&self) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns after how many such ends, in turn, a slot is given up; `None` if it is not after 100.
    fn given_up_after(ends: &[WorkerEnd]) -> Option<usize> {
        let command =
            WorkerCommand { device: "cpu".into(), program: "".into(), arguments: vec![], environment: vec![] };
        let mut slot = Slot::new(command);
        let place = ends.iter().cycle().take(100).position(|end| slot.count(*end));
        place.map(|place| place + 1)
    }

    #[test]
    fn a_device_is_given_up_when_its_workers_fail_and_not_when_they_are_killed_or_a_stack_fails() {
        let no_start = WorkerEnd { is_error: true, had_stack: false, has_trained: false };
        let lost_device = WorkerEnd { had_stack: true, ..no_start };
        let killed = WorkerEnd { is_error: false, ..lost_device };
        let killed_idle = WorkerEnd { is_error: false, ..no_start };
        assert_eq!(given_up_after(&[no_start]), Some(3));
        assert_eq!(given_up_after(&[lost_device]), Some(5));
        assert_eq!(given_up_after(&[killed]), None);
        assert_eq!(given_up_after(&[killed_idle]), Some(20));
        let trained = WorkerEnd { has_trained: true, ..lost_device };
        assert_eq!(given_up_after(&[lost_device, lost_device, lost_device, trained]), None);
        assert_eq!(given_up_after(&[no_start, no_start, trained]), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_second_stop_and_the_end_of_the_pool_send_no_second_signal() {
        let (_folder, dir) = crate::sweep::dir::sweep_dir::empty_for_tests();
        let log = dir.file("signals");
        let script = format!("trap 'echo x >> {}' TERM; echo > ready; while true; do sleep 0.01; done", log.display());
        let command = |script: String| WorkerCommand {
            device: "cpu".into(),
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.replace("> ready", &format!("> {}", dir.file("ready").display()))],
            environment: vec![],
        };
        let mut pool = Pool::start(&dir, vec![command(script)]).unwrap();
        let wait = |path: std::path::PathBuf| {
            let started = std::time::Instant::now();
            while path.metadata().map_or(0, |file| file.len()) == 0 {
                assert!(started.elapsed().as_secs() < 20);
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        };
        wait(dir.file("ready"));
        pool.stop(libc::SIGTERM);
        wait(log.clone());
        pool.stop(libc::SIGTERM);
        let process = pool.slots[0].process.as_ref().unwrap().id();
        drop(pool);
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert_eq!(std::fs::read_to_string(log).unwrap(), "x\n");
        crate::io::signals::send(process, libc::SIGKILL);
    }

    #[cfg(unix)]
    #[test]
    fn an_unusable_device_does_not_stop_the_workers_of_another_one() {
        let (_folder, dir) = crate::sweep::dir::sweep_dir::empty_for_tests();
        let command = |device: &str, script: &str| WorkerCommand {
            device: device.to_owned(),
            program: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            environment: vec![],
        };
        let broken = "printf 'error: no GPU \\377\\n' >&2; exit 2";
        let state = SweepState { waiting: 1, ..SweepState::default() };
        let watch = |pool: &mut Pool| {
            let mut deaths = Vec::new();
            let started = std::time::Instant::now();
            while pool.running() > 0 {
                assert!(started.elapsed().as_secs() < 60);
                deaths.extend(pool.replace_dead(&state)?);
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            anyhow::Ok(deaths)
        };
        let healthy = format!("while [ ! -e {} ]; do sleep 0.01; done", dir.file("ready").display());
        let mut pool = Pool::start(&dir, vec![command("cuda:0", broken), command("cuda:1", &healthy)]).unwrap();
        let mut deaths = Vec::new();
        while deaths.len() < 3 {
            deaths.extend(pool.replace_dead(&state).unwrap());
        }
        assert_eq!(pool.running(), 1, "the healthy one");
        assert_eq!(deaths.iter().map(|death| death.is_replaced).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!((deaths[2].device.as_str(), deaths[2].stack.as_ref()), ("cuda:0", None));
        assert!(deaths[2].cause.starts_with("exit code 2"), "{}", deaths[2].cause);
        std::fs::write(dir.file("ready"), "").unwrap();
        assert!(watch(&mut pool).unwrap().is_empty());

        let mut pool = Pool::start(&dir, vec![command("cuda:0", broken), command("cuda:1", broken)]).unwrap();
        let error = watch(&mut pool).unwrap_err();
        assert!(format!("{error:#}").contains("the workers failed again and again: exit code 2"), "{error:#}");
    }
}
