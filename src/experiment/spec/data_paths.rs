//! Paths of the user's own data files. An experiment writes them relative to its own file; a run stores them absolute, so
//! that every command finds them from any folder.

use std::path::{Path, PathBuf};

use crate::data::source::DataSpec;

/// Makes relative paths absolute: they are relative to `folder`, the experiment file's. A file that is missing there is
/// looked for in `current`, the folder that the program runs in. Returns a note for each that was found there.
pub fn resolve(data: &mut DataSpec, folder: &Path, current: &Path) -> Vec<String> {
    let mut notes = Vec::new();
    let name = data.name();
    for (key, path) in data.paths_mut() {
        if Path::new(path.as_str()).is_absolute() {
            continue;
        }
        let (beside, here) = (folder.join(&*path), current.join(&*path));
        let found = if !beside.exists() && here.exists() { here } else { beside.clone() };
        if found != beside {
            notes.push(format!(
                "`data.{name}.{key}`: there is no `{}`, so `{}` is used; paths are relative to the experiment file",
                beside.display(),
                found.display()
            ));
        }
        if let Some(found) = found.to_str() {
            found.clone_into(path);
        }
    }
    notes
}

/// Finds the data files of a stored run. Relative paths, of runs of earlier versions, are relative to one of `bases`;
/// absolute ones whose files are gone are looked for in `current`, at the same place as they had in one of `bases`.
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
    fn paths_are_relative_to_the_experiment_file_and_else_to_the_current_folder_with_a_note() {
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
        assert!(notes[0].starts_with("`data.csv.path`: there is no `"), "{}", notes[0]);
        let whole = current.join("both.csv");
        assert_eq!(resolved(whole.to_str().unwrap()), (whole, vec![]));
    }

    #[test]
    fn the_files_of_a_stored_run_are_found_where_they_were_and_else_at_the_same_place_in_the_current_folder() {
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
