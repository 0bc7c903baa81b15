//! The user's own libtorch: `LIBTORCH`, `LIBTORCH_USE_PYTORCH`, `LIBTORCH_INCLUDE` and `LIBTORCH_LIB`.
//!
//! They have the same meaning as in `torch-sys`, and nothing is downloaded. A wrong version is an error here; otherwise it
//! would be pages of template errors after minutes of compiling.
//!
//! Cargo also sets `LIBTORCH`, from `.cargo/config.toml`, for every program that it runs. That value is not the user's.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, anyhow, bail};

use crate::libtorch::files::{self, VERSION};
use crate::process;
use crate::workspace::Workspace;

/// A libtorch that is used instead of `.libtorch`.
#[derive(Debug, PartialEq, Eq)]
pub enum UserLibtorch {
    /// The folders of `include/` and of `lib/`; usually the same.
    Folder { include: PathBuf, lib: PathBuf },
    /// The torch of the current Python.
    PyTorch,
}

/// Reads the environment in the same order as `torch-sys`.
pub fn from_environment(workspace: &Workspace) -> Option<UserLibtorch> {
    from_variables(workspace, |name| env::var_os(name))
}

fn from_variables(workspace: &Workspace, var: impl Fn(&str) -> Option<OsString>) -> Option<UserLibtorch> {
    if var("LIBTORCH_USE_PYTORCH").is_some() {
        return Some(UserLibtorch::PyTorch);
    }
    let folder = |name: &str| var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = folder("LIBTORCH").filter(|folder| !is_from_cargo(folder, workspace));
    let (include, lib) = (folder("LIBTORCH_INCLUDE"), folder("LIBTORCH_LIB"));
    if own.is_none() && include.is_none() && lib.is_none() {
        return None;
    }
    let base = own.unwrap_or_else(|| workspace.libtorch());
    Some(UserLibtorch::Folder { include: include.unwrap_or_else(|| base.clone()), lib: lib.unwrap_or(base) })
}

/// Whether this is the value from `.cargo/config.toml`, possibly through a symbolic link.
fn is_from_cargo(folder: &Path, workspace: &Workspace) -> bool {
    let Some(home) = folder.ends_with(".libtorch/torch").then(|| folder.ancestors().nth(2)).flatten() else {
        return false;
    };
    home == workspace.root()
        || matches!((home.canonicalize(), workspace.root().canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Checks that it exists and has the right version.
pub fn check(own: &UserLibtorch) -> Result<()> {
    match own {
        UserLibtorch::Folder { include, lib } => check_folder(include, lib),
        UserLibtorch::PyTorch => check_pytorch(),
    }
}

fn check_folder(include: &Path, lib: &Path) -> Result<()> {
    let remedy =
        format!("hint: unset `LIBTORCH` to let `cargo xtask setup` download it, or set it to a libtorch {VERSION}");
    let here = include.display();
    if !include.is_dir() {
        bail!("`LIBTORCH` is `{here}`, which is not a folder\n{remedy}");
    }
    if include.is_relative() || lib.is_relative() {
        bail!("`LIBTORCH` is `{here}`, but torch-sys needs a full path\nhint: write the full path");
    }
    match files::version_of(include) {
        None => bail!("`LIBTORCH` is `{here}`, which contains no libtorch: no version in `include/torch`\n{remedy}"),
        Some(version) if version != VERSION => {
            bail!("`LIBTORCH` is `{here}`, which is libtorch {version}; libtorch {VERSION} is needed\n{remedy}")
        }
        Some(_) => {}
    }
    let library = lib.join("lib").join(files::library("torch_cpu"));
    if !library.is_file() {
        bail!("libtorch's library `{}` is missing\n{remedy}", library.display());
    }
    Ok(())
}

/// Prints version and folder without importing torch, which takes seconds.
const PRINT_TORCH: &str = r#"
import importlib.util, os, runpy
spec = importlib.util.find_spec("torch")
if spec and spec.origin:
    folder = os.path.dirname(spec.origin)
    print(runpy.run_path(os.path.join(folder, "version.py"))["__version__"])
    print(folder)
"#;

fn check_pytorch() -> Result<()> {
    // The interpreter that torch-sys runs.
    let name = if env::var_os("VIRTUAL_ENV").is_some() { "python" } else { "python3" };
    let remedy = format!(
        "hint: run `{name} -m pip install torch=={VERSION}`, or unset `LIBTORCH_USE_PYTORCH` to let `cargo xtask setup` download libtorch"
    );
    let python = process::find(name)
        .ok_or_else(|| anyhow!("`LIBTORCH_USE_PYTORCH` is set, but there is no `{name}` on PATH\n{remedy}"))?;
    let output = process::output(Command::new(&python).arg("-c").arg(PRINT_TORCH))?;
    let mut lines = output.stdout.lines();
    let version = lines.next().and_then(files::public_version);
    let folder = lines.next().unwrap_or_default();
    match version {
        Some(version) if version == VERSION => Ok(()),
        Some(version) => bail!(
            "`LIBTORCH_USE_PYTORCH` is set, and `{name}` has torch {version} in `{folder}`; {VERSION} is needed\n{remedy}"
        ),
        None => bail!("`LIBTORCH_USE_PYTORCH` is set, but `{}` has no torch\n{remedy}", python.display()),
    }
}

/// Returns the value of `LIBTORCH` for cargo.
pub fn libtorch_variable(workspace: &Workspace) -> OsString {
    match env::var_os("LIBTORCH") {
        Some(value) if !value.is_empty() => value,
        _ => OsStr::new(&workspace.libtorch()).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Option<UserLibtorch> {
        let workspace = Workspace::at(Path::new("/checkout"));
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        from_variables(&workspace, value)
    }

    fn folder(include: &str, lib: &str) -> Option<UserLibtorch> {
        Some(UserLibtorch::Folder { include: include.into(), lib: lib.into() })
    }

    #[test]
    fn variables_have_the_meaning_of_torch_sys_but_for_the_value_from_cargo() {
        for value in ["/checkout/.libtorch/torch", ""] {
            assert_eq!(found(&[("LIBTORCH", value)]), None);
        }
        assert_eq!(found(&[("LIBTORCH", "/opt/x")]), folder("/opt/x", "/opt/x"));
        let elsewhere = "/elsewhere/.libtorch/torch";
        assert_eq!(found(&[("LIBTORCH", elsewhere)]), folder(elsewhere, elsewhere));
        assert_eq!(found(&[("LIBTORCH_USE_PYTORCH", "1"), ("LIBTORCH", "/opt/x")]), Some(UserLibtorch::PyTorch));
        assert_eq!(found(&[("LIBTORCH_INCLUDE", "/usr"), ("LIBTORCH_LIB", "/lib")]), folder("/usr", "/lib"));
    }

    #[test]
    #[cfg(unix)]
    fn the_value_from_cargo_is_recognized_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(is_from_cargo(&link.join(".libtorch/torch"), &Workspace::at(&real)));
        assert!(!is_from_cargo(&link.join("torch"), &Workspace::at(&real)));
    }
}
