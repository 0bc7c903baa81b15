//! Where the time of training goes, phase by phase.

use serde::Serialize;

/// Seconds spent in each phase of training, of one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Phases {
    /// Choosing the rows of a batch.
    pub gather: f64,
    /// Through the network.
    pub forward: f64,
    /// The loss, and its gradient.
    pub backward: f64,
    /// The optimizer's steps.
    pub optimizer: f64,
    /// Waiting for the other threads of a batch.
    pub waiting: f64,
    /// The order of an epoch, and its figures.
    pub metrics: f64,
    /// The validation rows.
    pub evaluation: f64,
}
