//! Pythons of our own: virtual environments in the target folder, with the packages that requirements files pin.
//!
//! The checks have one, and the benchmark's peers have theirs. Like `.libtorch`, it is vouched for by a stamp that is written last. The stamp holds the requirements themselves, and
//! the Python that they were installed for: as long as these are the same, the environment is taken as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::pip::Python;
use crate::workspace::Workspace;
use crate::{say, setup, tool};

/// The oldest Python that the pinned packages are for.
const OLDEST: (u32, u32) = (3, 11);

/// The name of the environment that the checks and the notebooks share.
pub const CHECKS: &str = "checks";

/// A Python with packages of its own.
#[derive(Debug)]
pub struct Environment {
    python: PathBuf,
}

impl Environment {
    /// The environment of that name, with all that these requirements files of the checkout ask for; made where it is not
    /// there yet.
    pub fn with(workspace: &Workspace, name: &str, requirements: &[&str]) -> Result<Self> {
        let home = home(workspace);
        fs::create_dir_all(&home).with_context(|| format!("failed to create `{}`", home.display()))?;
        let _lock = setup::lock(&home)?;

        let python = Python::find()?;
        let files: Vec<PathBuf> = requirements.iter().map(|file| workspace.root().join(file)).collect();
        let wanted = stamp(&version_of(python.program())?, &files)?;
        let (folder, stamp) = (home.join(name), home.join(format!("{name}-READY")));
        let inside = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        if inside.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(Self { python: inside });
        }

        say::note(&format!("installing {} into `{}`", requirements.join(" and "), folder.display()));
        let _ = fs::remove_file(&stamp);
        let inside = python
            .environment(&folder, &files)
            .with_context(|| format!("failed to install {}", requirements.join(" and ")))?;
        fs::write(&stamp, wanted).with_context(|| format!("failed to write `{}`", stamp.display()))?;
        Ok(Self { python: inside })
    }

    /// A Python that has what is needed already.
    pub fn of(python: PathBuf) -> Self {
        Self { python }
    }

    /// The environment's Python, not led astray by what the user's own is told.
    pub fn python(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.env_remove("PYTHONPATH").env_remove("PYTHONHOME").env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

/// In the target folder, which cargo's users know to be dispensable, and which CI keeps.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target().join("python")
}

/// `3.11.7`, if it is new enough.
fn version_of(program: &Path) -> Result<String> {
    let answer = tool::ask(Command::new(program).args(["-c", "import platform; print(platform.python_version())"]))?;
    let version = answer.stdout.trim().to_owned();
    let shown = program.display();
    match parsed(&version) {
        Some(found) if found >= OLDEST => Ok(version),
        Some(_) => bail!(
            "`{shown}` is Python {version}; {}.{} or newer is needed\nhint: put a newer `python3` first on PATH",
            OLDEST.0,
            OLDEST.1
        ),
        None => bail!("`{shown}` does not say its version: {}\nhint: install Python 3 again", answer.stderr.trim()),
    }
}

fn parsed(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// What the environment is made of: Python's version, and every requirement.
fn stamp(version: &str, requirements: &[PathBuf]) -> Result<String> {
    let mut stamp = format!("Python {version}\n");
    for file in requirements {
        stamp += &fs::read_to_string(file).with_context(|| format!("failed to read `{}`", file.display()))?;
    }
    Ok(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(parsed("3.9.2").unwrap() < OLDEST && parsed("3.11.7").unwrap() >= OLDEST);
        assert!(parsed("3.14.0rc1").unwrap() > OLDEST);
        assert_eq!(parsed(""), None);
    }

    #[test]
    fn another_requirement_or_python_makes_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("requirements.txt");
        fs::write(&file, "polars==2.1.0\n").unwrap();
        let files = [file.clone()];
        let before = stamp("3.11.7", &files).unwrap();
        assert_eq!(stamp("3.11.7", &files).unwrap(), before);
        assert_ne!(stamp("3.12.0", &files).unwrap(), before);
        fs::write(&file, "polars==2.1.1\n").unwrap();
        assert_ne!(stamp("3.11.7", &files).unwrap(), before);
        let missing = stamp("3.11.7", &[folder.path().join("none")]).unwrap_err();
        assert!(missing.to_string().contains("none"), "{missing}");
    }
}
