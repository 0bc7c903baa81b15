//! `runner sweep`

pub mod confirm;
mod dry_run;
mod execute;
pub mod export;
pub mod extend;
mod jobs_text;
pub mod plan_args;
mod progress;
pub(crate) mod ranking_text;
pub mod report;
pub mod start;
pub mod status;
pub mod submit;
pub mod table;
pub mod verify;
pub mod work;
pub mod worker_args;

use clap::Subcommand;

use crate::cli::args::sweeps_dir::NamedSweep;
use crate::cli::process::dispatch::{Dispatched, EngineCommand};

/// Arguments of `runner sweep`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Option<SweepCommand>,
    #[command(flatten)]
    start: start::StartArgs,
}

/// A command for a sweep that exists.
#[derive(Debug, Subcommand)]
enum SweepCommand {
    /// Add a worker to a sweep, from any machine
    Work(work::WorkArgs),
    /// Submit workers as jobs of Slurm
    Submit(Box<submit::SubmitArgs>),
    /// Show the progress of a sweep
    Status(status::StatusArgs),
    /// Stop the workers of a sweep
    Stop(NamedSweep),
    /// Add configurations or seeds to a sweep
    Extend(extend::ExtendArgs),
    /// Train the best configurations on fresh seeds
    Confirm(confirm::ConfirmArgs),
    /// Train failed stacks again
    Retry(status::RetryArgs),
    /// Show the best configuration or write its experiment
    Best(table::BestArgs),
    /// List the configurations, best first
    Table(table::TableArgs),
    /// Write an HTML report of a sweep
    Report(report::ReportArgs),
    /// Export the results to CSV or Optuna
    Export(export::ExportArgs),
    /// Check all files of a sweep
    Verify(verify::VerifyArgs),
}

const EXAMPLES: &str = "\
Examples:
  runner sweep my/idea.toml                     with a table [sweep.space]
  runner sweep sweep_learning_rate              a shipped sweep
  runner sweep digits_mlp --space lr=log:1e-4..1e-1 --trials 32 --seeds 0..2
  runner sweep digits_mlp --space train.batch=32,64,128 --space lr=0.001,0.01
  runner sweep my/idea.toml --space p=float:0..0.5:0.1 --dry-run
  runner sweep digits_mlp --space train.optimizer=adam,rmsprop --seeds 0..4
  runner sweep digits_mlp --space lr=log:1e-4..1e-1 --trials 32 --workers 4
  runner sweep digits_mlp --space lr=0.1,0.01,0.001,1e-4 --halving first=3
  runner sweep digits_mlp --space lr=log:1e-5..1 --trials 64 --method tpe
  runner sweep digits_mlp --space lr=log:1e-5..1 --trials 24 --method gp
  runner sweep digits_mlp --space lr=log:1e-4..1e-1 --trials 32 --resume
  runner sweep sweeps/digits_mlp/latest --resume      continue a sweep
  runner sweep work sweeps/digits_mlp/latest          one more worker
  runner sweep submit sweeps/digits_mlp/latest --workers 8     jobs of Slurm
  runner sweep extend digits_mlp --trials +8          more configurations
  runner sweep confirm digits_mlp                     the best on fresh seeds
  runner sweep best digits_mlp --toml best.toml
  runner sweep report digits_mlp -o sweep.html

Values of a setting:
  32,64,128               one of these
  int:16..256             whole number; int:16..256:16 in steps of 16
  int:16..256:log         whole number, log-uniform
  float:0..0.5            number; float:0..0.5:0.1 in steps of 0.1
  log:1e-4..1e-1          number, log-uniform
  '= train.batch * 2'     value of another setting times a number, or `/ 2`

Keys may be short where they are unique: `lr`. Each configuration is trained
on all seeds, and all configurations are checked before the first one is
trained.

Any worker may be killed at any time: its models continue from their last
checkpoint. Ctrl-C stops the workers, which save checkpoints.";

/// Runs a command that needs no tensors, or returns it for the engine.
pub(crate) fn dispatch(args: &Args) -> Dispatched<'_> {
    Dispatched::Done(match &args.command {
        Some(SweepCommand::Status(args)) => status::run(args),
        Some(SweepCommand::Stop(sweep)) => status::run_stop(sweep),
        Some(SweepCommand::Retry(args)) => status::run_retry(args),
        Some(SweepCommand::Best(args)) => table::run_best(args),
        Some(SweepCommand::Table(args)) => table::run(args),
        Some(SweepCommand::Report(args)) => report::run(args),
        Some(SweepCommand::Confirm(args)) => return Dispatched::ForEngine(EngineCommand::SweepConfirm(args)),
        Some(SweepCommand::Extend(args)) => return Dispatched::ForEngine(EngineCommand::SweepExtend(args)),
        Some(SweepCommand::Export(args)) => export::run(args),
        Some(SweepCommand::Verify(args)) => return Dispatched::ForEngine(EngineCommand::SweepVerify(args)),
        Some(SweepCommand::Submit(args)) => return Dispatched::ForEngine(EngineCommand::SweepSubmit(args)),
        Some(SweepCommand::Work(args)) => return Dispatched::ForEngine(EngineCommand::SweepWork(args)),
        None => return Dispatched::ForEngine(EngineCommand::Sweep(&args.start)),
    })
}
