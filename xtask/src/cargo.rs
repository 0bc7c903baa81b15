//! Calling cargo with libtorch in its environment, and becoming `runner`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::setup::Source;
use crate::workspace::Workspace;
use crate::{compiler, own};

/// The variables that `cargo run` sets for the package that it runs.
const OF_A_PACKAGE: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// `cargo ARGS…` in the root of the checkout, with `LIBTORCH` set.
pub fn cargo<const N: usize>(workspace: &Workspace, source: &Source, args: [&str; N]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace.root()).args(args);
    if *source != Source::OwnPyTorch {
        command.env("LIBTORCH", own::libtorch_variable(workspace));
    }
    // What cargo tells xtask of xtask's own package: a build script that watches it would run again at each turn.
    let own = |name: &OsStr| name.to_str().is_some_and(|name| OF_A_PACKAGE.iter().any(|of| name.starts_with(of)));
    env::vars_os().filter(|(name, _)| own(name)).for_each(|(name, _)| {
        command.env_remove(name);
    });
    // Relative to where the user is, not to the root.
    if let Some(target) = env::var_os("CARGO_TARGET_DIR").filter(|target| !target.is_empty()) {
        command.env("CARGO_TARGET_DIR", std::path::absolute(&target).unwrap_or_else(|_| target.into()));
    }
    // torch-sys asks for `c++`; where that name is missing, tell it the one that was found.
    if env::var_os("CXX").is_none()
        && crate::tool::find("c++").is_none()
        && let Ok(compiler) = compiler::find()
    {
        command.env("CXX", compiler.cxx());
    }
    command
}

/// Builds the release binary and returns where it is; cargo's progress is on stderr as always.
///
/// The path is cargo's own word, so a target folder set anywhere in its configuration is respected.
pub fn build_runner(workspace: &Workspace, source: &Source) -> Result<PathBuf> {
    let messages = build(workspace, source, &[])?;
    executable(&messages, "bin", "runner").ok_or_else(|| anyhow!("failed to build `runner`: cargo names no executable"))
}

/// Builds the benchmarks of these names, in the profile of the release binary, and returns where they are.
pub fn build_benches(workspace: &Workspace, source: &Source, names: &[&str]) -> Result<Vec<(String, PathBuf)>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let flags: Vec<&str> = names.iter().flat_map(|name| ["--bench", *name]).collect();
    let messages = build(workspace, source, &flags)?;
    let program = |name: &&str| {
        let program = executable(&messages, "bench", name);
        program.map(|program| ((*name).to_owned(), program)).ok_or_else(|| anyhow!("cargo names no benchmark `{name}`"))
    };
    names.iter().map(program).collect()
}

/// `cargo build`; its messages, one JSON object a line.
fn build(workspace: &Workspace, source: &Source, flags: &[&str]) -> Result<String> {
    let args = ["build", "--locked", "--release", "--package", "runner", "--message-format", "json-render-diagnostics"];
    let mut command = cargo(workspace, source, args);
    let mut child = command.args(flags).stdout(Stdio::piped()).spawn().context("failed to run cargo")?;
    let mut messages = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut messages).context("failed to read cargo's messages")?;
    }
    if !child.wait().context("failed to wait for cargo")?.success() {
        bail!(
            "failed to build `runner`\nhint: cargo's messages above say why; \
             if they speak of libtorch's files, `cargo xtask setup --force` fetches them again"
        );
    }
    Ok(messages)
}

/// The executable of that kind and name among cargo's messages.
fn executable(messages: &str, kind: &str, name: &str) -> Option<PathBuf> {
    messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
        let is_meant = message["target"]["name"] == name && message["target"]["kind"][0] == kind;
        is_meant.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
    })
}

/// `cargo xtask run`: from here on the process is `runner`, in the user's folder, with its exit code.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_the_one_of_the_binary_called_runner() {
        let messages = r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"runner"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"other"},"executable":"/t/release/other"}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"runner"},"executable":"/t/release/runner"}
{"reason":"compiler-artifact","target":{"kind":["bench"],"name":"tree_fit"},"executable":"/t/release/deps/tree_fit-1"}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(executable(messages, "bin", "runner"), Some(PathBuf::from("/t/release/runner")));
        assert_eq!(executable(messages, "bench", "tree_fit"), Some(PathBuf::from("/t/release/deps/tree_fit-1")));
        assert_eq!(executable("not json\n", "bin", "runner"), None);
    }
}
