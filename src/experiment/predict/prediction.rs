//! What a network makes of rows: a class, labels or values for each, how sure it is, and what is true where it is known.

use tch::{Kind, Tensor};

use crate::data::Target;
use crate::experiment::plan::Model;
use crate::experiment::store::load_model::Saved;
use crate::metrics::decision::Decision;

/// What a network makes of rows.
#[derive(Debug)]
pub struct Predictions {
    /// Whether shares are probabilities, or scores: outputs that no probability can be read from.
    pub are_probabilities: bool,
    /// Each row's.
    pub rows: Vec<Prediction>,
}

/// What a network makes of one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Prediction {
    /// A class.
    Class {
        /// Its number.
        class: usize,
        /// The share of each class.
        shares: Vec<f64>,
        /// The true class, where it is known.
        truth: Option<usize>,
    },
    /// Yes or no for each label.
    Labels(Vec<Label>),
    /// Numbers.
    Values(Vec<Value>),
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label {
    /// What is predicted.
    pub yes: bool,
    /// The share that yes has.
    pub share: f64,
    /// What is true, where it is known.
    pub truth: Option<bool>,
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// What is predicted.
    pub value: f64,
    /// What is true, where it is known.
    pub truth: Option<f64>,
}

impl Value {
    /// Predicted minus true, where that is known.
    pub fn error(&self) -> Option<f64> {
        self.truth.map(|truth| as_written(self.value - truth))
    }
}

/// The shortest number that is the same f32: networks compute in f32, and 39.1 is no 39.099998474121094.
fn as_written(value: f64) -> f64 {
    (value as f32).to_string().parse().unwrap_or(value)
}

impl Prediction {
    /// Whether it is all right; `None` where it is not known, and for numbers, which are never more than near.
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
    /// What the network makes of rows, prepared as it takes them.
    ///
    /// # Shapes
    /// `features` `[rows, …sample]` f32; `targets` as in [`crate::data::table::external_table::ExternalTable`].
    pub fn of(saved: &Saved, features: &Tensor, targets: Option<&Tensor>) -> Predictions {
        let plan = &saved.plan;
        let target = plan.card.target;
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
                    .map(|place| Value { value: as_written(shares[place]), truth: truth(row, place).map(as_written) })
                    .collect(),
            ),
        };
        Predictions { are_probabilities, rows: shares.into_iter().enumerate().map(row).collect() }
    }
}

/// `[rows]` or `[rows, columns]` as rows of numbers.
fn numbers(tensor: &Tensor) -> Vec<Vec<f64>> {
    let rows = tensor.size()[0];
    Vec::try_from(tensor.to_kind(Kind::Double).reshape([rows, -1])).expect("just made f64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_were_read() {
        let value = Value { value: as_written(f64::from(40.8_f32)), truth: Some(as_written(f64::from(39.1_f32))) };
        assert_eq!((value.value, value.truth, value.error()), (40.8, Some(39.1), Some(1.7)));
        assert!(as_written(f64::NAN).is_nan());
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
