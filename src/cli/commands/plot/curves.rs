//! `runner plot curves RUN…`

use std::path::{Path, PathBuf};

use crate::cli::args::plot_args::PlotOutput;
use crate::cli::commands::plot::draw_runs::{Runs, write_plot};
use crate::cli::exit::Exit;
use crate::compare::sweep_trials::sweep_at;
use crate::compare::trial::Axis;
use crate::history::metric_path::canonical;
use crate::plot::charts::curves::{self, Limits, Smoothing};
use crate::plot::draw::shape::short;

/// Arguments of `runner plot curves`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
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
    /// Limits of the y axis, as matplotlib's ylim: `--metric acc --ylim 0.9,1`
    #[arg(long, value_name = "LOW,HIGH", allow_hyphen_values = true)]
    ylim: Option<Limits>,
    /// Smooth by TensorBoard's exponential moving average: a weight such as `0.9`, or a number of epochs N (weight
    /// (N-1)/(N+1)); the raw curves are drawn faintly
    #[arg(long, value_name = "WEIGHT|N")]
    smooth: Option<Smoothing>,
    #[command(flatten)]
    target: PlotOutput,
}

impl Args {
    /// Returns the directory of a sweep if it is all that is named, without options for curves, and where its plot is written.
    pub(crate) fn lone_sweep(&self) -> Option<(PathBuf, &PlotOutput)> {
        let Args { runs, metric, x, log, ylim, smooth, target } = self;
        let is_plain = metric.is_empty() && *x == Axis::default() && !log && ylim.is_none() && smooth.is_none();
        match &runs.runs[..] {
            [name] if is_plain && runs.trial.is_none() => Some((sweep_at(Path::new(name))?, target)),
            _ => None,
        }
    }
}

/// Plots learning curves.
pub(crate) fn run(Args { runs, metric, x, log, ylim, smooth, target }: &Args) -> anyhow::Result<Exit> {
    // a plot with other options has a name of its own, so that it does not replace the plain one
    let axis = (*x != Axis::default()).then(|| x.word().to_owned());
    let smoothed = smooth.map(|smoothing| format!("smooth{}", short(smoothing.weight)));
    let metrics: Vec<String> = metric.iter().map(|metric| canonical(metric)).collect();
    let mut kind = vec!["curves".to_owned()];
    kind.extend(metrics.iter().cloned().chain(axis).chain(log.then(|| "log".to_owned())).chain(smoothed));
    let options = curves::Options { metrics, x: *x, log: *log, ylim: *ylim, smooth: *smooth, page: target.page() };
    write_plot(runs, target, &kind.join("-"), |groups| curves::draw(groups, &options))
}
