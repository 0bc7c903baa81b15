//! Choice of the weights that a trial ends with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Weights that a trial ends with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Weights of the best epoch by the monitored metric.
    #[default]
    Best,
    /// Weights of the last epoch.
    Last,
}
