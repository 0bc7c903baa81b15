//! Training: losses, optimizers and the loop.

pub mod evaluate;
pub mod fit;
pub mod loss;
pub mod optimizer;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Invalid, at_least_one, require};
use crate::short_form::named;

/// The `[train]` table of an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainSpec {
    /// How often the training rows are gone through.
    pub epochs: usize,
    /// How many rows make a step.
    #[serde(alias = "batch_size")]
    pub batch: Batch,
    /// Whether each epoch goes through the rows in an order of its own.
    #[serde(default = "yes")]
    pub shuffle: bool,
    /// What is minimized.
    pub loss: loss::Loss,
    /// How.
    #[serde(deserialize_with = "named")]
    pub optimizer: optimizer::Optimizer,
    /// The metric that tells the best epoch; `val_loss` with validation rows, otherwise `loss`.
    #[serde(default)]
    pub monitor: Option<String>,
    /// Which weights are saved, and tested.
    #[serde(default)]
    pub keep: Keep,
}

fn yes() -> bool {
    true
}

/// The weights that a trial ends with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Those of the best epoch by the monitored metric.
    #[default]
    Best,
    /// Those of the last epoch.
    Last,
}

/// How many rows make a step: a number, or `"full"` for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenBatch", into = "WrittenBatch")]
#[schemars(with = "WrittenBatch")]
pub enum Batch {
    /// All rows at once.
    Full,
    /// So many rows; the last batch of an epoch may be smaller.
    Rows(usize),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a whole number of at least 1, or `\"full\"`")]
enum WrittenBatch {
    Rows(usize),
    Word(String),
}

impl TryFrom<WrittenBatch> for Batch {
    type Error = String;

    fn try_from(written: WrittenBatch) -> Result<Self, String> {
        match written {
            WrittenBatch::Rows(rows) => Ok(Batch::Rows(rows)),
            WrittenBatch::Word(word) if word == "full" => Ok(Batch::Full),
            WrittenBatch::Word(word) => Err(format!("expected a whole number or `\"full\"`, found `{word:?}`")),
        }
    }
}

impl From<Batch> for WrittenBatch {
    fn from(batch: Batch) -> Self {
        match batch {
            Batch::Rows(rows) => WrittenBatch::Rows(rows),
            Batch::Full => WrittenBatch::Word("full".to_owned()),
        }
    }
}

impl Batch {
    /// The size of a batch of a data set of so many rows; larger ones are one batch.
    pub fn size(self, rows: usize) -> usize {
        match self {
            Batch::Full => rows,
            Batch::Rows(size) => size.min(rows),
        }
        .max(1)
    }
}

/// The metrics that an epoch has, and whether higher is better.
pub const METRICS: [(&str, bool); 4] = [("loss", false), ("acc", true), ("val_loss", false), ("val_acc", true)];

impl TrainSpec {
    /// Checks the settings.
    ///
    /// # Errors
    /// When one is out of its range, or the monitored metric does not exist; the key is relative to `train`.
    pub fn check(&self, has_validation: bool) -> Result<(), Invalid> {
        at_least_one("epochs", self.epochs)?;
        require(self.epochs <= 1_000_000, "epochs", "must be at most 1,000,000", self.epochs)?;
        if let Batch::Rows(rows) = self.batch {
            at_least_one("batch", rows)?;
        }
        self.optimizer.check().map_err(|fault| fault.under("optimizer"))?;
        if let Some(monitor) = &self.monitor {
            let known: Vec<&str> = METRICS
                .iter()
                .map(|(name, _)| *name)
                .filter(|name| has_validation || !name.starts_with("val_"))
                .collect();
            if !known.contains(&monitor.as_str()) {
                let hint = match monitor.strip_prefix("val_") {
                    Some(_) if !has_validation => {
                        "split off validation rows: `split = { validation = 0.2 }`".to_owned()
                    }
                    _ => crate::suggest::hint(monitor, known),
                };
                return Err(Invalid::new("monitor", format!("names no metric of this run: `{monitor}`")).hint(hint));
            }
        }
        Ok(())
    }

    /// The metric that tells the best epoch, and whether higher is better.
    pub fn monitored(&self, has_validation: bool) -> (&str, bool) {
        let default = if has_validation { "val_loss" } else { "loss" };
        let name = self.monitor.as_deref().unwrap_or(default);
        let higher_is_better = METRICS.iter().any(|(metric, higher)| *metric == name && *higher);
        (name, higher_is_better)
    }
}
