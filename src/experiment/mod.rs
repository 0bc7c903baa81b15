//! Experiments: from a TOML file to checked plans, and from a plan to histories on disk.

pub mod agreement;
pub mod catalogue;
pub mod expect;
pub mod failure;
pub mod figures;
pub mod footprint;
pub mod given;
pub mod network_plan;
pub mod origin;
pub mod overrides;
pub mod plan;
pub mod prediction;
pub mod queue;
pub mod records;
pub mod run;
pub mod runs;
pub mod saved;
pub mod source_rows;
pub mod source_text;
pub mod spec;
pub mod stacking;
pub mod study;
pub mod testing;
pub mod tree_trials;
pub mod trial_data;
pub mod trials;
