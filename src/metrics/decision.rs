//! Turns network outputs into predictions, and into scores that rank rows.

use tch::{Kind, Tensor};

use crate::metrics::score::ClassScore;

/// Rule that turns a network's output into a prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// Class 1 if the single output is at least the threshold, else class 0.
    Above(f64),
    /// The class with the largest output (argmax). Ties go to the lower index.
    Largest,
    /// One of two classes if its score (in f64) is at least the threshold, else the other.
    ScoreAbove {
        /// The class, and how its score is computed from one or two outputs.
        score: ClassScore,
        /// The threshold; a probability if the score is one.
        threshold: f64,
    },
    /// For each label: yes if its output is at least the threshold.
    EachAbove(f64),
    /// The output is the prediction (regression).
    Value,
}

impl Decision {
    /// Returns the predicted classes: `[…, rows, outputs]` → `[…, rows]`, int64. For multi-label targets, returns `[…,
    /// rows, outputs]` with 0 or 1.
    ///
    /// For regression, returns the outputs unchanged.
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

    /// Returns the number of classes; `None` for multi-label and numeric targets.
    pub fn class_count(self, outputs: &Tensor) -> Option<i64> {
        match self {
            Decision::Above(_) | Decision::ScoreAbove { .. } => Some(2),
            Decision::Largest => outputs.size().last().copied(),
            Decision::EachAbove(_) | Decision::Value => None,
        }
    }

    /// Returns the scores of the positive class, or of each label: `[…, rows, outputs]` → `[…, rows, 1 or labels]`.
    ///
    /// For two outputs the score is their difference, which ranks rows in the same order as the softmax probability.
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

impl ClassScore {
    /// Returns the decision that predicts the class if its score is at least `threshold`.
    pub fn at_least(self, threshold: f64) -> Decision {
        Decision::ScoreAbove { score: self, threshold }
    }
}
