//! What a compute node sees: runs there, as a job.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::ping::{self, Seen};
use super::programs::Programs;
use crate::cli::commands::doctor::check::Check;
use crate::cli::commands::doctor::machine;
use crate::io::host_name::host_name;
use crate::io::{atomic_write, bounded_file};
use crate::sweep::dir::create_once::create_once;

/// File that the machine which submits the job leaves for the node.
const EXPECTED: &str = "expected.json";

/// File of the report.
const REPORT: &str = "report.json";

/// Number of files that are written to measure their time.
const FILES: usize = 20;

/// Seconds after which a change must be seen on another machine: a worker without a heartbeat for 20 seconds loses its stack.
const SEEN_AFTER: f64 = 5.0;

/// Build of this program.
const BUILD: &str = env!("RUNNER_BUILD");

/// What the machine that submits the job has.
#[derive(Debug, Serialize, Deserialize)]
struct Expected {
    build: String,
    host: String,
}

/// Leaves what this machine has for the node.
///
/// # Errors
/// When the file cannot be written.
pub fn leave_expected(folder: &Path) -> anyhow::Result<()> {
    let expected = Expected { build: BUILD.to_owned(), host: host_name() };
    atomic_write::write_whole(&folder.join(EXPECTED), serde_json::to_string(&expected)?.as_bytes())
}

/// Reads the report of a node; `None` if there is none yet.
///
/// # Errors
/// When it cannot be read.
pub fn read_report(folder: &Path) -> anyhow::Result<Option<Vec<Check>>> {
    match bounded_file::read(&folder.join(REPORT), bounded_file::EXPERIMENT) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text).context("failed to read the report of the node")?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(anyhow::Error::new(error).context("failed to read the report of the node")),
    }
}

/// Checks this node and writes the report into the directory of a probe.
///
/// # Errors
/// When the directory is not one of a probe, or cannot be written.
pub fn report_of_node(folder: &Path) -> anyhow::Result<()> {
    let Ok(expected) = bounded_file::read(&folder.join(EXPECTED), bounded_file::EXPERIMENT) else {
        bail!("`{}` is no directory of `runner doctor --slurm --probe`", folder.display());
    };
    let expected: Expected = serde_json::from_slice(&expected).context("failed to read what the node should have")?;
    let checks = vec![
        node(),
        program(&expected),
        machine::libtorch(),
        gpus(),
        machine::memory(),
        scontrol(),
        machine::cache(),
        writing(folder)?,
        linking(folder),
        renaming(folder),
        seen(&expected, ping::ask(folder)?),
    ];
    atomic_write::write_whole(&folder.join(REPORT), serde_json::to_string(&checks)?.as_bytes())
}

/// Returns a variable of the job.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn node() -> Check {
    let name = variable("SLURMD_NODENAME").unwrap_or_else(host_name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let given = variable("SLURM_CPUS_PER_TASK").or_else(|| variable("SLURM_CPUS_ON_NODE"));
    let given = given.map_or(String::new(), |given| format!(", of which Slurm gives a task {given}"));
    Check::passed("node", format!("{name}, cores: {cores}{given}"))
}

fn program(expected: &Expected) -> Check {
    let here = machine::program();
    match expected.build == BUILD {
        true => Check::passed("program", format!("{}, as on {}", here.found, expected.host)),
        false => Check::failed(
            "program",
            format!("{}, another build than on {}", here.found, expected.host),
            "install `runner` once, in a directory that all machines see",
        ),
    }
}

fn gpus() -> Check {
    let given = variable("CUDA_VISIBLE_DEVICES").map_or_else(|| "none".to_owned(), |given| format!("`{given}`"));
    let cuda = machine::cuda();
    let remedy = match (&cuda.remedy, cuda.is_absent) {
        (Some(_), true) => {
            Some("if the node should have one, ask for it: `-- --partition=NAME --gres=gpu:1`".to_owned())
        }
        (remedy, _) => remedy.clone(),
    };
    Check { found: format!("{}; given by Slurm (CUDA_VISIBLE_DEVICES): {given}", cuda.found), remedy, ..cuda }
}

fn scontrol() -> Check {
    match Programs::find().scontrol {
        true => {
            Check::passed("scontrol", "on PATH: a worker can put its job back into the queue before its time is over")
        }
        false => Check::failed(
            "scontrol",
            "not on PATH: a worker cannot put its job back into the queue when its time is over",
            "submit jobs that follow each other: `runner sweep submit DIR --workers N --chain 4`",
        ),
    }
}

/// Time to write a file.
fn writing(folder: &Path) -> anyhow::Result<Check> {
    let mut times = Vec::new();
    for number in 0..FILES {
        let started = Instant::now();
        atomic_write::put(&folder.join(format!("written-{number}")), b"a heartbeat\n")
            .with_context(|| format!("failed to write into `{}`", folder.display()))?;
        times.push(started.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let median = times[FILES / 2];
    let found = format!("a small file is safe on disk after {} (median of {FILES})", format_seconds(median));
    Ok(match median < 1.0 {
        true => Check::passed("writing", found),
        false => Check::failed("writing", found, "put the sweep into a directory on a faster file system: `--out DIR`"),
    })
}

/// Whether exactly one of several processes can create a name.
fn linking(folder: &Path) -> Check {
    let path = folder.join("claim");
    let outcomes = [create_once(&path, b"first\n"), create_once(&path, b"second\n")];
    let has_links = std::fs::hard_link(&path, folder.join("second-name")).is_ok();
    let elsewhere = "put the sweep into a directory on another file system: `--out DIR`";
    match outcomes {
        [Ok(true), Ok(false)] if has_links => Check::passed("link", "a name is created once, by link(2)"),
        [Ok(true), Ok(false)] => Check::passed(
            "link",
            "a name is created once; the file system has no hard links, so by open(2) with O_EXCL",
        ),
        [Err(error), _] | [_, Err(error)] => {
            Check::failed("link", format!("a name cannot be created: {error}"), elsewhere)
        }
        [Ok(_), Ok(_)] => {
            Check::failed("link", "two processes can create the same name: two workers could train a stack", elsewhere)
        }
    }
}

/// Whether a file can replace another one.
fn renaming(folder: &Path) -> Check {
    let path = folder.join("replaced");
    let written = atomic_write::put(&path, b"first\n").and_then(|()| atomic_write::put(&path, b"second\n"));
    match written.and_then(|()| std::fs::read(&path)) {
        Ok(text) if text == b"second\n" => Check::passed("rename", "a file replaces another one in one step"),
        Ok(_) => Check::failed(
            "rename",
            "a replaced file still has its old content",
            "put the sweep into a directory on another file system: `--out DIR`",
        ),
        Err(error) => Check::failed(
            "rename",
            format!("a file cannot be replaced: {error}"),
            "check the permissions of the directory",
        ),
    }
}

/// When changes are seen on the machine that has submitted the job, and its clock.
fn seen(expected: &Expected, seen: Option<Seen>) -> Check {
    let host = &expected.host;
    let Some(seen) = seen else {
        return Check::failed(
            "sharing",
            format!("{host} has not seen a change of this node within 40 s"),
            "put the sweep into another directory (`--out DIR`): workers on several nodes would take each other for dead",
        );
    };
    let clock = match seen.clock_ahead.abs() <= seen.error + 0.5 {
        true => "their clocks agree".to_owned(),
        false => format!(
            "the clock of {host} is {} {}",
            format_seconds(seen.clock_ahead.abs()),
            if seen.clock_ahead > 0.0 { "ahead" } else { "behind" }
        ),
    };
    let found = format!(
        "{host} sees a change after {}; {clock} (± {})",
        format_seconds(seen.after),
        format_seconds(seen.error)
    );
    if seen.after > SEEN_AFTER {
        let remedy = "put the sweep into another directory (`--out DIR`): a worker whose heartbeat is not seen for 20 s loses its stack";
        return Check::failed("sharing", found, remedy);
    }
    if seen.clock_ahead.abs() > seen.error + 2.0 {
        let remedy = "a sweep compares no clocks and is not affected; but times of runs are wrong: ask the administrators for NTP";
        return Check::failed("sharing", found, remedy);
    }
    Check::passed("sharing", found)
}

/// Formats seconds: `0.4 ms`, `83 ms`, `2.5 s`.
fn format_seconds(seconds: f64) -> String {
    match seconds * 1000.0 {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        _ => format!("{seconds:.1} s"),
    }
}
