//! Learning curves: one list for each metric, one entry for each epoch, the shape of Keras's `History.history`, so
//! that `pandas.DataFrame(history["history"])` just works.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::number::Number;

/// Metrics by epoch; all lists have the same length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Curves {
    /// The epochs' numbers, from 1.
    pub epoch: Vec<usize>,
    /// The metrics: `loss`, `acc`, `val_loss`, `val_acc`, `lr`, `seconds`, …
    ///
    /// `loss` is the mean of the batches' losses in training mode, each counted by its number of rows: the mean over the
    /// epoch's rows, each taken before the step of its batch. With row weights `w` each batch counts by the sum of its
    /// weights, so that it is `Σ w·l / Σ w` over the epoch's rows. With `class_weights` each batch's loss is divided by the
    /// sum of its own class weights, as PyTorch does. `val_loss` is `Σ w·l / Σ w` over all validation rows at once, with the
    /// same weights, in evaluation mode. All other metrics count every row once.
    #[serde(flatten)]
    pub series: IndexMap<String, Vec<Number>>,
}

impl Curves {
    /// Adds an epoch.
    pub fn push(&mut self, epoch: usize, row: &[(&str, f64)]) {
        self.epoch.push(epoch);
        for (name, value) in row {
            self.series.entry((*name).to_owned()).or_default().push(Number(*value));
        }
    }

    /// How many epochs there are.
    pub fn len(&self) -> usize {
        self.epoch.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.epoch.is_empty()
    }

    /// One metric by epoch, or `None` when there is no such metric.
    pub fn metric(&self, name: &str) -> Option<Vec<f64>> {
        Some(self.series.get(name)?.iter().map(|number| number.0).collect())
    }

    /// One metric in one epoch.
    pub fn at(&self, epoch: usize, name: &str) -> Option<f64> {
        let row = self.epoch.iter().position(|&number| number == epoch)?;
        Some(self.series.get(name)?.get(row)?.0)
    }
}
