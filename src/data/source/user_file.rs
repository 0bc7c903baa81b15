//! Files of the user's own: read whole, unpacked when they are compressed.

use std::io::{ErrorKind, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::config::suggest;
use crate::data::store::checksum::sha256;
use crate::data::store::hashed_file;
use crate::data::table::csv_text::TableFault;
use crate::io::bounded_file::in_words;
use crate::io::file_format::FileFormat;

/// What is read.
const READABLE: &str = "a table is read from CSV text in UTF-8, as it is or packed with gzip (`.csv`, `.csv.gz`)";

/// What a compressed file becomes in memory at most: a small one may hold any number of zeros.
const MOST_UNPACKED: u64 = 4 << 30;

/// The bytes of a table as text, and their SHA-256; `.gz` is unpacked first, whatever the name says.
///
/// # Errors
/// When it cannot be read, or is of another format; the message follows the file's name.
pub fn read_table(path: &Path) -> Result<(Vec<u8>, String), TableFault> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let by_name = FileFormat::of(&[], &name).filter(|format| *format != FileFormat::Gzip);
    if let Some(format) = by_name.filter(|_| !path.exists()) {
        return Err(TableFault::new(format!("does not exist, and by its name it is {format}")).hint(READABLE));
    }
    let (bytes, sum) = read(path)?;
    match FileFormat::of(&bytes, name.trim_end_matches(".gz")).filter(|_| !bytes.is_empty()) {
        Some(format) => Err(TableFault::new(format!("is {format}, and no table that is read"))
            .hint(format!("{}; {READABLE}", format.how_to_convert()))),
        None => Ok((bytes, sum)),
    }
}

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
    let unpacked = unpacked(&bytes, MOST_UNPACKED.min(hashed_file::most()))?;
    let sum = sha256(&unpacked);
    Ok((unpacked, sum))
}

/// What a gzip file holds, where that is so many bytes at most.
fn unpacked(packed: &[u8], most: u64) -> Result<Vec<u8>, TableFault> {
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(packed)
        .take(most + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| TableFault::new(format!("cannot be unpacked: {error}")))?;
    if unpacked.len() as u64 > most {
        let (packed, most) = (in_words(packed.len() as u64), in_words(most));
        let message = format!("cannot be unpacked: its {packed} become more than {most}");
        return Err(TableFault::new(message).hint("where that is meant, unpack it first: `gunzip --keep`"));
    }
    Ok(unpacked)
}

fn where_it_may_be(path: &Path) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let there: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect())
        .unwrap_or_default();
    match suggest::nearest(&wanted, there.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{}`?", path.with_file_name(near).display()),
        None => "in an experiment, a relative path is relative to the experiment file".to_owned(),
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
        assert_eq!(refused("t.csv", workbook), "is an Excel workbook (.xlsx), and no table that is read");
        assert_eq!(refused("t.parquet", b"PAR1\x15\x04PAR1"), "is a Parquet file, and no table that is read");
        assert_eq!(refused("t.csv", b"PK\x03\x04\x14\0table.csv"), "is a ZIP archive, and no table that is read");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&[&[0; 257][..], b"ustar"].concat()).unwrap();
        assert_eq!(refused("t.tar.gz", &packed.finish().unwrap()), "is a tar archive, and no table that is read");
        let missing = read_table(&folder.path().join("none.xlsx")).unwrap_err();
        assert_eq!(missing.message, "does not exist, and by its name it is an Excel workbook (.xlsx)");
        std::fs::write(folder.path().join("text.xlsx"), "a,b\n1,2\n").unwrap();
        assert!(read_table(&folder.path().join("text.xlsx")).is_ok());
    }

    #[test]
    fn a_small_file_of_many_zeros_is_unpacked_no_further_than_allowed() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
        let bomb = encoder.finish().unwrap().repeat(64); // members of a gzip file stand one behind the other
        assert_eq!(unpacked(&bomb, 64 << 20).unwrap().len(), 64 << 20);
        let fault = unpacked(&bomb, (64 << 20) - 1).unwrap_err();
        assert_eq!(fault.message, "cannot be unpacked: its 65.6 KiB become more than 63.9 MiB");
    }
}
