//! A metric over the trials of a group: mean and standard deviation by epoch.

use std::collections::BTreeMap;

use crate::compare::group::Group;
use crate::compare::statistics::sample::Sample;
use crate::compare::trial::{Axis, Curve};
use crate::plot::charts::curves::options::Smoothing;
use crate::plot::charts::metric_labels;
use crate::plot::draw::shape::Point;
use crate::plot::draw::ticks::Unit;

/// A metric over the trials of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Statistics by epoch.
    pub points: Vec<Spread>,
    /// The last finite point of each trial whose curve stays non-finite afterwards.
    pub broken: Vec<Point>,
    /// Number of trials with the metric.
    pub trials: usize,
    /// Whether the metric is a share, which cannot be above 1.
    pub is_share: bool,
}

/// Statistics of a metric in one epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Position of the epoch on the axis, averaged over the trials.
    pub x: f64,
    /// Mean of the finite values; NaN if there are none.
    pub mean: f64,
    /// Standard deviation of the finite values; `None` for fewer than two.
    pub std: Option<f64>,
    /// Number of finite values.
    pub trials: usize,
}

/// Returns a metric over the trials of a group; `None` if no trial has it, or if the positions of epochs on the axis
/// are unknown.
pub fn from_group(group: &Group, metric: &str, axis: Axis) -> Option<Series> {
    let mut at: BTreeMap<usize, Vec<Point>> = BTreeMap::new();
    let mut series = Series { is_share: metric_labels::unit(metric) == Unit::Percent, ..Series::default() };
    // Diverged trials are excluded from the means, unless all trials have diverged.
    let all_diverged = group.not_diverged().next().is_none();
    let places = group.places(axis);
    for trial in &group.trials {
        let Some(curve) = trial.curve(metric) else { continue };
        let has_diverged = trial.has_diverged() && !all_diverged;
        let points = match has_diverged || all_diverged {
            true => points(&trial.places(axis), &curve),
            false => points(&places, &curve),
        };
        if points.is_empty() {
            continue;
        }
        series.trials += 1;
        // a metric such as precision can be undefined although training continues
        if metric.ends_with("loss") || trial.has_diverged() || trial.history().is_none() {
            series.broken.extend(broken(&points.iter().map(|(_, point)| *point).collect::<Vec<_>>()));
        }
        for (epoch, point) in points.into_iter().filter(|_| !has_diverged) {
            at.entry(epoch).or_default().push(point);
        }
    }
    series.points = at.into_values().map(|points| spread_of_points(&points)).collect();
    (series.trials > 0).then_some(series)
}

/// Returns a trial's curve with the position of each epoch; epochs without a position are left out.
fn points(places: &BTreeMap<usize, f64>, curve: &Curve) -> Vec<(usize, Point)> {
    let both = curve.epochs.iter().zip(&curve.values);
    both.filter_map(|(&epoch, &value)| Some((epoch, (*places.get(&epoch)?, value)))).collect()
}

/// Returns the last finite point of a curve that ends in non-finite values.
fn broken(points: &[Point]) -> Option<Point> {
    let last_finite = points.iter().rposition(|(_, value)| value.is_finite())?;
    (last_finite + 1 < points.len()).then(|| points[last_finite])
}

fn spread_of_points(points: &[Point]) -> Spread {
    let x = points.iter().map(|(x, _)| x).sum::<f64>() / points.len() as f64;
    let finite: Vec<f64> = points.iter().map(|(_, value)| *value).filter(|value| value.is_finite()).collect();
    match Sample::from_values(&finite) {
        Some(sample) => Spread { x, mean: sample.mean, std: sample.std, trials: finite.len() },
        None => Spread { x, mean: f64::NAN, std: None, trials: 0 },
    }
}

impl Series {
    /// Returns the means.
    pub fn line(&self) -> Vec<Point> {
        self.points.iter().map(|spread| (spread.x, spread.mean)).collect()
    }

    /// Returns the series with smoothed means and standard deviations.
    pub fn smoothed(&self, smoothing: Smoothing) -> Series {
        let means = smoothing.apply(self.points.iter().map(|spread| spread.mean));
        let stds = smoothing.apply(self.points.iter().map(|spread| spread.std.unwrap_or(f64::NAN)));
        let spread =
            |((spread, mean), std): ((&Spread, f64), f64)| Spread { mean, std: spread.std.map(|_| std), ..*spread };
        Series { points: self.points.iter().zip(means).zip(stds).map(spread).collect(), ..self.clone() }
    }

    /// Returns the range of one standard deviation around the mean; that of a share ends at 1.
    pub fn band(&self) -> Vec<(f64, f64, f64)> {
        let ends = |spread: &Spread| match spread.std {
            Some(std) if self.is_share => (spread.x, spread.mean - std, (spread.mean + std).min(1.0)),
            Some(std) => (spread.x, spread.mean - std, spread.mean + std),
            None => (spread.x, f64::NAN, f64::NAN),
        };
        self.points.iter().map(ends).collect()
    }

    /// Returns whether any epoch has at least two finite values.
    pub fn has_band(&self) -> bool {
        self.points.iter().any(|spread| spread.std.is_some())
    }

    /// Returns the first position at which fewer trials remain than at the start, for example after early stopping.
    pub fn first_with_fewer_trials(&self) -> Option<f64> {
        self.points.iter().find(|spread| spread.trials < self.trials).map(|spread| spread.x)
    }

    /// Returns the point of the mean nearest to a position.
    pub fn nearest(&self, x: f64) -> Option<Point> {
        let finite = self.points.iter().filter(|spread| spread.mean.is_finite());
        let nearest = finite.min_by(|one, other| (one.x - x).abs().total_cmp(&(other.x - x).abs()))?;
        Some((nearest.x, nearest.mean))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::compare::trial::Trial;
    use crate::history::number::Number;
    use crate::history::trial_for_tests;

    fn group(curves: &[&[f64]]) -> Group {
        let trial = |(seed, values): (usize, &&[f64])| {
            let mut history = trial_for_tests("base", seed as i64, values[0]);
            for (epoch, value) in values.iter().enumerate().skip(1) {
                history.history.push(epoch + 1, &[("loss", *value)]);
            }
            Trial::from_history(history, PathBuf::from("a.json"))
        };
        Group { label: "a".to_owned(), trials: curves.iter().enumerate().map(trial).collect() }
    }

    #[test]
    fn the_band_of_a_share_ends_at_1() {
        let spread = Spread { x: 1.0, mean: 0.99, std: Some(0.02), trials: 2 };
        let series = |is_share| Series { points: vec![spread], is_share, ..Series::default() };
        assert_eq!(series(true).band(), [(1.0, 0.97, 1.0)]);
        assert_eq!(series(false).band(), [(1.0, 0.97, 1.01)]);
    }

    #[test]
    fn the_mean_is_of_the_trials_that_have_the_epoch() {
        let series = from_group(&group(&[&[3.0, 1.0, 0.5], &[1.0, 3.0]]), "loss", Axis::Epoch).unwrap();
        assert_eq!(series.line(), [(1.0, 2.0), (2.0, 2.0), (3.0, 0.5)]);
        assert_eq!(series.points[0].std, Some(2_f64.sqrt()));
        assert_eq!((series.points[2].std, series.first_with_fewer_trials()), (None, Some(3.0)));
        assert_eq!(series.nearest(2.4), Some((2.0, 2.0)));
        assert!(from_group(&group(&[&[1.0]]), "acc", Axis::Epoch).is_none());
    }

    #[test]
    fn a_metric_that_becomes_undefined_is_not_broken() {
        let mut group = group(&[&[3.0, 1.0]]);
        let crate::compare::trial::Record::Runner(history) = &mut group.trials[0].record else { unreachable!() };
        history.history.series.insert("precision".to_owned(), vec![Number(0.5), Number(f64::NAN)]);
        let series = from_group(&group, "precision", Axis::Epoch).unwrap();
        assert!(series.broken.is_empty() && series.line()[1].1.is_nan(), "{series:?}");
    }

    #[test]
    fn a_curve_that_ends_in_nan_is_broken_and_one_with_a_gap_is_not() {
        let ends = from_group(&group(&[&[3.0, 1.0, f64::NAN, f64::INFINITY]]), "loss", Axis::Epoch).unwrap();
        assert_eq!(ends.broken, [(2.0, 1.0)]);
        assert!(ends.line()[3].1.is_nan());
        let gap = from_group(&group(&[&[3.0, f64::NAN, 1.0]]), "loss", Axis::Epoch).unwrap();
        assert!(gap.broken.is_empty() && gap.line()[1].1.is_nan());
    }
}
