//! The record of a sweep, `sweep.json`: the request, all configurations, and the stacks that train them. It is written
//! once, before training starts.

use std::collections::HashSet;
use std::path::PathBuf;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::experiment::halving::rule::{Halving, HalvingRule};
use crate::experiment::run_options::RunOptions;
use crate::experiment::spec::seeds;
use crate::experiment::spec::source_text::SourceText;
use crate::experiment::store::history_fields::Program;
use crate::history::number::{Number, count};
use crate::sweep::expectation::SweepExpectation;
use crate::sweep::rounds::{RoundRecord, Rounds};
use crate::sweep::space::entry::Entry;
use crate::sweep::spec::{Confirm, Method};

/// Value of `schema` in records of this version.
pub const SCHEMA: &str = "runner.sweep/1";

/// Value of `schema` in files of extensions of this version.
pub const EXTENSION_SCHEMA: &str = "runner.sweep.extension/1";

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
    /// SHA-256 of `sweep.toml`, the resolved experiment.
    pub experiment_sha256: String,
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
    /// Rungs at which configurations are dropped within their stacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halving: Option<Halving>,
    /// How the best configurations are confirmed when all are trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Confirm>,
    /// Each configuration is trained on each of these seeds.
    pub seeds: Vec<i64>,
    /// Configurations that are trained to the end are trained on these seeds, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_seeds: Vec<i64>,
    /// Keys of the settings that differ between configurations, in the order of the space.
    pub settings: Vec<String>,
    /// How the configurations were chosen.
    pub search: Search,
    /// All configurations, by index.
    pub configurations: Vec<Configuration>,
    /// Stacks of configurations: each is one run, and is claimed by one worker at a time.
    pub stacks: Vec<StackPlan>,
    /// Later additions, which seeds, space, configurations and stacks of this record include.
    #[serde(skip)]
    pub extensions: Vec<Extension>,
    /// Changes from the command line that hold for all configurations, as `--set` takes them.
    pub overrides: Vec<String>,
    /// Expectations of the sweep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<SweepExpectation>,
    /// The experiment's file, without variants.
    pub source: SourceText,
}

/// Values of the settings of one configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// Name: its index in the sweep with at least four digits, `0007`. It is the name of the variant in its run.
    pub name: String,
    /// Values by full key: `{ "train.optimizer.adam.lr": 0.01 }`.
    pub set: IndexMap<String, Value>,
}

/// How the configurations of a sweep are chosen: each one follows from this and from its index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// How they are chosen from the space.
    pub method: Method,
    /// Seed of the search.
    pub seed: u32,
    /// Settings of a variant or of the command line that each configuration sets first.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub fixed: IndexMap<String, Value>,
    /// Rounds of a search that learns from results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<Rounds>,
    /// The settings that vary, with their values.
    pub space: Vec<Entry>,
}

/// An addition to a sweep, `extend-1.json`: further configurations, further seeds, or both; a round of a search that learns from
/// results; or a confirmation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Extension {
    /// `runner.sweep.extension/1`.
    pub schema: String,
    /// When it was added: UTC, RFC 3339. A round has no time: all workers write the same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub added: String,
    /// The command that added it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The wider space that its configurations are chosen from; `None` for the space of the sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<Vec<Entry>>,
    /// Further seeds of all configurations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<i64>,
    /// Further configurations; their indices continue those of the sweep.
    pub configurations: Vec<Configuration>,
    /// Number of further configurations that later rounds choose.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub further_trials: usize,
    /// The round that chose its configurations; `None` for other additions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<RoundRecord>,
    /// The best configurations, which its stacks train again on fresh seeds; `None` for other additions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<ConfirmationPlan>,
    /// Names of the configurations that its stacks train on the further seeds of the sweep; empty for other additions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_further_seeds: Vec<String>,
    /// Stacks of the further trials; their numbers continue those of the sweep.
    pub stacks: Vec<StackPlan>,
}

/// The best configurations of a sweep, which are trained again on seeds that did not choose them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfirmationPlan {
    /// The configurations, best first.
    pub configurations: Vec<ChosenConfiguration>,
    /// The fresh seeds.
    pub seeds: Vec<i64>,
}

/// A configuration that was chosen for its metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChosenConfiguration {
    /// Its name.
    pub name: String,
    /// Mean of the metric over the seeds of the search.
    pub mean: Number,
}

/// Configurations that are trained in one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackPlan {
    /// Name of the run directory below `stacks/`: `S012`.
    pub name: String,
    /// Names of its configurations.
    pub configurations: Vec<String>,
    /// Seeds that they are trained on in it; `None` for all seeds of the sweep at the time when the stack was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Vec<i64>>,
}

impl Extension {
    /// Returns an extension that adds nothing.
    pub fn empty() -> Extension {
        Extension { schema: EXTENSION_SCHEMA.to_owned(), ..Extension::default() }
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl SweepRecord {
    /// Returns the number of configurations that rounds have not chosen yet.
    pub fn unchosen(&self) -> usize {
        let Some(rounds) = self.search.rounds else { return 0 };
        let added = self.extensions.iter().map(|extension| extension.configurations.len()).sum::<usize>();
        let (mut chosen, mut wanted) = (self.configurations.len() - added, rounds.trials);
        for extension in &self.extensions {
            chosen += extension.configurations.len();
            wanted += extension.further_trials;
            if extension.round.as_ref().is_some_and(|round| round.is_last) {
                wanted = chosen;
            }
        }
        wanted.saturating_sub(chosen)
    }

    /// Returns the number of all configurations, those that rounds have not chosen yet included.
    pub fn all_configurations(&self) -> usize {
        self.configurations.len() + self.unchosen()
    }

    /// Adds an extension.
    pub fn extend(&mut self, extension: Extension) {
        let Extension { space, seeds, configurations, stacks, .. } = &extension;
        if !seeds.is_empty() {
            let before = self.seeds.clone();
            for stack in &mut self.stacks {
                stack.seeds.get_or_insert_with(|| before.clone());
            }
            self.seeds.extend(seeds);
        }
        if let Some(space) = space {
            self.search.space.clone_from(space);
        }
        self.configurations.extend_from_slice(configurations);
        self.stacks.extend_from_slice(stacks);
        self.extensions.push(extension);
    }

    /// Returns the seeds of the search and of all confirmations.
    pub fn used_seeds(&self) -> impl Iterator<Item = i64> {
        let confirmations = self.extensions.iter().filter_map(|extension| extension.confirmation.as_ref());
        self.seeds.iter().chain(&self.further_seeds).chain(confirmations.flat_map(|plan| &plan.seeds)).copied()
    }

    /// Returns the newest confirmation.
    pub fn confirmation(&self) -> Option<&ConfirmationPlan> {
        self.extensions.iter().rev().find_map(|extension| extension.confirmation.as_ref())
    }

    /// Returns the names of the stacks of all confirmations, whose results do not rank the configurations.
    pub fn confirmation_stacks(&self) -> HashSet<&str> {
        let confirmations = self.extensions.iter().filter(|extension| extension.confirmation.is_some());
        confirmations.flat_map(|extension| &extension.stacks).map(|stack| stack.name.as_str()).collect()
    }

    /// Returns the halving of the run of a stack, if it has one: on further seeds and in a confirmation, all configurations are
    /// trained to the end.
    pub fn halving_rule(&self, stack: &str) -> Option<HalvingRule> {
        let is_without =
            |extension: &&Extension| extension.confirmation.is_some() || !extension.on_further_seeds.is_empty();
        let mut without = self.extensions.iter().filter(is_without).flat_map(|extension| &extension.stacks);
        let is_whole = without.any(|own| own.name == stack);
        let Halving { first, keep } = self.halving.filter(|_| !is_whole)?;
        Some(HalvingRule { first, keep, metric: self.metric.clone(), higher_is_better: self.higher_is_better })
    }

    /// Returns the seeds as text: `0..2`, or `0, then 0..2` if their number grows.
    pub fn seeds_text(&self) -> String {
        let first = seeds::format(&self.seeds);
        match self.further_seeds.is_empty() {
            true => first,
            false => format!("{first}, then {}", seeds::format(&[&self.seeds[..], &self.further_seeds].concat())),
        }
    }

    /// Returns the number of seeds as text: `2 seeds each`, or `1 seed each, 3 if trained to the end`.
    pub fn number_of_seeds(&self) -> String {
        let first = self.seeds.len();
        let each = format!("{} {} each", count(first), if first == 1 { "seed" } else { "seeds" });
        match self.further_seeds.len() {
            0 => each,
            further => format!("{each}, {} if trained to the end", count(first + further)),
        }
    }

    /// Returns the seeds of a stack.
    pub fn seeds_of<'a>(&'a self, stack: &'a StackPlan) -> &'a [i64] {
        stack.seeds.as_ref().unwrap_or(&self.seeds)
    }
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
        experiment_sha256: String::new(),
        working_directory: None,
        program: Program::this(),
        options: RunOptions::new(tch::Device::Cpu, 1, None, crate::device::compute_mode::ComputeMode::default()),
        metric: "best.val_loss".to_owned(),
        higher_is_better: false,
        halving: None,
        confirm: None,
        seeds: seeds.to_vec(),
        further_seeds: Vec::new(),
        settings: Vec::new(),
        search: Search::default(),
        extensions: Vec::new(),
        configurations: configurations.iter().map(configuration).collect(),
        stacks: Vec::new(),
        overrides: Vec::new(),
        expectations: Vec::new(),
        source: SourceText { name: "t".to_owned(), origin: "t.toml".to_owned(), ..SourceText::default() },
    }
}
