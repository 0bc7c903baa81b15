//! Paths of data files. In an experiment file they are relative to that file. A run stores absolute paths, so that commands
//! work from any directory.

use std::path::{Path, PathBuf};

use crate::data::source::DataSpec;

/// Makes paths absolute. They are relative to `folder`, the directory of the experiment file. A file that does not exist
/// there is looked up in `current`, the working directory. Returns a note for each file found there.
pub fn resolve(data: &mut DataSpec, folder: &Path, current: &Path) -> Vec<String> {
    let mut notes = Vec::new();
    let name = data.name();
    for (key, path) in data.paths_mut() {
        if Path::new(path.as_str()).is_absolute() {
            continue;
        }
        let (in_folder, here) = (folder.join(&*path), current.join(&*path));
        let found = if !in_folder.exists() && here.exists() { here } else { in_folder.clone() };
        if found != in_folder {
            notes.push(format!(
                "`data.{name}.{key}`: `{}` does not exist, using `{}`; paths are relative to the experiment file",
                in_folder.display(),
                found.display()
            ));
        }
        if let Some(found) = found.to_str() {
            found.clone_into(path);
        }
    }
    notes
}

/// Finds the data files of a stored run. Relative paths, from runs of earlier versions, are relative to one of `bases`. For
/// an absolute path that no longer exists, the same path relative to one of `bases` is looked up in `current`.
pub fn relocate(data: &mut DataSpec, bases: &[PathBuf], current: &Path) {
    for (_, path) in data.paths_mut() {
        let written = PathBuf::from(path.as_str());
        if written.is_absolute() && written.exists() {
            continue;
        }
        let places = bases.iter().filter_map(|base| match written.is_absolute() {
            true => Some(current.join(written.strip_prefix(base).ok()?)),
            false => Some(base.join(&written)),
        });
        let here = (!written.is_absolute()).then(|| current.join(&written));
        let found = places.chain(here).find(|place| place.exists());
        if let Some(found) = found.as_ref().and_then(|found| found.to_str()) {
            found.clone_into(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(path: &str) -> DataSpec {
        serde_json::from_value(serde_json::json!({ "csv": { "path": path, "target": "y" } })).unwrap()
    }

    fn path(data: &mut DataSpec) -> PathBuf {
        PathBuf::from(data.paths_mut()[0].1.as_str())
    }

    #[test]
    fn paths_are_relative_to_the_experiment_file_or_with_a_note_to_the_working_directory() {
        let folder = tempfile::tempdir().unwrap();
        let (own, current) = (folder.path().join("own"), folder.path().join("current"));
        for place in [&own, &current] {
            std::fs::create_dir(place).unwrap();
            std::fs::write(place.join("both.csv"), "").unwrap();
        }
        std::fs::write(current.join("here.csv"), "").unwrap();
        let resolved = |written: &str| {
            let mut data = data(written);
            let notes = resolve(&mut data, &own, &current);
            (path(&mut data), notes)
        };
        assert_eq!(resolved("both.csv"), (own.join("both.csv"), vec![]));
        assert_eq!(resolved("none.csv"), (own.join("none.csv"), vec![]));
        let (found, notes) = resolved("here.csv");
        assert_eq!((found, notes.len()), (current.join("here.csv"), 1));
        assert!(notes[0].starts_with("`data.csv.path`: `"), "{}", notes[0]);
        let whole = current.join("both.csv");
        assert_eq!(resolved(whole.to_str().unwrap()), (whole, vec![]));
    }

    #[test]
    fn data_files_of_a_stored_run_are_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let (base, current) = (folder.path().join("base"), folder.path().join("current"));
        for (place, name) in [(&base, "old.csv"), (&current, "moved.csv"), (&current, "old.csv")] {
            std::fs::create_dir_all(place.join("data")).unwrap();
            std::fs::write(place.join("data").join(name), "").unwrap();
        }
        let relocated = |written: &Path| {
            let mut data = data(written.to_str().unwrap());
            relocate(&mut data, std::slice::from_ref(&base), &current);
            path(&mut data)
        };
        assert_eq!(relocated(&base.join("data/old.csv")), base.join("data/old.csv"));
        assert_eq!(relocated(&base.join("data/moved.csv")), current.join("data/moved.csv"));
        assert_eq!(relocated(&base.join("data/gone.csv")), base.join("data/gone.csv"));
        assert_eq!(relocated(Path::new("data/old.csv")), base.join("data/old.csv"));
        assert_eq!(relocated(Path::new("data/moved.csv")), current.join("data/moved.csv"));
    }
}
