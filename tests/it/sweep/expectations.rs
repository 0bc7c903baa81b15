//! Expectations of sweeps.

use super::sweep_run::{run, sweep, with_short_beats};
use super::{dir, idea};
use crate::support::{TestDir, assert_says};

/// Four learning rates, of which the smallest learns nothing in two epochs.
const SPACE: &str = "[sweep]\nmetric = \"best.val_loss\"\nseeds = [0, 1]\n[sweep.space]\n\"train.optimizer.adam.lr\" = [1e-9, 1e-3, 1e-2, 3e-2]\n";

const MET: &str = "[[sweep.expect]]\nclaim = \"It learns\"\nmetric = \"best.train.optimizer.adam.lr\"\nat_least = 1e-3\n\
                   [[sweep.expect]]\nmetric = \"best.val_loss\"\nwhere = { \"train.optimizer.adam.lr\" = 1e-9 }\nat_least = 1.5\n\
                   [[sweep.expect]]\nmetric = \"diverged\"\nat_most = 0.0\n";

const MISSED: &str = "[[sweep.expect]]\nmetric = \"best.train.optimizer.adam.lr\"\nat_most = 1e-9\n";

fn trained(dir: &TestDir, more: &[&str]) -> (Option<i32>, String, String) {
    run(with_short_beats(dir.command(&[&["sweep", "idea.toml", "--threads", "1"], more].concat())))
}

#[test]
fn expectations_are_checked_at_the_end_and_strict_sets_the_exit_code() {
    let dir = dir(&format!("{SPACE}{MET}"));
    let (code, stdout, stderr) = trained(&dir, &["--strict"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stdout, &["✓ best.train.optimizer.adam.lr ≥ 0.001: found 0.", "✓ diverged ≤ 0: found 0"]);
    let (_, page, _) = sweep(&dir, &["report", "idea", "-o", "-"]);
    assert_says(&page, &["All 3 expectations are met", "It learns"]);

    dir.write("idea.toml", idea(&format!("{SPACE}{MET}{MISSED}")));
    let (code, stdout, stderr) = trained(&dir, &[]);
    assert_eq!(code, Some(0), "without --strict: {stderr}");
    assert_says(&stdout, &["✗ best.train.optimizer.adam.lr ≤ 0.000000001: found 0."]);
    // a sweep that is complete is checked again
    let (code, _, stderr) = trained(&dir, &["--resume", "--strict"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert_says(&stderr, &["already complete", "missed: best.train.optimizer.adam.lr ≤ 0.000000001"]);
    let (code, stdout, _) = trained(&dir, &["--resume", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let met: Vec<bool> =
        json["expectations"].as_array().unwrap().iter().map(|one| one["met"].as_bool().unwrap()).collect();
    assert_eq!((code, met), (Some(0), vec![true, true, true, false]));
}

#[test]
fn strict_without_expectations_and_with_another_space_says_what_is_not_checked() {
    let dir = dir(SPACE);
    let (code, _, stderr) = trained(&dir, &["--strict"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert_says(&stderr, &["no `[[sweep.expect]]`"]);
    dir.write("idea.toml", idea(&format!("{SPACE}{MET}")));
    let (code, _, stderr) = trained(&dir, &["--metric", "best.val_acc", "--dry-run"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["1 expectation is not checked"]);
}

#[test]
fn a_mistake_in_an_expectation_is_an_error_with_its_line() {
    for (expectation, said) in [
        (
            "metric = \"best.train.optimiser.adam.lr\"\nat_least = 1",
            &["did you mean `best.train.optimizer.adam.lr`"][..],
        ),
        (
            "metric = \"best.val_acc\"\nat_least = 0.5",
            &["`metric` must be a metric of this sweep, found `best.val_acc`", "line"],
        ),
        ("metric = \"best.val_loss\"", &["has no bound", "add `at_least`"]),
        ("metric = \"most_important\"\nat_least = 0.5", &["is a word", "use `is`"]),
        ("metric = \"diverged\"\nis = \"none\"", &["is a number", "use `at_least` and `at_most`"]),
        ("metric = \"diverged\"\nat_least = 1\nat_most = 0", &["must not exceed `at_most`, which is 0, found 1"]),
        ("metric = \"best.val_loss\"\nat_most = nan", &["must be a finite number"]),
        ("metric = \"best.val_loss\"\nat_most = 1\nwhere = { \"train.batch\" = 3 }", &["does not vary", "train.batch"]),
        (
            "metric = \"diverged\"\nat_most = 1\nwhere = { \"train.optimizer.adam.lr\" = 3 }",
            &["`where` does not apply"],
        ),
        ("metric = \"diverged\"\nat_most = 1\nnear = 3", &["unknown key `near`"]),
    ] {
        let dir = dir(&format!("{SPACE}[[sweep.expect]]\n{expectation}\n"));
        let (code, _, stderr) = trained(&dir, &["--dry-run"]);
        assert_eq!(code, Some(2), "{expectation}: {stderr}");
        assert_says(&stderr, said);
    }
}

#[test]
fn the_list_names_shipped_sweeps_with_their_expectations() {
    let dir = TestDir::new();
    let (code, stdout, _) = run(dir.command(&["list", "--json"]));
    assert_eq!(code, Some(0));
    let list: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let of = |name: &str| list.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()["sweep"].clone();
    let expectations = of("sweep_learning_rate")["expectations"].clone();
    assert!(expectations.as_array().unwrap().iter().any(|one| one == "most_important is train.optimizer.adam.lr"));
    assert!(of("sweep_capacity").is_object() && of("sweep_optimizers").is_object() && of("digits_mlp").is_null());
    let (code, _, stderr) = run(dir.command(&["exp", "sweep_learning_rate", "--epochs", "1", "--dry-run"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["`[sweep]` is for `runner sweep`"]);
}
