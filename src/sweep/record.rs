//! The record of a sweep, `sweep.json`: the request, all configurations, and the stacks that train them. It is written
//! once, before training starts.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::experiment::store::history_fields::Program;
use crate::experiment::store::run_record::{RunOptions, SourceRecord};
use crate::sweep::expectation::SweepExpectation;

/// Value of `schema` in records of this version.
pub const SCHEMA: &str = "runner.sweep/1";

/// File name in the sweep directory.
pub const FILE: &str = "sweep.json";

/// A sweep: the request and its plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepRecord {
    /// `runner.sweep/1`.
    pub schema: String,
    /// The experiment's name.
    pub experiment: String,
    /// The command that started the sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Start time: UTC, RFC 3339.
    pub started: String,
    /// Working directory at the start; paths in `overrides` are relative to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<PathBuf>,
    /// The program that started it.
    pub program: Program,
    /// Device, threads per worker, maximum replicas per stack, and arithmetic.
    pub options: RunOptions,
    /// Path of the metric that configurations are ranked by: `best.val_loss`.
    pub metric: String,
    /// Whether a higher value of the metric is better.
    pub higher_is_better: bool,
    /// Each configuration is trained on each of these seeds.
    pub seeds: Vec<i64>,
    /// Keys of the settings that differ between configurations, in the order of the space.
    pub settings: Vec<String>,
    /// All configurations, by index.
    pub configurations: Vec<Configuration>,
    /// Stacks of configurations: each is one run, and is claimed by one worker at a time.
    pub stacks: Vec<StackPlan>,
    /// Changes from the command line that hold for all configurations, as `--set` takes them.
    pub overrides: Vec<String>,
    /// Expectations of the sweep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<SweepExpectation>,
    /// The experiment's file, without variants.
    pub source: SourceRecord,
}

/// Values of the settings of one configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// Name: its index in the sweep with at least four digits, `0007`. It is the name of the variant in its run.
    pub name: String,
    /// Values by full key: `{ "train.optimizer.adam.lr": 0.01 }`.
    pub set: IndexMap<String, Value>,
}

/// Configurations that are trained in one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackPlan {
    /// Name of the run directory below `stacks/`: `S012`.
    pub name: String,
    /// Names of its configurations.
    pub configurations: Vec<String>,
}

/// Returns the record of a sweep with these configurations and seeds, without stacks.
#[cfg(test)]
pub(crate) fn record_for_tests(configurations: &[&str], seeds: &[i64]) -> SweepRecord {
    let configuration = |name: &&str| Configuration { name: (*name).to_owned(), set: IndexMap::new() };
    SweepRecord {
        schema: SCHEMA.to_owned(),
        experiment: "t".to_owned(),
        command: None,
        started: "2026-11-29T08:00:00Z".to_owned(),
        working_directory: None,
        program: Program::this(),
        options: RunOptions { device: "cpu".to_owned(), threads: 1, stack: None, tf32: false, deterministic: false },
        metric: "best.val_loss".to_owned(),
        higher_is_better: false,
        seeds: seeds.to_vec(),
        settings: Vec::new(),
        configurations: configurations.iter().map(configuration).collect(),
        stacks: Vec::new(),
        overrides: Vec::new(),
        expectations: Vec::new(),
        source: SourceRecord { name: "t".to_owned(), origin: "t.toml".to_owned(), text: String::new(), folder: None },
    }
}
