//! `runner selftest sweep EXPERIMENT`: a crash test of sweeps.
//!
//! The sweep is trained once by one worker without interruption. Then it is trained repeatedly by several workers, which
//! are killed by SIGKILL at random times, and sometimes the command itself is; it then continues with `--resume`. All
//! files of all trials must be identical to those of the uninterrupted sweep, to the last bit.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rand_mt::Mt64;

use crate::cli::args::run_args::parse_positive;
use crate::cli::commands::selftest::child::describe;
use crate::cli::commands::selftest::kill_args::KillArgs;
use crate::cli::commands::selftest::run_files;
use crate::cli::commands::sweep::plan_args::PlanArgs;
use crate::io::signals;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::beat::{Beat, INTERVAL_VARIABLE};
use crate::sweep::dir::saved_progress::SavedProgress;
use crate::sweep::dir::state::{RunningStack, SweepState};
use crate::sweep::record::SweepRecord;
use crate::tensor::threads;

/// Arguments of `runner selftest sweep`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Sweep {
    #[command(flatten)]
    plan_args: PlanArgs,
    /// Number of worker processes
    #[arg(long, value_name = "N", value_parser = parse_positive, default_value = "2", allow_negative_numbers = true)]
    workers: usize,
    #[command(flatten)]
    kill_args: KillArgs,
}

const EXAMPLES: &str = "\
Examples:
  runner selftest sweep digits_mlp --space lr=log:1e-4..1e-1 --trials 16
  runner selftest sweep my/idea.toml --workers 4 --kills 100";

/// Numbers of kills, sweeps and trials of a test.
#[derive(Debug, Default)]
struct Counts {
    /// Kills of workers.
    workers: u32,
    /// Kills of the command that starts the workers.
    commands: u32,
    /// Stacks that another worker took over.
    taken_over: usize,
    /// Completed sweeps.
    sweeps: u32,
    /// Trials of the completed sweeps.
    trials: usize,
}

/// Trains a sweep without interruption, then kills its workers, and compares the results. Returns the result.
///
/// # Errors
/// If a sweep fails, or differs from the first.
pub(super) fn test(args: &Sweep, scratch: &Path) -> anyhow::Result<[String; 4]> {
    let workers = args.workers;
    let started = Instant::now();
    args.kill_args.say("training without interruption");
    let reference_out = scratch.join("uninterrupted");
    let mut child = start(args, &reference_out, None, 1)?;
    let status = child.wait().context("failed to wait for a child process")?;
    ensure!(status.success(), "the uninterrupted sweep ended with {}", describe(status.code()));
    let (reference, record) = only_sweep(&reference_out)?;
    let duration = started.elapsed();
    let mut rng = Mt64::new(args.kill_args.kill_seed);
    let mut counts = Counts::default();
    while counts.workers + counts.commands < args.kill_args.kills {
        let out = scratch.join(format!("sweep-{}", counts.sweeps));
        let mut child = start(args, &out, None, workers)?;
        loop {
            let share = (rng.next_u64() % 1000) as f64 / 1000.0;
            let pause = duration.mul_f64(share / 2.0).min(Duration::from_secs(5));
            let end = wait_at_most(&mut child, pause)?;
            if let Some(status) = end {
                ensure!(status.success(), "a sweep ended with {}", describe(status.code()));
                break;
            }
            if counts.workers + counts.commands >= args.kill_args.kills {
                continue;
            }
            let Ok((dir, _)) = only_sweep(&out) else { continue };
            if rng.next_u64().is_multiple_of(6) {
                child.kill().context("failed to kill a command")?;
                child.wait().context("failed to wait for a child process")?;
                counts.commands += 1;
                child = start(args, &out, Some(&dir), workers)?;
            } else if kill_a_worker(&dir, &record, &mut rng)? {
                counts.workers += 1;
            } else {
                continue;
            }
            if (counts.workers + counts.commands).is_multiple_of(10) {
                args.kill_args.say(&format!("{} of {} kills", counts.workers + counts.commands, args.kill_args.kills));
            }
        }
        let (found, other) = only_sweep(&out)?;
        ensure!(other.stacks == record.stacks, "the sweep has other stacks: set `--stack`, since memory has changed");
        counts.trials += compare(&reference, &found, &record).with_context(|| format!("sweep {}", counts.sweeps))?;
        counts.taken_over += found.names("claims")?.len() - record.stacks.len();
        counts.sweeps += 1;
        std::fs::remove_dir_all(&out).context("failed to remove the files of a sweep")?;
    }
    Ok(counts.to_lines(workers, started.elapsed()))
}

impl Counts {
    fn to_lines(&self, workers: usize, took: Duration) -> [String; 4] {
        let Counts { workers: killed, commands, taken_over, sweeps, trials } = self;
        let sweep = if *sweeps == 1 { "sweep" } else { "sweeps" };
        [
            format!(
                "{} kills in {sweeps} {sweep} with {workers} workers: {killed} killed a worker, {commands} killed the \
                 command that started them",
                killed + commands
            ),
            format!("stacks were taken over {taken_over} times"),
            format!(
                "every sweep is identical to the uninterrupted one, to the last bit: {trials} histories and {trials} \
                 weight files; each trial was recorded once"
            ),
            format!("{:.0} s", took.as_secs_f64()),
        ]
    }
}

/// Starts the sweep, or continues the one in `dir`.
fn start(args: &Sweep, out: &Path, dir: Option<&SweepDir>, workers: usize) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("failed to find the path of this program")?;
    let mut command = Command::new(program);
    command.arg("sweep");
    match dir {
        Some(dir) => command.arg(dir.path()).arg("--resume"),
        None => command.args(args.plan_args.arguments()),
    };
    if dir.is_none() && args.plan_args.compute_args.threads.is_none() {
        let threads = (threads::cores() / args.workers).max(1);
        command.args(["--threads", &threads.to_string()]); // the same for all sweeps
    }
    command.arg("--out").arg(out).args([
        "--workers",
        &workers.to_string(),
        "--checkpoint",
        &args.kill_args.checkpoint.to_string(),
        "--quiet",
    ]);
    // dead workers are replaced quickly
    command.env(INTERVAL_VARIABLE, "200");
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("failed to start this program")
}

/// Kills a worker that trains a stack. Returns whether there was one. A worker that has taken over a stack is spared until
/// it has saved something: three that die without progress are a failure of the stack.
fn kill_a_worker(dir: &SweepDir, record: &SweepRecord, rng: &mut Mt64) -> anyhow::Result<bool> {
    let state = SweepState::read(dir, record)?;
    let process = |running: &RunningStack| {
        let claim = running.claim.as_ref().filter(|_| matches!(running.beat, Beat::Count(_)))?;
        let has_progress = || SavedProgress::read(&dir.stack(&running.stack)) != claim.saved;
        (running.generation == 1 || has_progress()).then_some(claim.process)
    };
    let alive: Vec<u32> = state.running.iter().filter_map(process).collect();
    let Some(&process) = alive.get(rng.next_u64() as usize % alive.len().max(1)) else { return Ok(false) };
    // the number may be that of another process by now
    let command = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let is_worker = String::from_utf8_lossy(&command).contains(&*dir.path().to_string_lossy());
    if is_worker {
        signals::send(process, libc::SIGKILL);
    }
    Ok(is_worker)
}

/// Returns the only sweep under `out`.
fn only_sweep(out: &Path) -> anyhow::Result<(SweepDir, SweepRecord)> {
    let experiments = std::fs::read_dir(out).with_context(|| format!("failed to read `{}`", out.display()))?;
    let sweeps: Vec<PathBuf> = experiments.flatten().flat_map(|entry| SweepDir::all(&entry.path())).collect();
    let [sweep] = &sweeps[..] else { anyhow::bail!("`{}` has {} sweeps", out.display(), sweeps.len()) };
    SweepDir::open(sweep)
}

/// Checks that two sweeps have the same results. Returns the number of trials.
fn compare(expected: &SweepDir, found: &SweepDir, record: &SweepRecord) -> anyhow::Result<usize> {
    let mut trials = 0;
    for stack in &record.stacks {
        trials += run_files::compare(&expected.stack(&stack.name), &found.stack(&stack.name))?;
    }
    let table = |dir: &SweepDir| std::fs::read(dir.file("table.csv")).context("the sweep has no table");
    ensure!(table(expected)? == table(found)?, "the tables of configurations differ");
    ensure!(found.names("ended")?.len() == record.stacks.len(), "stacks have failed, or ended more than once");
    Ok(trials)
}

/// Waits until a child ends, at most for this time.
fn wait_at_most(child: &mut Child, time: Duration) -> anyhow::Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        let end = child.try_wait().context("failed to wait for a child process")?;
        if end.is_some() || started.elapsed() >= time {
            return Ok(end);
        }
        thread::sleep(Duration::from_millis(5));
    }
}
