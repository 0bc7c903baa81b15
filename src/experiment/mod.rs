//! Experiments: read a TOML file (`spec`), check it (`plan`), train it (`run`), keep the results (`store`), repeat and
//! compare them (`verify`) and predict new rows (`predict`).

pub mod plan;
pub mod predict;
pub mod run;
pub mod spec;
pub mod store;
pub mod verify;
