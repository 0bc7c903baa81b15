//! Decides which losses can be compared by value.

use super::Loss;
use crate::data::prepare::weights::Weights;

impl Loss {
    /// Returns whether values of the two losses can be compared: both compute the same quantity from the same
    /// predictions, in whatever form the network gives them.
    pub fn is_comparable_to(&self, other: &Loss) -> bool {
        match (self.cross_entropy(), other.cross_entropy()) {
            (None, None) => self == other,
            (own, others) => own == others,
        }
    }

    /// Returns label smoothing, weights of the classes and weights of positives, if the loss is a cross-entropy. Binary
    /// cross-entropy is the cross-entropy of two classes, and the negative log-likelihood of a log-softmax is cross-entropy.
    fn cross_entropy(&self) -> Option<(f64, Option<&Weights>, Option<&Weights>)> {
        match self {
            Loss::Bce => Some((0.0, None, None)),
            Loss::BceWithLogits(_) => Some((0.0, None, self.own_weights())),
            Loss::CrossEntropy(settings) => Some((settings.label_smoothing, self.own_weights(), None)),
            Loss::Nll(_) => Some((0.0, self.own_weights(), None)),
            Loss::Mse | Loss::Mae | Loss::Huber(_) | Loss::TorchScript(_) => None,
        }
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
