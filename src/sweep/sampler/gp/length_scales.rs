//! Length scales and noise that make the observed values most likely.

use crate::sweep::sampler::gp::process::{GaussianProcess, Hyperparameters};

/// Logarithm of the middle of the prior of length scales, and its standard deviation.
const LENGTH_PRIOR: (f64, f64) = (-0.7, 1.0);

/// Logarithm of the middle of the prior of the noise, and its standard deviation.
const NOISE_PRIOR: (f64, f64) = (-2.3, 1.5);

/// Limits of the logarithms.
const LIMITS: (f64, f64) = (-7.0, 4.0);

/// First and last step of the search, in logarithms.
const STEPS: (f64, f64) = (1.0, 0.1);

/// Fits a process whose hyperparameters are the most probable ones, under a wide prior: a search along the axes of their
/// logarithms. `None` if there is none: all values are equal.
pub(super) fn fit(points: &[Vec<f64>], values: &[f64]) -> Option<GaussianProcess> {
    if values.iter().all(|value| *value == values[0]) {
        return None; // their mean is rounded, and the process would be fitted to that
    }
    let mut logs = vec![LENGTH_PRIOR.0; points.first()?.len()];
    logs.push(NOISE_PRIOR.0);
    let mut best = process(points, values, &logs)?;
    let mut step = STEPS.0;
    while step >= STEPS.1 {
        let before = best.1;
        for place in 0..logs.len() {
            for change in [step, -step] {
                let mut changed = logs.clone();
                changed[place] = (changed[place] + change).clamp(LIMITS.0, LIMITS.1);
                if let Some(found) = process(points, values, &changed)
                    && found.1 > best.1
                {
                    (logs, best) = (changed, found);
                    break;
                }
            }
        }
        if best.1 - before < 1e-3 {
            step /= 2.0;
        }
    }
    Some(best.0)
}

/// Returns the process with these logarithms of length scales and noise, and the logarithm of its probability up to a constant.
fn process(points: &[Vec<f64>], values: &[f64], logs: &[f64]) -> Option<(GaussianProcess, f64)> {
    let (noise, lengths) = logs.split_last()?;
    let hyperparameters =
        Hyperparameters { lengths: lengths.iter().map(|log| log.exp()).collect(), noise: noise.exp() };
    let process = GaussianProcess::new(points, values, hyperparameters)?;
    let prior = |log: &f64, (middle, deviation): (f64, f64)| -0.5 * ((log - middle) / deviation).powi(2);
    let of_lengths: f64 = lengths.iter().map(|log| prior(log, LENGTH_PRIOR)).sum();
    let probability = process.ln_likelihood() + of_lengths + prior(noise, NOISE_PRIOR);
    Some((process, probability))
}
