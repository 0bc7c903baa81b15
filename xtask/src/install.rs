//! `cargo xtask install`: `runner` where the shell finds it.
//!
//! With it comes `runner-engine`, which `runner` becomes for what needs tensors. The binaries remember
//! the folder of libtorch's libraries (an rpath, by `build.rs`), so they run from anywhere without
//! `LD_LIBRARY_PATH`, as long as that folder stays. Cargo builds in the checkout's own target folder, so
//! what is already compiled is not compiled again.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::cargo::cargo;
use crate::say;
use crate::setup::Source;
use crate::workspace::Workspace;

/// Installs below `root`, or where cargo installs.
pub fn run(workspace: &Workspace, source: &Source, root: Option<&Path>) -> Result<ExitCode> {
    let args = ["install", "--path", ".", "--locked", "--profile", "release", "--force"];
    let mut command = cargo(workspace, source, args);
    if let Some(root) = root {
        command.arg("--root").arg(std::path::absolute(root).context("failed to read the current folder")?);
    }
    if !command.status().context("failed to run cargo")?.success() {
        bail!("failed to install `runner`\nhint: cargo's messages above say why; `--root DIR` chooses another folder");
    }

    let Some(bin) = bin_folder(root) else {
        say::note("installed; cargo says above where");
        return Ok(ExitCode::SUCCESS);
    };
    let name = format!("runner{}", env::consts::EXE_SUFFIX);
    let runner = bin.join(&name);
    if !runner.is_file() {
        say::note("installed; cargo says above where");
        return Ok(ExitCode::SUCCESS);
    }
    say::note(&format!("installed `{}`", runner.display()));
    say::note(&format!("it runs from any folder, with libtorch from {}", libtorch_of(workspace, source)));
    if let Some(advice) = path_advice(&bin, env::var_os("PATH").unwrap_or_default().as_os_str()) {
        say::note(&advice);
    }
    Ok(ExitCode::SUCCESS)
}

/// Where cargo installs to, by its own rules, but for an `install.root` in its configuration.
fn bin_folder(root: Option<&Path>) -> Option<PathBuf> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let root = root
        .map(Path::to_path_buf)
        .or_else(|| variable("CARGO_INSTALL_ROOT"))
        .or_else(|| variable("CARGO_HOME"))
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))?;
    std::path::absolute(root.join("bin")).ok()
}

fn libtorch_of(workspace: &Workspace, source: &Source) -> String {
    match source {
        Source::Ours(_) => format!("`{}`: keep this checkout", workspace.libtorch_home().display()),
        Source::OwnFolder(folder) => format!("`{}`: keep that folder", folder.display()),
        Source::OwnPyTorch => "Python's torch: keep that installed".to_owned(),
    }
}

/// What to do when the shell will not find the binary.
fn path_advice(bin: &Path, path: &std::ffi::OsStr) -> Option<String> {
    let on_path = env::split_paths(path).any(|folder| folder == bin);
    (!on_path).then(|| format!("`{0}` is not on PATH; add it: export PATH=\"{0}:$PATH\"", bin.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_outside_path_is_advised_on() {
        let bin = Path::new("/home/me/.cargo/bin");
        assert_eq!(path_advice(bin, "/usr/bin:/home/me/.cargo/bin/".as_ref()), None);
        let advice = path_advice(bin, "/usr/bin".as_ref()).unwrap();
        assert!(advice.contains("export PATH=\"/home/me/.cargo/bin:$PATH\""), "{advice}");
    }
}
