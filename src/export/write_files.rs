//! Writes exported files atomically, without overwriting different files unless asked to.

use std::path::Path;

use anyhow::Context;

use crate::config::hint::{Hint, hinted};
use crate::export::files::File;
use crate::history::event_file;
use crate::io::{atomic_write, bounded_file};

/// What to do if a file exists with different content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Keep it and write nothing at all.
    Keep,
    /// Overwrite it.
    Replace,
}

/// Writes files into a folder. Existing files with the same content are left alone.
///
/// # Errors
/// When a file exists with different content and is to be kept, or when a folder holds another event file, which
/// TensorBoard would merge with the exported one; nothing is written then. Also when a file cannot be written.
pub fn write(folder: &Path, files: &[File], existing: Existing) -> anyhow::Result<()> {
    if folder.is_file() {
        let message = format!("`{}` is a file, not a directory", folder.display());
        return Err(hinted(message, "name a directory with `-o DIR`"));
    }
    let mut wanted = Vec::new();
    for file in files {
        let path = folder.join(&file.path);
        check_no_other_event_file(&path)?;
        let there = path.symlink_metadata().is_ok();
        let holds = |bytes: &[u8]| bounded_file::read(&path, bytes.len() as u64).is_ok_and(|there| there == bytes);
        if there && holds(&file.bytes) {
            continue;
        }
        if there && (existing == Existing::Keep || path.is_dir()) {
            let message = format!("`{}` exists with different content", path.display());
            return Err(hinted(message, "use `--force` to overwrite it, or `-o DIR` for another directory"));
        }
        wanted.push((path, &file.bytes));
    }
    for (path, bytes) in wanted {
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)
            .with_context(|| format!("failed to create the directory `{}`", parent.display()))
            .and_then(|()| atomic_write::write_whole(&path, bytes))
            .map_err(|error| error.context(Hint("name a writable directory: `-o DIR`".to_owned())))?;
    }
    Ok(())
}

/// Fails if the folder holds other event files: TensorBoard shows all event files of a folder as one run.
fn check_no_other_event_file(path: &Path) -> anyhow::Result<()> {
    let name = path.file_name().unwrap_or_default();
    if !event_file::is_event_file(&name.to_string_lossy()) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let siblings = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut others = siblings.filter(|other| other != name && event_file::is_event_file(&other.to_string_lossy()));
    match others.next() {
        None => Ok(()),
        Some(other) => {
            let (folder, other) = (folder.display(), other.to_string_lossy());
            let message =
                format!("`{folder}` contains another event file, `{other}`, which TensorBoard would merge with these");
            Err(hinted(message, "choose another directory: `-o DIR`"))
        }
    }
}
