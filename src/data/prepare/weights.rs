//! Class weights and weights of positive labels: given as numbers, or balanced by the training rows.
//!
//! Each replica's weights are computed from its own training rows, so that folds are independent. A class without a
//! training row has weight 0, as in scikit-learn's `compute_sample_weight`. A label without positives or without
//! negatives counts as if it had one, which keeps `pos_weight` finite.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::config::check::{Invalid, positive, require};

/// A list of weights, or `"balanced"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "WeightsInput", into = "WeightsInput")]
#[schemars(with = "WeightsInput")]
pub enum Weights {
    /// Rare classes get larger weights.
    Balanced,
    /// These weights. A single number is a list of one.
    Each(Vec<f64>),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, a list of numbers, or `\"balanced\"`")]
enum WeightsInput {
    One(f64),
    Each(Vec<f64>),
    Word(String),
}

impl TryFrom<WeightsInput> for Weights {
    type Error = String;

    fn try_from(input: WeightsInput) -> Result<Self, String> {
        match input {
            WeightsInput::One(weight) => Ok(Weights::Each(vec![weight])),
            WeightsInput::Each(weights) => Ok(Weights::Each(weights)),
            WeightsInput::Word(word) if word == "balanced" => Ok(Weights::Balanced),
            WeightsInput::Word(word) => Err(format!("expected a list of numbers or `\"balanced\"`, found `{word:?}`")),
        }
    }
}

impl From<Weights> for WeightsInput {
    fn from(weights: Weights) -> Self {
        match weights {
            Weights::Balanced => WeightsInput::Word("balanced".to_owned()),
            Weights::Each(weights) => match weights[..] {
                [weight] => WeightsInput::One(weight),
                _ => WeightsInput::Each(weights),
            },
        }
    }
}

impl Weights {
    /// Checks weights that are given as numbers; `wanted` has the number of weights and the word for what each one
    /// weighs.
    pub(crate) fn check_each(key: &str, weights: &[f64], wanted: Option<(usize, &str)>) -> Result<(), Invalid> {
        if let Some((count, what)) = wanted {
            let wanted = match count {
                1 => "must be one number".to_owned(),
                _ => format!("must have {count} weights, one for each {what}"),
            };
            require(weights.len() == count, key, &wanted, weights.len())?;
        }
        weights.iter().try_for_each(|weight| positive(key, *weight))
    }

    /// Returns the weight of each class. Balanced weights are `n / (classes · count)` over the classes that have rows
    /// (scikit-learn's `compute_class_weight`), and 0 for the other classes.
    ///
    /// # Shapes
    /// `truth` `[replicas, rows]`, int64 → `[replicas or 1, classes]`, f32, on the device of `truth`.
    pub(crate) fn class_weights(&self, truth: &Tensor, classes: usize) -> Tensor {
        match self {
            Weights::Each(weights) => one_row(weights, truth.device()),
            Weights::Balanced => {
                let counts = class_counts(truth, classes, None); // [replicas, classes]
                let occurs = counts.gt(0.0);
                let occurring = occurs.sum_dim_intlist(1, true, Kind::Double); // [replicas, 1]
                let weights = truth.size()[1] as f64 / (counts * occurring);
                weights.masked_fill(&occurs.logical_not(), 0.0).to_kind(Kind::Float)
            }
        }
    }

    /// Like [`Weights::class_weights`], from the number of rows of each class, in f64.
    pub(crate) fn class_weights_from_counts(&self, counts: &[u64]) -> Vec<f64> {
        match self {
            Weights::Each(weights) => weights.clone(),
            Weights::Balanced => {
                let occurring = counts.iter().filter(|count| **count > 0).count();
                let share = counts.iter().sum::<u64>() as f64 / occurring as f64;
                counts.iter().map(|&count| if count == 0 { 0.0 } else { share / count as f64 }).collect()
            }
        }
    }

    /// Returns the weight of positives. Balanced weights are `negatives / positives` (as PyTorch's documentation of
    /// `pos_weight` suggests).
    ///
    /// # Shapes
    /// `truth`, 1 for a positive, `[replicas, rows]` or `[replicas, rows, labels]` → `[replicas or 1, labels or 1]`,
    /// f32.
    pub(crate) fn positive_weights(&self, truth: &Tensor) -> Tensor {
        match self {
            Weights::Each(weights) => one_row(weights, truth.device()),
            Weights::Balanced => {
                let truth = if truth.dim() == 2 { truth.unsqueeze(-1) } else { truth.shallow_clone() };
                let positives = truth.sum_dim_intlist(1, false, Kind::Double); // [replicas, labels]
                let negatives = truth.size()[1] as f64 - &positives;
                (negatives.clamp_min(1.0) / positives.clamp_min(1.0)).to_kind(Kind::Float)
            }
        }
    }
}

/// Returns the number of rows of each class, or the sum of their `row_weights` `[replicas, rows]`. `targets` is
/// `[replicas, rows]`, int64, or one-hot `[replicas, rows, classes]` → `[replicas, classes]`, f64.
pub(crate) fn class_counts(targets: &Tensor, classes: usize, row_weights: Option<&Tensor>) -> Tensor {
    match targets.kind() {
        Kind::Int64 => {
            let counts = Tensor::zeros([targets.size()[0], classes as i64], (Kind::Double, targets.device()));
            let row_counts = row_weights.map_or_else(|| targets.ones_like(), Tensor::shallow_clone);
            counts.scatter_add(1, targets, &row_counts.to_kind(Kind::Double))
        }
        _ => match row_weights {
            Some(weights) => (targets * weights.unsqueeze(-1)).sum_dim_intlist(1, false, Kind::Double),
            None => targets.sum_dim_intlist(1, false, Kind::Double),
        },
    }
}

fn one_row(weights: &[f64], device: Device) -> Tensor {
    Tensor::from_slice(weights).to_kind(Kind::Float).unsqueeze(0).to_device(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_come_from_the_rows_of_each_replica() {
        let truth = Tensor::from_slice(&[0_i64, 0, 0, 1, 2, 2, 2, 2]).view([2, 4]);
        let weights =
            Vec::<Vec<f64>>::try_from(&Weights::Balanced.class_weights(&truth, 3).to_kind(Kind::Double)).unwrap();
        let near = |found: &[f64], wanted: &[f64]| found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6);
        // scikit-learn: compute_class_weight("balanced", classes=[0, 1], y=[0, 0, 0, 1]) is [4 / (2 · 3), 4 / (2 · 1)]
        assert!(near(&weights[0], &[4.0 / 6.0, 4.0 / 2.0, 0.0]), "{weights:?}");
        assert!(near(&weights[1], &[0.0, 0.0, 1.0]), "{weights:?}");
    }

    #[test]
    fn balanced_positives_weigh_as_much_as_the_negatives() {
        let truth = Tensor::from_slice(&[1_i64, 0, 0, 0]).view([1, 4]);
        assert_eq!(Weights::Balanced.positive_weights(&truth).double_value(&[0, 0]), 3.0);
        let labels = Tensor::from_slice(&[1.0_f32, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]).view([1, 4, 2]);
        let weights = Weights::Balanced.positive_weights(&labels);
        assert!((weights.double_value(&[0, 0]) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(weights.double_value(&[0, 1]), 4.0, "no positive counts as one");
    }

    #[test]
    fn a_class_without_a_training_row_weighs_nothing_as_in_scikit_learn() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/positive_class.json");
        let golden: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let case = &golden["class_weights"];
        let training: Vec<i64> = serde_json::from_value(case["training"].clone()).unwrap();
        let wanted: Vec<f64> = serde_json::from_value(case["balanced"].clone()).unwrap();
        let weights = Weights::Balanced.class_weights(&Tensor::from_slice(&training).unsqueeze(0), 3).get(0);
        let found = Vec::<f64>::try_from(weights.to_kind(Kind::Double)).unwrap();
        assert!(found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    }
}
