//! `--help`, `--version` and `completions`.

use clap::CommandFactory;

use crate::support::{TestDir, assert_says, stderr, stdout};

#[test]
fn completions_are_valid_for_each_shell() {
    let dir = TestDir::new();
    let names = [("bash", "_clap_complete_runner"), ("zsh", "#compdef runner"), ("fish", "complete --keep-order")];
    for (shell, word) in names {
        let script = stdout(&dir.run(&["completions", shell]).code(0));
        assert_says(&script, &[word, "RUNNER_COMPLETE"]);
    }
}

#[test]
fn help_shows_examples_that_work() {
    let dir = TestDir::new();
    for command in [&[][..], &["exp"], &["list"], &["show"], &["data"], &["completions"]] {
        let help = stdout(&dir.run(&[command, &["--help"]].concat()).code(0));
        assert_says(&help, &["Usage: runner", "Example"]);
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
    let help = stdout(&dir.run(&["exp", "--help"]).code(0));
    let one = "exp digits_mlp --set train.optimizer.adam.lr=0.01 --set train.batch=8";
    let other = "exp digits_mlp --set 'train.optimizer={ sgd = { lr = 0.1 } }'";
    assert_says(&help, &[one, other]);
    dir.run(&["exp", "digits_mlp", "--epochs", "1", "--set", "train.optimizer.adam.lr=0.01", "--set", "train.batch=8"])
        .code(0);
    let sgd = "train.optimizer={ sgd = { lr = 0.1 } }";
    dir.run(&["exp", "digits_mlp", "--epochs", "1", "--set", sgd]).code(0);
}

#[test]
fn the_help_of_help_is_that_of_the_command() {
    let dir = TestDir::new();
    for command in [&[][..], &["plot"]] {
        for option in ["--help", "-h"] {
            let [help, of_help] =
                [vec![option], vec!["help", option]].map(|words| stdout(&dir.run(&[command, &words].concat()).code(0)));
            assert_eq!(of_help, help);
        }
    }
}

#[test]
fn texts_after_the_options_fit_80_columns() {
    fn check(command: &clap::Command) {
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(text.lines().all(|line| line.chars().count() <= 78), "{}: {text}", command.get_name());
        command.get_subcommands().for_each(check);
    }
    check(&runner::cli::command_line::Cli::command());
}

#[test]
fn setup_of_the_python_package_is_explained() {
    let dir = TestDir::new();
    assert_says(&stdout(&dir.run(&["--help"]).code(0)), &["  setup ", "Download libtorch for the Python package"]);
    assert_says(&stdout(&dir.run(&["setup", "--help"]).code(0)), &["--cpu", "--cuda", "--force", "`pip install`"]);
    let message = dir.error_message(&["setup", "--cpu"]);
    assert_says(&message, &["`runner setup` is a command of the Python package", "cargo xtask setup"]);
}

#[test]
fn version_includes_the_libtorch_version() {
    assert_says(&stdout(&TestDir::new().run(&["--version"]).code(0)), &["runner ", "libtorch 2.11.0"]);
}

#[test]
fn every_command_has_a_reference_entry_and_a_man_page() {
    let dir = TestDir::new();
    let reference = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/cli.md")).unwrap();
    dir.run(&["man", "--output", "man"]).code(0);
    let program = runner::cli::command_line::Cli::command();
    for command in program.get_subcommands() {
        let name = command.get_name();
        assert_says(&reference, &[&format!("<!-- output: runner {name} --help -->")]);
        let page = std::fs::read_to_string(dir.path(&format!("man/runner-{name}.1"))).unwrap();
        assert_says(&page.replace("\\-", "-"), &[&format!("runner-{name}"), ".SH SYNOPSIS"]);
    }
    assert!(dir.path("man/runner-plot-curves.1").is_file());
    assert_says(&stdout(&dir.run(&["man", "plot", "curves"]).code(0)), &[".SH NAME"]);
    let message = stderr(&dir.run(&["man", "exq"]).code(2));
    assert_says(&message, &["error: `runner` has no command `exq`", "hint: did you mean `exp`?"]);
}
