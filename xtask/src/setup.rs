//! `.libtorch/` made ready: the flow of a set-up.
//!
//! What has to hold however it ends: two set-ups at once wait for each other; one that is
//! interrupted is continued by the next; a folder that looks ready is. So each wheel is kept as soon
//! as it is whole, the unpack happens in a folder of its own, whole folders are renamed into place,
//! and the stamp is written last.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::libtorch::{self, VERSION, Variant};
use crate::own::{self, Own};
use crate::packages::{self, Selection};
use crate::pip::{self, Python};
use crate::workspace::Workspace;
use crate::{compiler, say, stamp, tool, unpack};

/// What the user wants; by default whatever is ready, else what suits the machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wish {
    pub variant: Option<Variant>,
    pub force: bool,
}

impl Wish {
    fn is_met_by(self, ready: Variant) -> bool {
        self.variant.is_none_or(|wanted| ready.serves(wanted))
    }
}

/// The libtorch that cargo is going to find.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    Ours(Variant),
    OwnFolder(PathBuf),
    OwnPyTorch,
}

/// Makes sure that libtorch is there; quick and silent when it is.
pub fn ensure(workspace: &Workspace, wish: Wish) -> Result<Source> {
    if let Some(own) = own::from_environment(workspace) {
        own::check(&own)?;
        return Ok(match own {
            Own::Folder { lib, .. } => Source::OwnFolder(lib),
            Own::PyTorch => Source::OwnPyTorch,
        });
    }
    let home = workspace.libtorch_home();
    let ready = || stamp::ready(&home).filter(|ready| wish.is_met_by(*ready));
    if !wish.force
        && let Some(variant) = ready()
    {
        return Ok(Source::Ours(variant));
    }

    fs::create_dir_all(&home).with_context(|| format!("failed to create `{}`", home.display()))?;
    let _lock = lock(&home)?;
    if !wish.force
        && let Some(variant) = ready()
    {
        return Ok(Source::Ours(variant));
    }
    let variant = prepare(&home, wish).context("failed to set up libtorch")?;
    Ok(Source::Ours(variant))
}

/// Held until dropped, also by the end of the process, however that comes.
pub fn lock(home: &Path) -> Result<File> {
    let path = home.join("lock");
    let failed = || format!("failed to lock `{}`", path.display());
    let file = File::create(&path).with_context(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say::note("another set-up is running, waiting for it to end");
            file.lock().with_context(failed)?;
        }
        // Some network file systems have no locks; then there is none to respect.
        Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {}
        Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
    }
    Ok(file)
}

/// The work itself, under the lock.
fn prepare(home: &Path, wish: Wish) -> Result<Variant> {
    let staging = home.join("staging");
    empty(&staging)?;

    let compiler = compiler::find()?;
    compiler::check(&compiler, &staging)?;

    if !wish.force
        && let Some(variant) = adopt(home, wish)?
    {
        return Ok(variant);
    }

    let variant = wish.variant.unwrap_or_else(variant_for_this_machine);
    let selection = packages::select(variant)?;
    let python = Python::find()?;
    let wheels = home.join("wheels");
    let wheel_files = download(&python, &selection, home, &wheels, variant)?;

    say::note("unpacking");
    let unpacked = staging.join("new");
    unpack::unpack(&python, &selection, &wheel_files, &unpacked, variant)?;
    if let Err(lacking) = libtorch::inspect(&unpacked) {
        bail!(
            "the packages are not what was expected: {lacking}\nhint: `cargo xtask setup --force` once more, or report this"
        );
    }
    unpack::check_that_it_loads(&python, &unpacked)?;

    stamp::remove(home)?;
    // `torch` last: an interruption in between leaves the old one with newer CUDA libraries, which do it no harm.
    for part in ["nvidia", "torch"] {
        put_in_place(&unpacked.join(part), &home.join(part), &staging.join("old").join(part))?;
    }
    stamp::write(home, variant)?;
    remove(&wheels)?;
    remove(&staging)?;
    Ok(variant)
}

/// Takes files that are whole and of the right version though nobody stamped them: copied here, or by an older xtask.
fn adopt(home: &Path, wish: Wish) -> Result<Option<Variant>> {
    let Ok(found) = libtorch::inspect(home) else {
        return Ok(None);
    };
    if !wish.is_met_by(found) {
        return Ok(None);
    }
    // Without a Python nothing can be fetched either: then what is there has to do.
    if let Ok(python) = Python::find()
        && unpack::check_that_it_loads(&python, home).is_err()
    {
        say::note("the libtorch that is here does not load, fetching it again");
        return Ok(None);
    }
    stamp::write(home, found)?;
    for leftover in ["wheels", "staging"] {
        remove(&home.join(leftover))?;
    }
    say::note(&format!("found libtorch {VERSION} in `{}`, which is whole: taken as it is", home.display()));
    Ok(Some(found))
}

/// Fetches the wheels that are not there yet, one by one.
fn download(
    python: &Python,
    selection: &Selection,
    home: &Path,
    wheels: &Path,
    variant: Variant,
) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(wheels).with_context(|| format!("failed to create `{}`", wheels.display()))?;
    let total = selection.packages.len();
    let mut files = Vec::with_capacity(total);
    for (index, package) in selection.packages.iter().enumerate() {
        let which = format!("{} {} ({} of {total})", package.name, package.version, index + 1);
        if let Some(wheel) = pip::find_wheel(wheels, package) {
            say::note(&format!("{which} is already downloaded"));
            files.push(wheel);
            continue;
        }
        say::note(&format!("downloading {which}"));
        // A pip that outlived a killed set-up must not write here.
        let incoming = home.join("staging").join(format!("incoming-{}", std::process::id()));
        files.push(python.download(package, selection, &incoming, wheels, variant)?);
    }
    Ok(files)
}

/// CUDA where there is an NVIDIA driver, and says so, since it is six times the download.
fn variant_for_this_machine() -> Variant {
    let driver = [
        "/proc/driver/nvidia/version",
        "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
        "/usr/lib/aarch64-linux-gnu/libcuda.so.1",
        "/usr/lib64/libcuda.so.1",
        "/usr/lib/wsl/lib/libcuda.so.1",
    ];
    if driver.iter().any(|file| Path::new(file).exists()) || tool::find("nvidia-smi").is_some() {
        say::note(
            "an NVIDIA driver is here: fetching libtorch with CUDA, about 3 GB (`cargo xtask setup --cpu`: 0.5 GB)",
        );
        Variant::Cuda
    } else {
        say::note("no NVIDIA driver here: fetching libtorch for the CPU, 0.5 GB");
        Variant::Cpu
    }
}

/// Renames `new` to `place`; what was there goes to `old` first. On macOS there is no `nvidia`.
fn put_in_place(new: &Path, place: &Path, old: &Path) -> Result<()> {
    let failed = || format!("failed to move `{}` into place", new.display());
    if !new.exists() {
        return Ok(());
    }
    if place.exists() {
        fs::create_dir_all(old.parent().unwrap_or(old)).with_context(failed)?;
        fs::rename(place, old).with_context(failed)?;
    }
    fs::rename(new, place).with_context(failed)
}

fn empty(folder: &Path) -> Result<()> {
    remove(folder)?;
    fs::create_dir_all(folder).with_context(|| format!("failed to create `{}`", folder.display()))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove `{}`", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_ready_meets_an_open_wish() {
        let open = Wish::default();
        assert!(open.is_met_by(Variant::Cpu) && open.is_met_by(Variant::Cuda));
        let cuda = Wish { variant: Some(Variant::Cuda), force: false };
        assert!(cuda.is_met_by(Variant::Cuda) && !cuda.is_met_by(Variant::Cpu));
    }

    #[test]
    fn a_folder_replaces_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let [new, place, old] = ["new", "place", "old/part"].map(|name| folder.path().join(name));
        for (path, text) in [(&new, "new"), (&place, "before")] {
            fs::create_dir_all(path).unwrap();
            fs::write(path.join("file"), text).unwrap();
        }
        put_in_place(&new, &place, &old).unwrap();
        assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "new");
        assert_eq!(fs::read_to_string(old.join("file")).unwrap(), "before");
        put_in_place(&new, &place, &old).unwrap();
        assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "new");
    }
}
