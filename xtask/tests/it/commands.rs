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
install)
    case "$2" in
    cargo-deny)
        for root; do :; done
        mkdir -p "$root/bin" && cp "$DENY" "$root/bin/cargo-deny" ;;
    *) mkdir -p "$HOME/.cargo/bin" && : > "$HOME/.cargo/bin/runner" ;;
    esac ;;
esac
exit 0
"##;

/// Logs what it is asked, and fails where `FAKE_DENY` is a part of that.
const DENY: &str = r##"#!/bin/sh
PATH=/usr/bin:/bin
[ "$1" = --version ] && { echo "cargo-deny ${FAKE_DENY_VERSION:-0.20.2}"; exit 0; }
echo "deny $* [$(basename "$PWD")]" >> "$LOG"
case "$FAKE_DENY in $*" in
" in "*) ;;
*" in "*"$FAKE_DENY"*) echo "2026-11-22 16:05:56 [ERROR] failed to fetch: made up" >&2; exit 1 ;;
esac
"##;

/// Lists two quick experiments, of a lesson each, and one beside; `FAKE_RUNNER` is the exit code of its other commands.
///
/// A run with `--json` expects a loss of at most 0.5, and `FAKE_LOSS` is what comes.
const RUNNER: &str = r##"#!/bin/sh
PATH=/usr/bin:/bin
echo "runner $*" >> "$LOG"
quick='{"name": "xor", "lesson": "A", "quick": true}, {"name": "digits", "lesson": "B", "quick": true}'
case "$*" in
"list --quick "*) echo "[$quick]" ;;
"list "*) echo "[$quick, {\"name\": \"mine\", \"lesson\": null}]" ;;
"exp "*" --json "*)
    [ -n "$FAKE_RUNNER" ] && { echo "error: made up" >&2; exit "$FAKE_RUNNER"; }
    loss=${FAKE_LOSS:-0.25} met=true
    [ "${loss%.*}" -gt 0 ] && met=false
    echo '{"histories": ['
    for seed in $(echo "$4" | tr , ' '); do
        [ "$seed" = "${4%%,*}" ] || echo ,
        cat <<JSON
{"variant": "base", "seed": $seed, "config": {"title": "T", "lesson": "L"}, "history": {"loss": [$loss]},
"expectations": [{"number": 0, "value": "last.loss", "expected": "≤ 0.5", "found": $loss, "met": $met}]}
JSON
    done
    echo ']}' ;;
"reproduce $FAKE_DIFFERENT "*) echo "base-seed0: different"; exit 1 ;;
"cat "*) echo "in $PWD"; cat; exit "$FAKE_RUNNER" ;;
*) exit "${FAKE_RUNNER:-0}" ;;
esac
"##;

fn stage() -> Stage {
    let stage = Stage::new();
    stage.tool("cargo", CARGO);
    stage.tool("cargo-deny", DENY);
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
    assert!(log[0].starts_with("cargo build --locked --release --package runner"), "{log:?}");
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
    assert!(said.succeeds().stderr.contains("all 9 checks are green"), "{said:?}");
    assert!(said.stderr.contains("(quick experiments: 2)"), "{said:?}");
    let log = stage.log();
    let asked =
        |start: &str| log.iter().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {log:?}"));
    let order = [
        asked(
            "deny --locked --log-level warn check -D warnings --hide-inclusion-graph licenses bans sources [checkout]",
        ),
        asked("deny fetch db [checkout]"),
        asked("deny --locked --offline --log-level warn check advisories [checkout]"),
        asked("cargo fmt --all --check"),
        asked("cargo clippy --locked --workspace --all-targets --release -- -D warnings"),
        asked("cargo doc --locked --workspace --no-deps --release"),
        asked("cargo test --locked --doc --release --package runner"),
        asked("cargo nextest run --locked --workspace --release --no-fail-fast"),
        asked("runner list --quick --json"),
        asked("runner exp xor --strict --quiet --out "),
        asked("runner reproduce xor --out "),
        asked("runner exp digits --strict --quiet --out "),
        asked("runner reproduce digits --out "),
        asked("runner exp overfit_mnist --epochs 3 --quiet --out "),
        asked("python -m unittest discover --start-directory notebooks [checkout, "),
        asked("python notebooks/execute.py check [checkout, "),
    ];
    assert!(order.is_sorted(), "{log:?}");
    assert!(!said.stderr.contains(" passed"), "only the test runner reports tests: {said:?}");
}

#[test]
fn without_nextest_cargos_own_test_runner_is_used() {
    let stage = stage();
    run(&stage, "test", &[("FAKE_CARGO", "nextest")]).succeeds();
    assert_eq!(stage.logged("cargo test --locked --workspace --release --all-targets"), 1);
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
fn what_is_wrong_with_dependencies_fails_and_what_could_not_be_looked_up_is_said() {
    let stage = stage();
    let said = run(&stage, "test", &[("FAKE_DENY", "bans")]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("error: check failed: licenses, duplicates and sources"), "{said:?}");
    assert_eq!(stage.logged("cargo fmt"), 0, "the first failure ends it");

    let said = run(&stage, "test", &[("FAKE_DENY", "fetch")]);
    assert!(said.succeeds().stderr.contains("vulnerabilities were NOT checked: failed to fetch: made up"), "{said:?}");
    let closing = "and for known vulnerabilities of dependencies, which were NOT checked";
    assert!(said.stderr.lines().last().unwrap().contains(closing), "{said:?}");
    assert_eq!(stage.logged("deny --locked --offline"), 0);

    let said = run(&stage, "test", &[("FAKE_DENY", "advisories")]);
    assert!(said.code == Some(1) && said.stderr.contains("a dependency with a known vulnerability"), "{said:?}");
}

#[test]
fn cargo_deny_is_installed_once_where_there_is_none_or_another() {
    let stage = stage();
    let (deny, target) = (stage.path("deny"), stage.path("target"));
    stage.script("deny", DENY);
    let own = stage.path("bin/cargo-deny");
    fs::write(&own, DENY.replace("0.20.2", "0.14.2")).unwrap();
    let with = [("DENY", deny.to_str().unwrap()), ("CARGO_TARGET_DIR", target.to_str().unwrap())];
    run(&stage, "test", &[&with[..], &[("FAKE_CARGO", "install")]].concat())
        .refuses(&["failed to install cargo-deny 0.20.2"]);
    run(&stage, "test", &with).succeeds();
    fs::remove_file(own).unwrap();
    run(&stage, "test", &with).succeeds();
    assert_eq!(stage.logged("cargo install cargo-deny --version 0.20.2 --locked"), 2, "the first of them failed");
    assert!(target.join("tools/cargo-deny-0.20.2/bin/cargo-deny").is_file());
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
fn an_experiment_that_does_not_come_out_the_same_again_is_a_failed_check() {
    let stage = stage();
    let elsewhere = stage.path("elsewhere");
    let said = run(&stage, "test", &[("FAKE_DIFFERENT", "digits"), ("TMPDIR", elsewhere.to_str().unwrap())]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("experiment `digits` does not come out the same again"), "{said:?}");
    assert!(said.stderr.contains("base-seed0: different"), "{said:?}");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1, "the runs are kept");
}

#[test]
fn a_notebook_that_fails_is_a_failed_check_and_keeps_the_runs() {
    let stage = stage();
    let elsewhere = stage.path("elsewhere");
    let said = run(&stage, "test", &[("FAKE_CHECK", "execute.py"), ("TMPDIR", elsewhere.to_str().unwrap())]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("error: check failed: the notebooks\nhint: "), "{said:?}");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1, "the run folder is kept");
}

#[test]
fn what_notebooks_need_is_installed_once_and_again_when_it_changes() {
    let stage = stage();
    run(&stage, "notebooks", &[]).succeeds();
    run(&stage, "notebooks B_digits --runs here", &[]).succeeds();
    assert_eq!((stage.logged("venv"), stage.logged("install notebooks/requirements.txt")), (1, 1));
    let here = stage.path("elsewhere").canonicalize().unwrap().join("here");
    let expected = format!("python notebooks/execute.py write B_digits [checkout, {}, ]", here.display());
    assert_eq!(*stage.log().last().unwrap(), expected);

    fs::write(stage.path("checkout/notebooks/requirements.txt"), "polars==2.2.0\n").unwrap();
    let said = run(&stage, "notebooks", &[("FAKE_PIP", "offline-at-install")]);
    said.refuses(&["failed to install notebooks/requirements.txt", "Network is unreachable"]);
    run(&stage, "notebooks", &[]).succeeds();
    assert_eq!(stage.logged("install"), 3, "an installation that failed counts for nothing");
    run(&stage, "notebooks", &[("FAKE_PYTHON", "3.9.2")]).refuses(&["Python 3.9.2", "3.11 or newer"]);
    assert_eq!(run(&stage, "notebooks", &[("FAKE_CHECK", "write")]).code, Some(1));
    assert_eq!(stage.logged("cargo"), 0, "nothing is built for it");
}

#[test]
fn the_report_is_tested_in_a_browser_where_there_is_one() {
    let stage = stage();
    let said = run(&stage, "test", &[]);
    assert!(said.succeeds().stderr.contains("all 9 checks are green, but for the report in a browser"), "{said:?}");
    assert_eq!(stage.logged("install notebooks/requirements.txt and tests/browser/requirements.txt"), 1);
    run(&stage, "test", &[("CI", "true")]).refuses(&["no Chromium", "`apt-get install chromium`"]);
    assert_eq!(stage.logged("python tests/browser/report.py --runner"), 0);

    stage.tool("chromium", "#!/bin/sh\n");
    let said = run(&stage, "test", &[("CI", "true")]);
    assert!(said.succeeds().stderr.contains("all 9 checks are green, in "), "{said:?}");
    let chromium = format!(", {}]", stage.path("bin/chromium").display());
    assert!(stage.log().last().unwrap().ends_with(&chromium), "{:?}", stage.log());
    let said = run(&stage, "test", &[("FAKE_CHECK", "report.py")]);
    assert!(said.code == Some(1) && said.stderr.contains("check failed: the report in a browser"), "{said:?}");
}

#[test]
fn lessons_are_run_with_each_seed_and_written_down() {
    let stage = stage();
    let said = run(&stage, "lessons", &[]);
    assert!(said.succeeds().stderr.contains("[4 of 4] digits, seed 1: 1 of 1 as expected"), "{said:?}");
    let runs: Vec<String> = stage.log().into_iter().filter(|line| line.starts_with("runner exp")).collect();
    let begins = |line: &str, start: &str| line.starts_with(&format!("runner exp {start} --json --quiet --out "));
    let expected = ["xor --seed 0", "xor --seed 1", "digits --seed 0", "digits --seed 1"];
    assert!(runs.iter().zip(expected).all(|(line, start)| begins(line, start)) && runs.len() == 4, "{runs:?}");
    let page = fs::read_to_string(stage.path("checkout/docs/RESULTS.md")).unwrap();
    assert!(page.contains("\n### xor\n") && page.contains("\n### digits\n") && !page.contains("mine"), "{page}");
    assert!(page.contains("| ✓ 0.2500 | ✓ 0.2500 |"), "{page}");
}

#[test]
fn one_lesson_is_run_again_and_the_others_kept_as_they_came() {
    let stage = stage();
    run(&stage, "lessons", &[]).succeeds();
    let said = run(&stage, "lessons xor", &[("FAKE_LOSS", "0.125")]);
    said.succeeds();
    assert_eq!((stage.logged("runner exp xor"), stage.logged("runner exp digits")), (4, 2));
    let page = fs::read_to_string(stage.path("checkout/docs/RESULTS.md")).unwrap();
    assert!(page.contains("| ✓ 0.1250 | ✓ 0.1250 |") && page.contains("| ✓ 0.2500 | ✓ 0.2500 |"), "{page}");
    fs::remove_file(stage.path("checkout/target/lessons/digits-seed1.json")).unwrap();
    run(&stage, "lessons xor", &[]).succeeds();
    assert_eq!(stage.logged("runner exp digits"), 3, "what never came is run");
}

#[test]
fn pass_rates_of_many_seeds_are_a_section_of_the_page() {
    let stage = stage();
    run(&stage, "lessons --seeds 7..9", &[]).refuses(&["failed to read", "RESULTS.md"]);
    run(&stage, "lessons", &[]).succeeds();
    let page = || fs::read_to_string(stage.path("checkout/docs/RESULTS.md")).unwrap();
    let before = page();
    let said = run(&stage, "lessons xor --quick --seeds 7..9", &[]);
    assert!(said.succeeds().stderr.contains("[1 of 1] xor: 3 of 3 seeds pass, "), "{said:?}");
    assert!(stage.log().last().unwrap().starts_with("runner exp xor --seeds 7,8,9 --json --quiet --out "));
    assert!(page().contains("| [`xor`](#xor) | 7 to 9 | ✓ 3 of 3 | |"), "{}", page());
    let said = run(&stage, "lessons digits --seeds 7,9", &[("FAKE_LOSS", "1.5")]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("error: digits: `last.loss` ≤ 0.5: 7 and 9 missed"), "{said:?}");
    let rows = "| [`xor`](#xor) | 7 to 9 | ✓ 3 of 3 | |\n| [`digits`](#digits) | 7 and 9 | ✗ 0 of 2 | `last.loss` ≤ 0.5: 7 and 9 |\n";
    let with_rates = page();
    assert!(with_rates.contains(rows), "{with_rates}");
    run(&stage, "lessons", &[]).succeeds();
    assert_eq!(page(), with_rates, "the page is written again and keeps the section");
    assert!(before.lines().all(|line| with_rates.contains(line)));
}

#[test]
fn a_missed_expectation_of_a_lesson_is_written_down_and_is_exit_code_1() {
    let stage = stage();
    let said = run(&stage, "lessons", &[("FAKE_LOSS", "1.5")]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("error: xor, seed 0: last.loss ≤ 0.5; xor, seed 1"), "{said:?}");
    let page = fs::read_to_string(stage.path("checkout/docs/RESULTS.md")).unwrap();
    assert!(page.contains("| ✗ 1.5000 | ✗ 1.5000 |"), "{page}");
}

#[test]
fn lessons_that_cannot_be_run_are_refused() {
    let stage = stage();
    run(&stage, "lessons mine", &[]).refuses(&["no lesson has an experiment `mine`"]);
    run(&stage, "lessons", &[("FAKE_RUNNER", "2")]).refuses(&["failed to run `xor` with seed 0", "made up"]);
    assert!(!stage.path("checkout/docs").exists());
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
