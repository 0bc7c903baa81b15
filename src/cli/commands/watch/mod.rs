//! `runner watch [RUN|SWEEP]`: a run or a sweep in the terminal, while it trains.

mod chart;
mod draw;
mod lines;
mod look;
mod run_model;
mod screen;
mod sweep_model;
mod target;
#[cfg(test)]
mod tests;
mod view;

use std::io::IsTerminal;

use crate::cli::args::runs_dir::RunsDir;
use crate::cli::commands::watch::run_model::RunModel;
use crate::cli::commands::watch::sweep_model::SweepModel;
use crate::cli::commands::watch::target::Target;
use crate::cli::commands::watch::view::Model;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;

/// Arguments of `runner watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Directory, id or name of a run, directory of a sweep, or an experiment (its newest run or sweep) [default: what is in
    /// training, else the newest]
    #[arg(value_name = "RUN|SWEEP")]
    run: Option<String>,
    #[command(flatten)]
    out: RunsDir,
}

const EXAMPLES: &str = "\
Examples:
  runner watch
  runner watch overfit_mnist
  runner watch sweeps/digits_mlp/latest
  runner watch | tee progress.txt      lines instead of a screen

Keys:
  q, Esc         quit; the run continues
  Tab, arrows    next or previous metric
  l              logarithmic scale
  ?              help

The screen is updated every second, and it stays when the run has ended.
Without a terminal, with `TERM=dumb` or in a pipe, a line is printed for each
change, up to the end of the run.";

/// Shows a run or a sweep until the user quits, or without a terminal until it ends.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut model: Box<dyn Model> = match Target::find(args.run.as_deref(), &args.out)? {
        Target::Run(folder) => Box::new(RunModel::open(folder)?),
        Target::Sweep(folder) => Box::new(SweepModel::open(&folder)?),
    };
    match terminal::stdout_is_screen() && std::io::stdin().is_terminal() {
        true => screen::show(&mut *model),
        false => lines::print(&mut *model),
    }
}
