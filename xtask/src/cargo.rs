//! Cargo with libtorch in its environment.

use std::env;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::libtorch::setup::Source;
use crate::libtorch::{compiler, user_libtorch};
use crate::process;
use crate::workspace::Workspace;

/// Returns `cargo ARGS…` in the root of the clone, with `LIBTORCH` set.
pub fn cargo(workspace: &Workspace, source: &Source, args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace.root()).args(args);
    if *source != Source::UserPyTorch {
        command.env("LIBTORCH", user_libtorch::libtorch_variable(workspace));
    }
    // Cargo sets these for xtask's package; a build script that watches them would run again each time.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    // The user's path may be relative to the current folder.
    if env::var_os("CARGO_TARGET_DIR").is_some_and(|target| !target.is_empty()) {
        command.env("CARGO_TARGET_DIR", workspace.target());
    }
    // torch-sys runs `c++` by default.
    if env::var_os("CXX").is_none()
        && process::find("c++").is_none()
        && let Ok(compiler) = compiler::find()
    {
        command.env("CXX", compiler.cxx());
    }
    command
}

/// Builds `runner` and returns its path, as cargo reports it.
pub fn build_runner(workspace: &Workspace, source: &Source) -> Result<PathBuf> {
    let messages = build(workspace, source, &[])?;
    executable(&messages, "bin", "runner")
        .ok_or_else(|| anyhow!("failed to build `runner`: cargo reports no executable"))
}

/// Builds the benchmarks of these names and returns their paths.
pub fn build_benches(workspace: &Workspace, source: &Source, names: &[&str]) -> Result<Vec<PathBuf>> {
    let flags: Vec<&str> = names.iter().flat_map(|name| ["--bench", *name]).collect();
    let messages = if names.is_empty() { String::new() } else { build(workspace, source, &flags)? };
    let path = |name: &&str| {
        executable(&messages, "bench", name)
            .ok_or_else(|| anyhow!("failed to build `{name}`: cargo reports no executable"))
    };
    names.iter().map(path).collect()
}

/// Runs `cargo build` and returns its messages, one JSON object per line.
fn build(workspace: &Workspace, source: &Source, flags: &[&str]) -> Result<String> {
    let args = ["build", "--locked", "--release", "--package", "runner", "--message-format", "json-render-diagnostics"];
    let mut command = cargo(workspace, source, &args);
    let mut child = command.args(flags).stdout(Stdio::piped()).spawn().context("failed to run cargo")?;
    let mut messages = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut messages).context("failed to read the messages of cargo")?;
    }
    if !child.wait().context("failed to wait for cargo")?.success() {
        bail!(
            "failed to build `runner`\nhint: see the messages of cargo above; \
             if they name files of libtorch, run `cargo xtask setup --force`"
        );
    }
    Ok(messages)
}

/// Returns the path of the executable of this kind and name in cargo's messages.
fn executable(messages: &str, kind: &str, name: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut targets =
        messages.filter(|message| message["target"]["name"] == name && message["target"]["kind"][0] == kind);
    targets.find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// Builds `runner` and replaces this process by it, in the user's current folder.
pub fn build_and_become_runner(workspace: &Workspace, source: &Source, args: &[OsString]) -> Result<ExitCode> {
    let runner = build_runner(workspace, source)?;
    become_program(&runner, args).with_context(|| format!("failed to start `{}`", runner.display()))
}

#[cfg(unix)]
fn become_program(program: &Path, args: &[OsString]) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(Command::new(program).args(args).exec())
}

#[cfg(not(unix))]
fn become_program(program: &Path, args: &[OsString]) -> std::io::Result<ExitCode> {
    let status = Command::new(program).args(args).status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
