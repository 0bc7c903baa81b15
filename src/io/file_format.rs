//! Detects unsupported file formats from a file's first bytes and name, so that error messages can name them.

/// Unsupported file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// `.gz`
    Gzip,
    /// `.bz2`
    Bzip2,
    /// `.xz`
    Xz,
    /// `.zst`
    Zstandard,
    /// `.tar`
    Tar,
    /// `.zip`
    Zip,
    /// `.xlsx`
    Excel,
    /// `.xls`
    OldExcel,
    /// `.ods`
    OpenDocument,
    /// `.parquet`
    Parquet,
    /// `.feather`, `.arrow`
    Arrow,
    /// `.npy`
    Numpy,
    /// `.npz`
    NumpyArchive,
    /// `.h5`
    Hdf5,
    /// `.pkl`
    Pickle,
    /// `.pt`, `.pth`
    TorchSave,
    /// `.sqlite`
    Sqlite,
    /// `.pdf`
    Pdf,
    /// UTF-16 text, as some Windows programs write it.
    Utf16,
}

/// Each format with the endings of its file names in lower case, and its name with an article.
const FORMATS: [(FileFormat, &[&str], &str); 19] = [
    (FileFormat::Gzip, &["gz", "tgz"], "a file packed with gzip"),
    (FileFormat::Bzip2, &["bz2"], "a file packed with bzip2"),
    (FileFormat::Xz, &["xz"], "a file packed with xz"),
    (FileFormat::Zstandard, &["zst"], "a file packed with zstd"),
    (FileFormat::Tar, &["tar"], "a tar archive"),
    (FileFormat::Zip, &["zip"], "a ZIP archive"),
    (FileFormat::Excel, &["xlsx", "xlsm"], "an Excel workbook (.xlsx)"),
    (FileFormat::OldExcel, &["xls"], "an Excel workbook (.xls)"),
    (FileFormat::OpenDocument, &["ods"], "an OpenDocument spreadsheet (.ods)"),
    (FileFormat::Parquet, &["parquet"], "a Parquet file"),
    (FileFormat::Arrow, &["feather", "arrow"], "an Arrow file"),
    (FileFormat::Numpy, &["npy"], "a NumPy array (.npy)"),
    (FileFormat::NumpyArchive, &["npz"], "an archive of NumPy arrays (.npz)"),
    (FileFormat::Hdf5, &["h5", "hdf5", "keras"], "an HDF5 file"),
    (FileFormat::Pickle, &["pkl", "pickle", "pt", "pth"], "a Python pickle"),
    (FileFormat::TorchSave, &[], "a file of `torch.save`"),
    (FileFormat::Sqlite, &["sqlite", "db"], "an SQLite database"),
    (FileFormat::Pdf, &["pdf"], "a PDF document"),
    (FileFormat::Utf16, &[], "UTF-16 text"),
];

impl FileFormat {
    /// Returns the format of a file with these first bytes and this name; `None` for text and unknown formats. The
    /// bytes decide. The name decides only if the bytes are not text, or are empty or missing.
    pub fn of(bytes: &[u8], name: &str) -> Option<FileFormat> {
        Self::of_bytes(bytes, name).or_else(|| Self::of_name(name).filter(|_| !looks_like_text(bytes)))
    }

    fn of_bytes(bytes: &[u8], name: &str) -> Option<FileFormat> {
        let is_named = |ending: &str| name.to_lowercase().ends_with(ending);
        let holds = |text: &[u8]| bytes.windows(text.len()).take(4096).any(|window| window == text);
        Some(match bytes {
            [0x1f, 0x8b, ..] => FileFormat::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] => FileFormat::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => FileFormat::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => FileFormat::Zstandard,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => match () {
                () if is_named(".xlsx") || is_named(".xlsm") || holds(b"xl/") => FileFormat::Excel,
                () if is_named(".ods") || holds(b"opendocument") => FileFormat::OpenDocument,
                () if holds(b"data.pkl") => FileFormat::TorchSave,
                () if is_named(".npz") || holds(b".npy") => FileFormat::NumpyArchive,
                () => FileFormat::Zip,
            },
            [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => FileFormat::OldExcel,
            [b'P', b'A', b'R', b'1', next, ..] if next.is_ascii_control() => FileFormat::Parquet,
            [b'A', b'R', b'R', b'O', b'W', b'1', 0, ..] => FileFormat::Arrow,
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => FileFormat::Numpy,
            [0x89, b'H', b'D', b'F', ..] => FileFormat::Hdf5,
            [0x80, 2..=5, ..] => FileFormat::Pickle,
            [b'%', b'P', b'D', b'F', b'-', ..] => FileFormat::Pdf,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => FileFormat::Utf16,
            _ if bytes.starts_with(b"SQLite format 3\0") => FileFormat::Sqlite,
            _ if bytes.get(257..262) == Some(b"ustar") => FileFormat::Tar,
            _ => return None,
        })
    }

    fn of_name(name: &str) -> Option<FileFormat> {
        let name = name.to_lowercase();
        let (_, ending) = name.rsplit_once('.')?;
        FORMATS.iter().find(|(_, endings, _)| endings.contains(&ending)).map(|(format, ..)| *format)
    }

    /// Returns a hint that says how to convert the file to a text table.
    pub fn how_to_convert(self) -> &'static str {
        match self {
            FileFormat::Gzip => "unpack it: `gunzip --keep FILE`",
            FileFormat::Bzip2 => "unpack it: `bunzip2 --keep FILE`",
            FileFormat::Xz => "unpack it: `unxz --keep FILE`",
            FileFormat::Zstandard => "unpack it: `unzstd FILE`",
            FileFormat::Tar => "unpack it, and name the file in it: `tar -xf FILE`",
            FileFormat::Zip => "unpack it, and name the file in it: `unzip FILE`",
            FileFormat::Excel | FileFormat::OldExcel | FileFormat::OpenDocument => {
                "save the sheet as CSV (UTF-8), or in Python: `pandas.read_excel(FILE).to_csv(\"table.csv\", index=False)`"
            }
            FileFormat::Parquet => {
                "convert it in Python: `pandas.read_parquet(FILE).to_csv(\"table.csv\", index=False)`"
            }
            FileFormat::Arrow => "convert it in Python: `pandas.read_feather(FILE).to_csv(\"table.csv\", index=False)`",
            FileFormat::Numpy | FileFormat::NumpyArchive => {
                "use `[data.arrays]` instead of `[data.csv]`, or in `runner new` `--data FILE` instead of `--csv FILE`"
            }
            FileFormat::TorchSave => {
                "save arrays in Python for `[data.arrays]`: `numpy.savez(\"data.npz\", x=x.numpy(), y=y.numpy())`, or a table as text"
            }
            FileFormat::Hdf5 | FileFormat::Pickle | FileFormat::Sqlite | FileFormat::Pdf => {
                "export it as text with the program that created it"
            }
            FileFormat::Utf16 => "save it as UTF-8",
        }
    }
}

impl std::fmt::Display for FileFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (.., name) = FORMATS.iter().find(|(format, ..)| format == self).expect("all formats are listed");
        f.write_str(name)
    }
}

/// Returns whether the bytes are nonempty and start like text.
fn looks_like_text(bytes: &[u8]) -> bool {
    let beginning = &bytes[..bytes.len().min(1024)];
    // The slice may end inside a multi-byte character.
    let is_utf8 = std::str::from_utf8(beginning).map_or_else(|error| error.error_len().is_none(), |_| true);
    !beginning.is_empty() && !beginning.contains(&0) && is_utf8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_content_whatever_the_name() {
        for (bytes, name, format) in [
            (&b"\x1f\x8b\x08\0"[..], "table.csv", FileFormat::Gzip),
            (b"PK\x03\x04\x14\0\x06\0[Content_Types].xml...xl/workbook.xml", "table.csv", FileFormat::Excel),
            (b"PK\x03\x04\x14\0\x06\0[Content_Types].xml", "Table.XLSX", FileFormat::Excel),
            (b"PK\x03\x04\x14\0\0\0table.csv", "table.csv", FileFormat::Zip),
            (b"PK\x03\x04\x14\0\0\0x.npy", "table.csv", FileFormat::NumpyArchive),
            (b"PK\x03\x04\0\0\x08\x08\0\0own/data.pkl", "table.csv", FileFormat::TorchSave),
            (b"PAR1\x15\x04", "table.csv", FileFormat::Parquet),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "table.csv", FileFormat::OldExcel),
            (b"\x80\x04\x95", "history.json", FileFormat::Pickle),
            (b"\xff\xfea\0,\0", "table.csv", FileFormat::Utf16),
            (b"SQLite format 3\0", "mlflow", FileFormat::Sqlite),
        ] {
            assert_eq!(FileFormat::of(bytes, name), Some(format), "{name}");
        }
    }

    #[test]
    fn names_decide_where_there_is_no_text() {
        assert_eq!(FileFormat::of(b"", "churn.parquet"), Some(FileFormat::Parquet));
        assert_eq!(FileFormat::of(b"\0\x01", "churn.xlsx"), Some(FileFormat::Excel));
        assert_eq!(FileFormat::of(b"a,b\n1,2\n", "churn.xlsx"), None, "text with a wrong name is still a table");
        for text in [&b"a,b\n1,2\n"[..], b"", b"\xef\xbb\xbfa,b\n", b"PK,b\n", b"BZhello,b\n", b"PAR1,b\n"] {
            assert_eq!(FileFormat::of(text, "table.csv"), None, "{text:?}");
        }
    }
}
