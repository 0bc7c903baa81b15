//! Length of training, and the position of a step in it.

/// Length of training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Number of epochs.
    pub epochs: usize,
    /// Number of steps in each epoch.
    pub steps: usize,
}

/// Position of a step in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepPosition {
    /// Epoch, from 0.
    pub epoch: usize,
    /// Step of the epoch, from 0.
    pub step: usize,
}
