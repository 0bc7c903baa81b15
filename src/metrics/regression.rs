//! Figures of predicted numbers, lower is better unless said otherwise. Of several values, the mean over values
//! (scikit-learn's `uniform_average`).

use tch::{Kind, Tensor};

use crate::metrics::precision_recall::mean_of_defined;

/// Targets count as near zero up to this share of the mean absolute target.
const NEAR_ZERO: f64 = 1e-2;

/// Predicted minus true: `[replicas, rows, values]` each, f64.
#[derive(Debug)]
pub struct Errors {
    errors: Tensor,
    truth: Tensor,
}

impl Errors {
    /// The errors of each row.
    ///
    /// # Shapes
    /// `outputs` and `truth` `[replicas, rows, values]`, f32. Each figure is `[replicas]`, f64.
    pub fn new(outputs: &Tensor, truth: &Tensor) -> Errors {
        let truth = truth.to_kind(Kind::Double);
        Errors { errors: outputs.to_kind(Kind::Double) - &truth, truth }
    }

    /// The mean error; above 0 where predictions are too high on average. 0 is best, and neither higher nor lower is
    /// better: errors of both signs cancel out.
    pub fn mean(&self) -> Tensor {
        mean_of_rest(&self.errors)
    }

    /// The mean absolute error (`mean_absolute_error`).
    pub fn absolute(&self) -> Tensor {
        mean_of_rest(&self.errors.abs())
    }

    /// The mean squared error (`mean_squared_error`).
    pub fn squared(&self) -> Tensor {
        mean_of_rest(&self.errors.square())
    }

    /// The square root of each value's mean squared error (`root_mean_squared_error`).
    pub fn root_of_squared(&self) -> Tensor {
        mean_of_rest(&self.errors.square().mean_dim(1, false, None).sqrt())
    }

    /// The mean absolute error as a share of the target (`mean_absolute_percentage_error`): 0.1 is 10 %.
    ///
    /// A target of 0 counts as the smallest step of f64, as in scikit-learn, so one such row is enough to make the
    /// figure meaningless: [`targets_near_zero`] counts them.
    pub fn absolute_share(&self) -> Tensor {
        mean_of_rest(&(self.errors.abs() / self.truth.abs().clamp_min(f64::EPSILON)))
    }

    /// The coefficient of determination (`r2_score`), `1 − Σ (y − t)² / Σ (t − t̄)²`: at most 1, higher is better, 0 for
    /// predicting the mean. Undefined for a value whose targets are all equal.
    pub fn determination(&self) -> Tensor {
        let sum = |values: Tensor| values.sum_dim_intlist(1, false, None); // [replicas, values]
        let spread = sum((&self.truth - self.truth.mean_dim(1, true, None)).square());
        let constant = spread.eq(0.0);
        let unexplained = sum(self.errors.square()) / spread;
        mean_of_defined(&(-unexplained + 1.0).masked_fill(&constant, f64::NAN))
    }
}

/// How many rows have a target so near zero that it makes the mean percentage error explode: 0, or less than a
/// hundredth of the mean absolute target.
///
/// # Shapes
/// `truth` `[rows, values]`; a row counts once however many of its values are near zero.
pub fn targets_near_zero(truth: &Tensor) -> usize {
    let sizes = truth.to_kind(Kind::Double).abs(); // [rows, values]
    let near = sizes.lt_tensor(&(sizes.mean_dim(0, true, None) * NEAR_ZERO)).logical_or(&sizes.eq(0.0));
    near.any_dim(-1, false).sum(Kind::Int64).int64_value(&[]) as usize
}

/// The mean over all dimensions but the first.
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
        assert!(Errors::new(&truth, &truth).determination().double_value(&[0]).is_nan());
        assert_eq!(Errors::new(&(&truth + 1.0), &truth).mean().double_value(&[0]), 1.0);
    }
}
