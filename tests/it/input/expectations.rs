//! Expectations, claims and reference values that can never be checked.

use insta::assert_snapshot;

use crate::support::{IDEA, TestDir, assert_says, error_of_expectation, idea_with, stderr, stdout};

#[test]
fn expectations_of_unknown_metrics_are_rejected() {
    assert_snapshot!(error_of_expectation("value = \"acc\"\nat_least = 0.5"), @r"
    error: `expect.0.value` must be a metric of this run, found `acc` (idea.toml, line 15)
    hint: add a prefix: `last.acc`, `best.acc` or `max.acc`
    ");
    assert_says(&error_of_expectation("value = \"zzzz\"\nat_least = 0.5"), &["`zzzz`", "line 15", "`first`", "`best`"]);
    assert_says(&error_of_expectation("value = \"lst.acc\"\nat_least = 0.5"), &["`lst.acc`", "did you mean `last`?"]);
    assert_says(&error_of_expectation("value = \"last.acc\"\nabove = \"loss\""), &["`loss`", "`last.loss`"]);
}

#[test]
fn expectations_of_missing_metrics_are_rejected_before_training() {
    for (expectation, words) in [
        ("value = \"last.accuracy\"\nat_least = 0.5", &["`last.accuracy`", "`last.acc`"][..]),
        ("value = \"last.val_acc\"\nat_least = 0.5", &["`last.val_acc`", "validation"]),
        ("value = \"test.acc\"\nat_least = 0.5", &["`test.acc`", "test"]),
        ("value = \"test.report.macro.f1\"\nat_least = 0.5", &["split off test rows"]),
        ("value = \"epoch.0.loss\"\nat_least = 0.5", &["`epoch.0.loss`", "from 1"]),
        ("value = \"diagnosis.labl\"\nis = \"good\"", &["`diagnosis.labl`", "`diagnosis.label`"]),
        ("value = \"diagnosis.verdict\"\nis = \"overfiting\"", &["`overfiting`", "`overfitting`"]),
        ("value = \"last.loss\"\nabove = \"first.lss\"", &["`first.lss`", "`first.loss`"]),
    ] {
        assert_says(&error_of_expectation(expectation), words);
    }
}

#[test]
fn expectations_of_a_metric_of_another_variant_are_rejected() {
    let dir = TestDir::new();
    let observing = idea_with("epochs = 2", "epochs = 2\nobserve = [\"saturation\"]");
    let variants = "[[variants]]\nname = \"relu\"\n\n[[variants]]\nname = \"tanh\"\n\
                    set = { \"network.layers.1\" = \"tanh\" }\n";
    let error_message = |expectation: &str| {
        dir.write("idea.toml", format!("{observing}\n{variants}\n[[expect]]\n{expectation}\n"));
        dir.error_message(&["exp", "idea.toml"])
    };
    for expectation in [
        "variant = \"relu\"\nvalue = \"last.saturation.1\"\nat_most = 1",
        "value = \"last.saturation.1\"\nat_most = 1",
        "variant = \"tanh\"\nvalue = \"last.loss\"\nabove = \"relu/last.saturation.1\"",
    ] {
        let words = ["must be a metric of variant `relu`, found `last.saturation.1`", "it is one of variant `tanh`"];
        assert_says(&error_message(expectation), &words);
    }
    let unknown = error_message("variant = \"tahn\"\nvalue = \"last.loss\"\nat_most = 1");
    assert_says(&unknown, &["`expect.0.variant` names no variant: `tahn`", "did you mean `tanh`?"]);
    let unknown = error_message("value = \"last.loss\"\nabove = \"rleu/last.loss\"");
    assert_says(&unknown, &["`expect.0.above` names no variant: `rleu`", "did you mean `relu`?"]);
}

#[test]
fn expectations_of_impossible_words_are_rejected() {
    for (expectation, words) in [
        ("value = \"status\"\nis = \"early stopped\"", &["`early stopped`", "did you mean `early_stopped`?"][..]),
        ("value = \"status\"\nat_least = 1", &["is text: `status`", "add `is`"]),
        ("value = \"status\"\nis = \"diverged\"\nat_least = 1", &["`expect.0.is`", "cannot be combined with bounds"]),
        ("value = \"staus\"\nis = \"diverged\"", &["`staus`", "did you mean `status`?"]),
        ("value = \"last.loss\"\nis = \"good\"", &["`expect.0.is`", "a number"]),
        ("value = \"last.loss\"\nabove = \"status\"", &["`expect.0.above` must be a numeric metric"]),
    ] {
        assert_says(&error_of_expectation(expectation), words);
    }
}

#[test]
fn statistics_that_cannot_be_computed_are_rejected() {
    for (expectation, words) in [
        ("value = \"last.loss\"\nover = \"median\"\nat_most = 1", &["`median`", "`mean`"][..]),
        ("value = \"status\"\nover = \"mean\"\nis = \"completed\"", &["`expect.0.over`", "has no mean"]),
        ("value = \"last.loss\"\nover = \"mean\"\nseed = 0\nat_most = 1", &["`expect.0.over`", "remove one"]),
        ("value = \"last.loss\"\nover = \"std\"\nat_most = 1", &["two trials", "seeds = [0, 1, 2]", "folds"]),
        ("value = \"last.loss\"\nover = \"share\"\nat_least = 0.6", &["`expect.0.over`", "requires text"]),
        ("value = \"status\"\nover = \"share\"\nat_least = 0.6", &["`expect.0.is`", "is missing"]),
        ("value = \"status\"\nover = \"share\"\nis = \"completed\"", &["no bound", "at_least = 0.6"]),
        (
            "value = \"status\"\nover = \"share\"\nis = \"completed\"\nabove = \"last.loss\"",
            &["`expect.0.above`", "cannot be combined with"],
        ),
        ("value = \"last.loss\"\nmin_seeds = 5\nat_most = 1", &["`expect.0.min_seeds`", "requires `over`"]),
        ("value = \"last.loss\"\nover = \"mean\"\nmin_seeds = 1\nat_most = 1", &["at least 2, found 1"]),
    ] {
        assert_says(&error_of_expectation(expectation), words);
    }
    // an expectation of one of several seeds is allowed
    let dir = TestDir::new();
    let deviation = "[[expect]]\nvalue = \"last.loss\"\nover = \"std\"\nat_most = 0\n";
    dir.write("idea.toml", format!("seeds = [0, 1]\n{IDEA}\n{deviation}"));
    let single = dir.run(&["exp", "idea.toml", "--seed", "0", "--device", "cpu"]).code(0);
    assert_says(&stdout(&single), &["no expectation applies to these seeds"]);
    let strict = dir.run(&["exp", "idea.toml", "--seed", "0", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stderr(&strict), &["no expectation applies to seed 0: `--strict` has nothing to check"]);
    dir.run(&["exp", "idea.toml", "--strict", "--device", "cpu"]).code(1);
}

#[test]
fn expectations_of_weights_that_do_not_exist_are_rejected() {
    let dir = TestDir::new();
    let error_message = |name: &str| {
        let xor = std::fs::read_to_string("experiments/mlp_xor.toml").unwrap();
        let xor = &xor[..xor.find("[[").unwrap()];
        dir.write("idea.toml", format!("{xor}\n[[expect]]\nvalue = \"learned.{name}\"\nat_least = 0\n"));
        dir.error_message(&["exp", "idea.toml"])
    };
    for (name, words) in [
        ("0.wieght.0", &["`learned.0.wieght.0`", "did you mean `learned.0.weight`?"][..]),
        ("0.weight.64", &["`learned.0.weight` has 64 values, numbered from 0 to 63"]),
        ("2.bias.1", &["`learned.2.bias` has one value: `learned.2.bias.0`"]),
        ("prediction.4.0", &["`learned.prediction` has 4 training rows, numbered from 0 to 3"]),
        ("prediction.0.1", &["`learned.prediction.0` has one output: `learned.prediction.0.0`"]),
        ("prediction.0", &["`learned.prediction.0.0`"]),
        ("weights", &["`learned.0.weight.0`"]),
    ] {
        assert_says(&error_message(name), words);
    }
    let large = error_of_expectation("value = \"learned.0.weight.0\"\nat_least = 0");
    assert_says(&large, &["at most 256 parameters", "16 training rows"]);
}

#[test]
fn reference_values_of_missing_metrics_are_rejected() {
    let dir = TestDir::new();
    for (theirs, words) in [
        ("value = \"last.los\"\nfigure = 1", &["`theirs.0.value`", "`last.los`", "did you mean `last.loss`?"][..]),
        ("value = \"status\"\nfigure = 1", &["`theirs.0.value` must be a numeric metric"]),
        ("value = \"last.loss\"\nfigure = nan", &["`theirs.0.figure` must be a finite number"]),
        ("value = \"last.loss\"\nfigure = 1\nvariant = \"a\"", &["`theirs.0.variant`", "has no variants"]),
        ("value = \"last.loss\"", &["`metric` is missing"]),
        ("value = \"last.loss\"\nfigur = 1", &["did you mean `figure`?"]),
    ] {
        dir.write("idea.toml", format!("{IDEA}\n[[theirs]]\n{theirs}\n"));
        assert_says(&dir.error_message(&["exp", "idea.toml"]), words);
    }
}

#[test]
fn empty_lessons_and_claims_are_rejected() {
    let dir = TestDir::new();
    dir.write("idea.toml", format!("lesson = \" \"\n{IDEA}"));
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["`lesson` is empty", "line 1"]);
    let message = error_of_expectation("claim = \"two\\nlines\"\nvalue = \"last.loss\"\nat_most = 9");
    assert_says(&message, &["`expect.0.claim` must be a single line"]);
}

#[test]
fn expectations_without_a_bound_are_rejected() {
    assert_says(&error_of_expectation("value = \"last.acc\""), &["has no bound", "`at_least`", "line 15"]);
    assert_says(&error_of_expectation("value = \"last.acc\"\nnear = 0.5"), &["`within`", "line 16"]);
}

#[test]
fn expectations_that_can_never_be_checked_are_rejected() {
    for (expectation, words) in [
        (
            "value = \"last.loss\"\nat_least = 5\nat_most = 1",
            "`expect.0.at_least` must not exceed `at_most`, which is 1, found 5",
        ),
        ("value = \"last.loss\"\nabove = \"last.loss\"", "`expect.0.above` must be another metric, found `last.loss`"),
        ("value = \"last.loss\"\nabove = \"first.loss\"\ntimes = -1", "`expect.0.times` must be above 0"),
    ] {
        assert_says(&error_of_expectation(expectation), &[words]);
    }
    let dir = TestDir::new();
    let twice = "[[theirs]]\nvalue = \"last.loss\"\nfigure = 1\n";
    dir.write("idea.toml", format!("{IDEA}\n{twice}{twice}"));
    assert_says(
        &dir.error_message(&["exp", "idea.toml"]),
        &["`theirs.1.value` is a duplicate: `last.loss` already has a reference"],
    );
}
