//! Score of the positive class of two classes; curves and thresholds use it.
//!
//! The score is a probability wherever the outputs allow it. A threshold then means the same for networks that end in
//! logits or in probabilities, with one output or two.

use tch::{Kind, Tensor};

/// Formula for the score of two classes. With a single output, a higher output favors class 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Score {
    /// The single output is the probability of class 1.
    Probability,
    /// The single output is the logit of class 1.
    Logit,
    /// Each of two outputs is the probability of its class.
    Probabilities,
    /// A softmax turns two outputs into probabilities.
    Logits,
    /// The single output, which has no probability.
    Output,
    /// The difference of two outputs, which have no probabilities.
    Difference,
}

impl Score {
    /// Returns whether the score is a probability.
    pub fn is_probability(self) -> bool {
        !matches!(self, Score::Output | Score::Difference)
    }

    /// Returns the score of one of the two classes, 0 or 1.
    pub fn for_class(self, class: usize) -> ClassScore {
        ClassScore { score: self, is_second: class != 0 }
    }
}

/// Score of one of two classes; higher means that the class is more likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassScore {
    score: Score,
    is_second: bool,
}

impl ClassScore {
    /// Returns the class, 0 or 1.
    pub fn class(self) -> usize {
        usize::from(self.is_second)
    }

    /// Returns the score of each row: `[…, rows, outputs]` → `[…, rows]`, f64.
    pub fn of(self, outputs: &Tensor) -> Tensor {
        self.from_rank(&self.rank(outputs))
    }

    /// Returns the value that ranks rows, in the same order as the score. It also separates rows whose probabilities
    /// round to the same number: the probability is 1 for all logits from 37 on. Shapes as for [`ClassScore::of`].
    pub fn rank(self, outputs: &Tensor) -> Tensor {
        let outputs = outputs.to_kind(Kind::Double);
        let output = |class: usize| outputs.select(-1, class as i64);
        match self.score {
            Score::Probability | Score::Logit | Score::Output if self.is_second => output(0),
            Score::Probability | Score::Logit | Score::Output => -output(0),
            Score::Probabilities => output(self.class()),
            Score::Logits | Score::Difference => output(self.class()) - output(1 - self.class()),
        }
    }

    /// Converts ranks to scores, in any shape.
    pub fn from_rank(self, rank: &Tensor) -> Tensor {
        match self.score {
            Score::Logit | Score::Logits => rank.sigmoid(),
            // The single output favors class 1.
            Score::Probability | Score::Output if !self.is_second => rank + 1.0,
            Score::Probability | Score::Probabilities | Score::Output | Score::Difference => rank.shallow_clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_output_and_two_give_the_same_probability_decision_and_rank() {
        let logits = Tensor::from_slice(&[-3.0_f32, -0.5, 0.0, 1.5, 90.0]).unsqueeze(-1); // [rows, 1]
        let two = Tensor::cat(&[&logits * 0.0 + 7.0, &logits + 7.0], -1);
        let probability = logits.to_kind(Kind::Double).sigmoid();
        let both = Tensor::cat(&[&(1.0 - &probability), &probability], -1);
        let forms = [
            (Score::Logit, &logits),
            (Score::Logits, &two),
            (Score::Probability, &probability),
            (Score::Probabilities, &both),
        ];
        for (score, outputs) in forms {
            assert!(score.is_probability());
            let (first, second) = (score.for_class(0), score.for_class(1));
            let found = Vec::<f64>::try_from(second.of(outputs)).unwrap();
            let wanted = Vec::<f64>::try_from(probability.squeeze_dim(-1)).unwrap();
            assert!(found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{score:?}: {found:?}");
            let of_first = Vec::<f64>::try_from(first.of(outputs) + second.of(outputs)).unwrap();
            assert!(of_first.iter().all(|sum| (sum - 1.0).abs() < 1e-12), "{score:?}: {of_first:?}");
            let classes = |threshold| Vec::<i64>::try_from(second.at_least(threshold).classes(outputs)).unwrap();
            let of_first = |threshold| Vec::<i64>::try_from(first.at_least(threshold).classes(outputs)).unwrap();
            assert_eq!(of_first(0.9), [0, 1, 1, 1, 1], "{score:?}: the first class from 0.9 on");
            assert_eq!(of_first(0.5), [0, 0, 0, 1, 1], "{score:?}: at least");
            assert_eq!(classes(0.9), [0, 0, 0, 0, 1], "{score:?}");
            assert_eq!(classes(0.5), [0, 0, 1, 1, 1], "{score:?}: at least");
            assert_eq!(classes(0.3), [0, 1, 1, 1, 1], "{score:?}");
            assert_eq!(second.at_least(0.3).class_count(outputs), Some(2));
        }
    }

    #[test]
    fn a_threshold_between_neighboring_f32_outputs_is_not_rounded_to_one_of_them() {
        let (low, high) = (0.7_f32, 0.7_f32.next_up());
        let outputs = Tensor::from_slice(&[low, high]).unsqueeze(-1);
        let between = (f64::from(low) + f64::from(high)) / 2.0;
        for score in [Score::Probability, Score::Output] {
            assert_eq!(Vec::<i64>::try_from(score.for_class(1).at_least(between).classes(&outputs)).unwrap(), [0, 1]);
        }
    }
}
