//! Learning curves: one list per metric with one entry per epoch, as Keras's `History.history`. They convert directly with
//! `pandas.DataFrame(history["history"])`.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::number::Number;

/// Metrics by epoch; all lists have the same length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Curves {
    /// Numbers of the epochs, from 1.
    pub epoch: Vec<usize>,
    /// The metrics: `loss`, `acc`, `val_loss`, `val_acc`, `lr`, `seconds`, …
    ///
    /// `loss` is the mean loss of the batches in training mode, weighted by their number of rows: the mean over the rows of
    /// the epoch, where the loss of a row is computed before the step of its batch. With row weights `w` it is
    /// `Σ w·l / Σ w` over the rows of the epoch. With `class_weights` the loss of each batch is divided by the sum of its
    /// class weights, as in PyTorch. `val_loss` is `Σ w·l / Σ w` over all validation rows at once, with the same weights, in
    /// evaluation mode. All other metrics count every row once.
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

    /// Returns the number of epochs.
    pub fn len(&self) -> usize {
        self.epoch.len()
    }

    /// Returns whether there are no epochs.
    pub fn is_empty(&self) -> bool {
        self.epoch.is_empty()
    }

    /// Returns the values of a metric by epoch, or `None` if there is no such metric.
    pub fn metric(&self, name: &str) -> Option<Vec<f64>> {
        Some(self.series.get(name)?.iter().map(|number| number.0).collect())
    }

    /// Returns the value of a metric in one epoch.
    pub fn at(&self, epoch: usize, name: &str) -> Option<f64> {
        let row = self.epoch.iter().position(|&number| number == epoch)?;
        Some(self.series.get(name)?.get(row)?.0)
    }

    /// Returns whether the learning rate ends below 2 % of its highest value, so that more epochs would change little.
    pub fn ends_with_small_lr(&self) -> bool {
        const SMALL: f64 = 0.02;
        let lrs = self.metric("lr").unwrap_or_default();
        lrs.last().is_some_and(|last| *last < SMALL * lrs.iter().copied().fold(0.0, f64::max))
    }
}
