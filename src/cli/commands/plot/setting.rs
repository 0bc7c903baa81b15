//! `runner plot setting RUN…`

use crate::cli::args::plot_args::PlotOutput;
use crate::cli::commands::plot::draw_runs::{Runs, write_plot};
use crate::cli::exit::Exit;
use crate::plot::charts::curves::Limits;
use crate::plot::charts::setting;

/// Arguments of `runner plot setting`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
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

/// Plots a metric against a setting.
pub(crate) fn run(Args { runs, x, metric, log, ylim, target }: &Args) -> anyhow::Result<Exit> {
    let options =
        setting::Options { setting: x.clone(), metric: metric.clone(), log: *log, ylim: *ylim, page: target.page() };
    let kind: Vec<&str> =
        ["setting"].into_iter().chain(x.as_deref()).chain(metric.as_deref()).chain(log.then_some("log")).collect();
    write_plot(runs, target, &kind.join("-"), |groups| setting::draw(groups, &options))
}
