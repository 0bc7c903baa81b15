//! Diagnosis of learning curves: underfitting, good, overfitting, unstable or diverged, with the numbers behind it.
//!
//! The rules and their thresholds are in `rules`, the sentences in `sentence`, smoothing and noise in `series`.
//! `docs/DIAGNOSIS.md` has the confusion matrix on labeled curves.

#[cfg(test)]
mod benchmark;
mod finding;
mod rules;
mod sentence;
mod series;
pub mod verdict;

pub use rules::diagnose;
pub use verdict::{Diagnosis, Verdict, canonical};
