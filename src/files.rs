//! Writing files so that a reader never sees half of one: beside the final name, then renamed.

use std::io::Write;
use std::path::Path;

use anyhow::Context;

/// Writes the whole file beside its final name, and renames it into place.
///
/// # Errors
/// When the folder cannot be written to; a file of that name stays as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let beside = beside(path);
    let written = std::fs::File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside); // the first error is the one to tell
    }
    written.with_context(|| format!("failed to write `{}`", path.display()))
}

/// A name beside `path` that no other process uses.
pub fn beside(path: &Path) -> std::path::PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

/// Tries whether a file can be written in the folder, or in the nearest one above it that is there.
///
/// # Errors
/// When it cannot be, or a file stands where a folder should be.
pub fn can_write(folder: &Path) -> std::io::Result<()> {
    let there = folder.ancestors().find(|folder| folder.exists() || folder.as_os_str().is_empty()).unwrap_or(folder);
    let probe = there.join(format!(".runner-probe-{}", std::process::id()));
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(&probe)
}
