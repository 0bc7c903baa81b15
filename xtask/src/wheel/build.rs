//! Building the wheel: `python/build_wheel.py` with the programs of this build.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::python::{self, Environment};
use crate::workspace::Workspace;

const REQUIREMENTS: &str = "python/requirements-build.txt";

/// Builds the wheel of `runner` and the `runner-engine` beside it in `target/wheel`, and returns its path.
pub fn build(workspace: &Workspace, runner: &Path) -> Result<PathBuf> {
    let environment = Environment::with(workspace, "wheel", &[REQUIREMENTS])?;
    let mut command = environment.command(workspace);
    let engine = runner.with_file_name(format!("runner-engine{}", env::consts::EXE_SUFFIX));
    command.arg("python/build_wheel.py").arg(runner).arg(engine).arg(workspace.target().join("wheel"));
    python::run_script(&mut command).map(PathBuf::from)
}
