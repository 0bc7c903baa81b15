//! Losses of numeric targets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, positive};

/// Huber loss: `(y − t)² / 2` for errors up to `delta`, `delta · (|y − t| − delta / 2)` beyond (PyTorch: `huber_loss`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Huber {
    /// Error from which the loss is linear.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Huber { delta: 1.0 }
    }
}

impl Huber {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        positive("delta", self.delta)
    }
}
