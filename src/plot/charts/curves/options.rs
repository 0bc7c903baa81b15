//! What is drawn of learning curves.

use crate::compare::trial;
use crate::plot::draw::page::Size;

/// What is drawn.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The metrics; by default the loss, and accuracy or what else there is. `acc` is training and validation, `val_acc`
    /// validation alone.
    pub metrics: Vec<String>,
    /// What lies along the horizontal axis.
    pub x: trial::Axis,
    /// Whether the vertical axes are log.
    pub log: bool,
    /// How large the picture is.
    pub size: Size,
}
