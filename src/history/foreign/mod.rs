//! Histories that other programs wrote, read so that they can be laid beside ours.
//!
//! Each format is a file beside this one, or in `json`. Whatever it calls them, metrics come out under our names (see [`names`]),
//! epochs are counted from 1, and each metric has points of its own: what a program did not record is absent, and
//! never a NaN. A NaN or an infinity that it did record stays one. What cannot be read of a file that is otherwise fine
//! is left out and told in a note.

pub mod csv_log;
pub mod csv_rows;
pub mod epochs;
pub mod event_order;
pub mod folder;
pub mod foreign_history;
pub mod json;
pub mod logged;
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

const READABLE: &str = "histories of other programs are read from JSON (Keras, skorch, Hugging Face), CSV (Keras, \
    Lightning, fastai) and TensorBoard's event files";

/// Reads a history that another program wrote: a file, or the folder of a run.
///
/// # Errors
/// When it cannot be read, or no epoch of any metric can be made out in it.
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
    if event_file::is_named_so(&name) {
        return tensorboard::read(path);
    }
    let bytes = bounded_file::read(path, bounded_file::JSON)?;
    if event_file::begins_one(&bytes) {
        return tensorboard::read(path);
    }
    if let Some(format) = FileFormat::of(&bytes, &name) {
        return Err(anyhow!("it is {format}, and no history that is read")
            .context(Hint(format!("{}; {READABLE}", format.how_to_convert()))));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii_start();
    match text.first() {
        None => Err(anyhow!("the file is empty")),
        Some(b'[') => records::read(text),
        Some(b'{') => keras::read(text),
        _ if name.to_lowercase().ends_with(".json") => Err(anyhow!("it is damaged or cut short, or no JSON")),
        _ => csv_log::read(text),
    }
}
