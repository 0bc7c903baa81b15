//! The ends of stacks: files `ended/<stack>.json`, each created once.

use std::io::Result;
use std::path::PathBuf;

use anyhow::Context;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::history::number::Number;
use crate::history::{History, Status, readable_json};
use crate::io::bounded_file;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::claim::parse_generation;
use crate::sweep::dir::create_once::{create_once, exists, retry_stale};
use crate::sweep::dir::file_sums::FileSums;

/// Value of `schema` in files of this version.
const SCHEMA: &str = "runner.sweep.end/1";

/// The end of a stack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndedStack {
    /// `runner.sweep.end/1`.
    pub schema: String,
    /// Name of the stack.
    pub stack: String,
    /// Generation of the lease under which it ended.
    pub generation: u32,
    /// Name of the worker.
    pub worker: String,
    /// When it ended, by the clock of the worker: UTC, RFC 3339.
    pub ended: String,
    /// Duration of the last generation in seconds.
    pub seconds: f64,
    /// Why it failed; `None` if all of its trials are done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Its trials that are done.
    pub trials: Vec<EndedTrial>,
    /// SHA-256 of each file in its run directory; empty if it failed.
    #[serde(default, skip_serializing_if = "FileSums::is_empty")]
    pub files: FileSums,
}

/// Why a stack failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The error with its causes, in a line.
    pub error: String,
    /// The first cause, by which failures are the same.
    pub cause: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A trial that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndedTrial {
    /// Name of its configuration.
    pub configuration: String,
    /// Its seed.
    pub seed: i64,
    /// Its fold, with cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// How it ended.
    pub status: Status,
    /// Number of its epochs.
    pub epochs: usize,
    /// The metric of the sweep; `None` if its history has none.
    pub value: Option<Number>,
}

impl EndedStack {
    /// Returns the end of a stack now.
    pub fn new(stack: &str, generation: u32, worker: &str, ended: String) -> EndedStack {
        EndedStack {
            schema: SCHEMA.to_owned(),
            stack: stack.to_owned(),
            generation,
            worker: worker.to_owned(),
            ended,
            ..EndedStack::default()
        }
    }

    /// Publishes the end of the stack, unless another worker has. Returns whether this worker did.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn publish(&self, dir: &SweepDir) -> anyhow::Result<bool> {
        let path = path(dir, &self.stack);
        let json = readable_json::readable(self).context("failed to serialize the end of a stack")?;
        let created = create_once(&path, json.as_bytes());
        created.with_context(|| format!("failed to write `{}`", path.display()))
    }

    /// Reads the end of a stack.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn read(dir: &SweepDir, stack: &str) -> anyhow::Result<EndedStack> {
        let path = path(dir, stack);
        let read =
            || anyhow::Ok(serde_json::from_slice(&retry_stale(|| bounded_file::read(&path, bounded_file::JSON))?)?);
        read().with_context(|| format!("failed to read `{}`", path.display()))
    }

    /// Reads the ends of these stacks.
    ///
    /// # Errors
    /// When one cannot be read or is damaged.
    pub fn read_all(dir: &SweepDir, stacks: &[&str]) -> anyhow::Result<Vec<EndedStack>> {
        stacks.par_iter().map(|stack| EndedStack::read(dir, stack)).collect()
    }
}

impl EndedTrial {
    /// Returns the name of its files, without extension.
    pub fn stem(&self) -> String {
        History::stem_of(&self.configuration, self.seed, self.fold)
    }

    /// Reads its history from the run directory of its stack.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn history(&self, dir: &SweepDir, stack: &str) -> anyhow::Result<History> {
        History::read(&dir.stack(stack).join(format!("{}.json", self.stem())))
    }

    /// Returns the result of a trial, with the value of the metric at this path.
    pub fn new(history: &History, metric: &str) -> EndedTrial {
        EndedTrial {
            configuration: history.variant.clone(),
            seed: history.seed,
            fold: history.fold,
            status: history.status,
            epochs: history.history.len(),
            value: crate::history::metric_path::lookup_number(history, metric).map(Number),
        }
    }
}

/// Path of the file of a stack that has ended.
pub fn path(dir: &SweepDir, stack: &str) -> PathBuf {
    dir.file("ended").join(format!("{stack}.json"))
}

/// Returns the name of the stack of a file in `ended/`; `None` for the files of failures that were tried again.
pub fn stack_of(file: &str) -> Option<&str> {
    file.strip_suffix(".json").filter(|stack| !stack.contains('.'))
}

/// Returns stack and generation of the file of a failure that was tried again.
pub fn tried_again(file: &str) -> Option<(&str, u32)> {
    let (stack, generation) = file.strip_suffix(".json")?.split_once(".failed-")?;
    Some((stack, parse_generation(generation)?))
}

/// Lets a failed stack be trained again: its end is kept under another name. Returns whether this process did it.
///
/// # Errors
/// When the file cannot be renamed.
pub fn try_again(dir: &SweepDir, failed: &EndedStack) -> Result<bool> {
    let kept = dir.file("ended").join(format!("{}.failed-{}.json", failed.stack, failed.generation));
    match retry_stale(|| std::fs::rename(path(dir, &failed.stack), &kept)) {
        Ok(()) => Ok(true),
        Err(_) if exists(&kept)? => Ok(false), // another process was faster
        Err(error) => Err(error),
    }
}
