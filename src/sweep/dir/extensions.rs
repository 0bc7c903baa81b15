//! Extensions of a sweep: files `extend-1.json`, `extend-2.json`, …, each created once.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use crate::history::readable_json;
use crate::io::bounded_file;
use crate::sweep::dir::create_once::{create_once, exists, retry_stale};
use crate::sweep::record::{EXTENSION_SCHEMA, Extension, SweepRecord};

/// Adds the extensions in the directory of a sweep that a record does not have yet. Returns whether there are any.
///
/// # Errors
/// When one cannot be read, is of another version, or does not continue the sweep.
pub fn read_new(folder: &Path, record: &mut SweepRecord) -> anyhow::Result<bool> {
    let before = record.extensions.len();
    while let Some(extension) = read_next(folder, record)? {
        record.extend(extension);
    }
    Ok(record.extensions.len() > before)
}

/// Reads the first extension in the directory of a sweep that a record does not have yet.
///
/// # Errors
/// When it cannot be read, is of another version, or does not continue the sweep.
pub fn read_next(folder: &Path, record: &SweepRecord) -> anyhow::Result<Option<Extension>> {
    let path = path(folder, record.extensions.len() + 1);
    let read = || {
        if !exists(&path)? {
            return Ok(None);
        }
        let text = retry_stale(|| bounded_file::read(&path, bounded_file::JSON))?;
        let extension: Extension = serde_json::from_slice(&text)?;
        let schema = &extension.schema;
        ensure!(schema == EXTENSION_SCHEMA, "its schema is `{schema}`, but this version reads `{EXTENSION_SCHEMA}`");
        let expected = format!("{:04}", record.configurations.len());
        if let Some(first) = extension.configurations.first().filter(|first| first.name != expected) {
            bail!("its first configuration must be `{expected}`, found `{}`", first.name);
        }
        Ok(Some(extension))
    };
    read().with_context(|| format!("failed to read `{}`", path.display()))
}

/// Publishes the extension with this number, unless another process has published one. Returns whether this process did.
///
/// # Errors
/// When the file cannot be written.
pub fn publish(folder: &Path, number: usize, extension: &Extension) -> anyhow::Result<bool> {
    let path = path(folder, number);
    let json = readable_json::readable(extension).context("failed to serialize the extension of a sweep")?;
    let created = create_once(&path, json.as_bytes());
    created.with_context(|| format!("failed to write `{}`", path.display()))
}

/// Returns the name of the file of an extension.
pub fn file_name(number: usize) -> String {
    format!("extend-{number}.json")
}

fn path(folder: &Path, number: usize) -> PathBuf {
    folder.join(file_name(number))
}
