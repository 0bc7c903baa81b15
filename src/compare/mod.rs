//! Comparing runs: which is better, by how much, and whether the difference is statistically significant.
//!
//! [`find`] reads the runs that a command names into groups ([`group`]): one variant over its seeds and folds. A
//! [`trial::Trial`] is one history of `runner` or of another program. [`differing_settings`] lists what differs between groups.
//! [`statistics`] tests the differences.

pub mod caution;
pub mod comparison;
pub mod differing_settings;
pub mod direction;
pub mod find;
pub mod foreign_trial;
pub mod group;
mod label;
pub mod metric_name;
pub mod positive_class;
pub mod ranking;
pub mod runs;
pub mod settings;
pub mod statistics;
pub mod sweep_trials;
pub mod trial;
