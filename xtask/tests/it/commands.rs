//! `run`, `test`, `lessons`, `docs`, `bench`, `install` and the command line, with a fake cargo.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use super::stage::{Finished, Stage};

const CARGO: &str = include_str!("fake/cargo.sh");
const DENY: &str = include_str!("fake/cargo-deny.sh");
const RUNNER: &str = include_str!("fake/runner.sh");

fn stage() -> Stage {
    let stage = Stage::new();
    stage.tool("cargo", CARGO);
    stage.tool("cargo-deny", DENY);
    stage.script("runner", RUNNER);
    stage.lay_out("checkout/.libtorch");
    stage.run("setup", &[]).succeeds(&[]);
    stage
}

fn run(stage: &Stage, words: &str, variables: &[(&str, &str)]) -> Finished {
    let runner = stage.path("runner");
    let mut all = vec![("RUNNER", runner.to_str().unwrap())];
    all.extend(variables);
    stage.run(words, &all)
}

#[test]
fn run_passes_on_folder_input_output_and_exit_code() {
    let stage = stage();
    fs::write(stage.path("input"), "typed\n").unwrap();
    let mut command = stage.xtask();
    command.args(["run", "cat", "--json", "a b"]).env("RUNNER", stage.path("runner")).env("FAKE_RUNNER", "7");
    command.stdin(Stdio::from(fs::File::open(stage.path("input")).unwrap()));
    let finished = Finished::from(command.output().unwrap());
    assert_eq!(finished.code, Some(7), "{finished:?}");
    let folder = stage.path("elsewhere").canonicalize().unwrap();
    assert_eq!(finished.stdout, format!("in {}\ntyped\n", folder.display()));
    assert_eq!(stage.log().last().unwrap(), "runner cat --json a b");
    let build = &stage.log()[0];
    assert!(build.starts_with("cargo build --locked --release --package runner"), "{build}");
    assert!(build.ends_with(&format!("[checkout, LIBTORCH {}]", stage.home().join("torch").display())), "{build}");
    run(&stage, "run list", &[("FAKE_CARGO", "build")]).refuses(&["failed to build `runner`", "setup --force"]);
}

#[test]
fn test_runs_all_checks_in_order() {
    let stage = stage();
    for tool in ["chromium", "slurmctld", "slurmd", "sbatch", "munged"] {
        stage.tool(tool, "#!/bin/sh\n");
    }
    let finished = run(&stage, "test -- --no-fail-fast", &[("CI", "true")]);
    finished.succeeds(&["[11 of 11]", "all checks passed in", "with 2 quick experiments\n"]);
    let log = stage.log();
    let mut from = 0;
    for start in [
        "deny --locked --log-level warn check -D warnings --hide-inclusion-graph licenses bans sources [checkout]",
        "deny fetch db [checkout]",
        "deny --locked --offline --log-level warn check advisories [checkout]",
        "cargo fmt --all --check",
        "cargo clippy --locked --workspace --all-targets --release -- -D warnings",
        "cargo doc --locked --workspace --no-deps --release",
        "cargo test --locked --doc --release --package runner",
        "cargo nextest run --locked --workspace --release --no-fail-fast",
        "runner list --quick --json",
        "runner exp xor --strict --quiet --out ",
        "runner reproduce xor --out ",
        "runner exp digits --strict --quiet --out ",
        "install notebooks browser",
        "runner exp overfit_mnist --epochs 3 --quiet --out ",
        "python -m unittest discover --start-directory notebooks [checkout, ",
        "python -m unittest discover --start-directory benches/harness [checkout, ",
        "python notebooks/execute.py check [checkout, ",
        "install scripts",
        "python -m mkdocs build --strict --site-dir ",
        "python docs/update_outputs.py --runner ",
        "install python",
        "python python/build_wheel.py ",
        "check_wheel ",
        "install python",
        "python python/unpack_wheel.py ",
        "python -m pytest --quiet ",
        "python tests/browser/report.py --runner ",
    ] {
        let place = log[from..].iter().position(|line| line.starts_with(start));
        from += place.unwrap_or_else(|| panic!("no `{start}` in {:?}", &log[from..]));
    }
    assert!(log.last().unwrap().ends_with(&format!(", {}]", stage.path("bin/chromium").display())), "{log:?}");
}

#[test]
fn a_failed_check_ends_it_with_a_hint() {
    let stage = stage();
    let elsewhere = stage.path("elsewhere");
    let temporary = ("TMPDIR", elsewhere.to_str().unwrap());
    for (variable, value, words) in [
        ("FAKE_DENY", "bans", &["check failed: licenses, duplicates and sources", "`deny.toml`"][..]),
        ("FAKE_DENY", "advisories", &["a dependency with a known vulnerability"]),
        ("FAKE_CARGO", "clippy", &["check failed: clippy"]),
        ("FAKE_RUNNER", "1", &["experiment `xor` missed an expectation", "`cargo xtask run exp xor --strict`"]),
        ("FAKE_DIFFERENT", "digits", &["experiment `digits` has different results", "base-seed0: different"]),
        ("FAKE_CHECK", "execute.py", &["check failed: the notebooks", "the runs are in"]),
        ("FAKE_CHECK", "mkdocs", &["check failed: the book"]),
        ("FAKE_CHECK", "update_outputs", &["check failed: output shown", "`cargo xtask docs`"]),
        ("FAKE_WHEEL", "1", &["check failed: the wheel in an empty environment"]),
        ("FAKE_CHECK", "pytest", &["check failed: the tests of the Python package"]),
    ] {
        let finished = run(&stage, "test", &[(variable, value), temporary]);
        finished.ends_with(1, words);
        assert!(finished.stderr.contains("\nhint: "), "{finished:?}");
    }
    let kept = fs::read_dir(&elsewhere).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(kept, 3, "the runs of failed experiments and notebooks are kept");
}

#[test]
fn what_was_not_checked_is_in_the_last_line() {
    let stage = stage();
    let finished = run(&stage, "test", &[("FAKE_DENY", "fetch"), ("FAKE_CARGO", "nextest")]);
    finished.succeeds(&[
        "vulnerabilities were NOT checked: failed to fetch: fake",
        "no `slurmctld` on PATH: jobs of Slurm are not tested",
        "; NOT checked: jobs of Slurm, known vulnerabilities of dependencies, the pages in a browser\n",
    ]);
    assert_eq!(stage.logged("cargo test --locked --workspace --release --all-targets"), 1, "without nextest");
    run(&stage, "test", &[("CI", "true")]).refuses(&["no `slurmctld`", "`apt-get install slurmctld slurmd "]);
    for tool in ["slurmctld", "slurmd", "sbatch", "munged"] {
        stage.tool(tool, "#!/bin/sh\n");
    }
    run(&stage, "test", &[("CI", "true")]).refuses(&["no Chromium", "`apt-get install chromium`"]);
    let offline = [("FAKE_WHEEL", "3"), ("FAKE_DENY", "fetch")];
    let unchecked = "known vulnerabilities of dependencies, the Python package, the pages in a browser\n";
    run(&stage, "test", &offline).succeeds(&[&format!("; NOT checked: {unchecked}")]);
    run(&stage, "wheel --check", &[("FAKE_WHEEL", "3")]).succeeds(&["the wheel is `"]);
    run(&stage, "wheel --check", &[("FAKE_WHEEL", "3"), ("CI", "true")]).ends_with(1, &["in an empty environment"]);
}

#[test]
fn cargo_deny_is_installed_once_if_the_version_is_missing() {
    let stage = stage();
    let (deny, target) = (stage.path("deny"), stage.path("target"));
    stage.script("deny", DENY);
    fs::write(stage.path("bin/cargo-deny"), DENY.replace("0.20.2", "0.14.2")).unwrap();
    let with = [("DENY", deny.to_str().unwrap()), ("CARGO_TARGET_DIR", target.to_str().unwrap())];
    let failing = [with[0], with[1], ("FAKE_CARGO", "install")];
    run(&stage, "test", &failing).refuses(&["failed to install cargo-deny 0.20.2"]);
    run(&stage, "test", &with).succeeds(&[]);
    run(&stage, "test", &with).succeeds(&[]);
    assert_eq!(stage.logged("cargo install cargo-deny --version 0.20.2 --locked"), 2, "the first of them failed");
}

#[test]
fn packages_are_installed_once_and_again_when_the_requirements_change() {
    let stage = stage();
    run(&stage, "notebooks", &[]).succeeds(&[]);
    run(&stage, "notebooks notebooks/B_digits.ipynb --runs here", &[]).succeeds(&[]);
    assert_eq!(stage.logged("install notebooks"), 1);
    let here = stage.path("elsewhere").canonicalize().unwrap().join("here");
    let expected = format!("python notebooks/execute.py write B_digits [checkout, {}, ]", here.display());
    assert_eq!(*stage.log().last().unwrap(), expected);

    stage.file("checkout/notebooks/requirements.txt", "polars==2.2.0\n");
    let offline = run(&stage, "notebooks", &[("FAKE_PIP", "offline-at-install")]);
    offline.refuses(&["failed to install notebooks/requirements.txt", "Network is unreachable"]);
    run(&stage, "notebooks", &[]).succeeds(&[]);
    assert_eq!(stage.logged("install"), 3);
    assert_eq!(run(&stage, "notebooks", &[("FAKE_CHECK", "write")]).code, Some(1));
    assert_eq!(stage.logged("cargo"), 0, "nothing is built");
}

#[test]
fn docs_updates_the_output_before_it_builds_the_book() {
    let stage = stage();
    run(&stage, "docs", &[]).succeeds(&["the book is in `"]);
    let log = stage.log();
    assert!(
        log[log.len() - 2].starts_with("python docs/update_outputs.py --runner ") && !log.join("").contains("--check")
    );
    run(&stage, "docs --check", &[("FAKE_CHECK", "update_outputs")]).ends_with(1, &["run `cargo xtask docs`"]);
}

#[test]
fn bench_and_lessons_call_their_scripts() {
    let stage = stage();
    let script = "import os, sys\nopen(os.environ['LOG'], 'a').write(' '.join(sys.argv[1:]) + '\\n')\nsys.exit(1)\n";
    stage.file("checkout/benches/harness/__main__.py", script);
    stage.file("checkout/benches/requirements-torch.txt", "");
    let peers = [("RUNNER_BENCH_KERAS", "/no/python"), ("FAKE_PIP", "offline-at-install")];
    let finished = run(&stage, "bench --rounds 3 --threads 1,2 --only csv --quick", &peers);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let log = stage.log();
    let call = log.last().unwrap();
    for words in [
        "--bench csv_to_tensors=/benches/csv_to_tensors --torch-missing failed to install benches/requirements-torch.txt",
        "--keras-missing `RUNNER_BENCH_KERAS` is `/no/python`",
        "--rounds 3 --threads 1,2 --quick --only csv",
    ] {
        assert!(call.contains(words), "{call}");
    }
    run(&stage, "bench --only mnst", &[]).ends_with(2, &["mnst"]);
    run(&stage, "lessons mine", &[]).refuses(&["no lesson has an experiment `mine`"]);
    run(&stage, "lessons xor --quick --seeds 7,8", &[]).refuses(&["`cargo xtask lessons`"]);
}

#[test]
fn install_copies_what_run_builds_and_shows_what_to_keep() {
    let stage = stage();
    stage.script("runner-engine", "engine");
    let bin = stage.path(".cargo/bin");
    let read = |folder: &Path| ["runner", "runner-engine"].map(|name| fs::read_to_string(folder.join(name)).unwrap());
    for engine in ["engine", "a new engine"] {
        fs::write(stage.path("runner-engine"), engine).unwrap();
        run(&stage, "install", &[]).succeeds(&[
            &format!("installed `{}`", bin.join("runner").display()),
            &format!("`{}`: keep this clone", stage.home().display()),
            &format!("`{}` is not on PATH", bin.display()),
        ]);
        assert_eq!(read(&bin), [RUNNER, engine]);
        assert_eq!(fs::read_dir(&bin).unwrap().count(), 2);
    }
    assert!(stage.log()[0].starts_with("cargo build --locked --release --package runner"), "{:?}", stage.log());
    run(&stage, "install --root here", &[]).succeeds(&[]);
    assert_eq!(read(&stage.path("elsewhere/here/bin")), [RUNNER, "a new engine"]);
    run(&stage, "install", &[("FAKE_CARGO", "build")]).refuses(&["failed to build `runner`"]);
}

#[test]
fn help_needs_no_libtorch() {
    let stage = Stage::new().without("python3");
    let help = stage.run("--help", &[]);
    assert!(help.code == Some(0) && help.stdout.contains("Usage: cargo xtask <COMMAND>"), "{help:?}");
    assert_eq!(stage.run("", &[]).code, Some(2));
    stage.run("stup", &[]).ends_with(2, &["unrecognized subcommand 'stup'"]);
    stage.run("test name", &[]).ends_with(2, &["'name'"]);
}
