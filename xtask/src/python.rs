//! Python: the user's, for scripts, and virtual environments with packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, anyhow, bail};

use crate::libtorch::files::VERSION;
use crate::workspace::Workspace;
use crate::{folders, process};

/// Finds a Python 3 with pip: `python3`, else `python`.
pub fn find() -> Result<PathBuf> {
    let mut first_error = None;
    for program in ["python3", "python"].into_iter().filter_map(process::find) {
        let output = process::output(Command::new(&program).args(["-m", "pip", "--version"]))?;
        let shown = program.display();
        let error = if output.stdout.contains("(python 2") {
            anyhow!("`{shown}` is Python 2\nhint: install Python 3 as `python3`")
        } else if output.stdout.starts_with("pip ") {
            return Ok(program);
        } else {
            anyhow!(
                "`{shown}` has no pip\nhint: run `{shown} -m ensurepip --upgrade`, or install the package `python3-pip`"
            )
        };
        first_error.get_or_insert(error);
    }
    let install = if cfg!(target_os = "macos") {
        "`brew install python`"
    } else {
        "`apt install python3 python3-pip` (Debian, Ubuntu), `dnf install python3 python3-pip` (Fedora, RHEL)"
    };
    Err(first_error.unwrap_or_else(|| {
        anyhow!(
            "no `python3` on PATH; its pip downloads libtorch\n\
             hint: {install}, or set `LIBTORCH` to the folder of a libtorch {VERSION} that you have"
        )
    }))
}

/// Returns Python with a script of the clone.
pub fn script(workspace: &Workspace, name: &str) -> Result<Command> {
    let mut command = Command::new(find()?);
    command.arg(workspace.root().join(name)).current_dir(workspace.root());
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONIOENCODING", "utf-8");
    Ok(command)
}

/// Runs a script that prints its result, or the reason of its failure, to stdout.
pub fn run_script(command: &mut Command) -> Result<String> {
    let output = process::stdout(command)?;
    match output.status.code() {
        Some(0) => Ok(output.stdout.trim().to_owned()),
        Some(2) => bail!("{}", output.stdout.trim()),
        _ => bail!("interrupted ({})\nhint: run the same command again", output.status),
    }
}

/// A virtual environment in `target/python`.
#[derive(Debug)]
pub struct Environment {
    pub python: PathBuf,
}

impl Environment {
    /// Returns the environment of this name, with the packages of these requirements files; installs them if needed.
    pub fn with(workspace: &Workspace, name: &str, requirements: &[&str]) -> Result<Self> {
        let home = workspace.target().join("python");
        let _lock = folders::lock(&home)?;
        let mut command = script(workspace, "xtask/scripts/environment.py")?;
        let files = requirements.iter().map(|file| workspace.root().join(file));
        let python = run_script(command.arg(home.join(name)).args(files))?;
        Ok(Self { python: Path::new(&python).to_path_buf() })
    }

    /// Returns Python in the root of the clone, without the user's own settings for Python.
    pub fn command(&self, workspace: &Workspace) -> Command {
        let mut command = Command::new(&self.python);
        command.current_dir(workspace.root()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env_remove("PYTHONPATH").env_remove("PYTHONHOME");
        command
    }
}
