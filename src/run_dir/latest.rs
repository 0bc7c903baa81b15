//! `latest`: the link to the newest run of an experiment.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::io::atomic_write;

/// Name of the link to the newest run, next to the run directories.
pub const LATEST: &str = "latest";

/// Resolves a link such as `latest`, which may point elsewhere while the run continues.
pub fn resolve_link(path: &Path) -> PathBuf {
    const MOST: usize = 40; // limit of the system
    let mut path: PathBuf = path.components().collect(); // without a trailing slash, which would hide the link
    for _ in 0..MOST {
        match path.read_link() {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => break,
        }
    }
    path
}

/// Points `latest` to a run, unless it already points to one.
pub(super) fn create_latest(parent: &Path, run: &Path) {
    if let Some(name) = run.file_name().filter(|_| !parent.join(LATEST).exists()) {
        point_latest_to(parent, name);
    }
}

/// Points `latest` in an experiment's directory to the run with this name. Returns whether it succeeded: `latest` is a
/// convenience, so a directory with this name is kept, and systems without links have none.
#[cfg(unix)]
pub fn point_latest_to(parent: &Path, name: &OsStr) -> bool {
    let latest = parent.join(LATEST);
    let Ok((beside, ())) = atomic_write::make_beside(&latest, |beside| std::os::unix::fs::symlink(name, beside)) else {
        return false;
    };
    let is_pointed = std::fs::rename(&beside, &latest).is_ok();
    if !is_pointed {
        let _ = std::fs::remove_file(&beside);
    }
    is_pointed
}

/// Does nothing: this system has no symbolic links.
#[cfg(not(unix))]
pub fn point_latest_to(_parent: &Path, _name: &OsStr) -> bool {
    false
}
