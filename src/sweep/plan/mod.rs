//! Plans a sweep: its configurations, each checked completely, and the stacks that train them.

mod base_settings;
mod configuration_fault;
pub mod confirm;
pub mod confirm_check;
mod expectations;
pub mod extension;
mod halving;
pub mod metric;
mod plan_sweep;
pub mod request;
pub mod round;
pub mod stack_study;
pub mod stacks;

pub use crate::sweep::plan::plan_sweep::{PlannedSweep, plan};
