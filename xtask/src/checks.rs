//! `cargo xtask test`: all checks, those that fail fastest first. The first failure ends it.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cargo::{build_runner, cargo};
use crate::console::{duration, failed};
use crate::folders::Scratch;
use crate::libtorch::setup::Source;
use crate::python::Environment;
use crate::supply_chain::{self, Outcome};
use crate::workspace::Workspace;
use crate::{browser, console, docs, notebooks, process, wheel};

/// The number of checks.
const TOTAL: usize = 11;

/// Programs that the tests of Slurm jobs need.
const SLURM: [&str; 4] = ["slurmctld", "slurmd", "sbatch", "munged"];

/// Runs all checks; exit code 1 at the first that fails.
pub fn run(workspace: &Workspace, source: &Source, test_args: &[OsString]) -> Result<ExitCode> {
    let started = Instant::now();
    let mut number = 0;
    let mut begin = |title: &str| {
        number += 1;
        console::note(&format!("[{number} of {TOTAL}] {title}"));
    };
    let mut skipped = Vec::new();
    if !has_slurm()? {
        skipped.push("jobs of Slurm");
    }

    begin("supply chain");
    match supply_chain::check(workspace)? {
        Outcome::Passed => {}
        Outcome::WithoutAdvisories => skipped.push("known vulnerabilities of dependencies"),
        Outcome::Failed { check, hint } => return Ok(failed(check, hint)),
    }

    for (title, mut command, hint) in cargo_checks(workspace, source, test_args) {
        begin(&format!("{title}: {}", process::shown(&command)));
        if !process::succeeds(&mut command)? {
            return Ok(failed(title, hint));
        }
    }

    begin("quick experiments");
    let runner = build_runner(workspace, source)?;
    let quick = quick_experiments(&runner)?;
    let out = Scratch::create()?;
    for name in &quick {
        if let Some(code) = check_experiment(&runner, name, &out)? {
            return Ok(code);
        }
    }

    begin("notebooks");
    let environment = Environment::with(workspace, "checks", &[notebooks::REQUIREMENTS, browser::REQUIREMENTS])?;
    if let Some((check, hint)) = notebooks::check(workspace, &environment, &runner, &quick, out.folder())? {
        return Ok(failed(&check, &format!("{hint}; the runs are in `{}`", out.keep().display())));
    }

    begin("documentation");
    if let Some(code) = docs::build(workspace, &runner, true)? {
        return Ok(code);
    }

    begin("Python package");
    let wheel = wheel::build(workspace, &runner)?;
    match wheel::check(workspace, &wheel)? {
        wheel::Outcome::Passed => {}
        wheel::Outcome::NotTested => skipped.push("the Python package"),
        wheel::Outcome::Failed(check, hint) => return Ok(failed(check, hint)),
    }

    begin("pages in a browser");
    match browser::check(workspace, &environment, &runner)? {
        Some(true) => {}
        Some(false) => return Ok(failed("the pages in a browser", "see the messages above")),
        None => skipped.push("the pages in a browser"),
    }

    let skipped = if skipped.is_empty() { String::new() } else { format!("; NOT checked: {}", skipped.join(", ")) };
    let time = duration(started.elapsed());
    console::note(&format!("all checks passed in {time}, with {} quick experiments{skipped}", quick.len()));
    Ok(ExitCode::SUCCESS)
}

/// Returns whether Slurm is installed. If not, the tests skip its jobs, which is an error if `CI` is set.
fn has_slurm() -> Result<bool> {
    let Some(missing) = SLURM.iter().find(|name| process::find(name).is_none()) else { return Ok(true) };
    if process::is_ci() {
        bail!(
            "no `{missing}` for the tests of Slurm jobs, and `CI` is set\n\
             hint: run `apt-get install slurmctld slurmd slurm-client munge slurm-wlm-basic-plugins` (Debian)"
        );
    }
    console::note(&format!("no `{missing}` on PATH: jobs of Slurm are not tested"));
    Ok(false)
}

/// The checks that cargo runs: title, command and hint.
fn cargo_checks(
    workspace: &Workspace,
    source: &Source,
    test_args: &[OsString],
) -> Vec<(&'static str, Command, &'static str)> {
    let cargo = |args: &str| cargo(workspace, source, &args.split(' ').collect::<Vec<_>>());
    let mut documentation = cargo("doc --locked --workspace --no-deps --release");
    let flags = env::var("RUSTDOCFLAGS").unwrap_or_default();
    documentation.env("RUSTDOCFLAGS", format!("{flags} -D warnings").trim_start());

    let has_nextest = process::output(&mut cargo("nextest --version")).is_ok_and(|output| output.status.success());
    let mut tests = match has_nextest {
        true => cargo("nextest run --locked --workspace --release"),
        false => cargo("test --locked --workspace --release --all-targets"),
    };
    tests.args(test_args);

    vec![
        (
            "formatting",
            cargo("fmt --all --check"),
            "run `cargo fmt --all` (to install it: `rustup component add rustfmt`)",
        ),
        (
            "clippy",
            cargo("clippy --locked --workspace --all-targets --release -- -D warnings"),
            "fix the warnings above (to install it: `rustup component add clippy`)",
        ),
        ("doc comments", documentation, "fix the doc comments named above; most are broken links"),
        (
            "doc tests",
            cargo("test --locked --doc --release --package runner"),
            "fix the example in the doc comment, or the code",
        ),
        ("tests", tests, "see the failures above; `cargo xtask test -- NAME` runs the tests whose names contain NAME"),
    ]
}

/// Runs an experiment twice: it must meet its expectations, and the results must be identical.
fn check_experiment(runner: &Path, name: &str, out: &Scratch) -> Result<Option<ExitCode>> {
    let began = Instant::now();
    let mut experiment = Command::new(runner);
    experiment.args(["exp", name, "--strict", "--quiet", "--out"]).arg(out.folder());
    let status = process::status(&mut experiment)?;
    if !status.success() {
        let what =
            if status.code() == Some(1) { "missed an expectation".to_owned() } else { format!("failed ({status})") };
        let hint = format!("run `cargo xtask run exp {name} --strict`; this run is in `{}`", out.keep().display());
        return Ok(Some(failed(&format!("experiment `{name}` {what}"), &hint)));
    }
    let first = duration(began.elapsed());
    let again = Instant::now();
    let output = process::output(Command::new(runner).args(["reproduce", name, "--out"]).arg(out.folder()))?;
    if !output.status.success() {
        output.stderr.lines().filter(|line| !line.starts_with("epoch ")).for_each(console::relay);
        console::relay(output.stdout.trim());
        let hint = format!("run `runner reproduce {name} --out {}`", out.keep().display());
        return Ok(Some(failed(&format!("experiment `{name}` has different results when repeated"), &hint)));
    }
    console::note(&format!(
        "experiment `{name}`: as expected ({first}), identical when repeated ({})",
        duration(again.elapsed())
    ));
    Ok(None)
}

/// Returns the names of the experiments that are marked quick.
fn quick_experiments(runner: &Path) -> Result<Vec<String>> {
    let output = process::output(Command::new(runner).args(["list", "--quick", "--json"]))?;
    if !output.status.success() {
        bail!(
            "failed to list the quick experiments: {}\nhint: run `cargo xtask run list --quick`",
            output.stderr.trim()
        );
    }
    let list: Vec<Value> =
        serde_json::from_str(&output.stdout).context("`runner list --quick --json` printed no JSON array")?;
    let names: Option<Vec<String>> = list.iter().map(|entry| entry["name"].as_str().map(str::to_owned)).collect();
    match names {
        Some(names) if !names.is_empty() => Ok(names),
        _ => bail!(
            "`runner list --quick --json` lists no experiments\nhint: set `quick = true` in those that take seconds"
        ),
    }
}
