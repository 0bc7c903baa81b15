//! The limits of the source tree: files in a folder, lines in a file, and no circular imports.

mod imports;
mod prose;

use std::path::{Path, PathBuf};

use imports::{Modules, without_tests};

/// The most files in a folder.
const FILES: usize = 16;

/// The most lines in a file, without its unit tests.
const LINES: usize = 350;

/// The path of a folder or file of the repository.
fn in_repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The folder and all folders in it, each with its files, by their paths in the repository.
fn folders(folder: &str) -> Vec<(String, Vec<String>)> {
    let mut files = Vec::new();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(in_repository(folder)).unwrap().map(Result::unwrap) {
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(folders(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    found.push((folder.to_owned(), files));
    found.sort();
    found
}

/// The Rust files in a folder and in all folders in it, each with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let files = folders(folder).into_iter().flat_map(|(_, files)| files);
    let with_text = |file: String| {
        let text = std::fs::read_to_string(in_repository(&file)).unwrap();
        (file, text)
    };
    files.filter(|file| file.ends_with(".rs")).map(with_text).collect()
}

#[track_caller]
fn assert_none(offenders: &[String]) {
    assert!(offenders.is_empty(), "\n{}\n", offenders.join("\n"));
}

#[test]
fn no_folder_has_too_many_files() {
    let mut offenders = Vec::new();
    for (folder, files) in ["src", "tests/it", "xtask/src"].into_iter().flat_map(folders) {
        if files.len() > FILES {
            offenders.push(format!("folder `{folder}` has {} files, but at most {FILES} are allowed", files.len()));
        }
    }
    assert_none(&offenders);
}

#[test]
fn no_source_file_has_too_many_lines() {
    let mut offenders = Vec::new();
    for (file, text) in ["src", "tests/it"].into_iter().flat_map(sources) {
        let lines = without_tests(&text).lines().count();
        if lines > LINES {
            offenders
                .push(format!("`{file}` has {lines} lines without its unit tests, and at most {LINES} are allowed"));
        }
    }
    assert_none(&offenders);
}

#[test]
fn no_source_files_import_each_other_in_a_circle() {
    let files: Vec<(String, String)> =
        sources("src").into_iter().map(|(file, text)| (file["src/".len()..].to_owned(), text)).collect();
    assert_none(&Modules::new(&files).circles());
}
