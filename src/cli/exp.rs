//! `runner exp NAME`

use std::path::PathBuf;

use serde_json::json;

use crate::cli::asking::{Asking, watched};
use crate::cli::closing::{Closing, close};
use crate::cli::{Exit, resume};
use crate::data::cache::Cache;
use crate::experiment::keeper::Pace;
use crate::experiment::run::{Options, run as run_study};
use crate::files;

/// Arguments of `runner exp`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    asking: Asking,
    /// How often a checkpoint is written: every N epochs (`5`), by time (`30s`, `10m`), or `never`
    #[arg(long, value_name = "N|TIME", default_value = "30s", allow_hyphen_values = true)]
    checkpoint: Pace,
    /// Go on with the newest such run under `--out` that was interrupted, where there is one
    #[arg(long)]
    resume: bool,
    /// Write where the time of training went to FILE, as JSON
    #[arg(long, value_name = "FILE", hide = true)]
    phases: Option<PathBuf>,
    /// The folder that runs are put in
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    #[command(flatten)]
    closing: Closing,
}

const EXAMPLES: &str = "\
Examples:
  runner exp overfit_mnist
  runner exp overfit_mnist --seeds 0..4 --epochs 10
  runner exp digits_mlp --set train.optimizer.adam.lr=0.01 --set train.batch=32
  runner exp digits_mlp --set 'train.optimizer={ sgd = { lr = 0.1, momentum = 0.9 } }'
  runner exp my/idea.toml --device cuda --out results
  runner exp digits_mlp --json | jq '.histories[0].history.loss'

Ctrl-C, or SIGTERM, ends a run behind the step with a checkpoint and its
histories, and `runner resume` goes on with it; SIGUSR1 asks for a checkpoint.";

/// Runs an experiment.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let study = args.asking.study()?;
    let ground = args.asking.ground()?;
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
    let interrupted = if args.resume { resume::newest(&study, &args.out, &options)? } else { None };
    args.asking.tell_without_part(&study, ground.device, &mut progress);
    let finished = match interrupted {
        Some((folder, record)) => resume::go_on(folder, record, &study, &options, &mut progress),
        None => run_study(&study, &args.out, &options, &mut progress),
    };
    progress.end();
    let finished = finished?;
    if let Some(file) = &args.phases {
        let epochs = finished.histories.first().map_or(0, |history| history.history.len());
        files::write_whole(file, json!({ "phases": progress.phases(), "epochs": epochs }).to_string().as_bytes())?;
    }
    Ok(close(&study, &finished, &requests, &args.closing))
}
