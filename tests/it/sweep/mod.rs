//! Sweeps: planning, workers that share a directory, and results.

mod additions;
mod bad_input;
mod changed_data;
mod dry_run;
mod expectations;
mod export;
mod failures;
#[cfg(target_os = "linux")]
mod faults;
mod halving;
#[cfg(target_os = "linux")]
mod jobs;
mod killed;
mod kinds;
mod reading;
mod results;
#[cfg(target_os = "linux")]
mod signals;
pub mod sweep_run;
mod tpe;
mod verify;

use crate::support::{TestDir, idea_with};

/// A small experiment on the digits with validation rows, and this text at its end.
fn idea(sweep: &str) -> String {
    format!("{}\n{sweep}\n", idea_with("[data.digits]", "[data.digits]\nsplit = { validation = 0.2, test = 0.2 }"))
}

/// A directory with this experiment as `idea.toml`.
fn dir(sweep: &str) -> TestDir {
    let dir = TestDir::new();
    dir.write("idea.toml", idea(sweep));
    dir
}
