//! Decides which losses can be compared by value.

use super::Loss;
use crate::data::prepare::weights::Weights;
use crate::network::torchscript::TorchScript;

/// Quantity that a loss computes. Binary cross-entropy is the cross-entropy of two classes, and the negative
/// log-likelihood of a log-softmax is cross-entropy.
#[derive(PartialEq)]
enum Measure<'a> {
    Squared,
    Absolute,
    Huber { delta: f64 },
    CrossEntropy { smoothing: f64, class_weights: Option<&'a Weights>, pos_weight: Option<&'a Weights> },
    TorchScript(&'a TorchScript),
}

impl Loss {
    /// Returns whether values of the two losses can be compared: both compute the same quantity from the same
    /// predictions, in whatever form the network gives them.
    pub fn is_comparable_to(&self, other: &Loss) -> bool {
        self.measure() == other.measure()
    }

    fn measure(&self) -> Measure<'_> {
        let (smoothing, class_weights, pos_weight) = match self {
            Loss::Mse => return Measure::Squared,
            Loss::Mae => return Measure::Absolute,
            Loss::Huber(huber) => return Measure::Huber { delta: huber.delta },
            Loss::TorchScript(module) => return Measure::TorchScript(module),
            Loss::Bce => (0.0, None, None),
            Loss::BceWithLogits(_) => (0.0, None, self.own_weights()),
            Loss::CrossEntropy(settings) => (settings.label_smoothing, self.own_weights(), None),
            Loss::Nll(_) => (0.0, self.own_weights(), None),
        };
        Measure::CrossEntropy { smoothing, class_weights, pos_weight }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn losses_that_measure_the_same_can_be_compared_whatever_their_names() {
        let same = |one: &str, other: &str| read(one).unwrap().is_comparable_to(&read(other).unwrap());
        assert!(same("\"bce\"", "\"bce_with_logits\""));
        assert!(same("\"sparse_categorical_crossentropy\"", "\"categorical_crossentropy\""));
        assert!(same("\"bce\"", "\"cross_entropy\""), "of two classes they agree");
        assert!(!same("\"mse\"", "\"mae\""));
        assert!(!same("\"huber\"", "{ huber = { delta = 2 } }"));
        assert!(!same("\"cross_entropy\"", "{ cross_entropy = { label_smoothing = 0.1 } }"));
        assert!(!same("\"cross_entropy\"", "{ cross_entropy = { class_weights = \"balanced\" } }"));
        assert!(!same("\"bce_with_logits\"", "{ bce_with_logits = { pos_weight = 3 } }"));
    }
}
