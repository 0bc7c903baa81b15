//! Names in files cannot point outside of the run directory or the data directory.

use serde_json::json;

use super::damaged_run::{HISTORY, dir_with_run, edit_history};
use crate::support::{IDEA, TestDir, assert_says};

#[test]
fn experiment_and_variant_names_cannot_leave_the_runs_directory() {
    for name in ["../out", "/tmp/out", "..", ".", ".hidden", "a/b", "a\\\\b", "", "a\\u0000b", "CON:x"] {
        let dir = TestDir::new();
        dir.write("idea.toml", format!("name = \"{name}\"\n{IDEA}"));
        assert_says(&dir.error_message(&["exp", "idea.toml"]), &["`name` must be made of letters"]);
        dir.write("idea.toml", format!("{IDEA}\n[[variants]]\nname = \"{name}\"\n"));
        assert_says(&dir.error_message(&["exp", "idea.toml"]), &["name` must be made of letters"]);
    }
}

#[test]
fn names_in_a_history_cannot_write_elsewhere() {
    let dir = dir_with_run();
    edit_history(&dir, |history| {
        for key in ["experiment", "variant"] {
            history[key] = json!("../../../../outside");
        }
        history["history"]["../../outside"] = json!([1.0, 2.0]);
        history["data"]["name"] = json!("/outside");
    });
    let inside = dir.path("inside");
    std::fs::create_dir(&inside).unwrap();
    for arguments in [
        &["export", HISTORY, "--csv"][..],
        &["export", HISTORY, "--tensorboard"],
        &["export", HISTORY, "--keras"],
        &["export", HISTORY, "--csv", "--to", "inside/csv"],
        &["plot", "curves", HISTORY, "-o", "inside/"],
        &["report", HISTORY, "-o", "inside/page.html"],
    ] {
        dir.run(arguments).code(0);
    }
    let roots = ["export", "inside", "runs", "idea.toml"].map(|name| dir.path(name));
    for file in dir.files() {
        assert!(roots.iter().any(|root| file.starts_with(root)), "{}", file.display());
    }
    for above in dir.path("").ancestors() {
        assert!(!above.join("outside").exists(), "{}", above.display());
    }
}

#[test]
fn archive_member_names_cannot_write_files() {
    use std::io::{Cursor, Write};
    let dir = TestDir::new();
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["../../creditcard.csv", "/creditcard.csv", "creditcard.csv"] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(b"Time,Class\n").unwrap();
    }
    dir.write("archive.zip", archive.finish().unwrap().into_inner());
    let message = dir.error_message(&["data", "fetch", "creditcard", "--file", "archive.zip"]);
    assert_says(
        &message,
        &["`archive.zip` is not the expected file", "hint: choose the original file: `creditcard.csv` has "],
    );
    for above in dir.data_path("").ancestors() {
        assert!(!above.join("creditcard.csv").exists(), "{}", above.display());
    }
    assert!(!dir.data_path("creditcard/creditcard.csv").exists());
}
