//! Experiments: from a TOML file to checked plans, and from a plan to histories on disk.

pub mod plan;
pub mod predict;
pub mod run;
pub mod spec;
pub mod store;
pub mod verify;
