//! Several workers of one command: on devices of this machine, which the job of a batch system may have given to it.

use std::thread;
use std::time::Duration;

use anyhow::Context;
use tch::Device;

use crate::cli::args::run_args::listen;
use crate::cli::commands::sweep::worker_args::WorkerArgs;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::device;
use crate::io::signals::SIGUSR2;
use crate::slurm::job;
use crate::sweep::dir::state::SweepState;
use crate::sweep::dir::{SweepDir, extensions, stop_request};
use crate::sweep::record::SweepRecord;
use crate::sweep::supervise::devices;
use crate::sweep::supervise::pool::{Pool, WorkerCommand};

/// Time between two looks at the worker processes.
const LOOK: Duration = Duration::from_millis(100);

/// Returns the commands of workers on these devices, one each.
///
/// # Errors
/// When the path of this program is unknown, or a device is not visible.
pub fn commands(dir: &SweepDir, devices: &[Device], worker_args: &WorkerArgs) -> anyhow::Result<Vec<WorkerCommand>> {
    let program = std::env::current_exe().context("failed to find the path of this program")?;
    let command = |device: &Device| {
        let mut arguments = vec!["sweep".to_owned(), "work".to_owned(), dir.path().display().to_string()];
        arguments.extend(worker_args.arguments());
        let (name, environment) = devices::seen_by_worker(*device)?;
        arguments.extend(["--device".to_owned(), name]);
        Ok(WorkerCommand { device: device::name(*device), program: program.clone(), arguments, environment })
    };
    devices.iter().map(command).collect()
}

/// Trains stacks of a sweep in several processes until all have ended, or the processes are stopped.
///
/// # Errors
/// When a process cannot be started, or those of all devices fail again and again.
pub fn run(
    dir: &SweepDir,
    record: &mut SweepRecord,
    devices: &[Device],
    worker_args: &WorkerArgs,
    is_quiet: bool,
) -> anyhow::Result<Exit> {
    let say = |text: &str| {
        if !is_quiet {
            terminal::say(text);
        }
    };
    let commands = commands(dir, devices, worker_args)?;
    let signals = listen()?;
    signals.training.store(true, std::sync::atomic::Ordering::SeqCst); // the first signal stops the workers
    let names: Vec<String> = devices.iter().map(|device| device::name(*device)).collect();
    say(&format!("{} workers, on {}", names.len(), names.join(", ")));
    let mut state = SweepState::default();
    let mut pool = Pool::start(dir, commands)?;
    while pool.running() > 0 {
        if pool.pass_on(&signals)? {
            extensions::read_new(dir.path(), record)?;
            state.update(dir, record)?;
            for death in pool.replace_dead(&state)? {
                let stack = death.stack.map(|stack| format!(" at {stack}")).unwrap_or_default();
                let then = if death.is_replaced { "another one takes its place" } else { "it gets no more workers" };
                say(&format!("the worker on {}{stack} died ({}); {then}", death.device, death.cause));
            }
        }
        thread::sleep(LOOK);
    }
    extensions::read_new(dir.path(), record)?;
    state.update_without_listing(dir, record)?;
    Ok(match (state.is_over(), stop_request::reason(dir)) {
        _ if signals.is_stopped() => {
            say("interrupted");
            Exit::Interrupted(signals.signal())
        }
        (true, _) => {
            say("all stacks have ended");
            Exit::Done
        }
        (false, Some(reason)) => {
            say(&format!("stopped: {reason}"));
            Exit::Done
        }
        // the workers have left because the time of the job is nearly over
        (false, None) if job::is_in_job() => Exit::Interrupted(SIGUSR2),
        (false, None) => {
            say("the workers have left, but stacks have not ended");
            Exit::Failed
        }
    })
}
