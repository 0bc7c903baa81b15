//! `runner plot [KIND] RUN…`

use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::plot_file::{self, Target};
use crate::cli::{Exit, terminal};
use crate::compare::find::{Found, find};
use crate::compare::group::Group;
use crate::compare::trial::Axis;
use crate::hint::in_a_line;
use crate::plot::{Drawn, curves};

/// Arguments of `runner plot`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(override_usage = "runner plot [OPTIONS] <RUN>...\n       runner plot <KIND> [OPTIONS] <RUN>...")]
#[command(subcommand_value_name = "KIND", subcommand_help_heading = "Kinds of pictures")]
pub struct Args {
    #[command(subcommand)]
    kind: Option<Kind>,
    #[command(flatten)]
    curves: Curves,
}

const EXAMPLES: &str = "\
Without a KIND, learning curves are drawn; `runner plot KIND --help` tells the
options of each.

Examples:
  runner plot overfit_mnist
  runner plot overfit_mnist mnist_dropout -o comparison.png";

/// The kinds of pictures.
#[derive(Debug, Subcommand)]
enum Kind {
    /// Learning curves: training and validation by epoch
    Curves(Curves),
}

/// The runs that are drawn.
#[derive(Debug, clap::Args)]
struct Runs {
    /// A run's folder, one of its files, an experiment (its newest run), RUN/VARIANT, a glob, or a history of Keras,
    /// Lightning, skorch or TensorBoard
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// The folder that runs are in
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Curves {
    #[command(flatten)]
    runs: Runs,
    /// A metric, may be given several times: `acc` is training and validation, `val_acc` validation alone
    /// [default: loss, and acc or what else there is]
    #[arg(long, value_name = "METRIC")]
    metric: Vec<String>,
    /// What lies along the horizontal axis
    #[arg(long, value_enum, default_value = "epoch")]
    x: Axis,
    /// Draw values on a log scale
    #[arg(long)]
    log: bool,
    #[command(flatten)]
    target: Target,
}

/// Draws a picture.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match args.kind.as_ref() {
        None => of_curves(&args.curves),
        Some(Kind::Curves(args)) => of_curves(args),
    }
}

fn of_curves(args: &Curves) -> anyhow::Result<Exit> {
    args.target.check()?;
    let (groups, exit) = found(&args.runs)?;
    let options = curves::Options { metrics: args.metric.clone(), x: args.x, log: args.log, size: args.target.size() };
    finish(curves::draw(&groups, &options)?, &args.target, &plot_file::stem(&groups, "curves"), exit)
}

/// What is named, where it can be read; what cannot is told.
fn found(runs: &Runs) -> anyhow::Result<(Vec<Group>, Exit)> {
    let Found { groups, faults, notes } = find(&runs.runs, &runs.out)?;
    faults.iter().for_each(|fault| terminal::warn(&format!("left out: {}", in_a_line(fault))));
    notes.iter().for_each(|note| terminal::warn(note));
    Ok((groups, if faults.is_empty() { Exit::Done } else { Exit::Failed }))
}

/// Writes a picture, and says what was left out of it.
fn finish(drawn: Drawn, target: &Target, stem: &str, exit: Exit) -> anyhow::Result<Exit> {
    drawn.notes.iter().for_each(|note| terminal::warn(note));
    target.write(drawn.svg, stem)?;
    Ok(exit)
}
