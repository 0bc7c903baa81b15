//! A run's folder: `runs/<experiment>/<UTC time>-<6 hex of the resolved experiment>/`.
//!
//! It is created exclusively, so two runs never share one, and has one writer. `latest` beside it points to the newest
//! run.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::data::cache::sha256;
use crate::files;
use crate::hint::Hint;

/// A folder that one run writes to.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Checks that a run's folder could be created under `out`, before anything is fetched or trained for it.
    ///
    /// # Errors
    /// When it could not.
    pub fn check(out: &Path, experiment: &str) -> anyhow::Result<()> {
        let parent = out.join(experiment);
        files::can_write(&parent).map_err(|error| cannot_create(&parent, error))
    }

    /// Creates the folder of a new run under `out`.
    ///
    /// # Errors
    /// When it cannot be created or written to.
    pub fn create(out: &Path, experiment: &str, resolved: &str, started: OffsetDateTime) -> anyhow::Result<RunDir> {
        let parent = out.join(experiment);
        std::fs::create_dir_all(&parent).map_err(|error| cannot_create(&parent, error))?;
        let stamp = started
            .format(format_description!("[year]-[month]-[day]T[hour][minute][second]Z"))
            .context("failed to write the time")?;
        let name = format!("{stamp}-{}", &sha256(resolved.as_bytes())[..6]);
        for suffix in 1_u32.. {
            let path = parent.join(if suffix == 1 { name.clone() } else { format!("{name}-{suffix}") });
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    point_latest_to(&parent, &path);
                    return Ok(RunDir { path });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(cannot_create(&parent, error)),
            }
        }
        unreachable!("one of 2³² names is free")
    }

    /// Writes a file in it, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        files::write_whole(&self.file(name), bytes)
    }

    /// The same, at once or not.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn try_write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        files::write_whole(&self.file(name), bytes)
    }

    /// The folder of a run that goes on.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn open(path: &Path) -> anyhow::Result<RunDir> {
        Ok(RunDir { path: path.to_path_buf() })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

fn cannot_create(parent: &Path, error: std::io::Error) -> anyhow::Error {
    let hint = Hint("name a folder that you can write to: `--out DIR`".to_owned());
    let message = format!("failed to create the run's folder in `{}`", parent.display());
    anyhow::Error::new(error).context(message).context(hint)
}

/// Points `latest` to a run. It is a convenience: where links cannot be made, there is none.
#[cfg(unix)]
fn point_latest_to(parent: &Path, run: &Path) {
    let Some(name) = run.file_name() else { return };
    let beside = crate::files::beside(&parent.join("latest"));
    let linked =
        std::os::unix::fs::symlink(name, &beside).and_then(|()| std::fs::rename(&beside, parent.join("latest")));
    if linked.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
}

#[cfg(not(unix))]
fn point_latest_to(_parent: &Path, _run: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_in_the_same_second_have_folders_of_their_own() {
        let out = tempfile::tempdir().unwrap();
        let create = || RunDir::create(out.path(), "digits", "same", OffsetDateTime::UNIX_EPOCH).unwrap();
        let (first, second) = (create(), create());
        assert_ne!(first.path(), second.path());
        let latest = std::fs::read_link(out.path().join("digits/latest")).unwrap();
        assert_eq!(Some(latest.as_os_str()), second.path().file_name());
    }

    #[test]
    fn a_file_in_the_way_is_told_with_the_remedy() {
        let out = tempfile::tempdir().unwrap();
        std::fs::write(out.path().join("file"), "").unwrap();
        let error = RunDir::create(&out.path().join("file"), "digits", "", OffsetDateTime::UNIX_EPOCH).unwrap_err();
        assert!(error.downcast_ref::<Hint>().is_some());
    }
}
