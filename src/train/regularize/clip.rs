//! Gradient clipping by the norm of a replica's gradient or by value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use crate::config::check::{Invalid, positive};
use crate::train::per_replica::PerReplica;

/// Limit of the gradient; written `{ norm = 1.0 }` or `{ value = 0.5 }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clip {
    /// Maximum L2 norm of a replica's gradient, as `torch.nn.utils.clip_grad_norm_`: `g · min(1, norm / (‖g‖₂ +
    /// 1e-6))`.
    Norm(f64),
    /// Maximum absolute value of each element, as `torch.nn.utils.clip_grad_value_`.
    Value(f64),
}

impl Clip {
    /// Checks the limit.
    ///
    /// # Errors
    /// When it is not above 0. Keys are relative to `clip`.
    pub fn check(self) -> Result<(), Invalid> {
        let (kind, limit) = match self {
            Clip::Norm(norm) => ("norm", norm),
            Clip::Value(value) => ("value", value),
        };
        positive(kind, limit).map_err(|fault| fault.hint(format!("write, for example, `clip = {{ {kind} = 1.0 }}`")))
    }

    /// Returns the clipping of a stack, whose replicas clip by the same measure; a single limit applies to all.
    pub fn on(replicas: &[Clip], device: Device) -> AppliedClip {
        let limit = |clip: &Clip| match *clip {
            Clip::Norm(limit) | Clip::Value(limit) => limit,
        };
        let limits = PerReplica::new(&replicas.iter().map(limit).collect::<Vec<_>>(), device);
        AppliedClip { clip: replicas[0], limits }
    }

    /// Returns the same measure with a fixed limit.
    pub fn shared(self) -> Clip {
        match self {
            Clip::Norm(_) => Clip::Norm(1.0),
            Clip::Value(_) => Clip::Value(1.0),
        }
    }
}

/// Clipping with a limit for each replica.
#[derive(Debug)]
pub struct AppliedClip {
    /// That of the first replica.
    clip: Clip,
    limits: PerReplica,
}

impl AppliedClip {
    /// Clips the gradient of each replica, in place.
    ///
    /// # Shapes
    /// `gradient` is `[replicas, parameters]`.
    pub fn apply(&self, gradient: &mut Tensor) {
        let _ = match (self.clip, self.limits.column(gradient.kind())) {
            (Clip::Norm(_), _) => {
                let norm = gradient.norm_scalaropt_dim(2.0, [1], true); // [replicas, 1]
                let factor = self.limits.mul(&(norm + 1e-6).reciprocal());
                gradient.g_mul_(&factor.clamp_max(1.0))
            }
            (Clip::Value(limit), None) => gradient.clamp_(-limit, limit),
            (Clip::Value(_), Some(limits)) => gradient.clamp_tensor_(Some(-&limits), Some(limits)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clipped(replicas: &[Clip], gradient: [[f32; 2]; 3]) -> Vec<f32> {
        let mut gradient = Tensor::from_slice2(&gradient);
        Clip::on(replicas, Device::Cpu).apply(&mut gradient);
        Vec::try_from(gradient.flatten(0, -1)).unwrap()
    }

    #[test]
    fn one_replicas_norm_does_not_shorten_anothers_gradient() {
        let found = clipped(&[Clip::Norm(1.0)], [[3.0, -4.0], [0.3, 0.4], [f32::NAN, 1.0]]);
        let wanted = [0.6, -0.8, 0.3, 0.4];
        assert!(found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-6), "{found:?}");
        assert!(found[4].is_nan() && found[5].is_nan());
    }

    #[test]
    fn values_are_brought_between_the_limits() {
        let found = clipped(&[Clip::Value(0.5)], [[3.0, -4.0], [0.25, -0.25], [f32::INFINITY, 0.0]]);
        assert_eq!(found, [0.5, -0.5, 0.25, -0.25, 0.5, 0.0]);
    }

    #[test]
    fn every_replica_has_its_own_limit() {
        let found = clipped(&[1.0, 0.25, 2.5].map(Clip::Norm), [[3.0, -4.0], [0.3, 0.4], [3.0, 4.0]]);
        let wanted = [0.6, -0.8, 0.15, 0.2, 1.5, 2.0];
        assert!(found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-5), "{found:?}");
        let found = clipped(&[0.5, 4.0, 0.1].map(Clip::Value), [[3.0, -4.0], [3.0, -5.0], [0.2, f32::NEG_INFINITY]]);
        assert_eq!(found, [0.5, -0.5, 3.0, -4.0, 0.1, -0.1]);
    }
}
