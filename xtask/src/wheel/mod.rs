//! `cargo xtask wheel`: the Python package with the programs, and its tests.

mod build;
mod check;

use std::process::ExitCode;

use anyhow::Result;

pub use build::build;
pub use check::{Outcome, check};

use crate::cargo::build_runner;
use crate::console;
use crate::libtorch::setup::Source;
use crate::workspace::Workspace;

/// Builds the wheel and prints its path; tests it if `with_tests`.
pub fn run(workspace: &Workspace, source: &Source, with_tests: bool) -> Result<ExitCode> {
    let runner = build_runner(workspace, source)?;
    let wheel = build(workspace, &runner)?;
    console::note(&format!("the wheel is `{}`", wheel.display()));
    if !with_tests {
        return Ok(ExitCode::SUCCESS);
    }
    match check(workspace, &wheel)? {
        Outcome::Failed(check, hint) => Ok(console::failed(check, hint)),
        Outcome::Passed | Outcome::NotTested => Ok(ExitCode::SUCCESS),
    }
}
