//! `runner plot [KIND] RUN…`

pub mod calibration;
pub mod classes;
mod curves;
mod draw_runs;
mod loaded_trial;
pub mod pr;
pub mod samples;
mod scored_rows;
mod sweep;

use clap::Subcommand;

use crate::cli::args::plot_args::PlotOutput;
use crate::cli::commands::plot::draw_runs::{Runs, write_plot};
use crate::cli::exit::Exit;
use crate::cli::process::dispatch::{Dispatched, EngineCommand};
use crate::compare::trial::Axis;
use crate::plot::charts::curves::Limits;
use crate::plot::charts::scores::{roc_pr, thresholds};
use crate::plot::charts::{confusion, layers, setting, strip_plot};

/// Arguments of `runner plot`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(override_usage = "runner plot [OPTIONS] <RUN>...\n       runner plot <KIND> [OPTIONS] <RUN>...")]
#[command(subcommand_value_name = "KIND", subcommand_help_heading = "Kinds", disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    kind: Option<Kind>,
    #[command(flatten)]
    curves: curves::Args,
}

const EXAMPLES: &str = "\
Without KIND, learning curves are plotted; `runner plot KIND --help` shows the
options of each kind. The path of the file is printed. `-o FILE` overwrites
FILE. Without `-o`, the name is made from the runs and the kind, and only a
plot that runner made is overwritten.

Examples:
  runner plot overfit_mnist
  runner plot overfit_mnist mnist_dropout -o comparison.png
  runner plot optimizers_mnist --metric val_acc --x seconds
  runner plot confusion overfit_mnist --trial base-seed0
  runner plot roc creditcard_mlp creditcard_tree -o plots/
  runner plot gradients vanishing_gradient
  runner plot samples overfit_mnist --wrong
  runner plot classes creditcard
  runner plot compare overfit_mnist mnist_dropout --metric acc
  runner plot calibration creditcard_mlp
  runner plot pr overfit_mnist --by-class
  runner plot setting regularize_mnist --x weight_decay --metric best.val_acc
  runner plot sweep sweeps/digits_mlp/latest --chart parallel";

/// Kind of plot.
#[derive(Debug, Subcommand)]
enum Kind {
    /// Learning curves with the best epoch and the start of overfitting (default)
    #[command(alias = "learning_curves")]
    Curves(curves::Args),
    /// Confusion matrices
    #[command(alias = "confusion_matrix")]
    Confusion(Plain),
    /// ROC curves with AUC and the chosen threshold
    #[command(alias = "roc_curve")]
    Roc(Plain),
    /// Precision-recall curves with average precision and the chosen threshold
    #[command(aliases = ["precision_recall", "precision_recall_curve", "pr_curve"])]
    Pr(pr::Args),
    /// Precision, recall and F1 by threshold
    Threshold(Plain),
    /// Calibration curve: predicted probability against observed share
    #[command(aliases = ["calibration_curve", "reliability"])]
    Calibration(calibration::Args),
    /// Layer statistics: gradient norms, dead units, …
    Gradients(Layers),
    /// Class counts of a data set or a run
    Classes(classes::Args),
    /// Sample images of a data set, or of a run with its predictions
    Samples(samples::Args),
    /// One metric of several runs: trials, mean and 95 % interval
    Compare(Compare),
    /// One metric against a setting, such as the learning rate
    Setting(Setting),
    /// A sweep: settings, parallel coordinates, progress, importance
    Sweep(sweep::Args),
}

/// Arguments of plots without options.
#[derive(Debug, clap::Args)]
struct Plain {
    #[command(flatten)]
    runs: Runs,
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
    /// Use a logarithmic y axis [default: only for norms that differ by powers of ten; see `--linear`]
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

/// Arguments of `runner plot setting`.
#[derive(Debug, clap::Args)]
struct Setting {
    #[command(flatten)]
    runs: Runs,
    /// Setting on the x axis: its key or the last part of it, such as `lr` or `optimizer` [default: the only one that
    /// differs]
    #[arg(long, value_name = "KEY")]
    x: Option<String>,
    /// Metric, such as `best.val_acc` or `test.acc` [default: the monitored metric in the best epoch]
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    /// Use a logarithmic y axis
    #[arg(long)]
    log: bool,
    /// Limits of the y axis, as matplotlib's ylim: `0.9,1`
    #[arg(long, value_name = "LOW,HIGH", allow_hyphen_values = true)]
    ylim: Option<Limits>,
    #[command(flatten)]
    target: PlotOutput,
}

/// Plots histories. Plots of rows need tensors and are left to the engine.
pub(crate) fn dispatch(args: &Args) -> Dispatched<'_> {
    Dispatched::Done(match args.kind.as_ref() {
        None => match args.curves.lone_sweep() {
            Some((directory, target)) => sweep::run_default(&directory, target),
            None => curves::run(&args.curves),
        },
        Some(Kind::Curves(args)) => curves::run(args),
        Some(Kind::Confusion(Plain { runs, target })) => {
            write_plot(runs, target, "confusion", |groups| confusion::draw(groups, &target.page()))
        }
        Some(Kind::Roc(Plain { runs, target })) => {
            write_plot(runs, target, "roc", |groups| roc_pr::draw(groups, roc_pr::Kind::Roc, &target.page()))
        }
        Some(Kind::Pr(args)) if args.by_class => return Dispatched::ForEngine(EngineCommand::PlotPrByClass(args)),
        Some(Kind::Pr(args)) => pr::plot_recorded(args),
        Some(Kind::Threshold(Plain { runs, target })) => {
            write_plot(runs, target, "threshold", |groups| thresholds::draw(groups, &target.page()))
        }
        Some(Kind::Gradients(args)) => plot_layers(args),
        Some(Kind::Compare(Compare { runs, metric, target })) => {
            let kind = metric.as_ref().map_or("compare".to_owned(), |metric| format!("compare-{metric}"));
            write_plot(runs, target, &kind, |groups| strip_plot::draw(groups, metric.as_deref(), &target.page()))
        }
        Some(Kind::Setting(args)) => plot_setting(args),
        Some(Kind::Sweep(args)) => sweep::run(&args.ranked, args.chart, &args.target),
        Some(Kind::Calibration(args)) => return Dispatched::ForEngine(EngineCommand::PlotCalibration(args)),
        Some(Kind::Classes(args)) => return Dispatched::ForEngine(EngineCommand::PlotClasses(args)),
        Some(Kind::Samples(args)) => return Dispatched::ForEngine(EngineCommand::PlotSamples(args)),
    })
}

fn plot_layers(Layers { runs, metric, x, log, linear, target }: &Layers) -> anyhow::Result<Exit> {
    let mut kind = metric.clone().unwrap_or_else(|| "gradients".to_owned());
    kind.push_str(if *log { "-log" } else { "" });
    let log = (*log || *linear).then_some(*log);
    let options = layers::Options { observer: metric.clone(), x: *x, log, page: target.page() };
    write_plot(runs, target, &kind, |groups| layers::draw(groups, &options))
}

fn plot_setting(Setting { runs, x, metric, log, ylim, target }: &Setting) -> anyhow::Result<Exit> {
    let options =
        setting::Options { setting: x.clone(), metric: metric.clone(), log: *log, ylim: *ylim, page: target.page() };
    let kind: Vec<&str> =
        ["setting"].into_iter().chain(x.as_deref()).chain(metric.as_deref()).chain(log.then_some("log")).collect();
    write_plot(runs, target, &kind.join("-"), |groups| setting::draw(groups, &options))
}
