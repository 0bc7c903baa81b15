//! What a network makes of rows: a class, labels or values for each, how sure it is, and what is true where it is known.

use tch::{Kind, Tensor};

use crate::data::Target;
use crate::experiment::saved::Saved;

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
    /// `features` `[rows, …sample]` f32; `targets` as in [`crate::data::given::Given`].
    pub fn of(saved: &Saved, features: &Tensor, targets: Option<&Tensor>) -> Predictions {
        let plan = &saved.plan;
        let (loss, target) = (&plan.spec.train.loss, plan.card.target);
        let outputs = saved.outputs(features); // [rows, outputs]
        let last = &plan.architecture.layers().last().expect("a checked network has a layer").layer;
        let probabilities = loss.probabilities(last, target, &outputs);
        let are_probabilities = probabilities.is_some();
        let shares = numbers(&probabilities.unwrap_or_else(|| outputs.shallow_clone()));
        let chosen = numbers(&loss.decision(plan.architecture.output().elements(), target).classes(&outputs));
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
                (0..shares.len()).map(|place| Value { value: shares[place], truth: truth(row, place) }).collect(),
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
