//! Reads histories of other programs, to compare them with histories of this program.
//!
//! Each format has its own module. Metrics get the names of this program (see [`names`]) and epochs are counted from 1.
//! Each metric has its own list of points: a value that was not recorded is missing, never NaN. A recorded NaN or infinity
//! stays. Values that cannot be parsed are skipped, with a note.

pub mod csv_log;
pub mod csv_rows;
pub mod epochs;
pub mod event_order;
pub mod folder;
pub mod foreign_history;
pub mod json;
pub mod logged_values;
pub mod names;
pub mod number_text;
pub mod points;
pub mod tensorboard;

use std::path::Path;

use anyhow::{Context, anyhow};

use crate::config::hint::Hint;
use crate::history::event_file;
use crate::history::foreign::foreign_history::Foreign;
use crate::history::foreign::json::{keras, records};
use crate::io::bounded_file;
use crate::io::file_format::FileFormat;

/// The formats, for hints.
const READABLE: &str = "supported histories of other programs: JSON (Keras, skorch, Hugging Face), CSV (Keras, Lightning, \
    fastai) and TensorBoard event files";

/// Reads a history of another program: a file, or the directory of a run.
///
/// # Errors
/// If it cannot be read or contains no metric.
pub fn read(path: &Path) -> anyhow::Result<Foreign> {
    let read = read_any(path).with_context(|| format!("failed to read `{}`", path.display()));
    read.map_err(|error| match error.downcast_ref::<Hint>() {
        Some(_) => error,
        None => error.context(Hint(READABLE.to_owned())),
    })
}

fn read_any(path: &Path) -> anyhow::Result<Foreign> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if path.is_dir() {
        return folder::read(path, read);
    }
    if event_file::is_event_file(&name) {
        return tensorboard::read(path);
    }
    let bytes = bounded_file::read(path, bounded_file::JSON)?;
    if event_file::starts_with_record(&bytes) {
        return tensorboard::read(path);
    }
    if let Some(format) = FileFormat::of(&bytes, &name) {
        return Err(anyhow!("{format} is not a supported format of histories")
            .context(Hint(format!("{}; {READABLE}", format.how_to_convert()))));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii_start();
    match text.first() {
        None => Err(anyhow!("the file is empty")),
        Some(b'[') => records::read(text),
        Some(b'{') => keras::read(text),
        _ if name.to_lowercase().ends_with(".json") => Err(anyhow!("it is damaged, incomplete or not JSON")),
        _ => csv_log::read(text),
    }
}
