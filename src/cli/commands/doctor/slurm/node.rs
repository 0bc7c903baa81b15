//! What a compute node sees: runs there, as a job.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::ping::{self, Seen};
use super::programs;
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

/// Remedy for a file system that does not keep what workers rely on.
const ELSEWHERE: &str = "put the sweep into a directory on another file system: `--out DIR`";

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
    let is_same = expected.build == BUILD;
    let compared = if is_same { "as on" } else { "another build than on" };
    let found = format!("{}, {compared} {}", machine::program().found, expected.host);
    Check::of("program", is_same, found, "install `runner` once, in a directory that all machines see")
}

fn gpus() -> Check {
    let given = variable("CUDA_VISIBLE_DEVICES").map_or_else(|| "none".to_owned(), |given| format!("`{given}`"));
    let cuda = machine::cuda();
    let remedy = match cuda.is_absent {
        true => Some("if the node should have one, ask for it: `-- --partition=NAME --gres=gpu:1`".to_owned()),
        false => cuda.remedy.clone(),
    };
    Check { found: format!("{}; given by Slurm (CUDA_VISIBLE_DEVICES): {given}", cuda.found), remedy, ..cuda }
}

fn scontrol() -> Check {
    let is_found = !programs::missing().contains(&"scontrol");
    let found = match is_found {
        true => "on PATH: a worker can put its job back into the queue before its time is over",
        false => "not on PATH: a worker cannot put its job back into the queue when its time is over",
    };
    let remedy = "submit jobs that follow each other: `runner sweep submit DIR --workers N --chain 4`";
    Check::of("scontrol", is_found, found, remedy)
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
    let remedy = "put the sweep into a directory on a faster file system: `--out DIR`";
    Ok(Check::of("writing", median < 1.0, found, remedy))
}

/// Whether exactly one of several processes can create a name.
fn linking(folder: &Path) -> Check {
    let path = folder.join("claim");
    let outcomes = [create_once(&path, b"first\n"), create_once(&path, b"second\n")];
    let has_links = std::fs::hard_link(&path, folder.join("second-name")).is_ok();
    let is_once = matches!(outcomes, [Ok(true), Ok(false)]);
    let found = match outcomes {
        [Err(error), _] | [_, Err(error)] => format!("a name cannot be created: {error}"),
        _ if !is_once => "two processes can create the same name: two workers could train a stack".to_owned(),
        _ if has_links => "a name is created once, by link(2)".to_owned(),
        _ => "a name is created once; the file system has no hard links, so by open(2) with O_EXCL".to_owned(),
    };
    Check::of("link", is_once, found, ELSEWHERE)
}

/// Whether a file can replace another one.
fn renaming(folder: &Path) -> Check {
    let path = folder.join("replaced");
    let written = atomic_write::put(&path, b"first\n").and_then(|()| atomic_write::put(&path, b"second\n"));
    match written.and_then(|()| std::fs::read(&path)) {
        Ok(text) if text == b"second\n" => Check::passed("rename", "a file replaces another one in one step"),
        Ok(_) => Check::failed("rename", "a replaced file still has its old content", ELSEWHERE),
        Err(error) => {
            let found = format!("a file cannot be replaced: {error}");
            Check::failed("rename", found, "check the permissions of the directory")
        }
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
    let off = seen.clock_ahead.abs();
    let direction = if seen.clock_ahead > 0.0 { "ahead" } else { "behind" };
    let clock = match off <= seen.error + 0.5 {
        true => "their clocks agree".to_owned(),
        false => format!("the clock of {host} is {} {direction}", format_seconds(off)),
    };
    let [after, error] = [seen.after, seen.error].map(format_seconds);
    let found = format!("{host} sees a change after {after}; {clock} (± {error})");
    let remedy = if seen.after > SEEN_AFTER {
        "put the sweep into another directory (`--out DIR`): a worker whose heartbeat is not seen for 20 s loses its stack"
    } else if off > seen.error + 2.0 {
        "a sweep compares no clocks and is not affected; but times of runs are wrong: ask the administrators for NTP"
    } else {
        return Check::passed("sharing", found);
    };
    Check::failed("sharing", found, remedy)
}

/// Formats seconds: `0.4 ms`, `83 ms`, `2.5 s`.
fn format_seconds(seconds: f64) -> String {
    match seconds * 1000.0 {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        _ => format!("{seconds:.1} s"),
    }
}
