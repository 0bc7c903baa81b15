//! Computes probabilities and scores from a network's outputs.
//!
//! The outputs are logits if the loss contains the softmax or sigmoid, and probabilities if the last layer is one. With
//! a regression loss and another last layer they are scores, from which no probability can be computed. With a loss
//! written in PyTorch they are taken as logits, unless the last layer is a softmax or sigmoid. A network written in PyTorch
//! returns probabilities if its outputs stay between 0 and 1 in trial runs.

use tch::{Kind, Tensor};

use crate::data::Target;
use crate::metrics::score::Score;
use crate::network::layer::OutputKind;
use crate::train::loss::Loss;

impl Loss {
    /// Returns the probability of each class or label for a network with outputs of this kind; `None` if they are
    /// scores, or the target is numeric.
    ///
    /// One output for two classes is the probability of class 1, and stays one column.
    ///
    /// # Shapes
    /// `outputs` `[…, outputs]` → the same, f64.
    pub fn probabilities(&self, kind: OutputKind, target: Target, outputs: &Tensor) -> Option<Tensor> {
        let outputs = outputs.to_kind(Kind::Double);
        let several = outputs.size().last().is_some_and(|&width| width > 1);
        match (self, target) {
            (_, Target::Values(_)) => None,
            // Log-probabilities give these probabilities; other scores are normalized by the softmax.
            (Loss::CrossEntropy(_) | Loss::Nll(_), _) => Some(outputs.softmax(-1, Kind::Double)),
            (Loss::BceWithLogits(_), _) => Some(outputs.sigmoid()),
            (Loss::Bce, _) => Some(outputs),
            (Loss::TorchScript(_), _) => Some(match (kind, target) {
                (OutputKind::Values | OutputKind::LogDistribution, Target::Classes(_)) if several => {
                    outputs.softmax(-1, Kind::Double)
                }
                (OutputKind::Values | OutputKind::LogDistribution, _) => outputs.sigmoid(),
                (OutputKind::Distribution | OutputKind::Probabilities, _) => outputs,
            }),
            (Loss::Mse | Loss::Mae | Loss::Huber(_), Target::Classes(_)) => match kind {
                OutputKind::Distribution => several.then_some(outputs),
                OutputKind::Probabilities => (!several).then_some(outputs),
                OutputKind::Values | OutputKind::LogDistribution => None,
            },
            (Loss::Mse | Loss::Mae | Loss::Huber(_), Target::Labels(_)) => {
                (kind == OutputKind::Probabilities).then_some(outputs)
            }
        }
    }

    /// Returns how the score of one of two classes is computed from the outputs of a network with
    /// outputs of this kind; `None` for other targets.
    pub fn score(&self, kind: OutputKind, target: Target, outputs: usize) -> Option<Score> {
        if target != Target::Classes(2) {
            return None;
        }
        let is_one = outputs == 1;
        Some(match self {
            Loss::BceWithLogits(_) => Score::Logit,
            Loss::Bce => Score::Probability,
            Loss::CrossEntropy(_) | Loss::Nll(_) => Score::Logits,
            Loss::TorchScript(_) => match (kind, is_one) {
                (OutputKind::Values | OutputKind::LogDistribution, true) => Score::Logit,
                (OutputKind::Values | OutputKind::LogDistribution, false) => Score::Logits,
                (_, true) => Score::Probability,
                (_, false) => Score::Probabilities,
            },
            Loss::Mse | Loss::Mae | Loss::Huber(_) => match (is_one, kind) {
                (true, OutputKind::Probabilities) => Score::Probability,
                (true, OutputKind::Values | OutputKind::Distribution | OutputKind::LogDistribution) => Score::Output,
                (false, OutputKind::Distribution) => Score::Probabilities,
                (false, OutputKind::Values | OutputKind::Probabilities | OutputKind::LogDistribution) => {
                    Score::Difference
                }
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::layer::Layer;
    use crate::tensor::shape::Shape;
    use crate::train::loss::binary::BceWithLogits;
    use crate::train::loss::cross_entropy::{CrossEntropy, Nll};

    fn probabilities(loss: &Loss, last: &Layer, target: Target, outputs: &[f64]) -> Option<Vec<f64>> {
        let outputs = Tensor::from_slice(outputs).view([1, -1]);
        loss.probabilities(last.spec().output_kind(&Shape::from([1])), target, &outputs)
            .map(|found| Vec::try_from(found.get(0)).unwrap())
    }

    #[test]
    fn logits_become_probabilities_by_the_loss_that_holds_the_activation() {
        let (three, labels) = (Target::Classes(3), Target::Labels(2));
        let near = |found: Option<Vec<f64>>, wanted: &[f64]| {
            let found = found.unwrap();
            assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?} is not {wanted:?}");
        };
        let (relu, cross_entropy) = (Layer::Relu, Loss::CrossEntropy(CrossEntropy::default()));
        near(probabilities(&cross_entropy, &relu, three, &[0.0, 2.0_f64.ln(), 0.0]), &[0.25, 0.5, 0.25]);
        near(probabilities(&cross_entropy, &relu, three, &[800.0, -800.0, 0.0]), &[1.0, 0.0, 0.0]);
        let logarithms = [0.2_f64.ln(), 0.3_f64.ln(), 0.5_f64.ln()];
        near(probabilities(&Loss::Nll(Nll::default()), &relu, three, &logarithms), &[0.2, 0.3, 0.5]);
        let with_logits = Loss::BceWithLogits(BceWithLogits::default());
        near(probabilities(&with_logits, &relu, labels, &[0.0, 3.0_f64.ln()]), &[0.5, 0.75]);
    }

    #[test]
    fn outputs_that_are_probabilities_stay_and_scores_are_none() {
        let (two, three, labels) = (Target::Classes(2), Target::Classes(3), Target::Labels(2));
        let as_it_is = |loss: &Loss, last: &Layer, target: Target, outputs: &[f64]| {
            probabilities(loss, last, target, outputs) == Some(outputs.to_vec())
        };
        assert!(as_it_is(&Loss::Bce, &Layer::Sigmoid, labels, &[0.2, 0.9]));
        assert!(as_it_is(&Loss::Mse, &Layer::Softmax, three, &[0.2, 0.3, 0.5]));
        assert!(as_it_is(&Loss::Mse, &Layer::Sigmoid, two, &[0.3]));
        assert!(as_it_is(&Loss::Mae, &Layer::Sigmoid, labels, &[0.2, 0.9]));
        let none = |last: &Layer, target: Target, outputs: &[f64]| {
            assert_eq!(probabilities(&Loss::Mse, last, target, outputs), None, "{last:?}, {target:?}");
        };
        none(&Layer::Sigmoid, three, &[0.9, 0.8, 0.1]); // independent of each other, so they are no distribution
        none(&Layer::Softmax, labels, &[0.6, 0.4]);
        none(&Layer::Relu, two, &[1.2]);
        none(&Layer::Sigmoid, Target::Values(1), &[0.4]);
    }
    #[test]
    fn the_score_of_two_classes_is_their_probability_wherever_there_is_one() {
        let losses = [
            Loss::CrossEntropy(CrossEntropy::default()),
            Loss::Nll(Nll::default()),
            Loss::BceWithLogits(BceWithLogits::default()),
            Loss::Bce,
            Loss::Mse,
        ];
        let two = Target::Classes(2);
        for loss in &losses {
            for (last, width) in [(Layer::Sigmoid, 1), (Layer::Softmax, 2), (Layer::Relu, 1), (Layer::Relu, 2)] {
                let fits = match loss {
                    Loss::CrossEntropy(_) | Loss::Nll(_) => width == 2,
                    Loss::Bce | Loss::BceWithLogits(_) => width == 1,
                    _ => true,
                };
                let outputs = Tensor::from_slice(&[0.25_f64, 0.75][2 - width..]).view([1, width as i64]);
                let kind = last.spec().output_kind(&Shape::from([1]));
                let score = loss.score(kind, two, width).unwrap();
                let probabilities = loss.probabilities(kind, two, &outputs);
                if !fits {
                    continue;
                }
                assert_eq!(score.is_probability(), probabilities.is_some(), "{loss:?}, {last:?}, {width}");
                if let Some(probabilities) = probabilities {
                    let (found, wanted) = (score.for_class(1).of(&outputs), probabilities.select(-1, width as i64 - 1));
                    assert!((found - wanted).abs().max().double_value(&[]) < 1e-15, "{loss:?}, {last:?}, {width}");
                }
                assert_eq!(loss.score(kind, Target::Classes(3), 3), None);
                assert_eq!(loss.score(kind, Target::Labels(2), 2), None);
            }
        }
    }
}
