//! What comes with the dependencies: their licenses, where they come from, what is there twice, known vulnerabilities.
//!
//! `cargo deny` looks, by the rules of `deny.toml`. The first three need nothing but the crates. The vulnerabilities
//! are in a git repository of RustSec's, which not every machine reaches: where it cannot be fetched they are not
//! checked, and that is said, here and in the closing line. A vulnerability that is found fails the check.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{say, setup, tool};

/// The version that the rules in `deny.toml` are written for.
const VERSION: &str = "0.20.2";

/// What needs no network once the crates are here.
const OFFLINE: [&str; 3] = ["licenses", "bans", "sources"];

/// How the check ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// All but the vulnerabilities, which could not be looked up.
    WithoutAdvisories,
    Failed {
        what: &'static str,
        hint: &'static str,
    },
}

/// Looks at all dependencies; `cargo deny` is installed where it is not there yet.
pub fn check(workspace: &Workspace) -> Result<Outcome> {
    let deny = cargo_deny(workspace)?;
    let run = |args: &[&str]| {
        let mut command = command(workspace, &deny);
        command.args(args);
        command
    };

    let mut offline = run(&["--locked", "--log-level", "warn", "check", "-D", "warnings", "--hide-inclusion-graph"]);
    offline.args(OFFLINE);
    if !offline.status().with_context(|| format!("failed to run {}", tool::shown(&offline)))?.success() {
        return Ok(Outcome::Failed {
            what: "licenses, duplicates and sources of the dependencies",
            hint: "`deny.toml` says what is allowed; for what cannot be avoided an entry there gives the reason",
        });
    }

    let fetched = tool::ask(&mut run(&["fetch", "db"]))?;
    if !fetched.status.success() {
        say::note(&format!("known vulnerabilities were NOT checked: {}", reason(&fetched.stderr)));
        return Ok(Outcome::WithoutAdvisories);
    }
    let mut advisories = run(&["--locked", "--offline", "--log-level", "warn", "check", "advisories"]);
    if !advisories.status().with_context(|| format!("failed to run {}", tool::shown(&advisories)))?.success() {
        return Ok(Outcome::Failed {
            what: "a dependency with a known vulnerability",
            hint: "`cargo update --package NAME` takes its newest version; \
                   one that does not concern us is named in `deny.toml`, with the reason",
        });
    }
    Ok(Outcome::Passed)
}

fn command(workspace: &Workspace, deny: &Path) -> Command {
    let mut command = Command::new(deny);
    command.current_dir(workspace.root());
    command
}

/// Why the database could not be fetched, as git says it, else cargo-deny's error without when it was said.
fn reason(errors: &str) -> String {
    let lines = || errors.lines().rev();
    let of_git = lines().find_map(|line| line.trim_start().strip_prefix("fatal: "));
    let of_deny = || lines().find_map(|line| line.split_once("[ERROR] ").map(|(_, reason)| reason));
    of_git.or_else(of_deny).unwrap_or("`cargo deny fetch db` does not say why").trim().to_owned()
}

/// The program: the user's own if it has the version, else one in the target folder, which CI keeps.
fn cargo_deny(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(own) = tool::find("cargo-deny").filter(|own| has_version(own)) {
        return Ok(own);
    }
    let home = workspace.target().join("tools");
    fs::create_dir_all(&home).with_context(|| format!("failed to create `{}`", home.display()))?;
    let _lock = setup::lock(&home)?;
    let root = home.join(format!("cargo-deny-{VERSION}"));
    let program = root.join("bin").join("cargo-deny").with_extension(std::env::consts::EXE_EXTENSION);
    // cargo puts it there when it is whole
    if program.is_file() && has_version(&program) {
        return Ok(program);
    }
    say::note(&format!("installing cargo-deny {VERSION} into `{}`, which takes some minutes", root.display()));
    let began = Instant::now();
    let mut install = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    install
        .args(["install", "cargo-deny", "--version", VERSION, "--locked", "--quiet", "--force", "--root"])
        .arg(&root);
    // It is compiled once and runs for seconds: its own profile would take three times as long.
    install.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    // Nothing of it is to stay among our own artifacts.
    install.env_remove("CARGO_TARGET_DIR");
    if !install.status().context("failed to run cargo")?.success() {
        bail!(
            "failed to install cargo-deny {VERSION}\nhint: cargo's messages above say why; \
             `cargo install cargo-deny --version {VERSION} --locked` by hand does as well"
        );
    }
    say::note(&format!("installed cargo-deny {VERSION}, {}", say::time(began.elapsed())));
    Ok(program)
}

fn has_version(program: &Path) -> bool {
    tool::ask(Command::new(program).arg("--version")).is_ok_and(|answer| is_version(&answer.stdout))
}

fn is_version(printed: &str) -> bool {
    printed.split_whitespace().eq(["cargo-deny", VERSION])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_the_database_cannot_be_fetched_is_gits_word_first() {
        let errors = "2026-11-22 16:05:56 [ERROR] failed to fetch database: failed to clone: [\"clone\", \"--depth=1\"]\n\
                      Cloning into '/x'...\nfatal: unable to access 'https://x/': Could not resolve host: x\n\n";
        assert_eq!(reason(errors), "unable to access 'https://x/': Could not resolve host: x");
        assert_eq!(reason("2026-11-22 16:05:56 [ERROR] failed to lock: \n"), "failed to lock:");
        assert_eq!(reason(""), "`cargo deny fetch db` does not say why");
    }

    #[test]
    fn another_version_is_not_ours() {
        assert!(is_version("cargo-deny 0.20.2\n"));
        assert!(!is_version("cargo-deny 0.14.2\n") && !is_version("") && !is_version("cargo-deny 0.20.2-rc1\n"));
    }
}
