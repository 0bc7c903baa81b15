//! Accuracy: the share of rows whose class is the predicted one (scikit-learn's `accuracy_score`), in 0–1, higher is
//! better.

use tch::{Kind, Tensor};

/// How a network's output becomes a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// Class 1 where the one output is at least the threshold, else class 0.
    Above(f64),
    /// The class with the largest output; of equal ones, the first.
    Largest,
}

impl Decision {
    /// The predicted classes: `[…, rows, outputs]` → `[…, rows]`, int64.
    pub fn classes(self, outputs: &Tensor) -> Tensor {
        match self {
            Decision::Above(threshold) => outputs.select(-1, 0).ge(threshold).to_kind(Kind::Int64),
            Decision::Largest => outputs.argmax(-1, false),
        }
    }
}

/// The accuracy of each replica.
///
/// # Shapes
/// `outputs` `[replicas, rows, outputs]`, `labels` `[replicas, rows]` int64 → `[replicas]`, f64.
pub fn of_each_replica(outputs: &Tensor, labels: &Tensor, decision: Decision) -> Tensor {
    decision.classes(outputs).eq_tensor(labels).mean_dim(1, false, Kind::Double)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_decisions_count_the_right_rows() {
        let outputs = Tensor::from_slice(&[0.5_f32, 0.4, 0.9, -3.0]).view([1, 4, 1]);
        let labels = Tensor::from_slice(&[1_i64, 0, 0, 0]).view([1, 4]);
        let accuracy = of_each_replica(&outputs, &labels, Decision::Above(0.5));
        assert_eq!(Vec::<f64>::try_from(accuracy).unwrap(), [0.75]);

        let outputs = Tensor::from_slice(&[0.1_f32, 0.7, 0.2, 5.0, 5.0, 1.0]).view([1, 2, 3]);
        let labels = Tensor::from_slice(&[1_i64, 0]).view([1, 2]);
        let accuracy = of_each_replica(&outputs, &labels, Decision::Largest);
        assert_eq!(Vec::<f64>::try_from(accuracy).unwrap(), [1.0]);
    }
}
