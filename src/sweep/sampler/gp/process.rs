//! A Gaussian process: mean and standard deviation of a function between observed values.

use crate::sweep::sampler::gp::cholesky::{Cholesky, dot};

/// Length scale of each parameter, and the noise.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hyperparameters {
    /// Distance at which values still resemble each other: of a number in widths of its range, and of each value of a choice.
    pub(super) lengths: Vec<f64>,
    /// Variance of the noise, divided by that of the function.
    pub(super) noise: f64,
}

impl Hyperparameters {
    /// Correlation of the function at two points: Matérn 5/2.
    pub(super) fn correlation(&self, a: &[f64], b: &[f64]) -> f64 {
        let scaled = a.iter().zip(b).zip(&self.lengths).map(|((a, b), length)| ((a - b) / length).powi(2));
        let distance = (5.0 * scaled.sum::<f64>()).sqrt();
        (1.0 + distance + distance * distance / 3.0) * (-distance).exp()
    }
}

/// A Gaussian process, fitted to values at points.
#[derive(Clone, Debug)]
pub(super) struct GaussianProcess {
    points: Vec<Vec<f64>>,
    hyperparameters: Hyperparameters,
    factor: Cholesky,
    /// Inverse of the correlations, times the values without their mean.
    weights: Vec<f64>,
    mean: f64,
    /// Variance of the function.
    variance: f64,
}

impl GaussianProcess {
    /// Fits the variance of the function to values at points. `None` if rounding makes the correlations singular, or the values
    /// have no variance.
    pub(super) fn new(
        points: &[Vec<f64>],
        values: &[f64],
        hyperparameters: Hyperparameters,
    ) -> Option<GaussianProcess> {
        let noise = hyperparameters.noise;
        let factor = Cholesky::new(points.len(), |row, column| {
            hyperparameters.correlation(&points[row], &points[column]) + if row == column { noise } else { 0.0 }
        })?;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let centered: Vec<f64> = values.iter().map(|value| value - mean).collect();
        let weights = factor.solve(&centered);
        let variance = dot(&centered, &weights) / values.len() as f64;
        let is_sound = variance > 0.0 && variance.is_finite();
        is_sound.then(|| GaussianProcess { points: points.to_vec(), hyperparameters, factor, weights, mean, variance })
    }

    /// Logarithm of the likelihood of the values.
    pub(super) fn ln_likelihood(&self) -> f64 {
        let count = self.points.len() as f64;
        -0.5 * (count * (self.variance.ln() + 1.0 + (2.0 * std::f64::consts::PI).ln()) + self.factor.ln_determinant())
    }

    /// Mean of the function at a point.
    pub(super) fn mean(&self, point: &[f64]) -> f64 {
        self.mean + dot(&self.correlations(point), &self.weights)
    }

    /// Mean and standard deviation of the function at a point, without noise.
    pub(super) fn mean_and_deviation(&self, point: &[f64]) -> (f64, f64) {
        let correlations = self.correlations(point);
        let known = self.factor.solve_lower(&correlations);
        let unknown = (1.0 - dot(&known, &known)).max(0.0);
        (self.mean + dot(&correlations, &self.weights), (self.variance * unknown).sqrt())
    }

    /// Returns the process that has seen further values; with the same mean, variance and hyperparameters.
    pub(super) fn with_values(&self, points: &[Vec<f64>], values: &[f64]) -> Option<GaussianProcess> {
        let all = GaussianProcess::new(points, values, self.hyperparameters.clone())?;
        let centered: Vec<f64> = values.iter().map(|value| value - self.mean).collect();
        let weights = all.factor.solve(&centered);
        Some(GaussianProcess { weights, mean: self.mean, variance: self.variance, ..all })
    }

    fn correlations(&self, point: &[f64]) -> Vec<f64> {
        self.points.iter().map(|other| self.hyperparameters.correlation(point, other)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn floats(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
    }

    fn points(value: &Value) -> Vec<Vec<f64>> {
        value.as_array().unwrap().iter().map(floats).collect()
    }

    #[track_caller]
    fn assert_near(found: &[f64], expected: &[f64], what: &str) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-7 * (1.0 + expected.abs()), "{what}: {found} {expected}");
        }
    }

    #[test]
    fn likelihoods_and_predictions_are_those_of_scikit_learn() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/gp.json");
        let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            let hyperparameters =
                Hyperparameters { lengths: floats(&case["lengths"]), noise: case["noise"].as_f64().unwrap() };
            let (mut known, mut values) = (points(&case["points"]), floats(&case["values"]));
            let process = GaussianProcess::new(&known, &values, hyperparameters).unwrap();
            assert_near(&[process.ln_likelihood()], &[case["ln_likelihood"].as_f64().unwrap()], name);
            let further = &case["further"];
            known.extend(points(&further["points"]));
            values.extend(floats(&further["values"]));
            let both = process.with_values(&known, &values).unwrap();
            for (process, golden) in [(&process, case), (&both, further)] {
                let asked = points(&case["asked"]);
                let found: Vec<(f64, f64)> = asked.iter().map(|point| process.mean_and_deviation(point)).collect();
                let (means, deviations): (Vec<f64>, Vec<f64>) = found.into_iter().unzip();
                assert_near(&means, &floats(&golden["means"]), name);
                assert_near(&deviations, &floats(&golden["deviations"]), name);
                assert_near(&[process.mean(&asked[0])], &means[..1], name);
            }
        }
        let equal = GaussianProcess::new(
            &[vec![0.0], vec![1.0]],
            &[2.0, 2.0],
            Hyperparameters { lengths: vec![0.5], noise: 0.1 },
        );
        assert!(equal.is_none(), "no variance");
    }
}
