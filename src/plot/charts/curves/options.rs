//! What is drawn of learning curves.

use crate::compare::trial;
use crate::plot::draw::page::Size;

/// What is drawn.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The metrics; by default the loss, and accuracy or another metric. `acc` means training and validation, `val_acc`
    /// only validation.
    pub metrics: Vec<String>,
    /// The horizontal axis.
    pub x: trial::Axis,
    /// Whether the vertical axes are logarithmic.
    pub log: bool,
    /// The size of the plot.
    pub size: Size,
}
