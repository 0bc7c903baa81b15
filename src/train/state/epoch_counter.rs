//! Number of epochs trained so far, which another thread may read while an epoch is trained.

use std::sync::atomic::{AtomicU64, Ordering};

/// Number of epochs trained so far, with the part of the current one. Only the training thread writes it, so that a step
/// costs one store.
#[derive(Debug)]
pub struct EpochCounter(AtomicU64);

impl EpochCounter {
    /// Returns the number of epochs with the part of the current one; `None` before the first epoch.
    pub fn epochs(&self) -> Option<f64> {
        Some(f64::from_bits(self.0.load(Ordering::Relaxed))).filter(|epochs| !epochs.is_nan())
    }

    /// Sets the number of epochs.
    pub fn set(&self, epochs: f64) {
        self.0.store(epochs.to_bits(), Ordering::Relaxed);
    }

    /// Adds a part of an epoch.
    pub(in crate::train) fn add(&self, part: f64) {
        self.set(self.epochs().unwrap_or_default() + part);
    }
}

impl Default for EpochCounter {
    fn default() -> Self {
        EpochCounter(AtomicU64::new(f64::NAN.to_bits()))
    }
}
