//! What an experiment expects of its trials, held against what came.
//!
//! An expectation speaks of each trial by itself, or, with `over`, of a statistic of all seeds and folds of a variant.
//! A claim says in words what expectations bear out; it stands on the first of them, and holds for those below it that
//! have none of their own.

pub mod expected;
pub mod verified;
mod verify;

pub use expected::{Expectation, Over};
pub use verified::Verified;
pub use verify::verify;
