//! `runner reproduce RUN`

mod reproduction;
mod text;

use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;

use crate::cli::args::compute_args::RecordedComputeArgs;
use crate::cli::args::log_args::LogArgs;
use crate::cli::args::run_args::signals_and_progress;
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::commands::reproduce::reproduction::Reproduction;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::data::store::cache::Cache;
use crate::experiment::store::find::Damaged;
use crate::experiment::verify::reproduction::{ReproducibleRun, TrialComparison, compare};

/// Arguments of `runner reproduce`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id, name or directory of a run, one of its files, or an experiment (its newest finished run)
    #[arg(value_name = "RUN")]
    run: String,
    #[command(flatten)]
    compute_args: RecordedComputeArgs,
    /// Keep the new run in DIR [default: it is removed after the comparison]
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    out: RunsDir,
    #[command(flatten)]
    log_args: LogArgs,
    /// Print errors only; the exit code is the result
    #[arg(long, short)]
    quiet: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner reproduce digits_mlp
  runner reproduce runs/overfit_mnist/latest/base-seed0.json
  runner reproduce overfit_mnist --threads 1 --keep again

The run is trained again with its own settings, seeds, stacks, threads and
device. All metrics of all epochs, the test metrics and the weight files are
compared; times are not.

Exit codes:
  0  identical
  1  different: the first difference and the changes of the environment are
     shown
  2  invalid input or failure, or a history, a weight file or a decision-tree
     file is missing or damaged";

/// Trains a run again and compares the results.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let stored = ReproducibleRun::read(&args.run, &args.out)?;
    stored.note.iter().for_each(|note| terminal::say(&format!("note: {note}")));
    let keep =
        args.keep.as_deref().map(std::path::absolute).transpose().context("failed to resolve the path of `--keep`")?;
    let execution = args.compute_args.execution(&stored.options)?;
    let (signals, mut progress) = signals_and_progress(args.quiet, &args.log_args)?;
    let cache = Cache::for_user();
    let temporary = || tempfile::Builder::new().prefix("runner-reproduce-").tempdir();
    let temporary = if keep.is_none() { Some(temporary()) } else { None };
    let temporary = temporary.transpose().context("failed to create a temporary directory for the new run")?;
    let out = keep.as_deref().or(temporary.as_ref().map(tempfile::TempDir::path));
    let out = out.expect("there is a temporary directory unless `--keep` is given");
    let options = execution.options(stored.options.stack, &cache, &signals);
    let new_run = stored.reproduce(out, &options, &mut progress);
    progress.end_run(&signals);
    let (finished, stopped) = new_run?;
    if stopped {
        terminal::say("interrupted: nothing was compared");
        return Ok(Exit::Interrupted(signals.signal()));
    }
    let trials = stored.trials.iter().map(|trial| (trial.stem(), compare(trial, finished.folder.path())));
    let trials = trials.collect();
    let kept = keep.is_some().then(|| finished.folder.path().to_path_buf());
    drop(temporary); // before printing, which may end the program if the output is a closed pipe
    let reproduction = Reproduction { stored: &stored, trials, kept };
    if args.json {
        terminal::json(&as_json(&reproduction));
    } else if !args.quiet {
        terminal::out(&text::render(&reproduction));
    }
    finished.failures.iter().for_each(terminal::error);
    stored.damaged.iter().for_each(|Damaged { error, .. }| terminal::error(error));
    let missing = reproduction.trials.iter().any(|(_, outcome)| outcome.is_none());
    Ok(match reproduction.is_identical() {
        _ if missing || !finished.failures.is_empty() || !stored.damaged.is_empty() => Exit::Failed,
        Some(true) => Exit::Done,
        Some(false) => Exit::Missed,
        None => Exit::Failed,
    })
}

/// Returns the comparison as JSON.
fn as_json(reproduction: &Reproduction) -> serde_json::Value {
    let trial = |(stem, outcome): &(String, Option<TrialComparison>)| match outcome {
        Some(outcome) => json!({
            "trial": stem,
            "identical": outcome.is_identical(),
            "epochs": outcome.difference.epochs,
            "first": outcome.difference.first,
            "largest": outcome.difference.largest,
            "others": outcome.difference.others,
            "weights": outcome.kept_file,
        }),
        None => json!({ "trial": stem, "identical": null }),
    };
    json!({
        "run": reproduction.stored.folder,
        "kept": reproduction.kept,
        "identical": reproduction.is_identical(),
        "trials": reproduction.trials.iter().map(trial).collect::<Vec<_>>(),
        "otherwise": reproduction.changes(),
        "unseen": reproduction.unknown_changes(),
    })
}
