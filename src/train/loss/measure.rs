//! Which losses measure the same, so that their values can be compared.

use super::Loss;
use crate::data::prepare::weights::Weights;

/// What a loss measures. Binary cross-entropy is the cross-entropy of two classes, and the negative log-likelihood that
/// of a softmax.
#[derive(PartialEq)]
enum Measure<'a> {
    Squared,
    Absolute,
    Huber { delta: f64 },
    CrossEntropy { smoothing: f64, class_weights: Option<&'a Weights>, pos_weight: Option<&'a Weights> },
}

impl Loss {
    /// Whether a value of the other loss means the same: both measure the same of the same predictions, however the
    /// network gives these and the file writes the loss.
    pub fn measures_as(&self, other: &Loss) -> bool {
        self.measure() == other.measure()
    }

    fn measure(&self) -> Measure<'_> {
        let (smoothing, class_weights, pos_weight) = match self {
            Loss::Mse => return Measure::Squared,
            Loss::Mae => return Measure::Absolute,
            Loss::Huber(huber) => return Measure::Huber { delta: huber.delta },
            Loss::Bce => (0.0, None, None),
            Loss::BceWithLogits(settings) => (0.0, None, settings.pos_weight.as_ref()),
            Loss::CrossEntropy(settings) => (settings.label_smoothing, settings.class_weights.as_ref(), None),
            Loss::Nll(settings) => (0.0, settings.class_weights.as_ref(), None),
        };
        Measure::CrossEntropy { smoothing, class_weights, pos_weight }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn losses_that_measure_the_same_can_be_compared_whatever_their_names() {
        let same = |one: &str, other: &str| read(one).unwrap().measures_as(&read(other).unwrap());
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
