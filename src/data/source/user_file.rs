//! Files of the user's own: read whole, unpacked when they are compressed.

use std::io::{ErrorKind, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::data::cache::sha256;
use crate::data::csv_text::TableFault;
use crate::data::hashed_file;
use crate::suggest;

/// The bytes of a file, and their SHA-256; `.gz` is unpacked first, whatever the name says.
///
/// # Errors
/// When it cannot be read; the message follows the file's name.
pub fn read(path: &Path) -> Result<(Vec<u8>, String), TableFault> {
    let (bytes, sum) = hashed_file::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => TableFault::new("does not exist").hint(where_it_may_be(path)),
        ErrorKind::IsADirectory => TableFault::new("is a folder"),
        _ => TableFault::new(format!("cannot be read: {error}")),
    })?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok((bytes, sum));
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(&bytes[..])
        .read_to_end(&mut unpacked)
        .map_err(|error| TableFault::new(format!("cannot be unpacked: {error}")))?;
    let sum = sha256(&unpacked);
    Ok((unpacked, sum))
}

fn where_it_may_be(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let there: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect())
        .unwrap_or_default();
    match suggest::nearest(&wanted, there.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{}`?", path.with_file_name(near).display()),
        None => "a relative path begins in the folder that the program is started in".to_owned(),
    }
}
