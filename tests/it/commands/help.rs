//! `--help`, `--version` and `completions`.

use clap::CommandFactory;

use crate::support::{Place, assert_says, stderr, stdout};

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

#[test]
fn every_command_is_in_the_reference_and_has_a_man_page() {
    let place = Place::new();
    let reference = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/cli.md")).unwrap();
    place.run(&["man", "--output", "man"]).code(0);
    let program = runner::cli::command_line::Cli::command();
    for command in program.get_subcommands() {
        let name = command.get_name();
        assert_says(&reference, &[&format!("<!-- output: runner {name} --help -->")]);
        let page = std::fs::read_to_string(place.path(&format!("man/runner-{name}.1"))).unwrap();
        assert_says(&page.replace("\\-", "-"), &[&format!("runner-{name}"), ".SH SYNOPSIS"]);
    }
    assert!(place.path("man/runner-plot-curves.1").is_file());
    assert_says(&stdout(&place.run(&["man", "plot", "curves"]).code(0)), &[".SH NAME"]);
    let said = stderr(&place.run(&["man", "exq"]).code(2));
    assert_says(&said, &["error: `runner` has no command `exq`", "hint: did you mean `exp`?"]);
}
