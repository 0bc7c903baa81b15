//! Scaling features, which a network trains better on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// How features are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// As they are.
    #[default]
    None,
    /// Divided by the largest value that a feature can have: 0–255 → 0–1. Nothing is fitted.
    Unit,
}

impl Scale {
    /// Any kind → f32, same shape.
    pub fn apply(self, features: &Tensor, largest: f64) -> Tensor {
        let features = features.to_kind(Kind::Float);
        match self {
            Scale::None => features,
            Scale::Unit => features / largest,
        }
    }
}
