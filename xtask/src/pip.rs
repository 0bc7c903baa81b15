//! Talking to pip: is there one, fetch a package, understand why not.
//!
//! Pip's own talk, with its progress bar, goes to our stderr as it comes. Its errors are held back
//! and told in one message with a remedy, because "No matching distribution found" is what it says
//! when the cable is out.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use crate::libtorch::{VERSION, Variant};
use crate::packages::{Package, Selection};
use crate::trouble::{Trouble, Wanted};
use crate::{say, tool};

/// The first pip that takes several `--platform`s.
const OLDEST: (u32, u32) = (20, 3);
/// The first pip that can go on with a download that broke off.
const RESUMES: (u32, u32) = (25, 1);
/// The first pip that installs into another Python's environment.
const REACHES: (u32, u32) = (22, 3);

/// A Python 3 with a pip that is new enough.
#[derive(Debug)]
pub struct Python {
    program: PathBuf,
    pip: (u32, u32),
}

impl Python {
    /// `python3`, else `python`; the error is about the first that there is.
    pub fn find() -> Result<Self> {
        let mut first_error = None;
        for name in ["python3", "python"] {
            let Some(program) = tool::find(name) else {
                continue;
            };
            match Self::with_pip(program) {
                Ok(python) => return Ok(python),
                Err(error) => _ = first_error.get_or_insert(error),
            }
        }
        Err(first_error.unwrap_or_else(|| {
            let install = if cfg!(target_os = "macos") {
                "`brew install python`"
            } else {
                "`apt install python3 python3-pip` (Debian, Ubuntu), `dnf install python3 python3-pip` (Fedora, RHEL)"
            };
            anyhow!(
                "no `python3` on PATH; its pip fetches libtorch\n\
                 hint: {install}, or set `LIBTORCH` to the folder of a libtorch {VERSION} that you have"
            )
        }))
    }

    fn with_pip(program: PathBuf) -> Result<Self> {
        let answer = tool::ask(Command::new(&program).args(["-m", "pip", "--version"]))?;
        let shown = program.display();
        match pip_version(&answer.stdout) {
            _ if answer.stdout.contains("(python 2") => {
                bail!("`{shown}` is Python 2\nhint: install Python 3, as `python3`")
            }
            Some(pip) if pip >= OLDEST => Ok(Self { program, pip }),
            Some((major, minor)) => bail!(
                "pip {major}.{minor} of `{shown}` is too old\nhint: `{shown} -m pip install --upgrade pip` ({}.{} or newer is needed)",
                OLDEST.0,
                OLDEST.1
            ),
            None => bail!(
                "`{shown}` has no pip\nhint: `{shown} -m ensurepip --upgrade`, or the package `python3-pip` of your system"
            ),
        }
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Fetches one wheel and moves it into `wheels` when it is whole.
    ///
    /// `incoming` is emptied first. Pip's temporary files go there too: the system's `/tmp` is often a small disk in memory.
    pub fn download(
        &self,
        package: &Package,
        selection: &Selection,
        incoming: &Path,
        wheels: &Path,
        variant: Variant,
    ) -> Result<PathBuf> {
        let temporary = incoming.join("tmp");
        let _ = fs::remove_dir_all(incoming);
        fs::create_dir_all(&temporary).with_context(|| format!("failed to create `{}`", temporary.display()))?;

        let mut command = Command::new(&self.program);
        command.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"]);
        command.args(["--implementation", "cp", "--python-version", "3.11", "--abi", "cp311"]);
        for platform in &selection.platforms {
            command.args(["--platform", platform]);
        }
        if self.pip >= RESUMES {
            command.args(["--resume-retries", "5"]);
        }
        command.arg("--dest").arg(incoming).arg(package.requirement());
        command.env("TMPDIR", &temporary);
        command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PIP_REQUIRE_VIRTUALENV", "0");

        let requirement = package.requirement();
        if let Some(errors) = run_relaying(&mut command)? {
            let trouble = Trouble::of_pip(&errors);
            bail!("failed to download `{requirement}`: {}", trouble.explain(wheels, Wanted::Libtorch(variant)));
        }
        let wheel = find_wheel(incoming, package).ok_or_else(|| {
            anyhow!("failed to download `{requirement}`: pip left no wheel\nhint: run the same command again")
        })?;
        let target = wheels.join(wheel.file_name().unwrap_or_default());
        fs::rename(&wheel, &target).with_context(|| format!("failed to move `{}`", wheel.display()))?;
        let _ = fs::remove_dir_all(incoming);
        Ok(target)
    }

    /// Makes a virtual environment in `folder`, anew, with all that the requirements files ask for; its Python.
    ///
    /// It has no pip of its own: this one reaches into it, which spares seconds, and a package that Debian leaves out.
    pub fn environment(&self, folder: &Path, requirements: &[PathBuf]) -> Result<PathBuf> {
        let program = self.program.display();
        if self.pip < REACHES {
            let (major, minor) = self.pip;
            bail!(
                "pip {major}.{minor} of `{program}` is too old\nhint: `{program} -m pip install --upgrade pip` ({}.{} or newer is needed)",
                REACHES.0,
                REACHES.1
            );
        }
        let answer =
            tool::ask(Command::new(&self.program).args(["-m", "venv", "--clear", "--without-pip"]).arg(folder))?;
        if !answer.status.success() {
            bail!(
                "`{program} -m venv` failed: {}\nhint: Python's `venv` is needed; on Debian and Ubuntu it is the package `python3-venv`",
                answer.stderr.trim()
            );
        }
        let inside = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        let python = folder.join(inside);
        let mut command = Command::new(&self.program);
        command.args(["-m", "pip", "--python"]).arg(&python).args(["install", "--quiet", "--only-binary=:all:"]);
        for file in requirements {
            command.arg("--requirement").arg(file);
        }
        command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1").env("PIP_REQUIRE_VIRTUALENV", "0").env("PIP_USER", "0");
        match run_relaying(&mut command)? {
            Some(errors) => bail!("{}", Trouble::of_pip(&errors).explain(folder, Wanted::Packages)),
            None => Ok(python),
        }
    }
}

/// The wheel of `package` in `folder`, if it is there.
pub fn find_wheel(folder: &Path, package: &Package) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    files
        .map(|file| file.path())
        .find(|file| file.file_name().and_then(|name| name.to_str()).is_some_and(|name| package.is_in(name)))
}

/// Runs pip with its talk on our stderr; `None` when it succeeded, else its errors.
fn run_relaying(command: &mut Command) -> Result<Option<String>> {
    let mut child = command
        .stdin(Stdio::inherit())
        .stdout(Stdio::from(io::stderr()))
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to run {}", tool::shown(command)))?;
    let mut errors = String::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).split(b'\n') {
            let line = line.context("failed to read what pip says")?;
            let line = String::from_utf8_lossy(&line);
            if line.starts_with("WARNING: Retrying") {
                say::note("no connection to the package registry, pip tries again");
            } else if line.starts_with("WARNING: ") {
                say::relay(&line);
            }
            errors += &line;
            errors.push('\n');
        }
    }
    let status = child.wait().context("failed to wait for pip")?;
    Ok((!status.success()).then_some(errors))
}

/// `(23, 2)` of `pip 23.2.1 from /usr/lib/python3/dist-packages/pip (python 3.11)`.
fn pip_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("pip ")?.split_whitespace().next()?.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0);
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_pip_is_read_from_its_first_words() {
        assert_eq!(pip_version("pip 23.2.1 from /usr/lib/python3 (python 3.11)\n"), Some((23, 2)));
        assert_eq!(pip_version("pip 25.1 from /x (python 3.13)"), Some((25, 1)));
        assert_eq!(pip_version("pip 26.0b1 from /x (python 3.13)"), Some((26, 0)));
        assert_eq!(pip_version(""), None);
        assert_eq!(pip_version("No module named pip"), None);
    }

    #[test]
    fn a_wheel_of_another_version_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let torch = Package { name: "torch", version: "2.11.0" };
        fs::write(folder.path().join("torch-2.10.0-cp311-cp311-x.whl"), "").unwrap();
        assert_eq!(find_wheel(folder.path(), &torch), None);
        let wheel = folder.path().join("torch-2.11.0-cp311-cp311-x.whl");
        fs::write(&wheel, "").unwrap();
        assert_eq!(find_wheel(folder.path(), &torch), Some(wheel));
        assert_eq!(find_wheel(&folder.path().join("none"), &torch), None);
    }
}
