//! Metric paths: names of the values of a history.
//!
//! Examples: `first.loss`, `last.val_acc`, `epoch.11.loss`, `best.val_acc` (in the best epoch), `best.epoch`,
//! `min.val_loss`, `max.val_acc` (over all epochs), `test.acc`, `test.report.macro.f1`, `test.report.classes.1.recall`,
//! `test.confusion.1.0` (rows of class 1 predicted as class 0), `diagnosis.val_loss_rise`, `learned.0.bias.0`,
//! `learned.prediction.3.0` (first output for the fourth training row), `data.rows.train`, `tree.depth` and `status`.

mod former_names;
mod lookup;
pub mod metric_value;

pub use former_names::{canonical, current};
pub use lookup::{lookup, lookup_number};
pub use metric_value::{MetricValue, PREDICTION, STATUS, VARIANT_SEPARATOR};
