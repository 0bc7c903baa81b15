//! Starts the worker processes of a sweep on this machine, and replaces those that die.

pub mod devices;
pub mod pool;
mod process;
