//! Finding and running other programs.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::{Context, Result};

/// Exit status and output of a program.
#[derive(Debug)]
pub struct Output {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// Returns the full path of the program `name` on `PATH`.
pub fn find(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name).with_extension(env::consts::EXE_EXTENSION))
        .find(|candidate| is_executable(candidate))
}

/// Returns whether `CI` is set: then a program that a check needs must be installed.
pub fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Returns the full path of a program given as in a shell: by a path, or by a name on `PATH`.
pub fn resolve(program: &OsStr) -> Option<PathBuf> {
    let path = Path::new(program);
    match path.components().count() {
        1 => find(program.to_str()?),
        _ => std::path::absolute(path).ok().filter(|path| is_executable(path)),
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// Runs the command without a terminal and returns its output.
pub fn output(command: &mut Command) -> Result<Output> {
    collect(command.stdin(Stdio::null()))
}

/// Runs the command with its stdin and stderr on the terminal and returns its stdout.
pub fn stdout(command: &mut Command) -> Result<Output> {
    collect(command.stdin(Stdio::inherit()).stderr(Stdio::inherit()))
}

fn collect(command: &mut Command) -> Result<Output> {
    let output = command.output().with_context(|| format!("failed to run {}", shown(command)))?;
    Ok(Output {
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs the command with its output on the terminal.
pub fn status(command: &mut Command) -> Result<ExitStatus> {
    command.status().with_context(|| format!("failed to run {}", shown(command)))
}

/// Runs the command with its output on the terminal and returns its exit code, 2 if a signal ends it.
pub fn exit_code(command: &mut Command) -> Result<ExitCode> {
    Ok(ExitCode::from(status(command)?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2)))
}

/// Runs the command with its output on the terminal and returns whether it succeeds.
pub fn succeeds(command: &mut Command) -> Result<bool> {
    Ok(status(command)?.success())
}

/// The command as typed in a shell, in backticks: `` `cargo fmt --all --check` ``.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words: Vec<_> = std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    format!("`{}`", words.join(" "))
}
