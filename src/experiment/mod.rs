//! Experiments: read a TOML file (`spec`), check it (`plan`), train it (`run`), drop variants early (`halving`), keep the
//! results (`store`), repeat and compare them (`verify`), predict new rows (`predict`) and write new files (`template`).

pub mod dry_run;
pub mod halving;
pub mod plan;
pub mod predict;
pub mod run;
pub mod run_options;
pub mod spec;
pub mod store;
pub mod template;
pub mod verify;
