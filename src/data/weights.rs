//! Weights of classes and of positive labels: written out, or balanced by the training rows.
//!
//! Each replica's weights come from its own training rows, so that folds never see each other's. A count of 0 is taken
//! as 1, which keeps weights finite.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::check::{Invalid, positive, require};

/// A list of weights, or `"balanced"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub enum Weights {
    /// The rarer, the heavier.
    Balanced,
    /// These; a single number is a list of one.
    Each(Vec<f64>),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, a list of numbers, or `\"balanced\"`")]
enum Written {
    One(f64),
    Each(Vec<f64>),
    Word(String),
}

impl TryFrom<Written> for Weights {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::One(weight) => Ok(Weights::Each(vec![weight])),
            Written::Each(weights) => Ok(Weights::Each(weights)),
            Written::Word(word) if word == "balanced" => Ok(Weights::Balanced),
            Written::Word(word) => Err(format!("expected a list of numbers or `\"balanced\"`, found `{word:?}`")),
        }
    }
}

impl From<Weights> for Written {
    fn from(weights: Weights) -> Self {
        match weights {
            Weights::Balanced => Written::Word("balanced".to_owned()),
            Weights::Each(weights) => match weights[..] {
                [weight] => Written::One(weight),
                _ => Written::Each(weights),
            },
        }
    }
}

impl Weights {
    /// Checks weights that are written out; `wanted` is how many there must be, and of what.
    pub(crate) fn check_each(key: &str, weights: &[f64], wanted: Option<(usize, &str)>) -> Result<(), Invalid> {
        if let Some((count, what)) = wanted {
            let wanted = match count {
                1 => "must be one number".to_owned(),
                _ => format!("must hold {count} weights, one for each {what}"),
            };
            require(weights.len() == count, key, &wanted, weights.len())?;
        }
        weights.iter().try_for_each(|weight| positive(key, *weight))
    }

    /// The weight of each class, `n / (classes · count)` where balanced (scikit-learn's `compute_class_weight`).
    ///
    /// # Shapes
    /// `truth` `[replicas, rows]`, int64 → `[replicas or 1, classes]`, f32, on the device of `truth`.
    pub(crate) fn of_classes(&self, truth: &Tensor, classes: usize) -> Tensor {
        match self {
            Weights::Each(weights) => one_row(weights, truth.device()),
            Weights::Balanced => {
                let counts = class_counts(truth, classes, None).clamp_min(1.0);
                (truth.size()[1] as f64 / (counts * classes as f64)).to_kind(Kind::Float)
            }
        }
    }

    /// The weight of each class by how many rows it has, as [`Weights::of_classes`], in f64.
    pub(crate) fn by_counts(&self, counts: &[u64]) -> Vec<f64> {
        match self {
            Weights::Each(weights) => weights.clone(),
            Weights::Balanced => {
                let share = counts.iter().sum::<u64>() as f64 / counts.len() as f64;
                counts.iter().map(|&count| share / count.max(1) as f64).collect()
            }
        }
    }

    /// The weight of a yes, `negatives / positives` where balanced (as PyTorch's documentation of `pos_weight` has it).
    ///
    /// # Shapes
    /// `truth` `[replicas, rows]`, int64, or `[replicas, rows, labels]`, f32 → `[replicas or 1, labels or 1]`, f32.
    pub(crate) fn of_positives(&self, truth: &Tensor) -> Tensor {
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

/// How many rows each class has, or how much they weigh: `[replicas, rows]`, int64, or one-hot `[replicas, rows,
/// classes]`, with `row_weights` `[replicas, rows]` → `[replicas, classes]`, f64.
pub(crate) fn class_counts(targets: &Tensor, classes: usize, row_weights: Option<&Tensor>) -> Tensor {
    match targets.kind() {
        Kind::Int64 => {
            let counts = Tensor::zeros([targets.size()[0], classes as i64], (Kind::Double, targets.device()));
            let each = row_weights.map_or_else(|| targets.ones_like(), Tensor::shallow_clone);
            counts.scatter_add(1, targets, &each.to_kind(Kind::Double))
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
            Vec::<Vec<f64>>::try_from(&Weights::Balanced.of_classes(&truth, 3).to_kind(Kind::Double)).unwrap();
        let near = |found: &[f64], wanted: &[f64]| found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6);
        // scikit-learn: compute_class_weight("balanced", classes=[0, 1], y=[0, 0, 0, 1]) is [4 / (2 · 3), 4 / (2 · 1)]
        assert!(near(&weights[0], &[4.0 / 9.0, 4.0 / 3.0, 4.0 / 3.0]), "{weights:?}");
        assert!(near(&weights[1], &[4.0 / 3.0, 4.0 / 3.0, 4.0 / 12.0]), "{weights:?}");
    }

    #[test]
    fn balanced_positives_weigh_as_much_as_the_negatives() {
        let truth = Tensor::from_slice(&[1_i64, 0, 0, 0]).view([1, 4]);
        assert_eq!(Weights::Balanced.of_positives(&truth).double_value(&[0, 0]), 3.0);
        let labels = Tensor::from_slice(&[1.0_f32, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]).view([1, 4, 2]);
        let weights = Weights::Balanced.of_positives(&labels);
        assert!((weights.double_value(&[0, 0]) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(weights.double_value(&[0, 1]), 4.0, "no positive counts as one");
    }
}
