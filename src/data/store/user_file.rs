//! Reads the user's own files, and unpacks them if they are compressed.

use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::anyhow;
use flate2::read::MultiGzDecoder;

use crate::config::check::Invalid;
use crate::config::hint::with_hint;
use crate::config::suggest;
use crate::data::file_error::FileError;
use crate::data::store::checksum::sha256;
use crate::data::store::hashed_file;
use crate::io::byte_size::format_bytes;
use crate::io::file_format::FileFormat;

/// Formats of tables that can be read.
const READABLE: &str = "save the table as CSV text in UTF-8, plain or compressed with gzip (`.csv`, `.csv.gz`)";

/// Hint on a path of the command line that does not exist.
const FROM_HERE: &str = "the path is relative to the current directory";

/// Maximum size of an unpacked file in bytes: a small gzip file can unpack to any size.
const MOST_UNPACKED: u64 = 4 << 30;

/// Returns the bytes of a table as text, and the SHA-256 of the file. gzip is detected by content, not by name.
///
/// # Errors
/// When the file cannot be read or has another format; the message follows the file name.
pub fn read_table(path: &Path) -> Result<(Vec<u8>, String), FileError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let by_name = FileFormat::of(&[], &name).filter(|format| *format != FileFormat::Gzip);
    if let Some(format) = by_name.filter(|_| !path.exists()) {
        return Err(FileError::new(format!("does not exist; {format} cannot be read anyway")).hint(READABLE));
    }
    let is_json = [".json", ".jsonl", ".ndjson"].iter().any(|ending| name.to_lowercase().ends_with(ending));
    if is_json && !path.exists() {
        return Err(FileError::new("does not exist; a JSON file cannot be read anyway").hint(READABLE));
    }
    let (bytes, sum) = read(path)?;
    if is_json && matches!(bytes.trim_ascii_start().first(), None | Some(b'{' | b'[')) {
        let convert = "convert it in Python: `pandas.read_json(FILE).to_csv(\"table.csv\", index=False)`";
        let message = "is a JSON file, which cannot be read as a table";
        return Err(FileError::new(message).hint(format!("{convert}; {READABLE}")));
    }
    match FileFormat::of(&bytes, name.trim_end_matches(".gz")).filter(|_| !bytes.is_empty()) {
        Some(format) => Err(FileError::new(format!("is {format}, which cannot be read as a table"))
            .hint(format!("{}; {READABLE}", format.how_to_convert()))),
        None => Ok((bytes, sum)),
    }
}

/// Returns the bytes of a file, unpacked, and the SHA-256 of the file. gzip is detected by content, not by name.
///
/// # Errors
/// When the file cannot be read; the message follows the file name.
pub fn read(path: &Path) -> Result<(Vec<u8>, String), FileError> {
    let (bytes, sum) = hashed_file::read(path).map_err(|error| read_error(path, &error))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok((bytes, sum));
    }
    let unpacked = unpacked(&bytes, MOST_UNPACKED.min(hashed_file::max_bytes()))?;
    let sum = sha256(&unpacked);
    Ok((unpacked, sum))
}

/// Returns the fault of a file or directory that cannot be read.
pub fn read_error(path: &Path, error: &std::io::Error) -> FileError {
    match error.kind() {
        ErrorKind::NotFound => FileError::new("does not exist").hint(similar(path, |_| true)),
        ErrorKind::IsADirectory => FileError::new("is a directory"),
        ErrorKind::NotADirectory => FileError::new("is not a directory"),
        _ => FileError::new(format!("cannot be read: {error}")),
    }
}

/// Unpacks a gzip file of at most `limit` bytes.
fn unpacked(packed: &[u8], limit: u64) -> Result<Vec<u8>, FileError> {
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(packed)
        .take(limit + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| FileError::new(format!("cannot be unpacked: {error}")))?;
    if unpacked.len() as u64 > limit {
        let (packed, limit) = (format_bytes(packed.len() as u64), format_bytes(limit));
        let message = format!("cannot be unpacked: its {packed} unpack to more than {limit}");
        return Err(FileError::new(message).hint("if this is intended, unpack it first: `gunzip --keep`"));
    }
    Ok(unpacked)
}

/// Hint on a path of an experiment, or of a stored run, that does not exist.
const FROM_EXPERIMENT: &str = "check the path, or restore the file; relative paths in an experiment file start at its \
                               directory, in `--set` at the current directory";

/// Returns the error of the setting `key`, which names the file or directory `path`.
pub fn setting_error(key: &str, path: impl AsRef<Path>, fault: FileError) -> Invalid {
    let path = path.as_ref().display();
    let has_subject = ["column `", "array `"].iter().any(|subject| fault.message.starts_with(subject));
    let message = match has_subject {
        true => format!("cannot be used: in `{path}`, {}", fault.message),
        false => format!("cannot be used: `{path}` {}", fault.message),
    };
    let hint = fault.hint.map(|hint| if hint == FROM_HERE { FROM_EXPERIMENT.to_owned() } else { hint });
    Invalid { hint, ..Invalid::new(key, message) }
}

/// Returns the error of a file that the command line names; `name` is its name in messages.
pub fn file_error(name: &str, fault: FileError) -> anyhow::Error {
    with_hint(anyhow!("{name} {}", fault.message), fault.hint)
}

/// Returns the hint on a file that is read with the settings of an experiment, but named on the command line.
pub fn hint_on_command_line(hint: Option<String>) -> Option<String> {
    hint.map(|hint| if hint == FROM_EXPERIMENT { FROM_HERE.to_owned() } else { hint })
}

/// Returns the hint on a directory of images, or a table with their paths, that does not exist.
pub fn where_images_may_be(path: &Path) -> String {
    let is_table = |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    similar(path, |path| path.is_dir() || is_table(path))
}

/// Returns the hint on a path that does not exist: a file with a similar name for which `may_be` is true, or how paths are read.
fn similar(path: &Path, may_be: impl Fn(&Path) -> bool) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let there: Vec<String> = entries
        .filter(|entry| may_be(&entry.path()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    match suggest::nearest(&wanted, there.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{}`?", path.with_file_name(near).display()),
        None => FROM_HERE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_of_another_format_is_refused_with_its_name_and_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            let fault = read_table(&folder.path().join(name)).unwrap_err();
            let hint = fault.hint.unwrap();
            assert!(hint.contains("CSV text in UTF-8"), "{hint}");
            fault.message
        };
        let workbook = b"PK\x03\x04\x14\0\x06\0[Content_Types].xml xl/workbook.xml";
        assert_eq!(refused("t.csv", workbook), "is an Excel workbook (.xlsx), which cannot be read as a table");
        assert_eq!(refused("t.parquet", b"PAR1\x15\x04PAR1"), "is a Parquet file, which cannot be read as a table");
        assert_eq!(refused("t.csv", b"PK\x03\x04\x14\0table.csv"), "is a ZIP archive, which cannot be read as a table");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&[&[0; 257][..], b"ustar"].concat()).unwrap();
        assert_eq!(refused("t.tar.gz", &packed.finish().unwrap()), "is a tar archive, which cannot be read as a table");
        let missing = read_table(&folder.path().join("none.xlsx")).unwrap_err();
        assert_eq!(missing.message, "does not exist; an Excel workbook (.xlsx) cannot be read anyway");
        std::fs::write(folder.path().join("text.xlsx"), "a,b\n1,2\n").unwrap();
        assert!(read_table(&folder.path().join("text.xlsx")).is_ok());
    }

    #[test]
    fn a_small_file_of_many_zeros_is_unpacked_no_further_than_allowed() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
        let bomb = encoder.finish().unwrap().repeat(64); // a gzip file may have several members in a row
        assert_eq!(unpacked(&bomb, 64 << 20).unwrap().len(), 64 << 20);
        let fault = unpacked(&bomb, (64 << 20) - 1).unwrap_err();
        assert_eq!(fault.message, "cannot be unpacked: its 65.6 KiB unpack to more than 63.9 MiB");
    }
}
