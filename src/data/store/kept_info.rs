//! Keeps descriptions of data sets of the user. A sweep plans each of its stacks, and would otherwise read a large table again
//! for each of them.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::config::check::Invalid;
use crate::data::dataset::DatasetInfo;
use crate::data::source::table_files;
use crate::data::store::file_state::FileState;

/// Maximum number of descriptions that are kept.
const MOST: usize = 64;

/// Settings of a data set as JSON, and the state of its files.
type Key = (String, Vec<FileState>);

static KEPT: Mutex<Vec<(Key, DatasetInfo)>> = Mutex::new(Vec::new());

/// Returns the kept description of a data set with these settings, if the files of `path` have not changed; otherwise that of
/// `read`, which is then kept.
///
/// # Errors
/// As for `read`.
pub fn get_or_read(
    settings: &impl Serialize,
    path: &str,
    read: impl FnOnce() -> Result<DatasetInfo, Invalid>,
) -> Result<DatasetInfo, Invalid> {
    let settings = serde_json::to_string(settings).expect("settings are JSON");
    let files = table_files::files(Path::new(path)).unwrap_or_default();
    let files: Option<Vec<FileState>> = files.iter().map(|file| FileState::of(file)).collect();
    let Some(key) = files.filter(|files| !files.is_empty()).map(|files| (settings, files)) else { return read() };
    let lock = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, info)) = lock().iter().find(|(known, _)| *known == key) {
        return Ok(info.clone());
    }
    let info = read()?;
    let mut kept = lock();
    if kept.len() >= MOST {
        kept.clear();
    }
    kept.push((key, info.clone()));
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::target::Target;
    use crate::tensor::shape::Shape;

    #[test]
    fn a_description_is_read_again_if_settings_or_the_file_have_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "x,y\n1,2\n").unwrap();
        let get = |settings: &str, rows: usize| {
            let read = || {
                Ok(DatasetInfo {
                    sample: Shape::from([1_i64]),
                    target: Target::Values(1),
                    rows,
                    test_rows: 0,
                    validation_rows: 0,
                    token_ids: None,
                    classes: Vec::new(),
                    notes: Vec::new(),
                })
            };
            get_or_read(&settings, path.to_str().unwrap(), read).unwrap().rows
        };
        assert_eq!([get("a", 1), get("a", 2), get("b", 3), get("a", 4)], [1, 1, 3, 1]);
        std::fs::write(&path, "x,y\n1,2\n3,4\n").unwrap();
        assert_eq!([get("a", 5), get("a", 6)], [5, 5]);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(get("a", 7), 7);
    }
}
