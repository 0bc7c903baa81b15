//! `runner reproduce RUN`

mod result;
mod text;

use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;

use crate::cli::args::run_args::{ExecutionConfig, watched};
use crate::cli::commands::reproduce::result::Made;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::data::store::cache::Cache;
use crate::device::DeviceChoice;
use crate::experiment::run::Options;
use crate::experiment::run::checkpointing::Pace;
use crate::experiment::store::find::Damaged;
use crate::experiment::verify::reproduction::{Outcome, Stored, compare};

/// Arguments of `runner reproduce`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Run directory, one of its files, or an experiment (its newest finished run)
    #[arg(value_name = "RUN")]
    run: String,
    /// cpu, cuda or cuda:N [default: the device of the run]
    #[arg(long)]
    device: Option<DeviceChoice>,
    /// Maximum number of CPU threads [default: as in the run]
    #[arg(long, value_name = "N", value_parser = crate::tensor::threads::parse, allow_negative_numbers = true)]
    threads: Option<usize>,
    /// Keep the new run in DIR [default: it is removed after the comparison]
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Directory of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// Print errors only; see the exit code
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

The run is trained again with its own settings, seeds, stacks, threads and device.
All metrics of all epochs, the test metrics and the weight files are compared;
times are not.

Exit codes:
  0  identical
  1  different: the first difference and the changes of the environment are shown
  2  invalid input or failure, or a history, weight file or tree is missing";

/// Makes a run again, and compares.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let stored = Stored::read(&args.run, &args.out)?;
    stored.note.iter().for_each(|note| terminal::say(&format!("note: {note}")));
    let keep = args.keep.as_deref().map(std::path::absolute).transpose().context("failed to find `--keep`")?;
    let ground = ExecutionConfig::of_run(&stored.options, args.device, args.threads)?;
    ground.put_into_use();
    let (requests, mut progress) = watched(args.quiet)?;
    let cache = Cache::of_user();
    let temporary = || tempfile::Builder::new().prefix("runner-reproduce-").tempdir();
    let temporary = if keep.is_none() { Some(temporary()) } else { None };
    let temporary = temporary.transpose().context("failed to make a temporary folder for the new run")?;
    let out = temporary.as_ref().map(tempfile::TempDir::path).or(keep.as_deref()).expect("it is one or the other");
    let options = Options {
        device: ground.device,
        threads: ground.threads,
        stack: stored.options.stack,
        pace: Pace::Never,
        cache: &cache,
        requests: &requests,
    };
    let again = stored.again(out, &options, &mut progress);
    progress.end();
    let (finished, stopped) = again?;
    if stopped {
        terminal::say("interrupted; nothing was compared");
        return Ok(Exit::Interrupted(requests.signal()));
    }
    let trials = stored.trials.iter().map(|trial| (trial.stem(), compare(trial, finished.folder.path())));
    let trials = trials.collect();
    let kept = keep.is_some().then(|| finished.folder.path().to_path_buf());
    drop(temporary); // a reader of what is printed may end the program
    let made = Made { stored: &stored, trials, kept };
    if args.json {
        terminal::json(&as_json(&made));
    } else if !args.quiet {
        terminal::out(&text::text(&made));
    }
    finished.failures.iter().for_each(terminal::error);
    stored.damaged.iter().for_each(|Damaged { error, .. }| terminal::error(error));
    let missing = made.trials.iter().any(|(_, outcome)| outcome.is_none());
    if missing || !finished.failures.is_empty() || !stored.damaged.is_empty() {
        return Ok(Exit::Failed);
    }
    Ok(match made.is_identical() {
        Some(true) => Exit::Done,
        Some(false) => Exit::Missed,
        None => Exit::Failed,
    })
}

fn as_json(made: &Made) -> serde_json::Value {
    let trial = |(stem, outcome): &(String, Option<Outcome>)| match outcome {
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
        "run": made.stored.folder,
        "kept": made.kept,
        "identical": made.is_identical(),
        "trials": made.trials.iter().map(trial).collect::<Vec<_>>(),
        "otherwise": made.otherwise(),
        "unseen": made.unseen(),
    })
}
