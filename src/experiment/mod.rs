//! Experiments: from a TOML file to checked plans, and from a plan to histories on disk.

pub mod catalogue;
pub mod expect;
pub mod overrides;
pub mod plan;
pub mod run;
pub mod source_text;
pub mod spec;
pub mod stacking;
pub mod study;
pub mod trials;
