//! The notebooks: `cargo xtask test` executes them on short runs, `cargo xtask notebooks` saves their output.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::cli::NotebooksArgs;
use crate::process;
use crate::python::Environment;
use crate::workspace::Workspace;

/// Packages that execute notebooks.
pub const REQUIREMENTS: &str = "notebooks/requirements.txt";
const EXECUTE: &str = "notebooks/execute.py";

/// The source of the package `runner_experiments`, which the notebooks import.
const PACKAGE: &str = "python/src";

/// The experiments that notebooks load and that are not quick, with arguments that shorten them.
const RUNS: [(&str, &str); 13] = [
    ("initialization", ""),
    ("recurrent_gradient", "--epochs 2"),
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

/// The sweeps that notebooks load. They take seconds.
const SWEEPS: [&str; 1] = ["sweep_learning_rate"];

/// Executes the notebooks on the runs in `out`, which has those of the `quick` experiments; returns a failed check and a hint.
pub fn check(
    workspace: &Workspace,
    environment: &Environment,
    runner: &Path,
    quick: &[String],
    out: &Path,
) -> Result<Option<(String, String)>> {
    for (name, arguments) in RUNS.iter().filter(|(name, _)| !quick.iter().any(|run| run == name)) {
        let mut command = Command::new(runner);
        command.args(["exp", name]).args(arguments.split_whitespace()).args(["--quiet", "--out"]).arg(out);
        let status = process::status(command.current_dir(workspace.root()))?;
        if !status.success() {
            let hint = format!("run `cargo xtask run exp {name} {arguments}`");
            return Ok(Some((format!("a run for the notebooks: `{name}` ({status})"), hint)));
        }
    }
    let sweeps = out.join("sweeps");
    for name in SWEEPS {
        let mut command = Command::new(runner);
        command.args(["sweep", name, "--quiet", "--device", "cpu", "--out"]).arg(&sweeps);
        let status = process::status(command.current_dir(workspace.root()))?;
        if !status.success() {
            let hint = format!("run `cargo xtask run sweep {name}`");
            return Ok(Some((format!("a sweep for the notebooks: `{name}` ({status})"), hint)));
        }
    }
    let unit_tests = |folder: &'static str| ["-m", "unittest", "discover", "--start-directory", folder];
    for (what, arguments) in [
        ("the tests of the notebooks' modules", &unit_tests("notebooks")[..]),
        ("the tests of `benches/harness`", &unit_tests("benches/harness")),
        ("the tests of `xtask/scripts`", &unit_tests("xtask/scripts")),
        ("the notebooks", &[EXECUTE, "check"]),
    ] {
        let mut command = python_with_package(workspace, environment);
        command.args(arguments).env("RUNNER_RUNS", out).env("RUNNER_SWEEPS", &sweeps);
        if !process::succeeds(&mut command)? {
            let hint =
                "fix what is named above; `cargo xtask notebooks` writes the notebooks again, from complete runs";
            return Ok(Some((what.to_owned(), hint.to_owned())));
        }
    }
    Ok(None)
}

/// Executes the notebooks on complete runs and saves their output.
pub fn write(workspace: &Workspace, args: &NotebooksArgs) -> Result<ExitCode> {
    let environment = Environment::with(workspace, "checks", &[REQUIREMENTS])?;
    let mut command = python_with_package(workspace, &environment);
    // The shell completes file names.
    let names = args.names.iter().map(|name| name.rsplit('/').next().unwrap_or_default().trim_end_matches(".ipynb"));
    command.arg(EXECUTE).arg("write").args(names);
    let own = env::var_os("RUNNER_RUNS").filter(|runs| !runs.is_empty()).map(PathBuf::from);
    if let Some(runs) = args.runs.clone().or(own) {
        command.env("RUNNER_RUNS", std::path::absolute(runs).context("failed to read the current folder")?);
    }
    Ok(if process::succeeds(&mut command)? { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Returns the Python of the environment, which finds the package `runner_experiments` in the clone.
fn python_with_package(workspace: &Workspace, environment: &Environment) -> Command {
    let mut command = environment.command(workspace);
    command.env("PYTHONPATH", workspace.root().join(PACKAGE));
    command
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    /// The experiments whose names are quoted in the notebooks.
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
    fn the_check_has_a_run_of_every_experiment_that_a_notebook_loads() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let loaded = loaded(root);
        assert!(loaded.len() > 20, "{loaded:?}");
        for name in &loaded {
            let is_run = RUNS.iter().any(|(run, _)| run == name);
            let is_swept = SWEEPS.contains(&name.as_str());
            let ways = [is_run, is_swept, is_quick(root, name)].into_iter().filter(|is_made| *is_made).count();
            assert_eq!(ways, 1, "{name}: must be quick, in RUNS or in SWEEPS");
        }
        for name in SWEEPS {
            assert!(loaded.contains(name), "no notebook loads the sweep {name}");
        }
        for (name, _) in RUNS {
            assert!(loaded.contains(name), "no notebook loads {name}");
        }
    }
}
