//! The HTML report in a browser: `tests/browser/report.py` with the Chromium of this machine.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::python::Environment;
use crate::workspace::Workspace;
use crate::{console, process};

/// Packages that control a browser.
pub const REQUIREMENTS: &str = "tests/browser/requirements.txt";
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Runs the test and returns whether it succeeds; `None` if there is no browser, which is an error if `CI` is set.
pub fn check(workspace: &Workspace, environment: &Environment, runner: &Path) -> Result<Option<bool>> {
    let Some(chromium) = find()? else {
        console::note(&format!("no Chromium on PATH (`{}`): the report is not tested", NAMES.join("`, `")));
        return Ok(None);
    };
    let mut command = environment.command(workspace);
    command.arg("tests/browser/report.py").arg("--runner").arg(runner).env("RUNNER_CHROMIUM", chromium);
    process::succeeds(&mut command).map(Some)
}

/// Returns the browser in `RUNNER_CHROMIUM`, else the first on `PATH`.
fn find() -> Result<Option<PathBuf>> {
    if let Some(own) = env::var_os("RUNNER_CHROMIUM").filter(|own| !own.is_empty()).map(PathBuf::from) {
        if !own.is_file() {
            bail!(
                "`RUNNER_CHROMIUM` is `{}`, which is not a file\nhint: set it to the path of Chromium",
                own.display()
            );
        }
        return Ok(Some(own));
    }
    let found = NAMES.iter().find_map(|name| process::find(name));
    if found.is_none() && process::is_ci() {
        bail!(
            "no Chromium for the test of the report, and `CI` is set\n\
             hint: run `apt-get install chromium` (Debian), or set `RUNNER_CHROMIUM` to its path"
        );
    }
    Ok(found)
}
