//! `cargo xtask install`: `runner` and `runner-engine` in cargo's bin folder.
//!
//! The programs find libtorch by an rpath that `build.rs` sets, so they run in any folder while that libtorch exists.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, process};

use anyhow::{Context, Result};

use crate::cargo::build_runner;
use crate::libtorch::setup::Source;
use crate::workspace::Workspace;
use crate::{console, folders};

/// Installs into `root/bin`, or where `cargo install` does.
///
/// `cargo install` would compile all dependencies again: it has none of the flags of `cargo xtask run`.
pub fn run(workspace: &Workspace, source: &Source, root: Option<&Path>) -> Result<ExitCode> {
    let bin = bin_folder(root)?;
    folders::create(&bin)?;
    let runner = build_runner(workspace, source)?;
    let engine = runner.with_file_name(format!("runner-engine{}", env::consts::EXE_SUFFIX));
    for program in [&engine, &runner] {
        copy_program(program, &bin)?;
    }

    let keep = match source {
        Source::Downloaded(_) => format!("`{}`: keep this clone", workspace.libtorch_home().display()),
        Source::UserFolder(folder) => format!("`{}`: keep that folder", folder.display()),
        Source::UserPyTorch => "Python's torch: keep it installed".to_owned(),
    };
    console::note(&format!("installed `{}`; it uses libtorch in {keep}", bin.join("runner").display()));
    if !env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|folder| folder == bin) {
        console::note(&format!("`{0}` is not on PATH; add it: export PATH=\"{0}:$PATH\"", bin.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Copies a program into a folder. It replaces the earlier file at once, so processes that run it are not disturbed.
fn copy_program(program: &Path, bin: &Path) -> Result<()> {
    let failed = || format!("failed to install `{}` in `{}`", program.display(), bin.display());
    let name = program.file_name().with_context(failed)?;
    let copy = bin.join(format!(".{}-{}", name.display(), process::id()));
    fs::copy(program, &copy).and_then(|_| fs::rename(&copy, bin.join(name))).with_context(failed)
}

/// Returns the folder that cargo installs into, except for an `install.root` in cargo's configuration.
fn bin_folder(root: Option<&Path>) -> Result<PathBuf> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let root = root
        .map(Path::to_path_buf)
        .or_else(|| variable("CARGO_INSTALL_ROOT"))
        .or_else(|| variable("CARGO_HOME"))
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .context("there is no home directory to install into\nhint: select a folder: `--root DIR`")?;
    std::path::absolute(root.join("bin")).context("failed to read the current folder")
}
