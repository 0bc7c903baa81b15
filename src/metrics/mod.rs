//! Metrics: figures that people read, beside the loss that training minimizes.
//!
//! A metric is taken from what a network made of all rows, once for each epoch, for every replica at once. Each knows
//! its name, whether higher is better, and which targets it fits. Adding one is a file beside this one and the lines
//! here that the compiler then asks for.

pub mod accuracy;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::check::Invalid;
use crate::data::Target;
use accuracy::Decision;

/// A figure of a network on rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The share of rows (or of yes-or-no labels) that are predicted right.
    #[serde(alias = "accuracy")]
    Acc,
}

impl Metric {
    /// The metrics that a run takes unless others are named.
    pub fn defaults(target: Target) -> Vec<Metric> {
        match target {
            Target::Classes(_) | Target::Labels(_) => vec![Metric::Acc],
            Target::Values(_) => Vec::new(),
        }
    }

    /// The name in histories; of validation rows, with `val_` before it.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Acc => "acc",
        }
    }

    /// Whether a higher value is a better one.
    pub fn higher_is_better(self) -> bool {
        match self {
            Metric::Acc => true,
        }
    }

    /// Checks that the metric can be taken of such targets.
    ///
    /// # Errors
    /// When it cannot; the message says what it is for.
    pub fn check_fit(self, target: Target) -> Result<(), Invalid> {
        match (self, target) {
            (Metric::Acc, Target::Classes(_) | Target::Labels(_)) => Ok(()),
            (Metric::Acc, Target::Values(_)) => {
                Err(Invalid::new("metrics", format!("holds `acc`, which is for classes, and the target is {target}")))
            }
        }
    }

    /// The metric of each replica.
    ///
    /// # Shapes
    /// `outputs` `[replicas, rows, outputs]`; `truth` `[replicas, rows]` int64 for classes, otherwise
    /// `[replicas, rows, outputs]` f32 → `[replicas]`, f64, on the same device, NaN where it is undefined.
    pub fn of_each_replica(self, outputs: &Tensor, truth: &Tensor, decision: Decision) -> Tensor {
        match self {
            Metric::Acc => accuracy::of_each_replica(outputs, truth, decision),
        }
    }
}
