//! The kernels of one parameter: one for each observation, and a wide one for the whole range.

use crate::sweep::sampler::normal;
use crate::sweep::sampler::parameter::{Parameter, Range};

/// The kernels of one parameter, the wide one last.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kernels {
    /// Normal distributions between the ends of a range.
    Normal {
        /// The range.
        range: Range,
        /// Mean of each, on the axis of the range.
        means: Vec<f64>,
        /// Standard deviation of each.
        stds: Vec<f64>,
    },
    /// Shares of the choices in each.
    Choice(Vec<Vec<f64>>),
}

impl Kernels {
    /// Returns the kernels of a parameter with these observations.
    pub(super) fn new(parameter: Parameter, observed: &[f64]) -> Kernels {
        match parameter {
            Parameter::Number(range) => {
                let (low, high) = range.axis_ends();
                let mut means: Vec<f64> = observed.iter().map(|value| range.to_axis(*value)).collect();
                let mut stds = widths(&means, (low, high));
                means.push(0.5 * (low + high));
                stds.push(high - low);
                Kernels::Normal { range, means, stds }
            }
            Parameter::Choice(count) => {
                let all = observed.len() + 1;
                let row = |observed: Option<f64>| {
                    // the wide kernel shares one observation among all
                    let mut shares = vec![1.0 / all as f64; count];
                    if let Some(choice) = observed {
                        shares[choice as usize] += 1.0;
                    }
                    let sum: f64 = shares.iter().sum();
                    shares.into_iter().map(|share| share / sum).collect::<Vec<f64>>()
                };
                Kernels::Choice(observed.iter().copied().map(Some).chain([None]).map(row).collect())
            }
        }
    }

    /// Returns the value at a position between 0 and 1 (excluded) of a kernel.
    pub(super) fn value(&self, kernel: usize, position: f64) -> f64 {
        match self {
            Kernels::Normal { range, means, stds } => {
                range.value_at(normal::quantile(position, means[kernel], stds[kernel], range.axis_ends()))
            }
            Kernels::Choice(shares) => place_in(&shares[kernel], position) as f64,
        }
    }

    /// Returns the logarithm of the density of each kernel at a value, with a step its share of the kernel. The density of a
    /// logarithmic range is that of the logarithm.
    pub(super) fn ln_densities(&self, value: f64) -> Vec<f64> {
        match self {
            Kernels::Normal { range, means, stds } => {
                let ends = range.axis_ends();
                let one = |(mean, std): (&f64, &f64)| match range.cell(value) {
                    None => normal::ln_density(range.to_axis(value), *mean, *std, ends),
                    Some(cell) => {
                        let share = |(low, high): (f64, f64)| normal::ln_share((low - mean) / std, (high - mean) / std);
                        share(cell) - share(ends)
                    }
                };
                means.iter().zip(stds).map(one).collect()
            }
            Kernels::Choice(shares) => shares.iter().map(|shares| shares[value as usize].ln()).collect(),
        }
    }
}

/// Returns the width of the kernel at each mean: the larger distance to its neighbors, of the outer ones the distance to their
/// only neighbor. It is at least a share of the range, which decreases with the number of observations, down to a hundredth.
fn widths(means: &[f64], (low, high): (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..means.len()).collect();
    order.sort_by(|a, b| means[*a].total_cmp(&means[*b]));
    let least = (high - low) / (means.len() as f64 + 2.0).min(100.0);
    let mut widths = vec![0.0; means.len()];
    for (place, index) in order.iter().enumerate() {
        let own = means[*index];
        let below = place.checked_sub(1).map(|place| own - means[order[place]]);
        let above = order.get(place + 1).map(|next| means[*next] - own);
        let distance = match (below, above) {
            (Some(below), Some(above)) => below.max(above),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => (own - low).max(high - own),
        };
        widths[*index] = distance.clamp(least, high - low);
    }
    widths
}

/// Returns the place of a position between 0 and 1 in shares whose sum is 1.
pub(super) fn place_in(shares: &[f64], position: f64) -> usize {
    let mut sum = 0.0;
    let found = shares.iter().position(|share| {
        sum += share;
        position < sum
    });
    found.unwrap_or(shares.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_kernel_are_in_the_range_and_on_its_steps() {
        let ranges = [
            Range { low: 0.0, high: 0.5, step: Some(0.1), log: false },
            Range { low: 1.0, high: 256.0, step: Some(1.0), log: true },
            Range { low: 1e-4, high: 1e-1, step: None, log: true },
        ];
        for range in ranges {
            let kernels = Kernels::new(Parameter::Number(range), &[range.low, range.high]);
            for kernel in 0..3 {
                for tenth in 0..=10 {
                    let value = kernels.value(kernel, (f64::from(tenth) / 10.0).min(1.0 - 1e-12));
                    assert!((range.low..=range.high).contains(&value), "{value}");
                    let steps = range.step.map_or(0.0, |step| (value - range.low) / step);
                    assert!((steps - steps.round()).abs() < 1e-9, "{value}");
                }
            }
        }
    }

    #[test]
    fn the_shares_of_the_steps_and_of_the_choices_of_each_kernel_are_one() {
        let steps = Range { low: 1.0, high: 9.0, step: Some(1.0), log: true };
        let of_steps = Kernels::new(Parameter::Number(steps), &[2.0, 9.0]);
        let of_choices = Kernels::new(Parameter::Choice(3), &[2.0, 2.0, 0.0]);
        for (kernels, values) in [(of_steps, 1..10), (of_choices, 0..3)] {
            let all: Vec<Vec<f64>> = values.map(|value| kernels.ln_densities(f64::from(value))).collect();
            for kernel in 0..all[0].len() {
                let sum: f64 = all.iter().map(|densities| densities[kernel].exp()).sum();
                assert!((sum - 1.0).abs() < 1e-12, "{sum}");
            }
        }
    }
}
