//! `runner selftest resume EXPERIMENT`: a crash-recovery test.
//!
//! The experiment is trained once without interruption. Then it is trained repeatedly; each run is killed by SIGKILL at
//! random times, or while it writes a checkpoint, and resumed until it is complete. Its files must be identical to those of
//! the uninterrupted run, to the last bit. The runs are started as child processes of this program.

mod child;
mod kill_args;
mod run_files;
mod sweep;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use rand_mt::Mt64;

use crate::cli::args::run_args::RunArgs;
use crate::cli::commands::selftest::child::{Child, ChildEnd, KillPoint};
use crate::cli::commands::selftest::kill_args::KillArgs;
use crate::cli::commands::selftest::run_files::newest_run;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::config::hint::Hint;
use crate::experiment::run::checkpointing::CheckpointInterval;
use crate::experiment::store::run_record::RunRecord;

/// Arguments of `runner selftest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    test: Test,
}

#[derive(Debug, clap::Subcommand)]
enum Test {
    /// Kill a run at random, resume it and compare
    Resume(Box<Resume>),
    /// Kill the workers of a sweep and compare
    Sweep(Box<sweep::Sweep>),
}

/// Arguments of `runner selftest resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Resume {
    #[command(flatten)]
    run_args: RunArgs,
    #[command(flatten)]
    kill_args: KillArgs,
}

const EXAMPLES: &str = "\
Examples:
  runner selftest resume digits_mlp --kills 100 --seeds 0..4
  runner selftest resume my/idea.toml --epochs 20";

/// Runs a self-test.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Test::Resume(args) = &args.test {
        args.run_args.study()?; // report an invalid experiment here, and not in each child
    }
    let scratch = tempfile::Builder::new().prefix("runner-selftest-").tempdir();
    let scratch = scratch.context("failed to create a temporary directory")?;
    let result = match &args.test {
        Test::Resume(args) => test(args, scratch.path()),
        Test::Sweep(args) => sweep::test(args, scratch.path()),
    };
    match result {
        Ok(lines) => {
            let page = TextStyle::of_output();
            terminal::out(&lines.map(|line| page.wrapped(&line, 2)).join("\n"));
            Ok(Exit::Done)
        }
        Err(error) => {
            let kept = scratch.keep();
            Err(error.context(Hint(format!("see the files of the runs in `{}`", kept.display()))))
        }
    }
}

/// Numbers of kills, runs and trials of a test.
#[derive(Debug, Default)]
struct Counts {
    kills: u32,
    /// Kills while a checkpoint was being written.
    in_writes: u32,
    /// Kills before the run record existed, after which the run starts again.
    before_record: u32,
    /// Kills after which the run resumed from a checkpoint.
    resumed: u32,
    /// Completed runs.
    runs: u32,
    /// Trials of the completed runs.
    trials: usize,
    /// Epochs that were trained again because no checkpoint had them.
    repeated_epochs: usize,
}

impl Counts {
    /// Returns the result of a test that took this time as lines of text.
    fn to_lines(&self, took: Duration) -> [String; 4] {
        let Counts { kills, in_writes, before_record, resumed, runs, trials, repeated_epochs } = self;
        let (kill, run) = (if *kills == 1 { "kill" } else { "kills" }, if *runs == 1 { "run" } else { "runs" });
        let (history, file) = if *trials == 1 { ("history", "file") } else { ("histories", "files") };
        let after = match resumed {
            0 => "no kill was followed by a resume from a checkpoint: use more epochs".to_owned(),
            _ if resumed == kills => "after each, the run was resumed from a checkpoint".to_owned(),
            _ => format!("after {resumed} of them, the run was resumed from a checkpoint"),
        };
        let repeated = match repeated_epochs {
            0 => "no epoch was repeated".to_owned(),
            1 => "1 epoch was repeated because no checkpoint had it".to_owned(),
            many => format!("{many} epochs were repeated because no checkpoint had them"),
        };
        [
            format!(
                "{kills} {kill} in {runs} {run}: {in_writes} while a checkpoint was written, {before_record} before \
                 the first checkpoint"
            ),
            format!("{after}; {repeated}"),
            format!(
                "every run is identical to the uninterrupted run, to the last bit: {trials} {history} and {trials} \
                 weight {file}; no file was damaged"
            ),
            format!("{:.0} s", took.as_secs_f64()),
        ]
    }
}

/// Trains once without interruption, then kills and resumes runs, and compares each with the first. Returns the result.
///
/// # Errors
/// If a run fails, leaves a damaged file, or differs from the first.
fn test(args: &Resume, scratch: &Path) -> anyhow::Result<[String; 4]> {
    let arguments = |out: &Path, checkpoint_interval: &str| {
        let options = ["--checkpoint", checkpoint_interval, "--out", &out.display().to_string()].map(str::to_owned);
        std::iter::once("exp".to_owned()).chain(args.run_args.arguments()).chain(options).collect::<Vec<_>>()
    };
    let checkpoint_interval = args.kill_args.checkpoint.to_string();
    let reference_out = scratch.join("uninterrupted");
    args.kill_args.say("training without interruption");
    let started = Instant::now();
    let (end, output) = Child::start(&arguments(&reference_out, "never"))?.watch(KillPoint::Never, &reference_out)?;
    ensure!(end == ChildEnd::Exited(Some(0)), "the uninterrupted run failed\n{}", output.last_lines());
    let (duration, reference) =
        (started.elapsed(), newest_run(&reference_out).context("the uninterrupted run has no directory")?);
    let mut rng = Mt64::new(args.kill_args.kill_seed);
    let mut counts = Counts::default();
    while counts.kills < args.kill_args.kills {
        let out = scratch.join(format!("run-{}", counts.runs));
        let mut words = arguments(&out, &checkpoint_interval);
        loop {
            let kill_point = match counts.kills < args.kill_args.kills {
                true => random_kill_point(&mut rng, duration),
                false => KillPoint::Never,
            };
            let (end, output) = Child::start(&words)?.watch(kill_point, &out)?;
            let folder = newest_run(&out);
            match end {
                ChildEnd::Killed { in_write } => {
                    counts.kills += 1;
                    counts.in_writes += u32::from(in_write);
                    let epoch = folder.as_deref().map(run_files::check).transpose();
                    let epoch = epoch.with_context(|| format!("after kill {}", counts.kills))?.flatten();
                    if matches!(args.kill_args.checkpoint, CheckpointInterval::Epochs(1))
                        && let Some(last) = output.last_epoch()
                    {
                        let saved = epoch.unwrap_or(0);
                        // an epoch is printed before its checkpoint is saved; the last epoch of a stack has no
                        // checkpoint, and the checkpoint of a stack is removed when the stack is done
                        let record = folder.as_ref().and_then(|folder| RunRecord::read(folder).ok());
                        let is_done = epoch.is_none() && record.is_some_and(|record| record.done() > 0);
                        ensure!(
                            saved + 1 >= last || is_done,
                            "epoch {last} was printed, but the checkpoint has epoch {saved}"
                        );
                        counts.repeated_epochs += if is_done { 0 } else { last.saturating_sub(saved) };
                    }
                    match folder.filter(|folder| RunRecord::is_in(folder)) {
                        Some(folder) => {
                            counts.resumed += u32::from(epoch.is_some());
                            words = ["resume", &folder.display().to_string(), "--checkpoint", &checkpoint_interval]
                                .map(str::to_owned)
                                .to_vec();
                        }
                        None => {
                            counts.before_record += 1;
                            words = arguments(&out, &checkpoint_interval);
                        }
                    }
                    if counts.kills.is_multiple_of(10) {
                        args.kill_args.say(&format!("{} of {} kills", counts.kills, args.kill_args.kills));
                    }
                }
                ChildEnd::Exited(Some(0)) => {
                    let folder = folder.ok_or_else(|| anyhow!("run {} has no directory", counts.runs))?;
                    counts.trials += run_files::compare(&reference, &folder)?;
                    counts.runs += 1;
                    std::fs::remove_dir_all(&out).context("failed to remove the files of a run")?;
                    break;
                }
                ChildEnd::Exited(code) => {
                    let (end, command) = (child::describe(code), words.join(" "));
                    return Err(anyhow!("`runner {command}` ended with {end}\n{}", output.last_lines()));
                }
            }
        }
    }
    Ok(counts.to_lines(started.elapsed()))
}

/// Returns a random kill point: after some time, or while a checkpoint is written. `duration` is that of an uninterrupted run.
fn random_kill_point(rng: &mut Mt64, duration: Duration) -> KillPoint {
    let share = rng.next_u64() as f64 / u64::MAX as f64;
    match rng.next_u64() % 2 {
        0 => KillPoint::After(duration.mul_f64(share)),
        _ => KillPoint::InWrite {
            passes: (rng.next_u64() % 12) as u32,
            delay: Duration::from_micros(rng.next_u64() % 1500),
        },
    }
}
