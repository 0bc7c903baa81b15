//! The JSON Schemas in `docs/reference/` are those of the types, and shipped experiments name the schema.

use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// Checks a committed schema, or with `UPDATE_DOCS=1` writes it.
#[track_caller]
fn assert_committed(name: &str, schema: &Value) {
    assert_committed_text(name, &format!("{}\n", serde_json::to_string_pretty(schema).unwrap()));
}

/// Checks a committed page, or with `UPDATE_DOCS=1` writes it.
#[track_caller]
fn assert_committed_text(name: &str, current: &str) {
    let path = root().join("docs/reference").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, current).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "`docs/reference/{name}` is out of date; update it with \
         `UPDATE_DOCS=1 cargo test --test it schemas::committed` and commit it"
    );
}

#[test]
fn the_schema_of_histories_is_that_of_the_types() {
    let schema = schemars::schema_for!(runner::history::History);
    assert_committed("history.schema.json", &serde_json::to_value(schema).unwrap());
}

#[test]
fn the_schema_of_experiment_files_is_that_of_the_types() {
    assert_committed("experiment.schema.json", &runner::experiment::spec::json_schema::json_schema());
}

#[test]
fn the_page_of_all_keys_is_that_of_the_types() {
    assert_committed_text("experiment-keys.md", &runner::experiment::spec::key_reference::page());
}

#[test]
fn every_shipped_experiment_names_the_schema_for_editors() {
    for entry in std::fs::read_dir(root().join("experiments")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue; // modules of an experiment
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let line = text.lines().next().unwrap();
        let schema = line.strip_prefix("#:schema ").unwrap_or_else(|| panic!("{}: `{line}`", path.display()));
        assert!(path.parent().unwrap().join(schema).is_file(), "{}: there is no `{schema}`", path.display());
    }
}
