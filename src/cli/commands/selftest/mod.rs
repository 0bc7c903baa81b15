//! `runner selftest resume EXPERIMENT`: proves that a run that is killed loses nothing.
//!
//! The experiment runs once in one go. Then it runs again and again, each time killed by SIGKILL at a random point, or in
//! the middle of writing a checkpoint, and resumed, until it ends; what it has left must be what the run in one go has
//! left, to the last bit. The program under test is this one, started as a user starts it.

mod child;
mod left;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use rand_mt::Mt64;

use crate::cli::args::run_args::RunArgs;
use crate::cli::commands::selftest::child::{Child, End, Moment};
use crate::cli::commands::selftest::left::run_in;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::experiment::run::checkpointing::Pace;
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
    Resume(Resume),
}

/// Arguments of `runner selftest resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct Resume {
    #[command(flatten)]
    asking: RunArgs,
    /// Number of kills
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    kills: u32,
    /// When the killed runs save a checkpoint
    #[arg(long, value_name = "N|TIME", default_value = "1", allow_hyphen_values = true)]
    checkpoint: Pace,
    /// Random seed of the kill points
    #[arg(long, value_name = "N", default_value_t = 0)]
    points: u64,
    /// Print only the result
    #[arg(long, short)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner selftest resume digits_mlp --kills 100 --seeds 0..4
  runner selftest resume my/idea.toml --epochs 20";

/// Runs a self-test.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let Test::Resume(args) = &args.test;
    args.asking.study()?; // a mistake is told once, and not by each child
    let scratch = tempfile::Builder::new().prefix("runner-selftest-").tempdir().context("failed to make a folder")?;
    match test(args, scratch.path()) {
        Ok(tally) => {
            terminal::out(&tally.told());
            Ok(Exit::Done)
        }
        Err(error) => {
            let kept = scratch.keep();
            Err(error.context(Hint(format!("what the runs have left is kept in `{}`", kept.display()))))
        }
    }
}

/// What was seen.
#[derive(Debug, Default)]
struct Tally {
    kills: u32,
    in_writes: u32,
    before_the_record: u32,
    resumed: u32,
    runs: u32,
    trials: usize,
    epochs_again: usize,
    started: Option<Instant>,
}

impl Tally {
    fn told(&self) -> String {
        let Tally { kills, in_writes, before_the_record, resumed, runs, trials, epochs_again, .. } = self;
        let took = self.started.map_or(0.0, |started| started.elapsed().as_secs_f64());
        format!(
            "{kills} kills in {runs} runs: {in_writes} within the writing of a checkpoint, {before_the_record} before there was \
             a run to go on with\n{resumed} resumed from a checkpoint; {epochs_again} epochs that were trained and not yet in \
             one were trained again\nevery run ended as the one in one go: {trials} histories and weights, to the last \
             bit; no file was damaged\n{took:.0} s"
        )
    }
}

fn test(args: &Resume, scratch: &Path) -> anyhow::Result<Tally> {
    let say = |text: &str| {
        if !args.quiet {
            terminal::say(text);
        }
    };
    let arguments = |out: &Path, pace: &str| {
        let mut words = vec!["exp".to_owned()];
        words.extend(args.asking.arguments());
        words.extend(["--checkpoint".to_owned(), pace.to_owned(), "--out".to_owned(), out.display().to_string()]);
        words
    };
    let in_one_go = scratch.join("in-one-go");
    say("a run in one go");
    let began = Instant::now();
    let (end, said) = Child::start(&arguments(&in_one_go, "never"))?.watch(Moment::Never, &in_one_go)?;
    ensure!(end == End::Exited(Some(0)), "the run in one go fails\n{}", said.last_lines());
    let (took, reference) = (began.elapsed(), run_in(&in_one_go).context("the run in one go has left no folder")?);
    let mut draws = Mt64::new(args.points);
    let mut tally = Tally { started: Some(began), ..Tally::default() };
    while tally.kills < args.kills {
        let out = scratch.join(format!("run-{}", tally.runs));
        let mut words = arguments(&out, &args.checkpoint.to_string());
        loop {
            let moment = match tally.kills < args.kills {
                true => moment(&mut draws, took),
                false => Moment::Never,
            };
            let (end, said) = Child::start(&words)?.watch(moment, &out)?;
            let folder = run_in(&out);
            match end {
                End::Killed { in_write } => {
                    tally.kills += 1;
                    tally.in_writes += u32::from(in_write);
                    let epoch = match &folder {
                        Some(folder) => left::check(folder).with_context(|| format!("behind kill {}", tally.kills))?,
                        None => None,
                    };
                    if matches!(args.checkpoint, Pace::Epochs(1))
                        && let Some(last) = said.last_epoch()
                    {
                        let kept = epoch.unwrap_or(0);
                        // the line of an epoch comes before its checkpoint; the last epoch of a stack has none
                        // and the checkpoint of a stack is taken away when it is done
                        let record = folder.as_ref().and_then(|folder| RunRecord::read(folder).ok());
                        let is_done = epoch.is_none() && record.is_some_and(|record| record.done() > 0);
                        ensure!(kept + 1 >= last || is_done, "epoch {last} was shown, and epoch {kept} is kept");
                        tally.epochs_again += if is_done { 0 } else { last.saturating_sub(kept) };
                    }
                    match folder.filter(|folder| RunRecord::is_in(folder)) {
                        Some(folder) => {
                            tally.resumed += u32::from(epoch.is_some());
                            let pace = args.checkpoint.to_string();
                            words = ["resume", &folder.display().to_string(), "--checkpoint", &pace]
                                .map(str::to_owned)
                                .to_vec();
                        }
                        None => {
                            tally.before_the_record += 1;
                            words = arguments(&out, &args.checkpoint.to_string());
                        }
                    }
                    if tally.kills.is_multiple_of(10) {
                        say(&format!("{} of {} kills", tally.kills, args.kills));
                    }
                }
                End::Exited(Some(0)) => {
                    let folder = folder.ok_or_else(|| anyhow!("run {} has left no folder", tally.runs))?;
                    tally.trials += left::same(&reference, &folder)?;
                    tally.runs += 1;
                    std::fs::remove_dir_all(&out).context("failed to clear what a run has left")?;
                    break;
                }
                End::Exited(code) => {
                    let code = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
                    return Err(anyhow!("`runner {}` ended with {code}\n{}", words.join(" "), said.last_lines()));
                }
            }
        }
    }
    Ok(tally)
}

/// A point to kill a run at: by time, or in the writing of a checkpoint.
fn moment(draws: &mut Mt64, took: Duration) -> Moment {
    let share = draws.next_u64() as f64 / u64::MAX as f64;
    match draws.next_u64() % 2 {
        0 => Moment::After(took.mul_f64(share)),
        _ => Moment::InWrite {
            passes: (draws.next_u64() % 12) as u32,
            delay: Duration::from_micros(draws.next_u64() % 1500),
        },
    }
}
