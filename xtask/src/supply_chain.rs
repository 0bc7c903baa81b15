//! Licenses, sources, duplicates and known vulnerabilities of the dependencies, checked by `cargo deny` with `deny.toml`.
//!
//! The vulnerabilities are in a git repository of RustSec. If it cannot be fetched, they are not checked, and the last line of
//! `cargo xtask test` says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::workspace::Workspace;
use crate::{console, folders, process};

/// The version that `deny.toml` is written for.
const VERSION: &str = "0.20.2";

/// The result of the check.
pub enum Outcome {
    Passed,
    /// All but the vulnerabilities.
    WithoutAdvisories,
    Failed {
        check: &'static str,
        hint: &'static str,
    },
}

/// Checks all dependencies; installs `cargo deny` if needed.
pub fn check(workspace: &Workspace) -> Result<Outcome> {
    let deny = cargo_deny(workspace)?;
    let run = |args: &str| {
        let mut command = Command::new(&deny);
        command.args(args.split(' ')).current_dir(workspace.root());
        command
    };
    let offline = "--locked --log-level warn check -D warnings --hide-inclusion-graph licenses bans sources";
    if !process::succeeds(&mut run(offline))? {
        return Ok(Outcome::Failed {
            check: "licenses, duplicates and sources of the dependencies",
            hint: "`deny.toml` lists what is allowed; add an entry with a reason for what cannot be avoided",
        });
    }
    let fetched = process::output(&mut run("fetch db"))?;
    if !fetched.status.success() {
        console::note(&format!("known vulnerabilities were NOT checked: {}", reason(&fetched.stderr)));
        return Ok(Outcome::WithoutAdvisories);
    }
    if !process::succeeds(&mut run("--locked --offline --log-level warn check advisories"))? {
        return Ok(Outcome::Failed {
            check: "a dependency with a known vulnerability",
            hint: "run `cargo update --package NAME`; add one that does not concern us to `deny.toml`, with the reason",
        });
    }
    Ok(Outcome::Passed)
}

/// Returns git's last `fatal: ` line, else the last error of cargo-deny.
fn reason(errors: &str) -> &str {
    let git = errors.lines().rev().find_map(|line| line.trim_start().strip_prefix("fatal: "));
    let deny = || errors.lines().rev().find_map(|line| Some(line.split_once("[ERROR] ")?.1));
    git.or_else(deny).unwrap_or("`cargo deny fetch db` gives no reason").trim()
}

/// Returns the user's program if it has the version, else one in `target/tools`.
fn cargo_deny(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(own) = process::find("cargo-deny").filter(|own| has_version(own)) {
        return Ok(own);
    }
    let home = workspace.target().join("tools");
    let _lock = folders::lock(&home)?;
    let root = home.join(format!("cargo-deny-{VERSION}"));
    let program = root.join("bin").join("cargo-deny").with_extension(std::env::consts::EXE_EXTENSION);
    if program.is_file() && has_version(&program) {
        return Ok(program);
    }
    console::note(&format!("installing cargo-deny {VERSION} into `{}`; this takes minutes", root.display()));
    let mut install = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    install
        .args(["install", "cargo-deny", "--version", VERSION, "--locked", "--quiet", "--force", "--root"])
        .arg(&root);
    // It runs for seconds: its own profile would take three times as long to compile.
    install.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env_remove("CARGO_TARGET_DIR");
    if !process::succeeds(&mut install)? {
        bail!(
            "failed to install cargo-deny {VERSION}\nhint: see the messages of cargo above, \
             or run `cargo install cargo-deny --version {VERSION} --locked`"
        );
    }
    Ok(program)
}

fn has_version(program: &Path) -> bool {
    let output = process::output(Command::new(program).arg("--version"));
    output.is_ok_and(|output| output.stdout.split_whitespace().eq(["cargo-deny", VERSION]))
}
