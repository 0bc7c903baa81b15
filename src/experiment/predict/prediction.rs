//! Predictions of a trained model: a class, labels or values per row, with their probabilities, and the truth if it is
//! known.

use tch::{Kind, Tensor};

use crate::data::Target;
use crate::experiment::plan::Model;
use crate::experiment::store::load_model::TrainedModel;
use crate::metrics::decision::Decision;

/// Predictions for several rows.
#[derive(Debug)]
pub struct Predictions {
    /// Whether `shares` are probabilities. Otherwise they are raw outputs.
    pub are_probabilities: bool,
    /// One prediction per row.
    pub rows: Vec<Prediction>,
}

/// Prediction for one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Prediction {
    /// A class.
    Class {
        /// Index of the predicted class.
        class: usize,
        /// Probability or raw output of each class.
        shares: Vec<f64>,
        /// Index of the true class, if known.
        truth: Option<usize>,
    },
    /// Yes or no for each label (multi-label).
    Labels(Vec<Label>),
    /// Numbers (regression).
    Values(Vec<Value>),
}

/// Prediction for one label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label {
    /// Predicted value.
    pub yes: bool,
    /// Probability or raw output of yes.
    pub share: f64,
    /// True value, if known.
    pub truth: Option<bool>,
}

/// Prediction for one numeric target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// Predicted value.
    pub value: f64,
    /// True value, if known.
    pub truth: Option<f64>,
}

impl Value {
    /// Predicted minus true value, if the latter is known.
    pub fn error(&self) -> Option<f64> {
        self.truth.map(|truth| shortest_f32(self.value - truth))
    }
}

/// Returns the shortest decimal number that is the same f32: 39.1 instead of 39.099998474121094.
fn shortest_f32(value: f64) -> f64 {
    (value as f32).to_string().parse().unwrap_or(value)
}

impl Prediction {
    /// Whether the prediction is correct; for labels, whether all are. `None` if the truth is unknown, and for numeric
    /// targets.
    pub fn is_right(&self) -> Option<bool> {
        match self {
            Prediction::Class { class, truth, .. } => truth.map(|truth| truth == *class),
            Prediction::Labels(labels) => {
                let right: Option<Vec<bool>> = labels.iter().map(|label| Some(label.truth? == label.yes)).collect();
                right.map(|right| !right.contains(&false))
            }
            Prediction::Values(_) => None,
        }
    }
}

impl Predictions {
    /// Predicts rows that are preprocessed as for training.
    ///
    /// # Shapes
    /// `features` `[rows, …sample]` f32; `targets` as in [`crate::data::table::external_table::ExternalTable`].
    pub fn new(saved: &TrainedModel, features: &Tensor, targets: Option<&Tensor>) -> Predictions {
        let plan = &saved.plan;
        let target = plan.info.target;
        let outputs = saved.outputs(features); // [rows, outputs]
        let (probabilities, decision) = match &plan.model {
            Model::Network(network) => (
                network.train.loss.probabilities(network.last(), target, &outputs),
                network.train.loss.decision(network.outputs(), target),
            ),
            Model::Tree(_) => (Some(outputs.shallow_clone()), Decision::Largest),
        };
        let decision = match (saved.threshold(), plan.score(saved.positive())) {
            (Some(threshold), Some(score)) => score.at_least(threshold),
            _ => decision,
        };
        let are_probabilities = probabilities.is_some();
        let shares = numbers(&probabilities.unwrap_or_else(|| outputs.shallow_clone()));
        let chosen = numbers(&decision.classes(&outputs));
        let truth = targets.map(|targets| numbers(&targets.to_kind(Kind::Double)));
        let truth = |row: usize, place: usize| truth.as_ref().map(|truth| truth[row][place]).filter(|t| !t.is_nan());
        let row = |(row, shares): (usize, Vec<f64>)| match target {
            Target::Classes(_) => Prediction::Class {
                class: chosen[row][0] as usize,
                shares: match shares[..] {
                    [of_second] => vec![1.0 - of_second, of_second],
                    _ => shares,
                },
                truth: truth(row, 0).filter(|class| *class >= 0.0).map(|class| class as usize),
            },
            Target::Labels(_) => Prediction::Labels(
                (0..shares.len())
                    .map(|place| Label {
                        yes: chosen[row][place] == 1.0,
                        share: shares[place],
                        truth: truth(row, place).map(|truth| truth == 1.0),
                    })
                    .collect(),
            ),
            Target::Values(_) => Prediction::Values(
                (0..shares.len())
                    .map(|place| Value {
                        value: shortest_f32(shares[place]),
                        truth: truth(row, place).map(shortest_f32),
                    })
                    .collect(),
            ),
        };
        Predictions { are_probabilities, rows: shares.into_iter().enumerate().map(row).collect() }
    }
}

/// Converts `[rows]` or `[rows, columns]` to one vector per row.
fn numbers(tensor: &Tensor) -> Vec<Vec<f64>> {
    let rows = tensor.size()[0];
    Vec::try_from(tensor.to_kind(Kind::Double).reshape([rows, -1])).expect("just made f64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_were_read() {
        let value = Value { value: shortest_f32(f64::from(40.8_f32)), truth: Some(shortest_f32(f64::from(39.1_f32))) };
        assert_eq!((value.value, value.truth, value.error()), (40.8, Some(39.1), Some(1.7)));
        assert!(shortest_f32(f64::NAN).is_nan());
    }

    #[test]
    fn labels_are_right_when_all_of_them_are() {
        let label = |truth| Label { yes: true, share: 1.0, truth };
        let right = |labels: &[Label]| Prediction::Labels(labels.to_vec()).is_right();
        assert_eq!(right(&[label(Some(true)), label(Some(true))]), Some(true));
        assert_eq!(right(&[label(Some(true)), label(Some(false))]), Some(false));
        assert_eq!(right(&[label(Some(true)), label(None)]), None);
    }
}
