//! Sweeps: workers that share a directory.

mod failures;
mod killed;
mod results;
mod sweep_run;
