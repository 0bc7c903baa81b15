//! `cargo xtask lessons`: builds `runner` and runs `xtask/scripts/lessons.py`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cargo::build_runner;
use crate::cli::LessonsArgs;
use crate::libtorch::setup::Source;
use crate::workspace::Workspace;
use crate::{process, python};

/// Runs the experiments and writes the page or its pass rates; exit code 1 if an expectation is not met.
pub fn run(workspace: &Workspace, source: &Source, args: &LessonsArgs) -> Result<ExitCode> {
    let mut script = python::script(workspace, "xtask/scripts/lessons.py")?;
    script.arg("--runner").arg(build_runner(workspace, source)?).args(args.quick.then_some("--quick"));
    if let Some(seeds) = &args.seeds {
        let seeds: Vec<String> = seeds.0.iter().map(ToString::to_string).collect();
        script.arg(format!("--seeds={}", seeds.join(",")));
    }
    process::exit_code(script.args(&args.names))
}
