//! Regularization: augmentation, penalties, clipping, early stopping.

pub mod augment;
pub mod clip;
pub mod early_stopping;
pub mod penalty;
