//! `runner plot sweep SWEEP`

use std::path::Path;

use clap::ValueEnum;

use crate::cli::args::plot_args::{PlotOutput, safe_file_stem};
use crate::cli::commands::sweep::table::{RankedSweep, Results};
use crate::cli::exit::Exit;
use crate::cli::text::shell_words::quoted;
use crate::cli::text::terminal;
use crate::plot::Plot;
use crate::plot::charts::sweep::SweepChart;
use crate::sweep::results::{Overview, Ranking};

/// Arguments of `runner plot sweep`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    ranked: RankedSweep,
    /// What to plot
    #[arg(long, value_enum, default_value_t)]
    chart: SweepChart,
    #[command(flatten)]
    target: PlotOutput,
}

/// Plots a sweep.
pub(crate) fn run(Args { ranked, chart, target }: &Args) -> anyhow::Result<Exit> {
    write(ranked, *chart, target)
}

/// Plots the metric against each setting of the sweep in a directory, and says how to plot something else.
pub(crate) fn run_default(directory: &Path, target: &PlotOutput) -> anyhow::Result<Exit> {
    let shown = directory.display().to_string();
    let exit = write(&RankedSweep::in_directory(directory), SweepChart::default(), target)?;
    let others: Vec<String> = SweepChart::value_variants().iter().skip(1).map(|chart| chart.name()).collect();
    let others = others.join("|");
    terminal::say(&format!(
        "note: this is a sweep; other plots: `runner plot sweep {} --chart {others}`",
        quoted(&shown)
    ));
    Ok(exit)
}

fn write(ranked: &RankedSweep, chart: SweepChart, target: &PlotOutput) -> anyhow::Result<Exit> {
    target.check()?;
    let Results { record, state, metric, higher_is_better, .. } = ranked.results()?;
    let ranking = Ranking::new(&record, &state.ended, higher_is_better);
    let overview = Overview::new(&record, ranking, &metric, higher_is_better);
    let Plot { svg, notes } = chart.draw(&overview, &target.page())?;
    notes.iter().for_each(|note| terminal::warn(note));
    target.write(svg, &safe_file_stem(&record.experiment, &format!("sweep-{}", chart.name())))?;
    Ok(Exit::Done)
}
