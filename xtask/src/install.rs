//! `cargo xtask install`: `runner` and `runner-engine` in cargo's bin folder.
//!
//! The programs find libtorch by an rpath that `build.rs` sets, so they run in any folder while that libtorch exists.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::cargo::cargo;
use crate::libtorch::setup::Source;
use crate::workspace::Workspace;
use crate::{console, process};

/// Installs into `root/bin`, or where cargo installs.
pub fn run(workspace: &Workspace, source: &Source, root: Option<&Path>) -> Result<ExitCode> {
    let mut command =
        cargo(workspace, source, &["install", "--path", ".", "--locked", "--profile", "release", "--force"]);
    if let Some(root) = root {
        command.arg("--root").arg(std::path::absolute(root).context("failed to read the current folder")?);
    }
    if !process::succeeds(&mut command)? {
        bail!("failed to install `runner`\nhint: see the messages of cargo above; `--root DIR` selects another folder");
    }

    let name = format!("runner{}", env::consts::EXE_SUFFIX);
    let Some(bin) = bin_folder(root).filter(|bin| bin.join(&name).is_file()) else {
        console::note("installed; cargo shows the folder above");
        return Ok(ExitCode::SUCCESS);
    };
    let keep = match source {
        Source::Downloaded(_) => format!("`{}`: keep this clone", workspace.libtorch_home().display()),
        Source::UserFolder(folder) => format!("`{}`: keep that folder", folder.display()),
        Source::UserPyTorch => "Python's torch: keep it installed".to_owned(),
    };
    console::note(&format!("installed `{}`; it uses libtorch in {keep}", bin.join(&name).display()));
    if !env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|folder| folder == bin) {
        console::note(&format!("`{0}` is not on PATH; add it: export PATH=\"{0}:$PATH\"", bin.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the folder that cargo installs into, except for an `install.root` in cargo's configuration.
fn bin_folder(root: Option<&Path>) -> Option<PathBuf> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let root = root
        .map(Path::to_path_buf)
        .or_else(|| variable("CARGO_INSTALL_ROOT"))
        .or_else(|| variable("CARGO_HOME"))
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))?;
    std::path::absolute(root.join("bin")).ok()
}
