//! Penalties on the size of weights, `l1 · Σ|w| + l2 · Σw²`, as Keras's `L1L2` regularizer.
//!
//! They change only the gradient: the reported `loss` does not include them, so that it can be compared with `val_loss`
//! and between settings (Keras adds the penalty to its `loss`). They apply to weights, not to biases or the scales of
//! normalization layers. An optimizer's `weight_decay = λ` equals `l2 = λ / 2` on every parameter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::config::check::{Invalid, not_negative};
use crate::network::arena::Arena;
use crate::train::per_replica::PerReplica;

/// Factors of the penalties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Penalty {
    /// Factor of the sum of absolute weights.
    pub l1: f64,
    /// Factor of the sum of squared weights.
    pub l2: f64,
}

impl Penalty {
    /// Checks the settings.
    ///
    /// # Errors
    /// When one is negative. Keys are relative to `penalty`.
    pub fn check(&self) -> Result<(), Invalid> {
        not_negative("l1", self.l1)?;
        not_negative("l2", self.l2)
    }

    /// Returns the penalties of the replicas for the weights of a stack; `None` if all are 0. A single penalty applies to
    /// all replicas.
    pub fn on(replicas: &[Penalty], arena: &Arena) -> Option<AppliedPenalty> {
        if replicas.iter().all(|penalty| *penalty == Penalty::default()) {
            return None;
        }
        let each = |number: fn(&Penalty) -> f64| {
            PerReplica::new(&replicas.iter().map(number).collect::<Vec<_>>(), arena.values().device())
        };
        let weights = arena.values().zeros_like().narrow(0, 0, 1).to_kind(Kind::Float); // [1, parameters]
        // weights of layers, unlike the scales of normalization layers, have at least two dimensions
        for slot in arena.slots().iter().filter(|slot| slot.is_weight() && slot.shape.len() >= 2) {
            let _ = slot.view(&weights).fill_(1.0);
        }
        Some(AppliedPenalty { l1: each(|penalty| penalty.l1), twice_l2: each(|penalty| 2.0 * penalty.l2), weights })
    }

    /// Adds the gradient of the penalty, `l1 · sign(w) + 2 · l2 · w`, for weights in memory.
    pub(in crate::train) fn add_to_slice(self, gradient: &mut [f32], weights: &[f32]) {
        let (l1, twice_l2) = (self.l1 as f32, (2.0 * self.l2) as f32);
        let each = || weights.iter().copied();
        if l1 > 0.0 {
            let signs = each().map(|weight| f32::from(weight > 0.0) - f32::from(weight < 0.0));
            gradient.iter_mut().zip(signs).for_each(|(slope, sign)| *slope += l1 * sign);
        }
        if twice_l2 > 0.0 {
            gradient.iter_mut().zip(each()).for_each(|(slope, weight)| *slope += twice_l2 * weight);
        }
    }
}

/// The penalties of a stack with a mask of the parameters to which they apply.
#[derive(Debug)]
pub struct AppliedPenalty {
    l1: PerReplica,
    twice_l2: PerReplica,
    weights: Tensor, // [1, parameters]: 1 for weights, 0 for others
}

impl AppliedPenalty {
    /// Adds the gradient of each replica's penalty, `l1 · sign(w) + 2 · l2 · w`, in place.
    ///
    /// # Shapes
    /// `gradient` and `values` are `[replicas, parameters]`.
    pub fn add_to(&self, gradient: &mut Tensor, values: &Tensor) {
        if !self.l1.is_zero() {
            let _ = gradient.addcmul_(&values.sign(), &self.l1.mul(&self.weights));
        }
        if !self.twice_l2.is_zero() {
            let _ = gradient.addcmul_(values, &self.twice_l2.mul(&self.weights));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::arena::{LayerTensors, NamedShape};
    use tch::Device;

    #[test]
    fn weights_are_penalized_and_neither_biases_nor_scales() {
        let parameter =
            |name: &str, shape: &[i64]| NamedShape { name: name.to_owned(), shape: shape.to_vec(), layer: 0 };
        let parameters = vec![
            parameter("0.weight", &[1, 2]),
            parameter("0.bias", &[1]),
            parameter("1.weight", &[1]),
            parameter("2.weight_hh_l0", &[2, 1]),
        ];
        let zeros = parameters.iter().map(|named| Tensor::zeros(&named.shape[..], (Kind::Float, Device::Cpu)));
        let initial = LayerTensors { parameters: zeros.collect(), buffers: Vec::new() };
        let arena = Arena::new(parameters, Vec::new(), &[initial], Device::Cpu);
        let weights = Penalty::on(&[Penalty { l1: 1.0, l2: 0.0 }], &arena).unwrap().weights;
        assert_eq!(Vec::<Vec<f32>>::try_from(weights).unwrap(), [[1.0, 1.0, 0.0, 0.0, 1.0, 1.0]]);
    }
}
