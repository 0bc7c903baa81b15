//! Figures of a history by their names.
//!
//! The names are paths: `first.loss`, `last.val_acc`, `epoch.11.loss`, `best.val_acc` (in the best epoch),
//! `best.epoch`, `min.val_loss`, `max.val_acc` (over all epochs), `test.acc`, `test.report.macro.f1`,
//! `test.report.classes.1.recall`, `test.confusion.1.0` (rows of class 1 that were predicted as class 0),
//! `diagnosis.val_loss_rise`, `learned.0.bias.0`, `learned.prediction.3.0` (of the fourth training row, the first output);
//! `data.rows.train`, `tree.depth`; and `status`.

mod by_name;
pub mod found;

pub use by_name::{figure, number};
pub use found::{Found, PREDICTION, STATUS, VARIANT_SEPARATOR};
