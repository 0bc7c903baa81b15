//! Our own side: the program that was built, and what its histories tell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::bench::agree::numbers;
use crate::bench::figures::steady;
use crate::bench::measure;
use crate::bench::peers::free_threads;
use crate::bench::rounds::Sample;
use crate::tool;

/// The program, and how it is to be run.
#[derive(Debug, Clone)]
pub struct Ours {
    pub program: PathBuf,
    /// The root of the checkout, where the experiments are.
    pub root: PathBuf,
    /// Told to it where the system cannot confine it to as many processors.
    pub threads: Option<usize>,
}

impl Ours {
    /// `runner …`, which chooses its threads by the processors that it is given.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.root);
        free_threads(&mut command);
        command
    }

    /// One `runner exp …` with its files in `out`; tells the histories that it left.
    pub fn exp(&self, name: &str, arguments: &[&str], out: &Path) -> Result<Sample> {
        let mut command = self.command();
        command.args(["exp", name, "--device", "cpu", "--quiet", "--out"]).arg(out).args(arguments);
        if let Some(threads) = self.threads {
            command.args(["--threads", &threads.to_string()]);
        }
        let run = measure::run(&mut command)?;
        let told = Value::Array(histories(&out.join(name).join("latest"))?);
        Ok(Sample { run, told })
    }

    /// What `--version` prints: version, commit, libtorch.
    pub fn version(&self) -> Result<String> {
        Ok(tool::ask(self.command().arg("--version"))?.stdout.trim().to_owned())
    }

    /// The folder of a data set in the cache; fetched if it is not there.
    pub fn data(&self, name: &str) -> Result<PathBuf> {
        let fetched = tool::ask(self.command().args(["data", "fetch", name]))?;
        if !fetched.status.success() {
            bail!("failed to fetch {name}: {}", fetched.stderr.trim());
        }
        Ok(PathBuf::from(tool::ask(self.command().args(["data", "path", name]))?.stdout.trim()))
    }
}

/// The histories of a run's folder, by their files' names.
fn histories(folder: &Path) -> Result<Vec<Value>> {
    let failed = || format!("failed to read the run in `{}`", folder.display());
    let entries = fs::read_dir(folder).with_context(failed)?.collect::<Result<Vec<_>, _>>().with_context(failed)?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let read = |file: &PathBuf| -> Result<Value> {
        let text = fs::read_to_string(file)?;
        serde_json::from_str(&text).with_context(|| format!("`{}` is no JSON", file.display()))
    };
    let mut histories = files.iter().map(read).collect::<Result<Vec<_>>>().with_context(failed)?;
    histories.retain(|history| history["schema"].as_str().is_some_and(|schema| schema.starts_with("runner.history/")));
    match histories.is_empty() {
        true => Err(anyhow!("no history in `{}`", folder.display())),
        false => Ok(histories),
    }
}

/// Seconds of a steady epoch for each seed: an epoch's `seconds` are those of the whole stack that a trial was trained in.
pub fn epoch_per_seed(histories: &Value) -> Option<f64> {
    let histories = histories.as_array()?;
    let of_trial = |history: &Value| {
        let seconds = steady(&numbers(&history["history"]["seconds"])?)?;
        Some(seconds / history["environment"]["replicas"].as_f64()?)
    };
    let all: Vec<f64> = histories.iter().map(of_trial).collect::<Option<_>>()?;
    (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
}

/// How many threads libtorch took, and how many seeds a stack held.
pub fn shape(histories: &Value) -> Option<(u64, u64)> {
    let environment = &histories.as_array()?.first()?["environment"];
    Some((environment["threads"].as_u64()?, environment["replicas"].as_u64()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stacks_epoch_is_shared_by_its_seeds() {
        let trial = |replicas: u64, seconds: f64| json!({ "environment": { "replicas": replicas, "threads": 2 }, "history": { "seconds": [9.0, 9.0, seconds] } });
        assert_eq!(epoch_per_seed(&json!([trial(1, 0.25)])), Some(0.25));
        // Stacks of two and of one: (0.4 + 0.25) seconds for three seeds.
        let three = json!([trial(2, 0.4), trial(2, 0.4), trial(1, 0.25)]);
        assert!((epoch_per_seed(&three).unwrap() - 0.65 / 3.0).abs() < 1e-12);
        assert_eq!(shape(&three), Some((2, 2)));
        assert_eq!(epoch_per_seed(&json!([])), None);
        assert_eq!(epoch_per_seed(&json!([{ "history": {} }])), None);
    }

    #[test]
    fn only_histories_are_read_from_a_runs_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert!(histories(folder.path()).unwrap_err().to_string().contains("no history"));
        for (name, text) in [
            ("b-seed1.json", r#"{"schema": "runner.history/1", "seed": 1}"#),
            ("b-seed0.json", r#"{"schema": "runner.history/1", "seed": 0}"#),
            ("tree.json", "{}"),
            ("experiment.toml", "x"),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let seeds: Vec<u64> =
            histories(folder.path()).unwrap().iter().map(|history| history["seed"].as_u64().unwrap()).collect();
        assert_eq!(seeds, [0, 1]);
    }
}
