//! `runner plot [KIND] RUN…`

pub mod classes;
mod loaded_trial;
pub mod samples;

use anyhow::anyhow;
use clap::Subcommand;

use crate::cli::args::plot_args::{self, PlotOutput};
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::exit::Exit;
use crate::cli::process::dispatch::{Dispatched, EngineCommand};
use crate::cli::text::terminal;
use crate::compare::find::{Found, find};
use crate::compare::group::Group;
use crate::compare::trial::Axis;
use crate::config::hint::{Hint, in_a_line};
use crate::config::suggest;
use crate::plot::Plot;
use crate::plot::charts::{confusion, curves, layers, roc_pr, strip_plot, thresholds};

/// Arguments of `runner plot`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(override_usage = "runner plot [OPTIONS] <RUN>...\n       runner plot <KIND> [OPTIONS] <RUN>...")]
#[command(subcommand_value_name = "KIND", subcommand_help_heading = "Kinds", disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    kind: Option<Kind>,
    #[command(flatten)]
    curves: Curves,
}

const EXAMPLES: &str = "\
Without KIND, learning curves are plotted; `runner plot KIND --help` shows the
options of each kind. The path of the file is printed. A file named with `-o` is
replaced; otherwise the file is named after the runs and the kind, and replaces only
plots of runner.

Examples:
  runner plot overfit_mnist
  runner plot overfit_mnist mnist_dropout -o comparison.png
  runner plot optimizers_mnist --metric val_acc --x seconds
  runner plot confusion overfit_mnist --trial base-seed0
  runner plot roc creditcard_mlp creditcard_tree -o plots/
  runner plot gradients vanishing_gradient
  runner plot samples overfit_mnist --wrong
  runner plot classes creditcard
  runner plot compare overfit_mnist mnist_dropout --metric acc";

/// Kind of plot.
#[derive(Debug, Subcommand)]
enum Kind {
    /// Learning curves with the best epoch and the start of overfitting (default)
    Curves(Curves),
    /// Confusion matrices
    Confusion(Plain),
    /// ROC curves with AUC and the chosen threshold
    Roc(Plain),
    /// Precision-recall curves with average precision and the chosen threshold
    Pr(Plain),
    /// Precision, recall and F1 by threshold
    Threshold(Plain),
    /// Layer statistics: gradient norms, dead units, …
    Gradients(Layers),
    /// Class counts of a data set or a run
    Classes(classes::Args),
    /// Sample images of a data set, or of a run with its predictions
    Samples(samples::Args),
    /// One metric of several runs: trials, mean and 95 % interval
    Compare(Compare),
}

/// Names of the kinds of plots.
const KIND_NAMES: [&str; 9] =
    ["curves", "confusion", "roc", "pr", "threshold", "gradients", "classes", "samples", "compare"];

/// Runs to plot.
#[derive(Debug, clap::Args)]
struct Runs {
    /// Id, name or directory of a run, one of its files, an experiment (its newest run), RUN/VARIANT, a glob pattern, or
    /// a history of Keras, Lightning, skorch or TensorBoard
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    #[command(flatten)]
    out: RunsDir,
    /// Plot only this trial, such as `base-seed0`
    #[arg(long, value_name = "NAME")]
    trial: Option<String>,
}

/// Arguments of plots without options.
#[derive(Debug, clap::Args)]
struct Plain {
    #[command(flatten)]
    runs: Runs,
    #[command(flatten)]
    target: PlotOutput,
}

/// Arguments of `runner plot curves`.
#[derive(Debug, clap::Args)]
struct Curves {
    #[command(flatten)]
    runs: Runs,
    /// Metric: `acc` shows training and validation, `val_acc` validation only; repeatable [default: loss, and acc or
    /// another metric]
    #[arg(long, value_name = "METRIC")]
    metric: Vec<String>,
    /// Unit of the x axis
    #[arg(long, value_enum, default_value = "epoch")]
    x: Axis,
    /// Use a logarithmic y axis
    #[arg(long)]
    log: bool,
    #[command(flatten)]
    target: PlotOutput,
}

/// Arguments of `runner plot gradients`.
#[derive(Debug, clap::Args)]
struct Layers {
    #[command(flatten)]
    runs: Runs,
    /// gradient_norm, weight_norm, dead_units or saturation [default: the first that was recorded]
    #[arg(long, value_name = "OBSERVER")]
    metric: Option<String>,
    /// Unit of the x axis
    #[arg(long, value_enum, default_value = "epoch")]
    x: Axis,
    /// Use a logarithmic y axis [default: for norms that span decades]
    #[arg(long, overrides_with = "linear")]
    log: bool,
    /// Use a linear y axis
    #[arg(long)]
    linear: bool,
    #[command(flatten)]
    target: PlotOutput,
}

/// Arguments of `runner plot compare`.
#[derive(Debug, clap::Args)]
struct Compare {
    #[command(flatten)]
    runs: Runs,
    /// Metric, such as `acc`, `test.acc` or `best.val_loss` [default: the metric that `runner compare` tests]
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    #[command(flatten)]
    target: PlotOutput,
}

/// Plots histories. Plots of rows need tensors and are left to the engine.
pub(crate) fn dispatch(args: &Args) -> Dispatched<'_> {
    Dispatched::Done(match args.kind.as_ref() {
        None => plot_curves(&args.curves),
        Some(Kind::Curves(args)) => plot_curves(args),
        Some(Kind::Confusion(Plain { runs, target })) => {
            write_plot(runs, target, "confusion", |groups| confusion::draw(groups, target.size()))
        }
        Some(Kind::Roc(Plain { runs, target })) => {
            write_plot(runs, target, "roc", |groups| roc_pr::draw(groups, roc_pr::Kind::Roc, target.size()))
        }
        Some(Kind::Pr(Plain { runs, target })) => {
            write_plot(runs, target, "pr", |groups| roc_pr::draw(groups, roc_pr::Kind::PrecisionRecall, target.size()))
        }
        Some(Kind::Threshold(Plain { runs, target })) => {
            write_plot(runs, target, "threshold", |groups| thresholds::draw(groups, target.size()))
        }
        Some(Kind::Gradients(args)) => plot_layers(args),
        Some(Kind::Compare(Compare { runs, metric, target })) => {
            write_plot(runs, target, "compare", |groups| strip_plot::draw(groups, metric.as_deref(), target.size()))
        }
        Some(Kind::Classes(args)) => return Dispatched::ForEngine(EngineCommand::PlotClasses(args)),
        Some(Kind::Samples(args)) => return Dispatched::ForEngine(EngineCommand::PlotSamples(args)),
    })
}

fn plot_curves(Curves { runs, metric, x, log, target }: &Curves) -> anyhow::Result<Exit> {
    let options = curves::Options { metrics: metric.clone(), x: *x, log: *log, size: target.size() };
    write_plot(runs, target, "curves", |groups| curves::draw(groups, &options))
}

fn plot_layers(Layers { runs, metric, x, log, linear, target }: &Layers) -> anyhow::Result<Exit> {
    let log = (*log || *linear).then_some(*log);
    let options = layers::Options { observer: metric.clone(), x: *x, log, size: target.size() };
    let kind = metric.as_deref().unwrap_or("gradients");
    write_plot(runs, target, kind, |groups| layers::draw(groups, &options))
}

/// Plots the runs that can be read, writes the file, and warns about the others.
fn write_plot(
    runs: &Runs,
    target: &PlotOutput,
    kind: &str,
    draw: impl FnOnce(&[Group]) -> anyhow::Result<Plot>,
) -> anyhow::Result<Exit> {
    target.check()?;
    let Found { mut groups, faults, notes, .. } = find(&runs.runs, &runs.out)?;
    // a first name that is not a run may be a misspelled kind, or a kind after an option
    let is_word = |name: &&String| name.chars().all(char::is_alphabetic) && !runs.out.join(name).exists();
    let first = runs.runs.first().filter(|_| !faults.is_empty() && runs.runs.len() > 1).filter(is_word);
    if let Some(first) = first {
        let hint = match suggest::nearest(first, KIND_NAMES) {
            Some(kind) if kind == first => "put the kind of plot before all options".to_owned(),
            Some(kind) => format!("did you mean the kind of plot `{kind}`?"),
            None => format!("kinds of plots: {}", suggest::list(&KIND_NAMES)),
        };
        return Err(anyhow!("`{first}` is neither a run nor a kind of plot").context(Hint(hint)));
    }
    faults.iter().for_each(|fault| terminal::warn(&format!("skipped: {}", in_a_line(fault))));
    notes.iter().for_each(|note| terminal::warn(note));
    if let Some(trial) = &runs.trial {
        groups = keep_trial(groups, trial)?;
    }
    let stem = plot_args::default_file_stem(&groups, kind);
    for group in groups.iter_mut().filter(|group| group.leaks()) {
        group.label.push_str(" (leaks)"); // its metrics are too good
    }
    let Plot { svg, notes } = draw(&groups)?;
    notes.iter().for_each(|note| terminal::warn(note));
    target.write(svg, &stem)?;
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Keeps only the trial with this name.
///
/// # Errors
/// If no group has this trial.
fn keep_trial(mut groups: Vec<Group>, name: &str) -> anyhow::Result<Vec<Group>> {
    let stem = |file: &std::path::Path| file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let wanted = name.trim_end_matches(".json").trim_end_matches(".safetensors");
    let all: Vec<String> =
        groups.iter().flat_map(|group| &group.trials).filter_map(|trial| stem(&trial.file)).collect();
    for group in &mut groups {
        group.trials.retain(|trial| stem(&trial.file).as_deref() == Some(wanted));
    }
    groups.retain(|group| !group.trials.is_empty());
    if groups.is_empty() {
        let hint = suggest::hint(wanted, all.iter().map(String::as_str));
        return Err(anyhow!("no run has a trial `{name}`").context(Hint(hint)));
    }
    Ok(groups)
}
