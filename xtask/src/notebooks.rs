//! The notebooks: executed on quick runs by `cargo xtask test`, and written anew by `cargo xtask notebooks`.
//!
//! The check needs a run of every experiment that a notebook loads. The quick ones are there already; the others are run
//! here, in seconds: fewer epochs, fewer rows. A notebook says by itself that a run is a short one.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::python::Environment;
use crate::workspace::Workspace;
use crate::{python, say};

/// What has to be installed to execute notebooks.
pub const REQUIREMENTS: &str = "notebooks/requirements.txt";
const EXECUTE: &str = "notebooks/execute.py";

/// The experiments that notebooks load and that are not quick, and what makes them so; the first three are run whole.
const RUNS: [(&str, &str); 12] = [
    ("initialization", ""),
    ("capacity_breast_cancer", ""),
    ("learning_rate", ""),
    ("optimizers_mnist", "--epochs 2 --set data.mnist.split.train_rows=5000"),
    ("overfit_mnist", "--epochs 3"),
    ("mnist_dropout", "--epochs 1"),
    ("regularize_mnist", "--epochs 3 --set data.mnist.split.train_rows=2000"),
    ("cnn_mnist", "--epochs 1 --set data.mnist.split.train_rows=2000"),
    ("creditcard_tree", "--set data.creditcard.split.train_rows=20000"),
    ("creditcard_mlp", "--epochs 3 --seed 0"),
    ("creditcard_smote", "--set data.creditcard.split.train_rows=20000"),
    ("creditcard_resampling", "--epochs 2 --set data.creditcard.split.train_rows=20000"),
];

/// What `cargo xtask notebooks` is asked for.
#[derive(Debug, Default, PartialEq)]
pub struct Asked {
    /// The notebooks, as `A_perceptrons`; all where none is named.
    pub names: Vec<String>,
    /// The folder of runs; without it `RUNNER_RUNS`, else `runs/`.
    pub runs: Option<PathBuf>,
}

/// Why a check failed, and what helps.
pub struct Failure {
    pub what: String,
    pub hint: String,
}

/// Executes every notebook on the runs in `out`, after it has made those that are not among `there`.
pub fn check(
    workspace: &Workspace,
    environment: &Environment,
    runner: &Path,
    there: &[String],
    out: &Path,
) -> Result<Option<Failure>> {
    let began = Instant::now();
    let missing = RUNS.iter().filter(|(name, _)| !there.iter().any(|run| run == name));
    for (name, arguments) in missing {
        let mut command = Command::new(runner);
        command.args(["exp", name]).args(arguments.split_whitespace()).args(["--quiet", "--out"]).arg(out);
        // Where the experiments are, and MNIST's and the card payments' cache is the user's.
        let status = command.current_dir(workspace.root()).status();
        let status = status.with_context(|| format!("failed to run `{}`", runner.display()))?;
        if !status.success() {
            let hint = format!("`cargo xtask run exp {name} {arguments}` shows it");
            return Ok(Some(Failure { what: format!("a run for the notebooks: `{name}` ({status})"), hint }));
        }
    }
    say::note(&format!("runs for the notebooks: {}", say::time(began.elapsed())));

    for arguments in [&["-m", "unittest", "discover", "--start-directory", "notebooks"][..], &[EXECUTE, "check"]] {
        let mut command = environment.python();
        command.args(arguments).env("RUNNER_RUNS", out).current_dir(workspace.root());
        let status = command.status().context("failed to run Python")?;
        if !status.success() {
            let hint = "mend what is named above; a notebook that is meant to look otherwise is written by `cargo xtask notebooks`, from whole runs".to_owned();
            let what = if arguments[0] == "-m" { "the tests of the notebooks' modules" } else { "the notebooks" };
            return Ok(Some(Failure { what: what.to_owned(), hint }));
        }
    }
    Ok(None)
}

/// `cargo xtask notebooks`: executes them on whole runs, and writes what came.
pub fn write(workspace: &Workspace, asked: &Asked) -> Result<ExitCode> {
    let environment = Environment::with(workspace, python::CHECKS, &[REQUIREMENTS])?;
    let mut command = environment.python();
    command.arg(EXECUTE).arg("write").args(&asked.names).current_dir(workspace.root());
    let own = env::var_os("RUNNER_RUNS").filter(|runs| !runs.is_empty()).map(PathBuf::from);
    // Relative to where the user is, not to the root.
    if let Some(runs) = asked.runs.clone().or(own) {
        command.env("RUNNER_RUNS", std::path::absolute(runs).context("failed to read the current folder")?);
    }
    let status = command.status().context("failed to run Python")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    /// The experiments that the notebooks' text loads, by the names in `experiments/` that stand in it in quotes.
    fn loaded(root: &Path) -> BTreeSet<String> {
        let files = |folder: &str, ending: &str| -> Vec<PathBuf> {
            let all = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
            all.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
        };
        let text: String = files("notebooks", "ipynb").iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        let names =
            files("experiments", "toml").into_iter().map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned());
        names.filter(|name| text.contains(&format!("\\\"{name}\\\""))).collect()
    }

    fn is_quick(root: &Path, name: &str) -> bool {
        let text = fs::read_to_string(root.join(format!("experiments/{name}.toml"))).unwrap();
        text.lines().any(|line| line.split_whitespace().eq(["quick", "=", "true"]))
    }

    #[test]
    fn every_experiment_that_a_notebook_loads_is_run_for_the_check() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let loaded = loaded(root);
        assert!(loaded.len() > 20, "{loaded:?}");
        for name in &loaded {
            let is_run = RUNS.iter().any(|(run, _)| run == name);
            assert!(is_run != is_quick(root, name), "{name}: quick experiments are there, all others belong to RUNS");
        }
        for (name, _) in RUNS {
            assert!(loaded.contains(name), "no notebook loads {name}");
        }
    }
}
