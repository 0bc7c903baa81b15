//! Penalties on the size of weights, `l1 · Σ|w| + l2 · Σw²`, as Keras's `L1L2` regularizer.
//!
//! They act through the gradient alone: the reported `loss` stays that of the data, so that it can be compared with
//! `val_loss`, and between settings (Keras adds the penalty to its `loss`). Weights are meant, neither biases nor the
//! scales of normalization layers. `weight_decay = λ` of an optimizer is half of `l2`, on every parameter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::config::check::{Invalid, not_negative};
use crate::network::arena::Arena;

/// `penalty`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Penalty {
    /// Times the sum of absolute weights.
    pub l1: f64,
    /// Times the sum of squared weights.
    pub l2: f64,
}

impl Penalty {
    /// Checks the settings.
    ///
    /// # Errors
    /// When one is negative; the key is relative to `penalty`.
    pub fn check(&self) -> Result<(), Invalid> {
        not_negative("l1", self.l1)?;
        not_negative("l2", self.l2)
    }

    /// The penalty on the weights of a stack.
    pub fn on(self, arena: &Arena) -> Penalized {
        let weights = arena.values().zeros_like().narrow(0, 0, 1).to_kind(Kind::Float); // [1, parameters]
        for slot in arena.slots().iter().filter(|slot| is_weight(&slot.name, &slot.shape)) {
            let _ = slot.view(&weights).fill_(1.0);
        }
        Penalized { penalty: self, weights }
    }
}

/// Whether a parameter is a layer's weights: named so, and of more than one dimension, as the scales of normalization
/// layers are not.
fn is_weight(name: &str, shape: &[i64]) -> bool {
    name.rsplit('.').next() == Some("weight") && shape.len() >= 2
}

/// A penalty, and what it is on.
#[derive(Debug)]
pub struct Penalized {
    penalty: Penalty,
    weights: Tensor, // [1, parameters]: 1 for weights, 0 for others
}

impl Penalized {
    /// Adds the penalty's own gradient, `l1 · sign(w) + 2 · l2 · w`, in place.
    ///
    /// # Shapes
    /// `gradient` and `values` are `[replicas, parameters]`.
    pub fn add_to(&self, gradient: &mut Tensor, values: &Tensor) {
        let Penalty { l1, l2 } = self.penalty;
        if l1 > 0.0 {
            let _ = gradient.addcmul_(&values.sign(), &(&self.weights * l1));
        }
        if l2 > 0.0 {
            let _ = gradient.addcmul_(values, &(&self.weights * (2.0 * l2)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_penalized_and_neither_biases_nor_scales() {
        assert!(is_weight("0.weight", &[3, 2]));
        assert!(!is_weight("0.bias", &[3]));
        assert!(!is_weight("1.weight", &[3]));
    }
}
