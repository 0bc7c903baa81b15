//! Confusion matrix (scikit-learn's `confusion_matrix`): one row per true class, one column per predicted class.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::metrics::decision::Decision;

/// Number of rows, indexed by true class, then by predicted class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Confusion(pub Vec<Vec<u64>>);

/// Returns the confusion matrix of each replica on the device of `outputs`; `None` for multi-label and numeric targets.
///
/// # Shapes
/// `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows]` int64 → `[replicas, classes, classes]`, f64 (exact
/// for counts up to 2⁵³).
pub fn per_replica(outputs: &Tensor, truth: &Tensor, decision: Decision) -> Option<Tensor> {
    let classes = decision.class_count(outputs)?;
    let cells = truth * classes + decision.classes(outputs); // [replicas, rows]
    let counts = Tensor::zeros([cells.size()[0], classes * classes], (Kind::Double, outputs.device()));
    let counts = counts.scatter_add(1, &cells, &cells.ones_like().to_kind(Kind::Double));
    Some(counts.view([-1, classes, classes]))
}

impl Confusion {
    /// Returns the confusion matrix of each replica, copied to the CPU; `None` for multi-label and numeric targets.
    /// Shapes as for [`per_replica`].
    pub fn per_replica(outputs: &Tensor, truth: &Tensor, decision: Decision) -> Option<Vec<Confusion>> {
        let counts = per_replica(outputs, truth, decision)?.to_kind(Kind::Int64).to_device(Device::Cpu);
        let (replicas, classes) = (counts.size()[0], counts.size()[1]);
        let row = |replica: i64, class: i64| {
            let row = Vec::<i64>::try_from(counts.get(replica).get(class)).expect("just made int64");
            row.into_iter().map(|count| count as u64).collect()
        };
        let matrix = |replica| Confusion((0..classes).map(|class| row(replica, class)).collect());
        Some((0..replicas).map(matrix).collect())
    }

    /// Returns the share of rows that belong to the positive class; `None` unless there are exactly two classes and at
    /// least one row.
    pub fn positives(&self, positive: usize) -> Option<f64> {
        let [of_first, of_second] = &self.0[..] else { return None };
        let rows = [of_first.iter().sum::<u64>(), of_second.iter().sum::<u64>()];
        let all = rows[0] + rows[1];
        (all > 0).then(|| rows[positive] as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_truths_and_columns_are_predictions() {
        let outputs = Tensor::from_slice(&[0.9_f32, 0.9, 0.1, 0.1, 0.1, 0.1]).view([2, 3, 1]);
        let truth = Tensor::from_slice(&[0_i64, 1, 1, 0, 0, 1]).view([2, 3]);
        let found = Confusion::per_replica(&outputs, &truth, Decision::Above(0.5)).unwrap();
        assert_eq!(found, [Confusion(vec![vec![0, 1], vec![1, 1]]), Confusion(vec![vec![2, 0], vec![1, 0]])]);
        assert_eq!(serde_json::to_string(&found[0]).unwrap(), "[[0,1],[1,1]]");
        assert_eq!(Confusion::per_replica(&outputs, &truth, Decision::Value), None);
    }
}
