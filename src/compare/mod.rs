//! Comparing runs: which is better, by how much, and whether that is more than luck.
//!
//! What a command names is found and read ([`find`]) into groups ([`group`]): one variant over its seeds and folds. A
//! [`trial::Trial`] is one history, ours or another program's. [`settings`] tells what differs between groups, and
//! [`statistics`] how sure a difference is.

pub mod caution;
pub mod comparison;
pub mod direction;
pub mod filter;
pub mod find;
pub mod foreign_trial;
pub mod group;
mod label;
pub mod metric_name;
pub mod past;
pub mod positive_class;
pub mod ranking;
pub mod settings;
pub mod statistics;
pub mod trial;
