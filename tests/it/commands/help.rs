//! `--help`, `--version` and `completions`.

use crate::support::{Place, assert_says, stdout};

#[test]
fn completions_are_the_shells_own() {
    let place = Place::new();
    for (shell, word) in [("bash", "complete -F _runner"), ("zsh", "#compdef runner"), ("fish", "complete -c runner")] {
        let script = stdout(&place.run(&["completions", shell]).code(0));
        assert_says(&script, &[word]);
        assert_says(&script, &["exp", "doctor", "seeds"]);
    }
}

#[test]
fn help_shows_examples_that_work() {
    let place = Place::new();
    for command in [&[][..], &["exp"], &["list"], &["show"], &["data"], &["completions"]] {
        let help = stdout(&place.run(&[command, &["--help"]].concat()).code(0));
        assert_says(&help, &["Usage: runner", "Example"]);
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
    let help = stdout(&place.run(&["exp", "--help"]).code(0));
    let one = "exp digits_mlp --set train.optimizer.adam.lr=0.01 --set train.batch=32";
    let other = "exp digits_mlp --set 'train.optimizer={ sgd = { lr = 0.1, momentum = 0.9 } }'";
    assert_says(&help, &[one, other]);
    place
        .run(&[
            "exp",
            "digits_mlp",
            "--epochs",
            "1",
            "--set",
            "train.optimizer.adam.lr=0.01",
            "--set",
            "train.batch=32",
        ])
        .code(0);
    let sgd = "train.optimizer={ sgd = { lr = 0.1, momentum = 0.9 } }";
    place.run(&["exp", "digits_mlp", "--epochs", "1", "--set", sgd]).code(0);
}

#[test]
fn the_version_names_libtorchs() {
    assert_says(&stdout(&Place::new().run(&["--version"]).code(0)), &["runner ", "libtorch 2.11.0"]);
}
