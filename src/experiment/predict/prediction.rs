//! Predictions of a trained model: a class, labels or values per row, with their probabilities, and the truth if it is
//! known.

use anyhow::{anyhow, ensure};
use tch::{Kind, Tensor};

use crate::config::hint::Hint;
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
                network.train.loss.probabilities(network.output_kind(), target, &outputs),
                network.train.loss.decision(network.output_kind(), network.outputs(), target),
            ),
            Model::Tree(_) => (Some(outputs.shallow_clone()), Decision::Largest),
        };
        let decision = match (saved.threshold(), plan.score(saved.positive)) {
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

    /// Returns the mean of the predictions of several models for the same rows: of the probabilities of each class or label,
    /// or of the values. The most probable class is predicted, and labels from a probability of 0.5 on.
    ///
    /// # Errors
    /// When the outputs are not probabilities, or the models predicted different rows.
    pub fn mean(mut each: Vec<Predictions>) -> anyhow::Result<Predictions> {
        let count = each.len();
        let first = each.remove(0);
        if count == 1 {
            return Ok(first);
        }
        let are_classes = !matches!(first.rows.first(), Some(Prediction::Values(_)));
        if are_classes && !first.are_probabilities {
            let hint = "use the loss `cross_entropy`, `bce` or another one with probabilities";
            return Err(anyhow!("`--ensemble` averages probabilities, but the outputs of the models are scores")
                .context(Hint(hint.to_owned())));
        }
        ensure!(
            each.iter().all(|other| other.rows.len() == first.rows.len()),
            "the models of the ensemble have different rows"
        );
        let rows = first.rows.into_iter().enumerate().map(|(row, prediction)| {
            let others = each.iter().map(|other| &other.rows[row]);
            prediction.mean_with(others, count as f64)
        });
        Ok(Predictions { are_probabilities: first.are_probabilities, rows: rows.collect() })
    }
}

impl Prediction {
    /// Returns the mean of this and `others`, `count` predictions in total.
    fn mean_with<'a>(self, others: impl Iterator<Item = &'a Prediction>, count: f64) -> Prediction {
        let mut sums = self.numbers();
        for other in others {
            sums.iter_mut().zip(other.numbers()).for_each(|(sum, number)| *sum += number);
        }
        let means = || sums.iter().map(|sum| sum / count);
        match self {
            Prediction::Class { truth, .. } => {
                let shares: Vec<f64> = means().collect();
                let better = |best: usize, class: usize| if shares[class] > shares[best] { class } else { best };
                Prediction::Class { class: (0..shares.len()).fold(0, better), shares, truth }
            }
            Prediction::Labels(labels) => {
                let label = |(label, share): (Label, f64)| Label { yes: share >= 0.5, share, ..label };
                Prediction::Labels(labels.into_iter().zip(means()).map(label).collect())
            }
            Prediction::Values(values) => {
                let value = |(value, mean): (Value, f64)| Value { value: shortest_f32(mean), ..value };
                Prediction::Values(values.into_iter().zip(means()).map(value).collect())
            }
        }
    }

    /// Returns the probability of each class or label, or the values.
    fn numbers(&self) -> Vec<f64> {
        match self {
            Prediction::Class { shares, .. } => shares.clone(),
            Prediction::Labels(labels) => labels.iter().map(|label| label.share).collect(),
            Prediction::Values(values) => values.iter().map(|value| value.value).collect(),
        }
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
    fn an_ensemble_predicts_by_the_mean_of_the_probabilities() {
        let class = |class, shares: [f64; 2]| Prediction::Class { class, shares: shares.to_vec(), truth: Some(1) };
        let of = |rows| Predictions { are_probabilities: true, rows };
        let each = [[0.875, 0.125], [0.25, 0.75], [0.25, 0.75]];
        let each = each.map(|shares| of(vec![class(usize::from(shares[1] > 0.5), shares)]));
        let mean = Predictions::mean(Vec::from(each)).unwrap();
        let sums = [0.875 + 0.25 + 0.25, 0.125 + 0.75 + 0.75];
        assert_eq!(mean.rows, [class(1, sums.map(|sum: f64| sum / 3.0))]);
        let scores = || Predictions { are_probabilities: false, ..of(vec![class(0, [1.0, 0.0])]) };
        assert!(Predictions::mean(vec![scores(), scores()]).unwrap_err().to_string().contains("probabilities"));
        let value = |value| of(vec![Prediction::Values(vec![Value { value, truth: None }])]);
        let Prediction::Values(mean) = &Predictions::mean(vec![value(1.0), value(2.0)]).unwrap().rows[0] else {
            panic!()
        };
        assert_eq!(mean[0].value, 1.5);
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
