//! `cargo xtask test`: everything that has to hold before a change is merged, quickest to fail first.
//!
//! The first failure ends it, with what to do. First is what other people's code brings along. The test
//! runner comes last but for what needs the program itself, which prints a few lines each: its closing
//! counts stay in sight, and are the only ones below the doc tests'. Last are the quick experiments, each
//! twice, the notebooks on these experiments' runs, and the report in a browser.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::browser::{self, Outcome};
use crate::cargo::{build_runner, cargo};
use crate::python::Environment;
use crate::scratch::Scratch;
use crate::setup::Source;
use crate::workspace::Workspace;
use crate::{notebooks, python, say, supply, tool};

/// One command that has to succeed.
struct Check {
    title: &'static str,
    command: Command,
    hint: &'static str,
}

/// Runs all checks; exit code 1 at the first that fails.
pub fn run(workspace: &Workspace, source: &Source, extra: &[OsString]) -> Result<ExitCode> {
    let started = Instant::now();
    let checks = checks(workspace, source, extra);
    let total = checks.len() + 4;
    let quick = checks.len() + 2;
    say::note(&format!("[1 of {total}] supply chain"));
    let without_advisories = match supply::check(workspace)? {
        supply::Outcome::Passed => false,
        supply::Outcome::WithoutAdvisories => true,
        supply::Outcome::Failed { what, hint } => return Ok(failed(what, hint)),
    };
    for (index, mut check) in checks.into_iter().enumerate() {
        say::note(&format!("[{} of {total}] {}: {}", index + 2, check.title, tool::shown(&check.command)));
        let status =
            check.command.status().with_context(|| format!("failed to run {}", tool::shown(&check.command)))?;
        if !status.success() {
            return Ok(failed(check.title, check.hint));
        }
    }

    say::note(&format!("[{quick} of {total}] quick experiments"));
    let runner = build_runner(workspace, source)?;
    let names = quick_experiments(&runner)?;
    let out = Scratch::create()?;
    for name in &names {
        let began = Instant::now();
        let status = Command::new(&runner)
            .args(["exp", name, "--strict", "--quiet", "--out"])
            .arg(out.folder())
            .status()
            .with_context(|| format!("failed to run `{}`", runner.display()))?;
        if !status.success() {
            let kept = out.keep();
            let what = match status.code() {
                Some(1) => "missed an expectation".to_owned(),
                _ => format!("failed ({status})"),
            };
            let hint =
                format!("`cargo xtask run exp {name} --strict` shows it; the run is kept in `{}`", kept.display());
            return Ok(failed(&format!("experiment `{name}` {what}"), &hint));
        }
        let expected = began.elapsed();
        let again = Instant::now();
        let answer = tool::ask(Command::new(&runner).args(["reproduce", name, "--out"]).arg(out.folder()))?;
        if !answer.status.success() {
            let kept = out.keep();
            say::relay(
                answer.stderr.lines().filter(|line| !line.starts_with("epoch ")).collect::<Vec<_>>().join("\n").trim(),
            );
            say::relay(answer.stdout.trim());
            let hint = format!("`runner reproduce {name} --out {}` shows it", kept.display());
            return Ok(failed(&format!("experiment `{name}` does not come out the same again"), &hint));
        }
        let (first, second) = (say::time(expected), say::time(again.elapsed()));
        say::note(&format!("experiment `{name}` as expected, {first}; again, and identical, {second}"));
    }

    say::note(&format!("[{} of {total}] notebooks", quick + 1));
    let environment = Environment::with(workspace, python::CHECKS, &[notebooks::REQUIREMENTS, browser::REQUIREMENTS])?;
    if let Some(failure) = notebooks::check(workspace, &environment, &runner, &names, out.folder())? {
        let hint = format!("{}; the runs are kept in `{}`", failure.hint, out.keep().display());
        return Ok(failed(&failure.what, &hint));
    }

    say::note(&format!("[{total} of {total}] report in a browser"));
    let without_browser = match browser::check(workspace, &environment, &runner)? {
        Outcome::Passed => false,
        Outcome::Skipped => true,
        Outcome::Failed => return Ok(failed("the report in a browser", "its messages above say what")),
    };
    let skipped = but_for(&[
        (without_browser, "the report in a browser, which was skipped"),
        (without_advisories, "known vulnerabilities of dependencies, which were NOT checked"),
    ]);
    say::note(&format!(
        "all {total} checks are green{skipped}, in {} (quick experiments: {})",
        say::time(started.elapsed()),
        names.len()
    ));
    Ok(ExitCode::SUCCESS)
}

/// What the closing line says of that which was not checked.
fn but_for(skipped: &[(bool, &str)]) -> String {
    let skipped: Vec<&str> = skipped.iter().filter(|(is_skipped, _)| *is_skipped).map(|(_, what)| *what).collect();
    match skipped.is_empty() {
        true => String::new(),
        false => format!(", but for {}", skipped.join(", and for ")),
    }
}

fn failed(what: &str, hint: &str) -> ExitCode {
    say::relay(&format!("error: check failed: {what}\nhint: {hint}"));
    ExitCode::from(1)
}

fn checks(workspace: &Workspace, source: &Source, extra: &[OsString]) -> Vec<Check> {
    let cargo = |args: &[&str]| {
        let mut command = cargo(workspace, source, []);
        command.args(args);
        command
    };
    let mut documentation = cargo(&["doc", "--locked", "--workspace", "--no-deps", "--release"]);
    let flags = env::var("RUSTDOCFLAGS").unwrap_or_default();
    documentation.env("RUSTDOCFLAGS", format!("{flags} -D warnings").trim_start());

    let has_nextest = tool::ask(&mut cargo(&["nextest", "--version"])).is_ok_and(|answer| answer.status.success());
    let mut tests = if has_nextest {
        cargo(&["nextest", "run", "--locked", "--workspace", "--release"])
    } else {
        cargo(&["test", "--locked", "--workspace", "--release", "--all-targets"])
    };
    tests.args(extra);

    vec![
        Check {
            title: "formatting",
            command: cargo(&["fmt", "--all", "--check"]),
            hint: "`cargo fmt --all` puts it right (`rustup component add rustfmt` if it is missing)",
        },
        Check {
            title: "clippy",
            command: cargo(&[
                "clippy",
                "--locked",
                "--workspace",
                "--all-targets",
                "--release",
                "--",
                "-D",
                "warnings",
            ]),
            hint: "mend what clippy names above (`rustup component add clippy` if it is missing)",
        },
        Check {
            title: "documentation",
            command: documentation,
            hint: "mend the doc comments that rustdoc names above; broken links are the usual case",
        },
        Check {
            title: "doc tests",
            command: cargo(&["test", "--locked", "--doc", "--release", "--package", "runner"]),
            hint: "an example in a doc comment no longer holds: mend the example or the code",
        },
        Check {
            title: "tests",
            command: tests,
            hint: "see the failures above; `cargo xtask test -- NAME` runs the tests whose names contain NAME",
        },
    ]
}

/// The names of the experiments that are marked quick.
fn quick_experiments(runner: &Path) -> Result<Vec<String>> {
    let answer = tool::ask(Command::new(runner).args(["list", "--quick", "--json"]))?;
    if !answer.status.success() {
        bail!("failed to list the quick experiments: {}\nhint: `cargo xtask run list --quick`", answer.stderr.trim());
    }
    names(&answer.stdout)
}

fn names(json: &str) -> Result<Vec<String>> {
    let list: Vec<Value> = serde_json::from_str(json).context("`runner list --quick --json` printed no JSON array")?;
    let names: Option<Vec<String>> = list.iter().map(|entry| entry["name"].as_str().map(str::to_owned)).collect();
    match names {
        Some(names) if !names.is_empty() => Ok(names),
        Some(_) => {
            bail!("no experiment is marked quick\nhint: mark those that finish in seconds, so that they are checked")
        }
        None => bail!("`runner list --quick --json` printed an entry without a name"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_checked_is_said() {
        assert_eq!(but_for(&[(false, "this"), (false, "that")]), "");
        assert_eq!(but_for(&[(true, "this"), (true, "that")]), ", but for this, and for that");
    }

    #[test]
    fn the_names_of_the_list_are_read() {
        let json = r#"[{"name": "xor", "title": "XOR"}, {"name": "digits"}]"#;
        assert_eq!(names(json).unwrap(), ["xor", "digits"]);
    }

    #[test]
    fn an_empty_or_nameless_list_is_an_error() {
        assert!(names("[]").unwrap_err().to_string().contains("marked quick"));
        assert!(names(r#"[{"title": "XOR"}]"#).is_err());
        assert!(names("xor\n").is_err());
    }
}
