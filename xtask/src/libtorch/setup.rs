//! The set-up of `.libtorch`.
//!
//! It may be interrupted at any time: the next set-up continues, two set-ups at once wait for each other, and a folder that
//! looks ready is ready. Therefore `xtask/scripts/libtorch.py` keeps each complete wheel and unpacks into a separate folder,
//! complete folders are renamed into place, and `READY` is written last.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::libtorch::compiler;
use crate::libtorch::files::{self, VERSION, Variant};
use crate::libtorch::user_libtorch::{self, UserLibtorch};
use crate::workspace::Workspace;
use crate::{console, folders, process, python};

/// What the user asks for; the default is a libtorch that is ready, else the variant for this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    pub variant: Option<Variant>,
    pub force: bool,
}

impl Request {
    fn is_met_by(self, ready: Variant) -> bool {
        self.variant.is_none_or(|wanted| ready.serves(wanted))
    }
}

/// The libtorch that cargo uses.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    Downloaded(Variant),
    UserFolder(PathBuf),
    UserPyTorch,
}

impl Source {
    pub fn describe(&self, workspace: &Workspace) -> String {
        match self {
            Self::Downloaded(variant) => {
                format!("libtorch {VERSION} ({variant}) is ready in `{}`", workspace.libtorch_home().display())
            }
            Self::UserFolder(folder) => format!("libtorch {VERSION} in `{}` is used (`LIBTORCH`)", folder.display()),
            Self::UserPyTorch => format!("libtorch {VERSION} of Python's torch is used (`LIBTORCH_USE_PYTORCH`)"),
        }
    }
}

/// Sets up libtorch unless it is ready.
pub fn ensure(workspace: &Workspace, request: Request) -> Result<Source> {
    if let Some(own) = user_libtorch::from_environment(workspace) {
        user_libtorch::check(&own)?;
        return Ok(match own {
            UserLibtorch::Folder { lib, .. } => Source::UserFolder(lib),
            UserLibtorch::PyTorch => Source::UserPyTorch,
        });
    }
    let home = workspace.libtorch_home();
    let ready = || files::ready(&home).filter(|ready| !request.force && request.is_met_by(*ready));
    if let Some(variant) = ready() {
        return Ok(Source::Downloaded(variant));
    }
    let _lock = folders::lock(&home)?;
    if let Some(variant) = ready() {
        return Ok(Source::Downloaded(variant));
    }
    prepare(workspace, &home, request).map(Source::Downloaded).context("failed to set up libtorch")
}

/// Sets up libtorch; the folder is locked.
fn prepare(workspace: &Workspace, home: &Path, request: Request) -> Result<Variant> {
    let staging = home.join("staging");
    folders::remove(&staging)?;
    folders::create(&staging)?;

    let compiler = compiler::find()?;
    compiler::check(&compiler, &staging)?;

    if !request.force
        && let Some(variant) = adopt(workspace, home, request)?
    {
        return Ok(variant);
    }

    let variant = request.variant.unwrap_or_else(variant_for_this_machine);
    let mut fetch = python::script(workspace, "xtask/scripts/libtorch.py")?;
    python::run_script(fetch.arg("fetch").arg(home).arg(variant.to_string()))?;
    let unpacked = staging.join("new");
    if let Err(missing) = files::inspect(&unpacked) {
        bail!("unexpected content of the packages: {missing}\nhint: run `cargo xtask setup --force`, or report this");
    }

    files::remove_stamp(home)?;
    // `torch` last: after an interruption in between, the old one works with newer CUDA libraries.
    for part in ["nvidia", "torch"] {
        put_in_place(&unpacked.join(part), &home.join(part), &staging.join("old").join(part))?;
    }
    files::write_stamp(home, variant)?;
    folders::remove(&home.join("wheels"))?;
    folders::remove(&staging)?;
    Ok(variant)
}

/// Accepts complete files of the right version that have no `READY`: they were copied here.
fn adopt(workspace: &Workspace, home: &Path, request: Request) -> Result<Option<Variant>> {
    let Some(found) = files::inspect(home).ok().filter(|found| request.is_met_by(*found)) else {
        return Ok(None);
    };
    // Without Python nothing can be downloaded, so the files are used unchecked.
    if let Ok(mut load) = python::script(workspace, "xtask/scripts/libtorch.py")
        && python::run_script(load.arg("load").arg(home)).is_err()
    {
        console::note("the libtorch in `.libtorch` does not load; downloading it again");
        return Ok(None);
    }
    files::write_stamp(home, found)?;
    for leftover in ["wheels", "staging"] {
        folders::remove(&home.join(leftover))?;
    }
    console::note(&format!("found a complete libtorch {VERSION} in `{}`", home.display()));
    Ok(Some(found))
}

/// CUDA if there is an NVIDIA driver; prints it, because the download is six times as large.
fn variant_for_this_machine() -> Variant {
    let driver = [
        "/proc/driver/nvidia/version",
        "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
        "/usr/lib/aarch64-linux-gnu/libcuda.so.1",
        "/usr/lib64/libcuda.so.1",
        "/usr/lib/wsl/lib/libcuda.so.1",
    ];
    if driver.iter().any(|file| Path::new(file).exists()) || process::find("nvidia-smi").is_some() {
        console::note(
            "NVIDIA driver found: downloading libtorch with CUDA, about 3 GB (`cargo xtask setup --cpu`: 0.5 GB)",
        );
        Variant::Cuda
    } else {
        console::note("no NVIDIA driver found: downloading libtorch for the CPU, 0.5 GB");
        Variant::Cpu
    }
}

/// Renames `new` to `place` and an earlier `place` to `old`. On macOS there is no `nvidia`.
fn put_in_place(new: &Path, place: &Path, old: &Path) -> Result<()> {
    let failed = || format!("failed to move `{}` to `{}`", new.display(), place.display());
    if !new.exists() {
        return Ok(());
    }
    if place.exists() {
        fs::create_dir_all(old.parent().unwrap_or(old)).with_context(failed)?;
        fs::rename(place, old).with_context(failed)?;
    }
    fs::rename(new, place).with_context(failed)
}
