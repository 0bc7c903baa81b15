//! Plots of a sweep: the metric against each setting, parallel coordinates, the best configuration so far, the expected best
//! of n configurations, and the importance of the settings.

mod importance;
mod page;
mod parallel;
mod progress;
mod settings;

use clap::ValueEnum;

use crate::config::hint::hinted;
use crate::plot::Plot;
use crate::plot::draw::page::PageOptions;
use crate::sweep::results::Overview;

/// Kind of plot of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SweepChart {
    /// Metric against each setting
    #[default]
    Settings,
    /// Parallel coordinates: a line for each configuration
    Parallel,
    /// Best value so far against the number of epochs trained
    BestSoFar,
    /// Expected best value of n configurations
    ExpectedBest,
    /// Importance of each setting
    Importance,
}

impl SweepChart {
    /// Returns the name on the command line and in file names.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Draws this plot of a sweep.
    ///
    /// # Errors
    /// When there are no results, no setting that differs, or for the importance too few configurations.
    pub fn draw(self, overview: &Overview, options: &PageOptions) -> anyhow::Result<Plot> {
        if overview.means().next().is_none() {
            let message = "no configuration of this sweep has all of its trials";
            return Err(hinted(message, "see `runner sweep status DIR`"));
        }
        let svg = match self {
            SweepChart::Settings | SweepChart::Parallel if overview.columns.is_empty() => {
                let hint = "choose `best-so-far` or `expected-best`";
                return Err(hinted("no setting differs between the configurations", hint));
            }
            SweepChart::Settings => settings::draw(overview, options),
            SweepChart::Parallel => parallel::draw(overview, options),
            SweepChart::BestSoFar => progress::best_so_far(overview, options),
            SweepChart::ExpectedBest => progress::expected_best(overview, options),
            SweepChart::Importance => importance::draw(overview, options)?,
        };
        Ok(Plot { svg, notes: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::history::Status;
    use crate::plot::layout_checks::{outside, overlapping};
    use crate::sweep::results::Ranking;
    use crate::sweep::results::overview::fixtures;

    fn drawn(chart: SweepChart, count: usize, width: f64) -> crate::plot::format::svg::Svg {
        let (record, ended) = fixtures::sweep(count);
        let overview = Overview::new(&record, Ranking::new(&record, &ended, false), "best.val_loss", false);
        let options = PageOptions { width: Some(width), ..PageOptions::default() };
        chart.draw(&overview, &options).unwrap().svg
    }

    #[test]
    fn no_text_overlaps_or_leaves_the_plot() {
        for &chart in SweepChart::value_variants() {
            for (count, width) in [(12, 320.0), (30, 640.0), (100, 1200.0)] {
                let svg = drawn(chart, count, width);
                let found = (outside(&svg), overlapping(&svg));
                assert_eq!(found, (Vec::new(), Vec::new()), "{chart:?} of {count} at {width}");
            }
        }
    }

    #[test]
    fn the_plots_show_the_settings_the_best_and_what_diverged() {
        let text = |chart: SweepChart| drawn(chart, 30, 900.0).finish();
        let settings = text(SweepChart::Settings);
        for found in [">lr<", ">optimizer<", ">adam<", ">best<", ">diverged or failed<", "Error bars: ± standard"] {
            assert!(settings.contains(found), "no {found} in {settings}");
        }
        assert!(text(SweepChart::Parallel).contains(">momentum<"));
        assert!(text(SweepChart::BestSoFar).contains(">epochs of all trials<"));
        assert!(text(SweepChart::ExpectedBest).contains(">number of configurations<"));
        assert!(text(SweepChart::Importance).contains(">optimizer<"));
    }

    #[test]
    fn dropped_configurations_are_counted_and_not_called_diverged() {
        let (record, mut ended) = fixtures::halved_sweep(30);
        for trial in ended.values_mut().flat_map(|end| &mut end.trials) {
            if trial.status == Status::Diverged {
                trial.status = Status::Dropped;
            }
        }
        let overview = Overview::new(&record, Ranking::new(&record, &ended, false), "best.val_loss", false);
        let dropped = overview.dropped().count();
        for chart in [SweepChart::Settings, SweepChart::Parallel, SweepChart::BestSoFar, SweepChart::ExpectedBest] {
            let svg = chart.draw(&overview, &PageOptions { width: Some(900.0), ..PageOptions::default() }).unwrap().svg;
            let found = (outside(&svg), overlapping(&svg));
            let text = svg.finish();
            assert_eq!(found, (Vec::new(), Vec::new()), "{chart:?}");
            assert!(text.contains(&format!("30 configurations, {dropped} dropped early")), "{chart:?}");
            assert!(!text.contains("diverged or failed"), "{chart:?}");
            let has_crosses = matches!(chart, SweepChart::Settings | SweepChart::BestSoFar);
            assert_eq!(text.contains(">dropped early<"), has_crosses, "{chart:?}");
        }
    }

    #[test]
    fn a_sweep_without_results_has_no_plot() {
        let (record, _) = fixtures::sweep(12);
        let overview = Overview::new(&record, Ranking::new(&record, &HashMap::new(), false), "best.val_loss", false);
        for &chart in SweepChart::value_variants() {
            let error = chart.draw(&overview, &PageOptions::default()).unwrap_err();
            assert!(format!("{error:#}").contains("configuration"), "{error:#}");
        }
    }
}
