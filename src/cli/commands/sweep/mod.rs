//! `runner sweep`

mod execute;
mod execute_args;
mod progress;
mod ranking_text;
pub mod status;
pub mod table;
pub mod work;
pub mod worker_args;

use clap::Subcommand;

use crate::cli::exit::Exit;
use crate::cli::process::dispatch::{Dispatched, EngineCommand};

/// Arguments of `runner sweep`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<SweepCommand>,
    /// Directory of a sweep
    dir: Option<String>,
    #[arg(long)]
    workers: Option<usize>,
    #[command(flatten)]
    execute_args: execute_args::ExecuteArgs,
    #[command(flatten)]
    out: crate::cli::args::sweeps_dir::SweepsDir,
    #[arg(long, short)]
    quiet: bool,
    #[arg(long)]
    json: bool,
}

/// A command for a sweep that exists.
#[derive(Debug, Subcommand)]
enum SweepCommand {
    /// Add a worker to a sweep, from any machine
    Work(work::WorkArgs),
    /// Show the progress of a sweep
    Status(status::StatusArgs),
    /// Stop the workers of a sweep
    Stop(status::StopArgs),
    /// Train failed stacks again
    Retry(status::RetryArgs),
    /// Show the best configuration or write its experiment
    Best(table::BestArgs),
    /// List the configurations, best first
    Table(table::TableArgs),
}

/// Runs a command that needs no tensors, or returns it for the engine.
pub(crate) fn dispatch(args: &Args) -> Dispatched<'_> {
    Dispatched::Done(match &args.command {
        Some(SweepCommand::Status(args)) => status::run(args),
        Some(SweepCommand::Stop(args)) => status::run_stop(args),
        Some(SweepCommand::Retry(args)) => status::run_retry(args),
        Some(SweepCommand::Best(args)) => table::run_best(args),
        Some(SweepCommand::Table(args)) => table::run(args),
        Some(SweepCommand::Work(_)) | None => return Dispatched::ForEngine(EngineCommand::Sweep(args)),
    })
}

/// Plans and trains a sweep, or works on one.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Some(SweepCommand::Work(args)) => work::run(args),
        _ => {
            let (dir, record) = crate::sweep::dir::SweepDir::find(args.dir.as_deref().unwrap_or_default(), &args.out)?;
            let execute_args::ExecuteArgs { devices, worker_args, .. } = args.execute_args.clone();
            let (workers, quiet, json) = (args.workers, args.quiet, args.json);
            execute::train(&dir, &record, &execute::Execution { devices, workers, worker_args, quiet, json })
        }
    }
}
