//! How long training is, and a step in it.

/// How long training is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Epochs.
    pub epochs: usize,
    /// Steps of each epoch.
    pub steps: usize,
}

/// A step of training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The epoch, from 0.
    pub epoch: usize,
    /// The step of the epoch, from 0.
    pub step: usize,
}
