//! Keeps the user's table that was read last. An experiment reads its table twice, when it is checked and before it is
//! trained, and reading a large table takes seconds.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::data::file_error::FileError;
use crate::data::source::table_files;
use crate::data::store::file_state::FileState;
use crate::data::table::csv_table::Table;
use crate::data::table::field_format::FieldFormat;

/// The user's table that was read last.
pub static LAST: LastTable = LastTable(Mutex::new(None));

/// A table, with everything that its content depends on.
#[derive(Debug)]
struct KeptTable {
    key: Key,
    table: Arc<Table>,
    sha256: String,
}

/// Files of a table, and how they are read.
#[derive(Debug, PartialEq)]
struct Key {
    files: Vec<FileState>,
    reading: FieldFormat,
    /// Columns of JSON lines that are read.
    wanted: Option<Vec<String>>,
}

/// The table that was read last. The lock is never held while a table is read: a thread that waits for others to read may take
/// up the reading of another table.
#[derive(Debug)]
pub struct LastTable(Mutex<Option<KeptTable>>);

impl LastTable {
    fn lock(&self) -> MutexGuard<'_, Option<KeptTable>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Frees the table.
    pub fn release(&self) {
        *self.lock() = None;
    }

    /// Returns the kept table of a path, with the SHA-256 of its files. If it is another one, or a file has changed, `read`
    /// reads the table, which is then kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub fn get_or_read(
        &self,
        path: &Path,
        reading: &FieldFormat,
        wanted: Option<&[String]>,
        read: impl FnOnce() -> Result<(Table, String), FileError>,
    ) -> Result<(Arc<Table>, String), FileError> {
        let files: Option<Vec<FileState>> = table_files::files(path)?.iter().map(|file| FileState::of(file)).collect();
        let key = files.map(|files| Key { files, reading: reading.clone(), wanted: wanted.map(<[String]>::to_vec) });
        let last = self.lock().take(); // frees its memory before another table is read
        let (key, table, sha256) = match (last, key) {
            (Some(known), Some(key)) if known.key == key => (Some(key), known.table, known.sha256),
            (last, key) => {
                drop(last);
                let (table, sha256) = read()?;
                (key, Arc::new(table), sha256)
            }
        };
        *self.lock() = key.map(|key| KeptTable { key, table: Arc::clone(&table), sha256: sha256.clone() });
        Ok((table, sha256))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_table_is_read_again_if_its_file_or_format_has_changed_or_it_was_released() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, "x,y\n1,2\n").unwrap();
        let last = LastTable(Mutex::new(None));
        let get = |missing: &str, is_read: bool| {
            let reading = FieldFormat { missing_values: Some(vec![missing.to_owned()]), ..FieldFormat::new(',') };
            let mut count = 0;
            let other = folder.path().join("b.csv");
            let read = || {
                count += 1;
                // another table may be read at the same time
                last.get_or_read(&other, &reading, None, || table_files::read(&path, &reading)).unwrap();
                table_files::read(&path, &reading)
            };
            let (table, sum) = last.get_or_read(&path, &reading, None, read).unwrap();
            assert_eq!((count == 1, sum), (is_read, crate::data::store::hashed_file::sum(&path).unwrap()));
            table.columns.len()
        };
        assert_eq!([get("?", true), get("?", false), get("-", true), get("-", false)], [2; 4]);
        fs::write(&path, "x,y,z\n1,2,3\n").unwrap();
        assert_eq!([get("-", true), get("-", false)], [3; 2]);
        last.release();
        get("-", true);
        let (missing, reading) = (folder.path().join("c.csv"), FieldFormat::new(','));
        last.get_or_read(&missing, &reading, None, || table_files::read(&missing, &reading)).unwrap_err();
    }
}
