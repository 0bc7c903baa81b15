//! Diagnosis of learning curves: underfitting, good, overfitting, unstable or diverged, with the numbers behind it.
//!
//! The rules with their thresholds and sentences are in `rules`, smoothing and noise in `series`.
//! `docs/DIAGNOSIS.md` has the confusion matrix on labeled curves.

#[cfg(test)]
mod benchmark;
mod rules;
mod series;
pub mod verdict;

pub use rules::diagnose;
pub use verdict::{Diagnosis, Verdict, canonical};
