//! Regression metrics. Lower is better unless noted otherwise. With several target values per row, the result is the
//! mean over the values (scikit-learn's `uniform_average`).

use std::borrow::Cow;

use tch::{Kind, Tensor};

use crate::metrics::info::{MetricInfo, Targets};
use crate::metrics::precision_recall::mean_of_defined;

/// Properties of the mean absolute error.
pub const MAE: MetricInfo = MetricInfo {
    name: Cow::Borrowed("mae"),
    label: Cow::Borrowed("mean absolute error"),
    range: [0.0, f64::INFINITY],
    higher_is_better: Some(false),
    needs_scores: false,
    uses_positive_class: false,
    is_percent: false,
    targets: Targets::Numbers,
};

/// Properties of the mean squared error.
pub const MSE: MetricInfo =
    MetricInfo { name: Cow::Borrowed("mse"), label: Cow::Borrowed("mean squared error"), ..MAE };

/// Properties of the root mean squared error.
pub const RMSE: MetricInfo =
    MetricInfo { name: Cow::Borrowed("rmse"), label: Cow::Borrowed("root mean squared error"), ..MAE };

/// Properties of the mean absolute percentage error.
pub const MAPE: MetricInfo = MetricInfo {
    name: Cow::Borrowed("mape"),
    label: Cow::Borrowed("mean absolute percentage error as a fraction"),
    ..MAE
};

/// Properties of the mean error.
pub const ME: MetricInfo = MetricInfo {
    name: Cow::Borrowed("me"),
    label: Cow::Borrowed("mean error"),
    range: [f64::NEG_INFINITY, f64::INFINITY],
    higher_is_better: None,
    ..MAE
};

/// Properties of the coefficient of determination.
pub const R2: MetricInfo = MetricInfo {
    name: Cow::Borrowed("r2"),
    label: Cow::Borrowed("R²"),
    range: [f64::NEG_INFINITY, 1.0],
    higher_is_better: Some(true),
    ..MAE
};

/// A target counts as near zero below this share of the mean absolute target.
const NEAR_ZERO: f64 = 1e-2;

/// Prediction minus target, and the target: `[replicas, rows, values]` each, f64.
#[derive(Debug)]
pub struct Errors {
    errors: Tensor,
    truth: Tensor,
}

impl Errors {
    /// Computes the errors of all rows.
    ///
    /// # Shapes
    /// `outputs` and `truth` `[replicas, rows, values]`, f32. Each metric is `[replicas]`, f64.
    pub fn new(outputs: &Tensor, truth: &Tensor) -> Errors {
        let truth = truth.to_kind(Kind::Double);
        Errors { errors: outputs.to_kind(Kind::Double) - &truth, truth }
    }

    /// Returns the mean error, which is above 0 if predictions are too high on average. 0 is best; neither higher nor
    /// lower is better. Errors of opposite sign cancel out.
    pub fn mean_error(&self) -> Tensor {
        mean_of_rest(&self.errors)
    }

    /// Returns the mean absolute error (`mean_absolute_error`).
    pub fn mean_absolute_error(&self) -> Tensor {
        mean_of_rest(&self.errors.abs())
    }

    /// Returns the mean squared error (`mean_squared_error`).
    pub fn mean_squared_error(&self) -> Tensor {
        mean_of_rest(&self.errors.square())
    }

    /// Returns the root mean squared error of each value, averaged over values (`root_mean_squared_error`).
    pub fn root_mean_squared_error(&self) -> Tensor {
        mean_of_rest(&self.errors.square().mean_dim(1, false, None).sqrt())
    }

    /// Returns the mean absolute percentage error as a fraction (`mean_absolute_percentage_error`): 0.1 is 10 %.
    ///
    /// As in scikit-learn, a target of 0 is replaced by the machine epsilon of f64. One such row is enough to make the
    /// metric meaningless; [`targets_near_zero`] counts them.
    pub fn mean_absolute_percentage_error(&self) -> Tensor {
        mean_of_rest(&(self.errors.abs() / self.truth.abs().clamp_min(f64::EPSILON)))
    }

    /// Returns the coefficient of determination (`r2_score`), `1 − Σ (y − t)² / Σ (t − t̄)²`: at most 1, higher is
    /// better, 0 for predicting the mean. It is undefined for a value whose targets are all equal.
    pub fn r2(&self) -> Tensor {
        let sum = |values: Tensor| values.sum_dim_intlist(1, false, None); // [replicas, values]
        let spread = sum((&self.truth - self.truth.mean_dim(1, true, None)).square());
        let constant = spread.eq(0.0);
        let unexplained = sum(self.errors.square()) / spread;
        mean_of_defined(&(-unexplained + 1.0).masked_fill(&constant, f64::NAN))
    }
}

/// Returns the number of rows with a target so near zero that it dominates the mean percentage error: 0, or less than a
/// hundredth of the mean absolute target.
///
/// # Shapes
/// `truth` `[rows, values]`. A row with several such values counts once.
pub fn targets_near_zero(truth: &Tensor) -> usize {
    let sizes = truth.to_kind(Kind::Double).abs(); // [rows, values]
    let near = sizes.lt_tensor(&(sizes.mean_dim(0, true, None) * NEAR_ZERO)).logical_or(&sizes.eq(0.0));
    near.any_dim(-1, false).sum(Kind::Int64).int64_value(&[]) as usize
}

/// Returns the mean over all dimensions but the first.
fn mean_of_rest(values: &Tensor) -> Tensor {
    values.flatten(1, -1).mean_dim(1, false, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_near_zero_are_counted_by_row() {
        let truth = Tensor::from_slice(&[0.0_f32, 100.0, 0.9, 100.0, 300.0, -50.0, 99.0, 0.0]).view([4, 2]);
        // the mean sizes are 99.975 and 62.5: 0 and 0.9 are near zero in the first column, the last 0 in the second
        assert_eq!(targets_near_zero(&truth), 3);
        assert_eq!(targets_near_zero(&Tensor::zeros([3, 1], (Kind::Float, tch::Device::Cpu))), 3);
    }

    #[test]
    fn r2_of_targets_that_are_all_equal_is_undefined() {
        let truth = Tensor::from_slice(&[0.5_f32, 0.5, 0.5]).view([1, 3, 1]);
        assert!(Errors::new(&truth, &truth).r2().double_value(&[0]).is_nan());
        assert_eq!(Errors::new(&(&truth + 1.0), &truth).mean_error().double_value(&[0]), 1.0);
    }
}
