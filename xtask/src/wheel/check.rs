//! The tests of the wheel: in an empty environment, and those of the package.

use std::env;
use std::path::Path;

use anyhow::Result;

use crate::python::{self, Environment};
use crate::workspace::Workspace;
use crate::{folders, process};

const REQUIREMENTS: &str = "python/requirements-tests.txt";

/// Exit code of `check_wheel.py` if the package registry cannot be reached.
const NOT_TESTED: i32 = 3;

/// Result of the tests of the package.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// The package registry cannot be reached.
    NotTested,
    /// The check that failed, and a hint.
    Failed(&'static str, &'static str),
}

/// Installs the wheel into an empty environment and trains with it, then runs the tests of the package on the wheel's files.
pub fn check(workspace: &Workspace, wheel: &Path) -> Result<Outcome> {
    let mut empty = python::script(workspace, "python/check_wheel.py")?;
    let status = process::status(empty.arg(wheel))?;
    match status.code() {
        Some(0) => {}
        Some(NOT_TESTED) if !is_ci() => return Ok(Outcome::NotTested),
        _ => return Ok(Outcome::Failed("the wheel in an empty environment", "see the message above")),
    }
    let environment = Environment::with(workspace, "package", &[REQUIREMENTS])?;
    let unpacked = workspace.target().join("wheel").join("unpacked");
    folders::remove(&unpacked)?;
    let mut unpack = environment.command(workspace);
    unpack.args(["python/unpack_wheel.py"]).arg(wheel).arg(&unpacked);
    let mut tests = environment.command(workspace);
    tests.args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider", "python/tests"]).env("PYTHONPATH", &unpacked);
    // Cargo sets `LIBTORCH` for the programs that it runs; here the torch of the environment is used.
    tests.env_remove("LIBTORCH").env_remove("RUNNER_PROGRAM");
    for command in [&mut unpack, &mut tests] {
        if !process::succeeds(command)? {
            return Ok(Outcome::Failed("the tests of the Python package", "see the failures above"));
        }
    }
    Ok(Outcome::Passed)
}

fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}
