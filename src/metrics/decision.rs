//! How a network's output becomes a prediction, and a score to rank rows by.

use tch::{Kind, Tensor};

use crate::metrics::score::ClassScore;

/// How a network's output becomes a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// Class 1 where the one output is at least the threshold, else class 0.
    Above(f64),
    /// The class with the largest output; of equal ones, the first.
    Largest,
    /// Of two classes, one where its score is at least the threshold, in f64, else the other.
    ScoreAbove {
        /// The class, and how its score is read from one output or two.
        score: ClassScore,
        /// The threshold: a probability, where the score is one.
        threshold: f64,
    },
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
            Decision::ScoreAbove { score, threshold } => {
                let is_class = score.of(outputs).ge(threshold);
                let is_second = if score.class() == 1 { is_class } else { is_class.logical_not() };
                is_second.to_kind(Kind::Int64)
            }
            Decision::EachAbove(threshold) => outputs.ge(threshold).to_kind(outputs.kind()),
            Decision::Value => outputs.shallow_clone(),
        }
    }

    /// How many classes there are to choose from; `None` for labels and values.
    pub fn class_count(self, outputs: &Tensor) -> Option<i64> {
        match self {
            Decision::Above(_) | Decision::ScoreAbove { .. } => Some(2),
            Decision::Largest => outputs.size().last().copied(),
            Decision::EachAbove(_) | Decision::Value => None,
        }
    }

    /// How much the outputs speak for the positive class, or for each label: `[…, rows, outputs]` →
    /// `[…, rows, 1 or labels]`.
    ///
    /// Of two outputs it is their difference, which ranks rows as the probability does.
    pub fn scores(self, outputs: &Tensor, positive: usize) -> Tensor {
        let of_second = match self {
            Decision::Largest => {
                let outputs = outputs.to_kind(Kind::Double);
                outputs.narrow(-1, 1, 1) - outputs.narrow(-1, 0, 1)
            }
            Decision::Above(_) => outputs.shallow_clone(),
            Decision::ScoreAbove { score, .. } => {
                let of_its_class = score.rank(outputs).unsqueeze(-1);
                if score.class() == 1 { of_its_class } else { -of_its_class }
            }
            Decision::EachAbove(_) | Decision::Value => return outputs.shallow_clone(),
        };
        if positive == 0 { -of_second } else { of_second }
    }
}
