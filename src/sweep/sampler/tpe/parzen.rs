//! The Parzen estimator: a density from observations.

use rand_mt::Mt64;

use crate::sweep::sampler::parameter::Parameter;
use crate::sweep::sampler::positions::uniform;
use crate::sweep::sampler::tpe::kernels::{Kernels, place_in};

/// Weight of the wide kernel; an observation has at most 1.
const WEIGHT_OF_RANGE: f64 = 1.0;

/// A mixture of kernels over some parameters: one kernel for each observation, and a wide one.
#[derive(Clone, Debug)]
pub(super) struct ParzenEstimator {
    /// Weight of each kernel; their sum is 1.
    pub(super) weights: Vec<f64>,
    /// Kernels of each parameter.
    pub(super) kernels: Vec<Kernels>,
}

impl ParzenEstimator {
    /// Returns the density of observations of these parameters, each with its weight.
    pub(super) fn new(parameters: &[Parameter], observed: &[Vec<f64>], weights: &[f64]) -> ParzenEstimator {
        let of_parameter = |place: usize| observed.iter().map(|values| values[place]).collect::<Vec<f64>>();
        let kernels = parameters.iter().enumerate();
        let kernels = kernels.map(|(place, parameter)| Kernels::new(*parameter, &of_parameter(place))).collect();
        let sum = weights.iter().sum::<f64>() + WEIGHT_OF_RANGE;
        let weights = weights.iter().chain([&WEIGHT_OF_RANGE]).map(|weight| weight / sum).collect();
        ParzenEstimator { weights, kernels }
    }

    /// Draws a value of each parameter.
    pub(super) fn draw(&self, generator: &mut Mt64) -> Vec<f64> {
        let kernel = place_in(&self.weights, uniform(generator));
        self.kernels.iter().map(|kernels| kernels.value(kernel, uniform(generator))).collect()
    }

    /// Returns the logarithm of the density at these values.
    pub(super) fn ln_density(&self, values: &[f64]) -> f64 {
        let mut sums: Vec<f64> = self.weights.iter().map(|weight| weight.ln()).collect();
        for (kernels, value) in self.kernels.iter().zip(values) {
            sums.iter_mut().zip(kernels.ln_densities(*value)).for_each(|(sum, density)| *sum += density);
        }
        let largest = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return largest;
        }
        largest + sums.iter().map(|sum| (sum - largest).exp()).sum::<f64>().ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::sampler::parameter::Range;

    #[test]
    fn draws_are_distributed_as_the_density() {
        let parameters =
            [Parameter::Number(Range { low: -1.0, high: 3.0, step: None, log: false }), Parameter::Choice(2)];
        let observed = [vec![0.0, 1.0], vec![0.5, 1.0], vec![2.5, 0.0]];
        let estimator = ParzenEstimator::new(&parameters, &observed, &[1.0, 1.0, 0.5]);
        let cell = |values: &[f64]| ((values[0] + 1.0) * 2.0) as usize * 2 + values[1] as usize;
        let mut expected = [0.0; 16];
        const FINE: usize = 4000;
        for place in 0..FINE {
            for choice in [0.0, 1.0] {
                let values = [-1.0 + 4.0 * (place as f64 + 0.5) / FINE as f64, choice];
                expected[cell(&values)] += estimator.ln_density(&values).exp() * 4.0 / FINE as f64;
            }
        }
        assert!((expected.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        let (mut generator, mut counts, draws) = (Mt64::new(3), [0.0; 16], 20_000);
        (0..draws).for_each(|_| counts[cell(&estimator.draw(&mut generator))] += 1.0 / f64::from(draws));
        for (found, expected) in counts.iter().zip(expected) {
            let noise = (expected * (1.0 - expected) / f64::from(draws)).sqrt();
            assert!((found - expected).abs() < 5.0 * noise + 1e-4, "{found} {expected}");
        }
    }
}
