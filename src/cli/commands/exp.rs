//! `runner exp NAME`

use std::path::PathBuf;

use serde_json::json;

use crate::cli::args::output_args::{OutputArgs, close, close_again};
use crate::cli::args::run_args::{ExecutionConfig, RunArgs, watched};
use crate::cli::commands::resume;
use crate::cli::exit::Exit;
use crate::data::store::cache::Cache;
use crate::experiment::run::checkpointing::Pace;
use crate::experiment::run::{Options, run as run_study};
use crate::experiment::store::find::SavedRun;
use crate::io::atomic_write;
use crate::train::report::Watch;

/// Arguments of `runner exp`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    asking: RunArgs,
    /// When to save a checkpoint: every N epochs (`5`), at a time interval (`30s`, `10m`), or `never`
    #[arg(long, value_name = "N|TIME", default_value = "30s", allow_hyphen_values = true)]
    checkpoint: Pace,
    /// Resume the latest matching run under `--out`, else start one; a finished run is not repeated
    #[arg(long)]
    resume: bool,
    /// Write where the time of training went to FILE, as JSON
    #[arg(long, value_name = "FILE", hide = true)]
    phases: Option<PathBuf>,
    /// Directory of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    #[command(flatten)]
    closing: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  runner exp overfit_mnist
  runner exp overfit_mnist --seeds 0..4 --epochs 10
  runner exp digits_mlp --set train.optimizer.adam.lr=0.01 --set train.batch=32
  runner exp digits_mlp --set 'train.optimizer={ sgd = { lr = 0.1, momentum = 0.9 } }'
  runner exp my/idea.toml --device cuda --out results
  runner exp digits_mlp --json | jq '.histories[0].history.loss'

Ctrl-C or SIGTERM stops after the current step and saves a checkpoint and the
histories; `runner resume` continues. SIGUSR1 saves a checkpoint.";

/// Runs an experiment.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let study = args.asking.study()?;
    let begun = if args.resume { resume::newest(&study, &args.out, &args.asking)? } else { None };
    if let Some((folder, record)) = begun.as_ref().filter(|(folder, record)| record.is_whole(folder.path())) {
        record.check_data_of(&study)?;
        let run = SavedRun::find(&folder.path().display().to_string(), &args.out)?;
        return Ok(close_again(&run, &args.closing));
    }
    let ground = match &begun {
        Some((_, record)) => ExecutionConfig::of_run(&record.options, None, None)?,
        None => args.asking.ground()?,
    };
    ground.put_into_use();
    let (requests, mut progress) = watched(args.closing.quiet)?;
    let options = Options {
        device: ground.device,
        threads: ground.threads,
        stack: args.asking.stack,
        pace: args.checkpoint,
        cache: &Cache::of_user(),
        requests: &requests,
    };
    study.notes.iter().for_each(|note| progress.note(note));
    args.asking.tell_without_part(&study, ground.device, &mut progress);
    if args.resume && begun.is_none() {
        progress.say("no run to resume: starting a new one");
    }
    let finished = match begun {
        Some((folder, record)) => resume::go_on(folder, record, &study, &options, &mut progress),
        None => run_study(&study, &args.out, &options, &mut progress),
    };
    progress.end();
    let finished = finished?;
    if let Some(file) = &args.phases {
        let epochs = finished.histories.first().map_or(0, |history| history.history.len());
        atomic_write::write_whole(
            file,
            json!({ "phases": progress.phases(), "epochs": epochs }).to_string().as_bytes(),
        )?;
    }
    Ok(close(&study, &finished, &requests, &args.closing))
}
