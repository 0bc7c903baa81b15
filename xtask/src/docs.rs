//! `cargo xtask docs`: the output shown in the documentation, and the book.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::cargo::build_runner;
use crate::libtorch::setup::Source;
use crate::python::Environment;
use crate::workspace::Workspace;
use crate::{console, process};

const REQUIREMENTS: &str = "xtask/scripts/requirements-docs.txt";

/// Updates or checks the output shown, then builds the book in `target/book`; exit code 1 if a check fails.
pub fn run(workspace: &Workspace, source: &Source, check: bool) -> Result<ExitCode> {
    let runner = build_runner(workspace, source)?;
    if let Some(code) = build(workspace, &runner, check)? {
        return Ok(code);
    }
    console::note(&format!("the book is in `{}`", workspace.target().join("book").display()));
    Ok(ExitCode::SUCCESS)
}

/// Updates or checks the output shown, then builds the book; returns an exit code if a check fails.
pub fn build(workspace: &Workspace, runner: &Path, check: bool) -> Result<Option<ExitCode>> {
    let environment = Environment::with(workspace, "docs", &[REQUIREMENTS])?;
    let mut book = environment.command(workspace);
    book.args(["-m", "mkdocs", "build", "--strict", "--site-dir"]).arg(workspace.target().join("book"));
    let mut outputs = environment.command(workspace);
    outputs.arg("docs/update_outputs.py").arg("--runner").arg(runner).args(check.then_some("--check"));
    let hint = if check { "run `cargo xtask docs` to update it" } else { "fix the command named above" };
    let mut steps = [
        ("the book", book, "fix the links and pages named above; `mkdocs.yml` lists the pages"),
        ("output shown in the documentation", outputs, hint),
    ];
    if !check {
        steps.reverse();
    }
    for (title, mut command, hint) in steps {
        if !process::succeeds(&mut command)? {
            return Ok(Some(console::failed(title, hint)));
        }
    }
    Ok(None)
}
