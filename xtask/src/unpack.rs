//! From wheels to a libtorch: take out what is needed, then see whether it loads.
//!
//! Python does both, in a few lines: it is there anyway for pip, knows zip files, and can open a
//! shared library. Opening `libtorch_cpu` at set-up finds a too old system now rather than at the
//! end of a long build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::libtorch::{self, Variant};
use crate::packages::Selection;
use crate::pip::Python;
use crate::tool;
use crate::trouble::{Trouble, Wanted};

const UNPACK: &str = include_str!("unpack.py");
const LOAD: &str = "import ctypes, sys\nctypes.CDLL(sys.argv[1])\n";

/// Unpacks `wheels` below `target`; a broken wheel is removed, so that the next set-up fetches it anew.
pub fn unpack(
    python: &Python,
    selection: &Selection,
    wheels: &[PathBuf],
    target: &Path,
    variant: Variant,
) -> Result<()> {
    fs::create_dir_all(target).with_context(|| format!("failed to create `{}`", target.display()))?;
    let mut command = Command::new(python.program());
    command.arg("-c").arg(UNPACK).arg(target);
    for patterns in [&selection.keep, &selection.leave] {
        command.arg(patterns.len().to_string()).args(patterns);
    }
    let answer = tool::ask(command.args(wheels))?;
    let mut lines = answer.stdout.lines();
    match answer.status.code() {
        Some(0) => Ok(()),
        Some(3) => {
            let wheel = lines.next().unwrap_or_default();
            let _ = fs::remove_file(wheel);
            bail!(
                "the download `{wheel}` is incomplete ({}) and has been removed\n\
                 hint: run the same command again, only this file is fetched anew",
                lines.next().unwrap_or("not a zip file")
            )
        }
        Some(4) => bail!(Trouble::NoSpace.explain(target, Wanted::Libtorch(variant))),
        _ => bail!(
            "failed to unpack into `{}`: {}\nhint: run the same command again, or with `--force`",
            target.display(),
            last_line(&answer.stdout, &answer.stderr)
        ),
    }
}

/// Opens libtorch below `home`, as the dynamic loader will when `runner` starts.
pub fn check_that_it_loads(python: &Python, home: &Path) -> Result<()> {
    let library = home.join("torch/lib").join(libtorch::library("torch_cpu"));
    let answer = tool::ask(Command::new(python.program()).arg("-c").arg(LOAD).arg(&library))?;
    if answer.status.success() {
        return Ok(());
    }
    bail!(
        "libtorch does not load on this system: {}\n\
         hint: the packages need glibc 2.28 or newer (`ldd --version`); on an older system build libtorch {} from source \
         and set `LIBTORCH` to it. If a file is broken, `cargo xtask setup --force` fetches it again",
        last_line(&answer.stdout, &answer.stderr),
        libtorch::VERSION
    )
}

fn last_line<'a>(stdout: &'a str, stderr: &'a str) -> &'a str {
    stderr.lines().chain(stdout.lines()).rfind(|line| !line.trim().is_empty()).unwrap_or("no reason given").trim()
}
