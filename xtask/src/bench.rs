//! `cargo xtask bench`: builds the programs, installs the packages, and runs `benches/harness`.

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::cargo::{build_benches, build_runner};
use crate::cli::BenchArgs;
use crate::libtorch::setup::Source;
use crate::python::{self, Environment};
use crate::workspace::Workspace;
use crate::{console, process};

/// Programs in `benches/`, with their part.
const BENCHES: [(&str, &str); 2] = [("csv_to_tensors", "csv"), ("tree_fit", "tree")];

/// Options of the harness, with the environment, its requirements, and the variable of the user's own Python.
const PEERS: [(&str, &str, &str, &str); 2] = [
    ("--torch", "bench-torch", "benches/requirements-torch.txt", "RUNNER_BENCH_TORCH"),
    ("--keras", "bench-keras", "benches/requirements-keras.txt", "RUNNER_BENCH_KERAS"),
];

/// Measures and writes the page; exit code 1 if programs did different work or `runner` could not be measured.
pub fn run(workspace: &Workspace, source: &Source, args: &BenchArgs) -> Result<ExitCode> {
    let is_wanted =
        |part: &str| if args.only.is_empty() { !args.ours } else { args.only.iter().any(|only| only == part) };
    let mut harness = python::script(workspace, "benches/harness")?;
    harness.arg("--runner").arg(build_runner(workspace, source)?);

    let names: Vec<&str> = BENCHES.iter().filter(|(_, part)| is_wanted(part)).map(|(name, _)| *name).collect();
    for (name, path) in names.iter().zip(build_benches(workspace, source, &names)?) {
        harness.arg("--bench").arg(format!("{name}={}", path.display()));
    }
    if !args.ours {
        for (option, folder, requirements, variable) in PEERS {
            match peer(workspace, folder, requirements, variable) {
                Ok(peer) => _ = harness.arg(option).arg(peer.python),
                Err(error) => {
                    console::note(&format!("no Python with `{requirements}`: {error:#}"));
                    let why = format!("{error:#}").lines().next().unwrap_or_default().to_owned();
                    harness.arg(format!("{option}-missing")).arg(why);
                }
            }
        }
    }
    if let Some(rounds) = args.rounds {
        harness.args(["--rounds", &rounds.to_string()]);
    }
    if !args.threads.is_empty() {
        let threads: Vec<String> = args.threads.iter().map(ToString::to_string).collect();
        harness.args(["--threads", &threads.join(",")]);
    }
    harness.args(args.quick.then_some("--quick")).args(args.ours.then_some("--ours"));
    if !args.only.is_empty() {
        harness.args(["--only", &args.only.join(",")]);
    }
    process::exit_code(&mut harness)
}

fn peer(workspace: &Workspace, folder: &str, requirements: &str, variable: &str) -> Result<Environment> {
    let Some(own) = env::var_os(variable).filter(|own| !own.is_empty()) else {
        return Environment::with(workspace, folder, &[requirements]);
    };
    match process::resolve(&own) {
        Some(python) => Ok(Environment { python }),
        None => {
            bail!("`{variable}` is `{}`, which is not a program\nhint: set it to the path of a Python", own.display())
        }
    }
}
