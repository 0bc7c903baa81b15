//! Checks an experiment completely before training: settings, shapes, metrics and expectations.

pub mod available_metrics;
mod checked_plan;
pub mod expectations;
pub mod module_copies;
pub mod network_plan;
pub mod positive_class;
pub mod study;
pub mod variant_planner;

pub use crate::experiment::plan::checked_plan::{BASE, Model, Plan};
