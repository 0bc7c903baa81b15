//! Invalid halving: exit code 2 with what is allowed, before anything is written.

use crate::support::{TestDir, assert_says, idea_with};

/// An experiment of ten epochs with this table at its end.
fn dir(sweep: &str) -> TestDir {
    let dir = TestDir::new();
    let text = idea_with("epochs = 2", "epochs = 10");
    let text = text.replace("[data.digits]", "[data.digits]\nsplit = { validation = 0.2, test = 0.2 }");
    dir.write("idea.toml", format!("{text}\n{sweep}\n"));
    dir
}

const SPACE: [&str; 4] = ["sweep", "idea.toml", "--space", "lr=0.001,0.01,0.1"];

#[test]
fn numbers_out_of_range_are_refused() {
    for (halving, words) in [
        ("first=0,keep=0.5", &["`first` must be at least 1, found 0"][..]),
        ("first=2,keep=1", &["`keep` must be greater than 0 and less than 1, found 1"]),
        ("first=2,keep=0", &["`keep` must be greater than 0 and less than 1, found 0"]),
        ("first=10,keep=0.5", &["`halving.first` must be less than the number of epochs (10), found 10"]),
        ("3", &["expected `first=3,keep=0.33`"]),
        ("first=2,seeds=3", &["expected `first=3,keep=0.33`", "or `none`"]),
        ("frist=2", &["there is no setting `frist`: did you mean `first`?"]),
    ] {
        assert_says(&dir("").error_message(&[&SPACE[..], &["--halving", halving]].concat()), words);
    }
    for (halving, words) in [
        ("{ first = 0 }", &["`halving.first` must be at least 1, found 0", "idea.toml, line 16"][..]),
        ("{ first = 2, keep = 1.5 }", &["`halving.keep` must be greater than 0 and less than 1, found 1.5", "line 16"]),
        ("{ first = 12 }", &["must be less than the number of epochs (10), found 12", "idea.toml, line 16"]),
        ("{ first = 2, keeps = 0.5 }", &["line 16", "`keeps`", "`keep`"]),
        ("{ keep = 0.5 }", &["line 16", "`first`"]),
        ("3", &["line 16", "hint: write `halving = { first = 3, keep = 0.33 }`"]),
        ("\"none\"", &["line 16", "hint: write `halving = { first = 3, keep = 0.33 }`"]),
    ] {
        let message = dir(&format!("[sweep]\nhalving = {halving}")).error_message(&SPACE);
        assert_says(&message, words);
    }
}

#[test]
fn what_cannot_be_judged_at_a_rung_is_refused() {
    fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
        [&SPACE[..], &["--halving", "first=2,keep=0.5"], more].concat()
    }
    assert_says(&dir("").error_message(&with(&["--metric", "test.acc"])), &["`test.acc`", "chosen by the same rows"]);
    assert_says(&dir("").error_message(&with(&["--metric", "status"])), &["must be a number"]);
    assert_says(
        &dir("").error_message(&with(&["--metric", "diagnosis.val_loss_rise"])),
        &["known at the end of each epoch, found `diagnosis.val_loss_rise`", "`best.val_loss`"],
    );
    assert_says(&dir("").error_message(&with(&["--stack", "1"])), &["each stack has one configuration", "`--stack`"]);
    let folds = dir("");
    let text = std::fs::read_to_string(folds.path("idea.toml")).unwrap();
    folds.write("idea.toml", text.replace("validation = 0.2", "folds = 3"));
    assert_says(&folds.error_message(&with(&[])), &["cross-validation", "remove `folds`"]);
    let tree = TestDir::new();
    tree.write("idea.toml", "title = \"t\"\n[data.digits]\nsplit = { validation = 0.2 }\n[tree]\n");
    let space = ["sweep", "idea.toml", "--space", "tree.max_depth=1,2,3", "--halving", "first=1"];
    assert_says(&tree.error_message(&space), &["`halving` needs epochs", "decision tree"]);
}

#[test]
fn expectations_about_all_configurations_are_refused() {
    let expect = "[[sweep.expect]]\nmetric = \"most_important\"\nis = \"train.optimizer.adam.lr\"\n";
    let space = "[sweep.space]\n\"train.optimizer.adam.lr\" = [0.001, 0.01, 0.1]\n";
    let message =
        dir(&format!("[sweep]\nhalving = {{ first = 2 }}\n{space}{expect}")).error_message(&["sweep", "idea.toml"]);
    assert_says(&message, &["`most_important` needs configurations that are all trained to the end", "line "]);
}
