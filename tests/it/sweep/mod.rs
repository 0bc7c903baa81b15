//! Sweeps: workers that share a directory.

mod failures;
#[cfg(target_os = "linux")]
mod faults;
mod killed;
mod results;
mod sweep_run;
