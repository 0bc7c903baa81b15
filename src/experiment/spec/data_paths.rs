//! Paths of data files and of modules written in PyTorch. In an experiment file they are relative to that file. A run
//! stores absolute paths, so that commands work from any directory.

use std::path::{Path, PathBuf};

use toml_edit::{Item, Table, TableLike, Value};

use crate::data::arrays::settings::{self, ARRAY_KEYS};
use crate::data::source::table_files;
use crate::experiment::spec::{self, Spec};

/// Keys of the paths in the tables of data sources.
const KEYS: [&str; 8] = ["path", "images", "labels", "test_images", "test_labels", "validation", "test", "root"];

/// Tables in which modules written in PyTorch are named, and the key of their paths.
const MODULES: [&str; 3] = ["network", "train", "tree"];
const MODULE: &str = "torchscript";

/// Returns whether the value of a key in the table of a data source is a path. That of an array is a path if it is the
/// name of a `.npy` file.
fn is_path(key: &str, value: Option<&str>) -> bool {
    KEYS.contains(&key) || (ARRAY_KEYS.contains(&key) && value.is_some_and(settings::is_file))
}

/// Makes the paths in the text of an experiment absolute: those of its data set, and those that its variants set. They are
/// relative to `folder`.
pub fn make_absolute(experiment: &mut Table, folder: &Path) {
    if let Some(data) = experiment.get_mut("data") {
        data_item(data, 1, folder);
    }
    for table in MODULES {
        experiment.get_mut(table).into_iter().for_each(|table| module_item(table, folder));
    }
    let set_by_variants = |variant: &mut dyn TableLike| {
        let settings = variant.get_mut("set").and_then(Item::as_table_like_mut);
        for (key, item) in settings.into_iter().flat_map(TableLike::iter_mut) {
            let path = key.get().split('.').collect::<Vec<_>>();
            match path[..] {
                ["data", .., last] if path.len() == 3 && !is_path(last, item.as_str()) => {}
                ["data", ..] => data_item(item, path.len(), folder),
                [table, .., MODULE] if MODULES.contains(&table) => data_item(item, 3, folder),
                [table, ..] if MODULES.contains(&table) => module_item(item, folder),
                _ => {}
            }
        }
    };
    match experiment.get_mut("variants") {
        Some(Item::ArrayOfTables(variants)) => variants.iter_mut().for_each(|variant| set_by_variants(variant)),
        Some(Item::Value(Value::Array(variants))) => {
            variants.iter_mut().filter_map(Value::as_inline_table_mut).for_each(|variant| set_by_variants(variant));
        }
        _ => {}
    }
}

/// Makes the paths in a part of `data` absolute. `depth` is the number of keys above it: 3 for the path itself.
fn data_item(item: &mut Item, depth: usize, folder: &Path) {
    if depth == 3 {
        if let Some(absolute) = item.as_str().and_then(|path| folder.join(path).to_str().map(str::to_owned)) {
            *item = toml_edit::value(absolute);
        }
        return;
    }
    for (key, item) in item.as_table_like_mut().into_iter().flat_map(TableLike::iter_mut) {
        if depth < 2 || is_path(key.get(), item.as_str()) {
            data_item(item, depth + 1, folder);
        }
    }
}

/// Makes the paths of modules written in PyTorch in a part of an experiment absolute.
fn module_item(item: &mut Item, folder: &Path) {
    for (key, item) in item.as_table_like_mut().into_iter().flat_map(TableLike::iter_mut) {
        match key.get() == MODULE && item.is_str() {
            true => data_item(item, 3, folder),
            false => module_item(item, folder),
        }
    }
    for value in item.as_array_mut().into_iter().flat_map(toml_edit::Array::iter_mut) {
        let mut part = Item::Value(value.clone());
        module_item(&mut part, folder);
        if let Item::Value(part) = part {
            *value = part;
        }
    }
}

/// Returns the paths of an experiment's files with their keys: data, and modules written in PyTorch.
fn paths_mut(spec: &mut Spec) -> Vec<(String, &mut String)> {
    let name = spec.data.name();
    let Spec { data, network, train, tree, .. } = spec;
    let data = data.paths_mut().into_iter().map(|(key, path)| (format!("data.{name}.{key}"), path));
    let modules = spec::modules_mut(network.as_mut(), train.as_mut(), tree.as_mut());
    data.chain(modules.into_iter().map(|(key, module)| (key, &mut module.path))).collect()
}

/// Returns the paths of the originals that a stored run has copies of.
fn copied(spec: &mut Spec) -> Vec<PathBuf> {
    let copies = spec.modules_mut().into_iter().flat_map(|(_, module)| module.copies.iter());
    copies.map(|copy| PathBuf::from(&copy.path)).collect()
}

/// Makes paths absolute. They are relative to `folder`, the directory of the experiment file. A file that does not exist
/// there, and that the run has no copy of, is looked up in `current`, the working directory. Returns a note for each file
/// found there.
pub fn resolve(spec: &mut Spec, folder: &Path, current: &Path) -> Vec<String> {
    let mut notes = Vec::new();
    let copied = copied(spec);
    for (key, path) in paths_mut(spec) {
        let is_missing = path.is_empty() && !key.starts_with("data."); // reported when the module is read
        if is_missing || Path::new(path.as_str()).is_absolute() {
            continue;
        }
        let (in_folder, here) = (folder.join(&*path), current.join(&*path));
        let is_there = table_files::exist(&in_folder) || copied.contains(&in_folder);
        let found = if !is_there && table_files::exist(&here) { here } else { in_folder.clone() };
        if found != in_folder {
            notes.push(format!(
                "`{key}`: `{}` does not exist, using `{}`; paths are relative to the experiment file",
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
/// an absolute path that no longer exists, and that the run has no copy of, the same path relative to one of `bases` is looked up in `current`.
pub fn relocate(spec: &mut Spec, bases: &[PathBuf], current: &Path) {
    let copied = copied(spec);
    for (_, path) in paths_mut(spec) {
        let written = PathBuf::from(path.as_str());
        if written.is_absolute() && (table_files::exist(&written) || copied.contains(&written)) {
            continue;
        }
        let places = bases.iter().filter_map(|base| match written.is_absolute() {
            true => Some(current.join(written.strip_prefix(base).ok()?)),
            false => Some(base.join(&written)),
        });
        let here = (!written.is_absolute()).then(|| current.join(&written));
        let found = places.chain(here).find(|place| table_files::exist(place));
        if let Some(found) = found.as_ref().and_then(|found| found.to_str()) {
            found.clone_into(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::source::DataSpec;

    fn spec(path: &str) -> Spec {
        let data = serde_json::json!({ "csv": { "path": path, "target": "y" } });
        serde_json::from_value(serde_json::json!({ "title": "t", "data": data })).unwrap()
    }

    fn path(spec: &mut Spec) -> PathBuf {
        PathBuf::from(spec.data.paths_mut()[0].1.as_str())
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
            let mut spec = spec(written);
            let notes = resolve(&mut spec, &own, &current);
            (path(&mut spec), notes)
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
    fn paths_in_a_text_are_made_absolute() {
        let text = r#"
            data.csv = { path = "a.csv", target = "y" }
            [[variants]]
            name = "v"
            set = { "data.csv.path" = "b.csv", "data.csv.target" = "z", "data" = { idx = { images = "/c", labels = "d" } } }
        "#;
        let mut document = text.parse::<toml_edit::DocumentMut>().unwrap();
        make_absolute(document.as_table_mut(), Path::new("/base"));
        let changed = document.to_string();
        for wanted in
            ["\"/base/a.csv\"", "\"/base/b.csv\"", "\"z\"", "images = \"/c\"", "\"/base/d\"", "target = \"y\""]
        {
            assert!(changed.contains(wanted), "{wanted}: {changed}");
        }
        let mut document = "data.arrays = { path = \"a.npz\", x = \"images\", y = \"y.npy\" }"
            .parse::<toml_edit::DocumentMut>()
            .unwrap();
        make_absolute(document.as_table_mut(), Path::new("/base"));
        let wanted = "data.arrays = { path = \"/base/a.npz\", x = \"images\", y = \"/base/y.npy\" }";
        assert_eq!(document.to_string().trim().replace(" ", ""), wanted.replace(" ", ""));
        let with_paths = [
            serde_json::json!({ "csv": { "path": "p", "target": "y" } }),
            serde_json::json!({ "idx": { "images": "i", "labels": "l", "test_images": "ti", "test_labels": "tl" } }),
            serde_json::json!({ "images": { "path": "p", "validation": "v", "test": "t", "root": "r" } }),
            serde_json::json!({ "arrays": { "x": "images", "y_test": "t.npy" } }),
        ];
        let keys = with_paths.map(|data| {
            let mut data: DataSpec = serde_json::from_value(data).unwrap();
            data.paths_mut().into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        });
        assert_eq!(keys.concat(), [&KEYS[..5], &["path"], &KEYS[5..], &["y_test"]].concat());
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
            let mut spec = spec(written.to_str().unwrap());
            relocate(&mut spec, std::slice::from_ref(&base), &current);
            path(&mut spec)
        };
        assert_eq!(relocated(&base.join("data/old.csv")), base.join("data/old.csv"));
        assert_eq!(relocated(&base.join("data/moved.csv")), current.join("data/moved.csv"));
        assert_eq!(relocated(&base.join("data/gone.csv")), base.join("data/gone.csv"));
        assert_eq!(relocated(Path::new("data/old.csv")), base.join("data/old.csv"));
        assert_eq!(relocated(Path::new("data/moved.csv")), current.join("data/moved.csv"));
    }
}
