//! `run`, `test`, `install` and the command line, with a made-up cargo.

use std::fs;
use std::process::Stdio;

use super::stage::{Said, Stage};

/// Logs what it is asked. `build` names an executable; `FAKE_CARGO` names the subcommand that fails.
const CARGO: &str = r##"#!/bin/sh
PATH=/usr/bin:/bin
echo "cargo $* [$(basename "$PWD"), LIBTORCH $LIBTORCH]" >> "$LOG"
[ "$1" = "$FAKE_CARGO" ] && { echo "made up" >&2; exit 101; }
case "$1" in
build) echo "{\"target\":{\"kind\":[\"bin\"],\"name\":\"runner\"},\"executable\":\"$RUNNER\"}" ;;
install) mkdir -p "$HOME/.cargo/bin" && : > "$HOME/.cargo/bin/runner" ;;
esac
exit 0
"##;

/// Lists two quick experiments; `FAKE_RUNNER` is the exit code of the others of its commands.
const RUNNER: &str = r##"#!/bin/sh
PATH=/usr/bin:/bin
echo "runner $*" >> "$LOG"
case "$1" in
list) echo '[{"name": "xor"}, {"name": "digits"}]' ;;
cat) echo "in $PWD"; cat; exit "$FAKE_RUNNER" ;;
*) exit "${FAKE_RUNNER:-0}" ;;
esac
"##;

fn stage() -> Stage {
    let stage = Stage::new();
    stage.tool("cargo", CARGO);
    stage.script("runner", RUNNER);
    stage.lay_out(&stage.home());
    stage.run("setup", &[]).succeeds();
    fs::remove_file(stage.path("log")).unwrap();
    stage
}

fn run(stage: &Stage, words: &str, variables: &[(&str, &str)]) -> Said {
    let runner = stage.path("runner");
    let mut all = vec![("RUNNER", runner.to_str().unwrap())];
    all.extend(variables);
    stage.run(words, &all)
}

#[test]
fn run_hands_over_folder_input_output_and_exit_code() {
    let stage = stage();
    fs::write(stage.path("input"), "typed\n").unwrap();
    let mut command = stage.xtask();
    command.args(["run", "cat", "--json", "a b"]).env("RUNNER", stage.path("runner")).env("FAKE_RUNNER", "7");
    command.stdin(Stdio::from(fs::File::open(stage.path("input")).unwrap()));
    let said = Said::from(command.output().unwrap());
    assert_eq!(said.code, Some(7), "{said:?}");
    let folder = stage.path("elsewhere").canonicalize().unwrap();
    assert_eq!(said.stdout, format!("in {}\ntyped\n", folder.display()));
    assert_eq!(stage.log().last().unwrap(), "runner cat --json a b");
}

#[test]
fn cargo_is_called_in_the_checkout_with_our_libtorch() {
    let stage = stage();
    run(&stage, "run list", &[("LIBTORCH", "")]).succeeds();
    let log = stage.log();
    assert!(log[0].starts_with("cargo build --release --package runner"), "{log:?}");
    let expected = format!("[checkout, LIBTORCH {}]", stage.home().join("torch").display());
    assert!(log[0].ends_with(&expected), "{log:?}");
}

#[test]
fn a_build_that_fails_is_one_message() {
    let stage = stage();
    run(&stage, "run list", &[("FAKE_CARGO", "build")]).refuses(&["failed to build `runner`", "setup --force"]);
    assert_eq!(stage.logged("runner"), 0);
}

#[test]
fn test_runs_all_checks_and_then_the_quick_experiments() {
    let stage = stage();
    let said = run(&stage, "test -- --no-fail-fast", &[]);
    assert!(said.succeeds().stderr.contains("all 6 checks are green"), "{said:?}");
    assert!(said.stderr.contains("(quick experiments: 2)"), "{said:?}");
    let log = stage.log();
    let asked =
        |start: &str| log.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {log:?}"));
    let order = [
        asked("cargo fmt --all --check"),
        asked("cargo clippy --workspace --all-targets --release -- -D warnings"),
        asked("cargo doc --workspace --no-deps --release"),
        asked("cargo test --doc --release --package runner"),
        asked("cargo nextest run --workspace --release --no-fail-fast"),
        asked("runner list --quick --json"),
        asked("runner exp xor --strict --quiet --out "),
        asked("runner exp digits --strict --quiet --out "),
    ];
    assert!(order.is_sorted(), "{log:?}");
    assert!(!said.stderr.contains(" passed"), "only the test runner reports tests: {said:?}");
}

#[test]
fn without_nextest_cargos_own_test_runner_is_used() {
    let stage = stage();
    run(&stage, "test", &[("FAKE_CARGO", "nextest")]).succeeds();
    assert_eq!(stage.logged("cargo test --workspace --release --all-targets"), 1);
}

#[test]
fn the_first_failing_check_ends_it_with_a_hint() {
    let stage = stage();
    let said = run(&stage, "test", &[("FAKE_CARGO", "clippy")]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("error: check failed: clippy\nhint: "), "{said:?}");
    assert_eq!(stage.logged("cargo doc"), 0);
}

#[test]
fn a_missed_expectation_names_the_experiment_and_keeps_the_run() {
    let stage = stage();
    let said = run(&stage, "test", &[("FAKE_RUNNER", "1"), ("TMPDIR", stage.path("elsewhere").to_str().unwrap())]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("experiment `xor` missed an expectation"), "{said:?}");
    assert!(said.stderr.contains("`cargo xtask run exp xor --strict`"), "{said:?}");
    assert_eq!(fs::read_dir(stage.path("elsewhere")).unwrap().count(), 1, "the run folder is kept");
    assert_eq!(stage.logged("runner exp"), 1);
}

#[test]
fn install_says_where_and_what_to_keep() {
    let stage = stage();
    let said = run(&stage, "install", &[]);
    said.succeeds();
    let bin = stage.path(".cargo/bin");
    for words in [
        format!("installed `{}`", bin.join("runner").display()),
        format!("`{}`: keep this checkout", stage.home().display()),
        format!("`{}` is not on PATH", bin.display()),
    ] {
        assert!(said.stderr.contains(&words), "{words}: {said:?}");
    }
    assert_eq!(stage.logged("cargo install --path . --locked --profile release"), 1);
    run(&stage, "install", &[("FAKE_CARGO", "install")]).refuses(&["failed to install"]);
}

#[test]
fn install_understands_a_root_from_where_the_user_is() {
    let stage = stage();
    run(&stage, "install --root here", &[]).succeeds();
    let root = stage.path("elsewhere").canonicalize().unwrap().join("here");
    assert!(stage.log()[0].contains(&format!("--root {}", root.display())), "{:?}", stage.log());
}

#[test]
fn help_needs_no_libtorch() {
    let stage = Stage::new().without("python3");
    let said = stage.run("--help", &[]);
    assert!(said.succeeds().stdout.contains("Usage: cargo xtask <COMMAND>"));
    assert_eq!(stage.run("", &[]).code, Some(2));
    stage.run("stup", &[]).refuses(&["unknown command `stup`"]);
}
