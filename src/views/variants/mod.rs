//! Views of an experiment's variants: their table, which one is best, how their trials ended, and data leakage.

pub mod baselines;
pub mod leakage;
pub mod legend;
pub mod order;
pub mod ranking;
pub mod table;
pub mod trial_status;
pub mod val_loss_rise;
pub mod variant;
