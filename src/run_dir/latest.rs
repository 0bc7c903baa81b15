//! `latest`: the link to the newest run of an experiment.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::io::atomic_write;

/// The link to the newest run of an experiment, beside the runs' folders.
pub const LATEST: &str = "latest";

/// The folder that a link such as `latest` leads to, for `latest` may lead elsewhere while the run goes on.
pub fn without_link(path: &Path) -> PathBuf {
    const MOST: usize = 40; // as the system follows
    let mut path: PathBuf = path.components().collect(); // without a slash at its end, which would hide the link
    for _ in 0..MOST {
        match path.read_link() {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => break,
        }
    }
    path
}

/// Points `latest` to a run where it leads nowhere yet.
pub(super) fn point_first_to(parent: &Path, run: &Path) {
    if let Some(name) = run.file_name().filter(|_| !parent.join(LATEST).exists()) {
        point_latest_to(parent, name);
    }
}

/// Points `latest` in an experiment's folder to the run of this name, and returns whether it could. It is a convenience:
/// where links cannot be made, there is none, and a folder of this name stays as it is.
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

/// Points `latest` nowhere: there are no links here.
#[cfg(not(unix))]
pub fn point_latest_to(_parent: &Path, _name: &OsStr) -> bool {
    false
}
