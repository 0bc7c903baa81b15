//! `runner exp NAME`

use std::path::PathBuf;

use serde_json::json;

use crate::cli::args::about_args::AboutArgs;
use crate::cli::args::dry_run::DryRun;
use crate::cli::args::output_args::OutputArgs;
use crate::cli::args::run_args::{ExecutionConfig, RunArgs, signals_and_progress};
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::commands::resume;
use crate::cli::dry_run;
use crate::cli::end_of_run::{finish_completed_run, finish_run};
use crate::cli::exit::Exit;
use crate::data::store::cache::Cache;
use crate::experiment::dry_run::preview;
use crate::experiment::run::checkpointing::CheckpointInterval;
use crate::experiment::run::{Options, run as run_study};
use crate::experiment::store::about::About;
use crate::experiment::store::find::SavedRun;
use crate::io::atomic_write;
use crate::train::callback::Callback;

/// Arguments of `runner exp`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    run_args: RunArgs,
    /// When to save a checkpoint: every N epochs (`5`), at a time interval (`30s`, `10m`), or `never`
    #[arg(long, value_name = "N|TIME", default_value = "30s", allow_hyphen_values = true)]
    checkpoint: CheckpointInterval,
    /// Resume the latest matching run under `--out`, else start one; a finished run is not repeated
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    about_args: AboutArgs,
    /// Write the time of each phase of training to FILE, as JSON
    #[arg(long, value_name = "FILE", hide = true)]
    phases: Option<PathBuf>,
    #[command(flatten)]
    out: RunsDir,
    #[command(flatten)]
    dry_run: DryRun,
    #[command(flatten)]
    output_args: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  runner exp overfit_mnist
  runner exp overfit_mnist --seeds 0..4 --epochs 10
  runner exp digits_mlp --set train.optimizer.adam.lr=0.01 --set train.batch=32
  runner exp digits_mlp --set 'train.optimizer={ sgd = { lr = 0.1, momentum = 0.9 } }'
  runner exp my/idea.toml --device cuda --out results
  runner exp my/idea.toml --dry-run
  runner exp digits_mlp --json | jq '.histories[0].history.loss'

Ctrl-C or SIGTERM stops after the current step and saves a checkpoint and the
histories; `runner resume` continues. SIGUSR1 saves a checkpoint.";

/// Trains an experiment, or resumes its latest matching run with `--resume`.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let about = args.about_args.about();
    let study = args.run_args.study()?.with_about(about.clone());
    let existing = if args.resume { resume::newest_matching(&study, &args.out, &args.run_args)? } else { None };
    if let Some((folder, _)) = existing.as_ref().filter(|_| !about.is_empty()) {
        let mut known = About::read(folder.path())?;
        known.merge(&about);
        known.write(folder.path())?;
    }
    if let Some((folder, record)) = existing.as_ref().filter(|(folder, record)| record.is_complete(folder.path())) {
        record.check_data_of(&study)?;
        let run = SavedRun::find(&folder.path().display().to_string(), &args.out)?;
        return Ok(finish_completed_run(&run, &args.output_args));
    }
    let execution = match &existing {
        Some((_, record)) => ExecutionConfig::from_run(&record.options, None, None)?,
        None => args.run_args.execution_config()?,
    };
    execution.apply();
    let (signals, mut progress) = signals_and_progress(args.output_args.quiet)?;
    let options = Options {
        device: execution.device,
        threads: execution.threads,
        stack: args.run_args.stack,
        checkpoint_interval: args.checkpoint,
        cache: &Cache::for_user(),
        signals: &signals,
    };
    study.notes.iter().for_each(|note| progress.note(note));
    args.run_args.note_unused_options(&study, execution.device, &mut progress);
    if args.dry_run.dry_run {
        let groups = preview(&study, &args.out, &options, &mut progress)?;
        progress.end();
        dry_run::print(&study, &groups, &args.out, &options, args.output_args.json);
        return Ok(Exit::Done);
    }
    if args.resume && existing.is_none() {
        progress.say("no run to resume: starting a new one");
    }
    let finished = match existing {
        Some((folder, record)) => resume::resume_run(folder, record, &study, &options, &mut progress),
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
    Ok(finish_run(&study, &finished, &signals, &args.output_args))
}
