//! Halving: at the end of some epochs, the rungs, only the best configurations of a stack continue.

pub mod decision;
pub mod replay;
pub mod rule;
pub mod rung_metric;
