//! Proposes values of all parameters from observations.

use rand_mt::Mt64;

use crate::sweep::sampler::gp::length_scales::fit;
use crate::sweep::sampler::gp::process::GaussianProcess;
use crate::sweep::sampler::normal::{density, quantile, share_below};
use crate::sweep::sampler::observation::{Observation, Score};
use crate::sweep::sampler::parameter::{Parameter, Range};
use crate::sweep::sampler::positions::uniform;

/// Number of random candidates, and of candidates near the best observations.
const CANDIDATES: usize = 1024;

/// Number of candidates near the best candidate.
const NEAR_BEST: usize = 256;

/// Number of the best observations that candidates are near to.
const BEST: usize = 5;

/// Smallest and largest standard deviation of candidates around an observation, in widths of the parameter's range.
const DISTANCES: (f64, f64) = (0.02, 0.3);

/// Standard deviation of candidates around the best candidate.
const NEAR: f64 = 0.03;

/// Maximum number of observations that the process is fitted to. Of more, the best ones are taken.
const MOST: usize = 200;

/// A Gaussian process, fitted to observations, that proposes the configurations of a round.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// Points of the observations that the process is fitted to, those with the best values first.
    points: Vec<Vec<f64>>,
    values: Vec<f64>,
    /// Points of all observations.
    observed: Vec<Vec<f64>>,
    /// `None` without different values, or if the fit fails.
    process: Option<GaussianProcess>,
}

impl Fitted {
    /// Fits a process to the observations, in which all parameters have values. Nothing is learned from configurations that were
    /// dropped; failed ones count as bad ones.
    pub fn new(parameters: &[Parameter], observations: &[Observation]) -> Fitted {
        let axes = Axes(parameters);
        let (points, values) = known(&axes, observations);
        let process = fit(&points, &values);
        let observed = observations.iter().map(|observation| axes.point(&observation.values)).collect();
        Fitted { points, values, observed, process }
    }

    /// Returns proposed values of all parameters: those with the largest expected improvement over the best mean of the process.
    /// `pending` are configurations without a result: the process takes its own means for them, so that the next proposal is
    /// elsewhere. No known or pending configuration is proposed again, unless no other one is found.
    pub fn propose(&self, parameters: &[Parameter], pending: &[Vec<Option<f64>>], generator: &mut Mt64) -> Vec<f64> {
        let mut draws = Draws { parameters, generator };
        let axes = Axes(parameters);
        let pending: Vec<Vec<f64>> = pending.iter().map(|values| axes.point(values)).collect();
        let found = self.process.as_ref().and_then(|process| self.largest_improvement(process, &pending, &mut draws));
        // without a process or a candidate
        axes.values(&found.unwrap_or_else(|| draws.anywhere()))
    }

    /// Returns the candidate with the largest expected improvement, of equal ones the first; `None` if all are observed or
    /// pending.
    fn largest_improvement(
        &self,
        process: &GaussianProcess,
        pending: &[Vec<f64>],
        draws: &mut Draws,
    ) -> Option<Vec<f64>> {
        let means: Vec<f64> = self.points.iter().map(|point| process.mean(point)).collect();
        let mut order: Vec<usize> = (0..self.points.len()).collect();
        order.sort_by(|a, b| means[*a].total_cmp(&means[*b]));
        order.truncate(BEST);
        let pending_means: Vec<f64> = pending.iter().map(|point| process.mean(point)).collect();
        let best_mean = means.iter().chain(&pending_means).copied().fold(f64::INFINITY, f64::min);
        let all_points = [&self.points, pending].concat();
        let all_values = [&self.values[..], &pending_means].concat();
        let with_pending = process.with_values(&all_points, &all_values);
        let process = with_pending.as_ref().unwrap_or(process);
        let improvement = |point: &[f64]| {
            let (mean, deviation) = process.mean_and_deviation(point);
            expected_improvement(best_mean - mean, deviation)
        };
        let taken = [&self.observed, pending].concat();
        let mut candidates: Vec<Vec<f64>> = (0..CANDIDATES).map(|_| draws.anywhere()).collect();
        for _ in 0..CANDIDATES {
            let near = &self.points[order[draws.index(order.len())]];
            let distance = DISTANCES.0 * (DISTANCES.1 / DISTANCES.0).powf(uniform(draws.generator));
            candidates.push(draws.near(near, distance));
        }
        let best = largest(candidates, &taken, &improvement)?;
        let mut candidates: Vec<Vec<f64>> = (0..NEAR_BEST).map(|_| draws.near(&best, NEAR)).collect();
        candidates.insert(0, best);
        largest(candidates, &taken, &improvement)
    }
}

/// Returns the points of the observations with their values, the best ones first.
fn known(axes: &Axes, observations: &[Observation]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut known: Vec<(Vec<f64>, f64)> = Vec::new();
    for Observation { values, score, .. } in observations {
        match score {
            Score::Finished(value) if value.is_finite() => known.push((axes.point(values), *value)),
            Score::Finished(_) | Score::Failed => known.push((axes.point(values), f64::INFINITY)),
            Score::Dropped { .. } => {}
        }
    }
    known.sort_by(|a, b| a.1.total_cmp(&b.1)); // equal ones stay in their order
    known.truncate(MOST);
    let (points, values) = known.into_iter().unzip();
    (points, clipped(values))
}

/// Limits values, the best one first, to a little above their third quartile: the differences of bad values tell nothing about good
/// ones. Those that failed are as bad as the worst.
fn clipped(values: Vec<f64>) -> Vec<f64> {
    let finite = values.partition_point(|value| value.is_finite());
    let Some(last) = finite.checked_sub(1) else { return vec![0.0; values.len()] };
    let quartile = values[last * 3 / 4];
    let limit = if quartile > values[0] {
        values[last].min(quartile + 0.5 * (quartile - values[0]))
    } else {
        // most are equal to the best one: the next value, or any worse one
        values[..finite].iter().copied().find(|value| *value > values[0]).unwrap_or(values[0] + 1.0)
    };
    values.into_iter().map(|value| value.min(limit)).collect()
}

/// Returns the candidate with the largest value, of equal ones the first; `None` if all are among those that are `taken`.
fn largest(candidates: Vec<Vec<f64>>, taken: &[Vec<f64>], value: &dyn Fn(&[f64]) -> f64) -> Option<Vec<f64>> {
    // values with a step may be rounded
    let is_same = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
    let mut best: Option<(Vec<f64>, f64)> = None;
    for candidate in candidates {
        let value = value(&candidate);
        let is_better = best.as_ref().is_none_or(|(_, best)| value > *best);
        if is_better && !taken.iter().any(|point| is_same(point, &candidate)) {
            best = Some((candidate, value));
        }
    }
    best.map(|(candidate, _)| candidate)
}

/// Expected improvement of a normal value whose mean is better than the best one by `gain`.
fn expected_improvement(gain: f64, deviation: f64) -> f64 {
    if deviation <= 0.0 {
        return gain.max(0.0);
    }
    let scaled = gain / deviation;
    gain * share_below(scaled) + deviation * density(scaled)
}

/// The axes of the process: a number has one axis from 0 to 1, a choice one axis for each of its values, of which one is at 1.
struct Axes<'a>(&'a [Parameter]);

impl Axes<'_> {
    /// Returns the point of these values.
    fn point(&self, values: &[Option<f64>]) -> Vec<f64> {
        let mut point = Vec::new();
        for (parameter, value) in self.0.iter().zip(values) {
            let value = value.unwrap_or_default(); // all have one
            match parameter {
                Parameter::Number(range) => point.push(place(*range, value)),
                Parameter::Choice(count) => point.extend((0..*count).map(|index| f64::from(index as f64 == value))),
            }
        }
        point
    }

    /// Returns the values at a point.
    fn values(&self, point: &[f64]) -> Vec<f64> {
        let mut rest = point;
        let value = |parameter: &Parameter| match parameter {
            Parameter::Number(range) => {
                let (place, after) = rest.split_first().expect("an axis for each number");
                rest = after;
                value_at(*range, *place)
            }
            Parameter::Choice(count) => {
                let (places, after) = rest.split_at(*count);
                rest = after;
                places.iter().position(|place| *place == 1.0).unwrap_or_default() as f64
            }
        };
        self.0.iter().map(value).collect()
    }
}

/// Returns the place of a value in a range, from 0 to 1.
fn place(range: Range, value: f64) -> f64 {
    let (low, high) = (range.to_axis(range.low), range.to_axis(range.high));
    if high > low { (range.to_axis(value) - low) / (high - low) } else { 0.0 }
}

/// Returns the value at a place in a range, with a step the next one.
fn value_at(range: Range, place: f64) -> f64 {
    let (low, high) = (range.to_axis(range.low), range.to_axis(range.high));
    range.value_at(low + place * (high - low))
}

/// Random points of the parameters.
struct Draws<'a> {
    parameters: &'a [Parameter],
    generator: &'a mut Mt64,
}

impl Draws<'_> {
    /// Draws a number below `count`.
    fn index(&mut self, count: usize) -> usize {
        (uniform(self.generator) * count as f64) as usize
    }

    /// Draws a point.
    fn anywhere(&mut self) -> Vec<f64> {
        let mut point = Vec::new();
        for parameter in self.parameters {
            match parameter {
                Parameter::Number(range) => point.push(on_grid(*range, uniform(self.generator))),
                Parameter::Choice(count) => self.choose(*count, &mut point),
            }
        }
        point
    }

    /// Draws a point near another one: numbers from a normal distribution with this standard deviation between the ends of their
    /// range, and with this probability a random choice.
    fn near(&mut self, other: &[f64], distance: f64) -> Vec<f64> {
        let mut point = Vec::new();
        for parameter in self.parameters {
            let other = &other[point.len()..];
            match parameter {
                Parameter::Number(range) => {
                    let place = quantile(uniform(self.generator), other[0], distance, (0.0, 1.0));
                    point.push(on_grid(*range, place));
                }
                Parameter::Choice(count) if uniform(self.generator) < distance => self.choose(*count, &mut point),
                Parameter::Choice(count) => point.extend(&other[..*count]),
            }
        }
        point
    }

    /// Adds the axes of a random choice.
    fn choose(&mut self, count: usize, point: &mut Vec<f64>) {
        let chosen = self.index(count);
        point.extend((0..count).map(|index| f64::from(index == chosen)));
    }
}

/// Returns the place of the value with a step that is next to a place.
fn on_grid(range: Range, at: f64) -> f64 {
    if range.step.is_some() { place(range, value_at(range, at)) } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::sampler::minimize::{minimized, number};

    #[test]
    fn a_valley_is_found_in_rounds_and_a_region_that_fails_is_left() {
        let steps = Parameter::Number(Range { low: 1.0, high: 64.0, step: Some(1.0), log: true });
        let parameters = [number(-5.0, 5.0), number(-5.0, 5.0), Parameter::Choice(3), steps];
        let bowl = |values: &[f64]| {
            let distance = (values[0] - 2.0).powi(2) + (values[1] + 1.0).powi(2);
            let value = distance + 3.0 * values[2] + (values[3] / 8.0).ln().powi(2);
            if values[0] < -1.0 { Score::Failed } else { Score::Finished(value) }
        };
        let best_of = |rounds: usize, size: usize, of: &dyn Fn(&[f64]) -> Score| {
            let mut generator = Mt64::new(5);
            let propose = |seen: &[Observation], pending: &[Vec<Option<f64>>]| {
                Fitted::new(&parameters, seen).propose(&parameters, pending, &mut generator)
            };
            minimized(rounds, size, propose, of)
        };
        for (rounds, size) in [(24, 1), (12, 2), (8, 4)] {
            let best = best_of(rounds, size, &bowl);
            assert!(best < 0.1, "{rounds} × {size}: {best}");
        }
        let none = best_of(3, 2, &|_| Score::Failed);
        assert_eq!(none, f64::INFINITY);
        let dropped = best_of(3, 2, &|_| Score::Dropped { epoch: 1, value: 0.1 });
        assert_eq!(dropped, f64::INFINITY);
        let equal = best_of(6, 2, &|_| Score::Finished(0.1));
        assert_eq!(equal, 0.1);
        let infinite = best_of(3, 2, &|_| Score::Finished(f64::NEG_INFINITY));
        assert_eq!(infinite, f64::NEG_INFINITY);
    }

    #[test]
    fn no_configuration_is_proposed_twice_while_others_are_left() {
        let parameters =
            [Parameter::Choice(3), Parameter::Number(Range { low: 1.0, high: 4.0, step: Some(1.0), log: true })];
        let mut generator = Mt64::new(3);
        let mut observations: Vec<Observation> = Vec::new();
        while observations.len() < 12 {
            let mut pending: Vec<Vec<Option<f64>>> = Vec::new();
            let fitted = Fitted::new(&parameters, &observations);
            for _ in 0..2 {
                let values: Vec<Option<f64>> =
                    fitted.propose(&parameters, &pending, &mut generator).into_iter().map(Some).collect();
                let is_new = !pending.contains(&values) && observations.iter().all(|other| other.values != values);
                assert!(is_new || observations.len() < 2, "{values:?}");
                pending.push(values);
            }
            observations.extend(pending.into_iter().map(|values| {
                let score = Score::Finished(values.iter().flatten().sum::<f64>());
                Observation { values, score, error: 0.0 }
            }));
        }
    }

    #[test]
    fn pending_configurations_keep_the_next_one_away() {
        let parameters = [number(0.0, 1.0)];
        let observed = |place: f64| Observation {
            values: vec![Some(place)],
            score: Score::Finished((place - 0.52).powi(2)),
            error: 0.0,
        };
        let observations: Vec<Observation> = [0.0, 0.3, 0.75, 1.0].into_iter().map(observed).collect();
        let fitted = Fitted::new(&parameters, &observations);
        let next = |pending: &[Vec<Option<f64>>]| fitted.propose(&parameters, pending, &mut Mt64::new(1))[0];
        let first = next(&[]);
        let second = next(&[vec![Some(first)]]);
        assert!((0.3..0.75).contains(&first) && (second - first).abs() > 0.03, "{first} {second}");
    }

    #[test]
    fn bad_values_are_limited() {
        let infinite = f64::INFINITY;
        assert_eq!(clipped(vec![1.0, 2.0, 3.0, 4.0, 900.0, infinite]), [1.0, 2.0, 3.0, 4.0, 5.5, 5.5]);
        assert_eq!(clipped(vec![1.0, infinite]), [1.0, 2.0]);
        assert_eq!(clipped([&[-1.0; 8][..], &[-0.9, -0.5]].concat()), [&[-1.0; 8][..], &[-0.9; 2]].concat());
        assert_eq!(clipped(vec![1.0; 3]), [1.0; 3]);
        assert_eq!(clipped(vec![infinite; 2]), [0.0, 0.0]);
        assert!(clipped(Vec::new()).is_empty());
    }
}
