//! The bodies of the fuzz targets, which the tests of `runner` run too.

#[path = "../../tests/it/hostile/targets.rs"]
pub mod targets;
