//! The HTML report and the live pages in a browser: the tests in `tests/browser` with the Chromium of this machine.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::python::Environment;
use crate::workspace::Workspace;
use crate::{console, process};

/// Packages that control a browser.
pub const REQUIREMENTS: &str = "tests/browser/requirements.txt";
const TESTS: [&str; 2] = ["tests/browser/report.py", "tests/browser/serve.py"];
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Runs the tests and returns whether they succeed; `None` if there is no browser, which is an error if `CI` is set.
pub fn check(workspace: &Workspace, environment: &Environment, runner: &Path) -> Result<Option<bool>> {
    let Some(chromium) = find()? else {
        console::note(&format!(
            "no Chromium on PATH (`{}`): the report and the live pages are not tested",
            NAMES.join("`, `")
        ));
        return Ok(None);
    };
    for test in TESTS {
        let mut command = environment.command(workspace);
        command.arg(test).arg("--runner").arg(runner).env("RUNNER_CHROMIUM", &chromium);
        if !process::succeeds(&mut command)? {
            return Ok(Some(false));
        }
    }
    Ok(Some(true))
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
            "no Chromium for the tests of the pages, and `CI` is set\n\
             hint: run `apt-get install chromium` (Debian), or set `RUNNER_CHROMIUM` to its path"
        );
    }
    Ok(found)
}
