//! `runner plot sweep SWEEP`

use std::path::Path;

use clap::ValueEnum;

use crate::cli::args::plot_args::{PlotOutput, safe_file_stem};
use crate::cli::commands::sweep::table::{RankedSweep, Results};
use crate::cli::exit::Exit;
use crate::cli::text::shell_words::quoted_path;
use crate::cli::text::terminal;
use crate::plot::charts::sweep::SweepChart;
use crate::sweep::results::{Overview, Ranking};

/// Arguments of `runner plot sweep`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) ranked: RankedSweep,
    /// What to plot
    #[arg(long, value_enum, default_value_t)]
    pub(super) chart: SweepChart,
    #[command(flatten)]
    pub(super) target: PlotOutput,
}

/// Plots the metric against each setting of the sweep in a directory, and says how to plot something else.
pub(crate) fn run_default(directory: &Path, target: &PlotOutput) -> anyhow::Result<Exit> {
    let exit = run(&RankedSweep::in_directory(directory), SweepChart::default(), target)?;
    let others: Vec<String> = SweepChart::value_variants().iter().skip(1).map(|chart| chart.name()).collect();
    let (shown, others) = (quoted_path(directory), others.join("|"));
    terminal::say(&format!("note: this is a sweep; other plots: `runner plot sweep {shown} --chart {others}`"));
    Ok(exit)
}

/// Plots a sweep.
pub(crate) fn run(ranked: &RankedSweep, chart: SweepChart, target: &PlotOutput) -> anyhow::Result<Exit> {
    target.check()?;
    let Results { record, state, metric, higher_is_better, .. } = ranked.results()?;
    let ranking = Ranking::new(&record, &state.ended, higher_is_better);
    let overview = Overview::new(&record, ranking, &metric, higher_is_better);
    let drawn = chart.draw(&overview, &target.page())?;
    target.write(drawn, &safe_file_stem(&record.experiment, &format!("sweep-{}", chart.name())))
}
