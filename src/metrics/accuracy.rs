//! Accuracy: the share of rows whose class is the predicted one (scikit-learn's `accuracy_score`), in 0–1, higher is
//! better. Of several yes-or-no labels, the share of labels that are predicted right.

use tch::{Kind, Tensor};

/// How a network's output becomes a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// Class 1 where the one output is at least the threshold, else class 0.
    Above(f64),
    /// The class with the largest output; of equal ones, the first.
    Largest,
    /// Yes for each label whose output is at least the threshold.
    EachAbove(f64),
    /// The output itself is the prediction.
    Value,
}

impl Decision {
    /// The predicted classes: `[…, rows, outputs]` → `[…, rows]`, int64; of several labels `[…, rows, outputs]`, 0 or 1.
    ///
    /// Values are no classes, and come back as they are.
    pub fn classes(self, outputs: &Tensor) -> Tensor {
        match self {
            Decision::Above(threshold) => outputs.select(-1, 0).ge(threshold).to_kind(Kind::Int64),
            Decision::Largest => outputs.argmax(-1, false),
            Decision::EachAbove(threshold) => outputs.ge(threshold).to_kind(outputs.kind()),
            Decision::Value => outputs.shallow_clone(),
        }
    }
}

/// The accuracy of each replica.
///
/// # Shapes
/// `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows]` int64, or `[replicas, rows, outputs]` f32 for
/// several labels → `[replicas]`, f64.
pub fn of_each_replica(outputs: &Tensor, truth: &Tensor, decision: Decision) -> Tensor {
    decision.classes(outputs).eq_tensor(truth).flatten(1, -1).mean_dim(1, false, Kind::Double)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accuracy(outputs: &[f32], truth: &[i64], decision: Decision) -> f64 {
        let rows = truth.len() as i64;
        let outputs = Tensor::from_slice(outputs).view([1, rows, -1]);
        of_each_replica(&outputs, &Tensor::from_slice(truth).view([1, rows]), decision).double_value(&[0])
    }

    #[test]
    fn each_decision_counts_the_right_rows() {
        assert_eq!(accuracy(&[0.5, 0.4, 0.9, -3.0], &[1, 0, 0, 0], Decision::Above(0.5)), 0.75);
        assert_eq!(accuracy(&[0.1, 0.7, 0.2, 5.0, 5.0, 1.0], &[1, 0], Decision::Largest), 1.0);
        let outputs = Tensor::from_slice(&[2.0_f32, -1.0, 0.5, -0.5]).view([1, 2, 2]);
        let truth = Tensor::from_slice(&[1.0_f32, 0.0, 0.0, 0.0]).view([1, 2, 2]);
        assert_eq!(of_each_replica(&outputs, &truth, Decision::EachAbove(0.0)).double_value(&[0]), 0.75);
    }
}
