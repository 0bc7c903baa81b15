//! A libtorch of the user's own: `LIBTORCH`, `LIBTORCH_USE_PYTORCH` and their kin.
//!
//! It is respected as `torch-sys` respects it, so nothing is downloaded. But a wrong version would
//! show only after minutes of C++, as pages of template errors: it is looked at first.
//!
//! Cargo adds a `LIBTORCH` to the environment of whatever it runs, this program too, from
//! `.cargo/config.toml`. That value is ours, not the user's.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, anyhow, bail};

use crate::libtorch::{self, VERSION};
use crate::tool;
use crate::workspace::Workspace;

/// What the environment asks `torch-sys` to use instead of `.libtorch`.
#[derive(Debug, PartialEq, Eq)]
pub enum Own {
    /// A folder with `include/`, and one with `lib/`: one and the same, unless the user says otherwise.
    Folder { include: PathBuf, lib: PathBuf },
    /// The torch of the Python at hand.
    PyTorch,
}

/// Reads the environment, in the order in which `torch-sys` does.
pub fn from_environment(workspace: &Workspace) -> Option<Own> {
    asked_for(workspace, |name| env::var_os(name))
}

fn asked_for(workspace: &Workspace, var: impl Fn(&str) -> Option<OsString>) -> Option<Own> {
    if var("LIBTORCH_USE_PYTORCH").is_some() {
        return Some(Own::PyTorch);
    }
    let folder = |name: &str| var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = folder("LIBTORCH").filter(|folder| !is_ours(folder, workspace));
    let (include, lib) = (folder("LIBTORCH_INCLUDE"), folder("LIBTORCH_LIB"));
    if own.is_none() && include.is_none() && lib.is_none() {
        return None;
    }
    let base = own.unwrap_or_else(|| workspace.libtorch());
    Some(Own::Folder { include: include.unwrap_or_else(|| base.clone()), lib: lib.unwrap_or(base) })
}

/// Is this the value that cargo took from `.cargo/config.toml`? Perhaps by way of a symbolic link.
fn is_ours(folder: &Path, workspace: &Workspace) -> bool {
    let Some(home) = folder.ends_with(".libtorch/torch").then(|| folder.ancestors().nth(2)).flatten() else {
        return false;
    };
    home == workspace.root()
        || matches!((home.canonicalize(), workspace.root().canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Checks that it is there, whole, and of our version; the error says what was found and what helps.
pub fn check(own: &Own) -> Result<()> {
    match own {
        Own::Folder { include, lib } => check_folder(include, lib),
        Own::PyTorch => check_pytorch(),
    }
}

fn check_folder(include: &Path, lib: &Path) -> Result<()> {
    let remedy =
        format!("hint: unset `LIBTORCH` to let `cargo xtask setup` fetch it, or set it to a libtorch {VERSION}");
    let here = include.display();
    if !include.is_dir() {
        bail!("`LIBTORCH` is `{here}`, which is not a folder\n{remedy}");
    }
    if include.is_relative() || lib.is_relative() {
        bail!(
            "`LIBTORCH` is `{here}`, but torch-sys needs a full path\nhint: put the path of the current folder before it"
        );
    }
    match libtorch::version_of(include) {
        None => bail!("`LIBTORCH` is `{here}`, which has no libtorch in it: no version in `include/torch`\n{remedy}"),
        Some(version) if version != VERSION => {
            bail!("`LIBTORCH` is `{here}`, which is libtorch {version}; libtorch {VERSION} is needed\n{remedy}")
        }
        Some(_) => {}
    }
    let library = lib.join("lib").join(libtorch::library("torch_cpu"));
    if !library.is_file() {
        bail!("libtorch's library `{}` is missing\n{remedy}", library.display());
    }
    Ok(())
}

/// Prints version and folder without importing torch, which would take seconds.
const PRINT_TORCH: &str = r#"
import importlib.util, os, runpy
spec = importlib.util.find_spec("torch")
if spec and spec.origin:
    folder = os.path.dirname(spec.origin)
    print(runpy.run_path(os.path.join(folder, "version.py"))["__version__"])
    print(folder)
"#;

fn check_pytorch() -> Result<()> {
    // The interpreter that torch-sys will ask.
    let name = if env::var_os("VIRTUAL_ENV").is_some() { "python" } else { "python3" };
    let remedy = format!(
        "hint: `{name} -m pip install torch=={VERSION}`, or unset `LIBTORCH_USE_PYTORCH` to let `cargo xtask setup` fetch libtorch"
    );
    let python = tool::find(name)
        .ok_or_else(|| anyhow!("`LIBTORCH_USE_PYTORCH` is set, but there is no `{name}` on PATH\n{remedy}"))?;
    let answer = tool::ask(Command::new(&python).arg("-c").arg(PRINT_TORCH))?;
    let mut lines = answer.stdout.lines();
    let version = lines.next().and_then(libtorch::public_version);
    let folder = lines.next().unwrap_or_default();
    match version {
        Some(version) if version == VERSION => Ok(()),
        Some(version) => bail!(
            "`LIBTORCH_USE_PYTORCH` is set, and `{name}` has torch {version} in `{folder}`; {VERSION} is needed\n{remedy}"
        ),
        None => bail!("`LIBTORCH_USE_PYTORCH` is set, but `{}` has no torch\n{remedy}", python.display()),
    }
}

/// The value of `LIBTORCH` for cargo: the user's own, or ours.
pub fn libtorch_variable(workspace: &Workspace) -> OsString {
    match env::var_os("LIBTORCH") {
        Some(value) if !value.is_empty() => value,
        _ => OsStr::new(&workspace.libtorch()).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(variables: &[(&str, &str)]) -> Option<Own> {
        let workspace = Workspace::at(Path::new("/checkout"));
        asked_for(&workspace, |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    fn folder(path: &str) -> Option<Own> {
        Some(Own::Folder { include: path.into(), lib: path.into() })
    }

    #[test]
    fn cargos_own_value_is_not_the_users() {
        assert_eq!(asked(&[]), None);
        assert_eq!(asked(&[("LIBTORCH", "/checkout/.libtorch/torch")]), None);
        assert_eq!(asked(&[("LIBTORCH", "")]), None);
    }

    #[test]
    #[cfg(unix)]
    fn cargos_own_value_is_known_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(is_ours(&link.join(".libtorch/torch"), &Workspace::at(&real)));
        assert!(!is_ours(&link.join("torch"), &Workspace::at(&real)));
    }

    #[test]
    fn another_value_is_the_users() {
        assert_eq!(asked(&[("LIBTORCH", "/opt/libtorch")]), folder("/opt/libtorch"));
        assert_eq!(asked(&[("LIBTORCH", "/elsewhere/.libtorch/torch")]), folder("/elsewhere/.libtorch/torch"));
    }

    #[test]
    fn pytorch_comes_before_a_folder_as_in_torch_sys() {
        assert_eq!(asked(&[("LIBTORCH_USE_PYTORCH", "1"), ("LIBTORCH", "/opt/libtorch")]), Some(Own::PyTorch));
    }

    #[test]
    fn headers_and_libraries_may_live_apart() {
        let own = asked(&[("LIBTORCH_INCLUDE", "/usr"), ("LIBTORCH_LIB", "/usr/local")]);
        assert_eq!(own, Some(Own::Folder { include: "/usr".into(), lib: "/usr/local".into() }));
    }
}
