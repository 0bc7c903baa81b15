//! The HTML report in a real browser: `tests/browser/report.py`, driven with the Chromium of this machine.
//!
//! The script is told which program to look at, and by `RUNNER_CHROMIUM` with which browser; it makes its own quick runs.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::python::Environment;
use crate::workspace::Workspace;
use crate::{say, tool};

/// What has to be installed to drive a browser.
pub const REQUIREMENTS: &str = "tests/browser/requirements.txt";
const SCRIPT: &str = "tests/browser/report.py";
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// How the check ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed,
    /// There is no browser, and this is not CI.
    Skipped,
}

/// Runs the test; without a browser it is skipped, and an error where `CI` is set.
pub fn check(workspace: &Workspace, environment: &Environment, runner: &Path) -> Result<Outcome> {
    let Some(chromium) = find(env::var_os("RUNNER_CHROMIUM").as_deref(), is_ci())? else {
        say::note(&format!("no Chromium on PATH (`{}`): the report is not tested in a browser", NAMES.join("`, `")));
        return Ok(Outcome::Skipped);
    };
    let mut command = environment.python();
    command.arg(SCRIPT).arg("--runner").arg(runner).current_dir(workspace.root());
    command.env("RUNNER_CHROMIUM", chromium);
    let status = command.status().context("failed to run Python")?;
    Ok(if status.success() { Outcome::Passed } else { Outcome::Failed })
}

fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// The browser: the one that `RUNNER_CHROMIUM` names, else the first on PATH.
fn find(own: Option<&OsStr>, is_ci: bool) -> Result<Option<PathBuf>> {
    if let Some(own) = own.filter(|own| !own.is_empty()) {
        let path = PathBuf::from(own);
        if !path.is_file() {
            bail!(
                "`RUNNER_CHROMIUM` is `{}`, which is no file\nhint: give it the path of Chromium or Chrome",
                path.display()
            );
        }
        return Ok(Some(path));
    }
    match NAMES.iter().find_map(|name| tool::find(name)) {
        None if is_ci => bail!(
            "no Chromium to test the report with, and `CI` is set\nhint: `apt-get install chromium` (Debian), or set `RUNNER_CHROMIUM` to the path of one"
        ),
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_of_the_users_own_has_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let browser = folder.path().join("chrome");
        let refused = find(Some(browser.as_os_str()), false).unwrap_err().to_string();
        assert!(refused.contains("`RUNNER_CHROMIUM`") && refused.contains("\nhint: "), "{refused}");
        std::fs::write(&browser, "").unwrap();
        assert_eq!(find(Some(browser.as_os_str()), true).unwrap(), Some(browser));
    }
}
