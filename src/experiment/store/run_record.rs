//! The run record `run.json`: everything needed to resume or reproduce a run.
//!
//! It holds the request (text of the experiment, command-line changes, options) and the progress (stacks of trials, and
//! which of them are done). The memory that was free at the start decides which trials share a stack, and the rounding
//! of sums depends on the stack; a resumed run therefore keeps its stacks.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::hint::{Hint, into_error};
use crate::experiment::halving::rule::HalvingRule;
use crate::experiment::plan::Plan;
use crate::experiment::plan::module_copies;
use crate::experiment::plan::study::Study;
use crate::experiment::run_options::RunOptions;
use crate::experiment::spec::source_text::SourceText;
use crate::experiment::store::history_fields::{self, Program};
use crate::experiment::store::stack_record::{GroupRecord, StackRecord, StackState, TrialName, groups_of};
use crate::history::readable_json;
use crate::io::bounded_file;
use crate::io::file_names::check_letters;
use crate::io::host_name::host_name;
use crate::network::initial_weights::InitialWeights;
use crate::network::torchscript::module_file::ModuleCopy;
use crate::slurm::job::Job;
use crate::tensor::threads;

/// Value of `schema` in records of this version.
pub const SCHEMA: &str = "runner.run/2";

/// Schema of the last version, whose keys are still read as aliases.
const FORMER_SCHEMA: &str = "runner.run/1";

/// File name in the run directory.
pub const FILE: &str = "run.json";

/// A run: the request and its progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// `runner.run/2`.
    pub schema: String,
    /// The experiment's name.
    pub experiment: String,
    /// The command that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The run whose last epoch this run started from; `None` if it started from epoch 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continued_from: Option<ContinuedFrom>,
    /// Start time: UTC, RFC 3339.
    pub started: String,
    /// Working directory at the start; paths in `changes` are relative to it.
    #[serde(default, rename = "working_directory", alias = "working_folder", skip_serializing_if = "Option::is_none")]
    pub working_folder: Option<PathBuf>,
    /// The program that started it.
    pub program: Program,
    /// Device, threads and arithmetic.
    pub options: RunOptions,
    /// Name of the machine that trains it, or trained it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Job of Slurm that trains it, or trained it last: `12`, or `12_3` for a task of an array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Whether `one_cycle` cycles the momentum by default. Older versions could not, and lack this key.
    #[serde(default)]
    pub cycles_momentum: bool,
    /// Whether all trials are done.
    pub finished: bool,
    /// Largest resident memory of the training processes in bytes, if the system reports it.
    #[serde(default, rename = "peak_memory_bytes", skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
    /// Most bytes that tensors had on the GPU at once, as `torch.cuda.max_memory_allocated`.
    #[serde(default, rename = "peak_gpu_memory_bytes", skip_serializing_if = "Option::is_none")]
    pub peak_gpu_memory: Option<u64>,
    /// Time in seconds that workers trained, from the first to the last; `None` if one process trains all stacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_seconds: Option<f64>,
    /// Halving: at some epochs, only the best variants of a stack continue. A sweep sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halving: Option<HalvingRule>,
    /// Groups of variants that share their data, in training order; groups after the last one have not started.
    pub groups: Vec<GroupRecord>,
    /// The weights that networks start from instead of random ones, by variant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub initial_weights: BTreeMap<String, InitialWeights>,
    /// Files of networks written in PyTorch, with their copies in the run directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<ModuleCopy>,
    /// Changes from the command line, as `--set` takes them.
    #[serde(rename = "overrides", alias = "changes")]
    pub changes: Vec<String>,
    /// Names of the variants that are trained; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<String>,
    /// The experiment's file.
    pub source: SourceText,
}

/// The run whose last epoch another run started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContinuedFrom {
    /// The experiment and the name of the run directory, joined by `/`.
    pub run: String,
    /// Its number of epochs.
    pub epochs: usize,
}

impl RunRecord {
    /// Returns the record of a new run.
    ///
    /// # Errors
    /// When the time cannot be formatted.
    pub fn new(study: &Study, options: RunOptions, started: OffsetDateTime) -> anyhow::Result<RunRecord> {
        let weights_of = |plan: &Plan| Some((plan.variant.clone(), plan.initial_weights()?.clone()));
        Ok(RunRecord {
            schema: SCHEMA.to_owned(),
            experiment: study.name.clone(),
            command: study.baseline().asked.as_ref().and_then(|asked| asked.command.clone()),
            continued_from: None,
            started: history_fields::format_start(started)?,
            working_folder: std::env::current_dir().ok(),
            program: Program::this(),
            options,
            host: Some(host_name()),
            job: Job::of_this_process().map(|job| job.id),
            cycles_momentum: !study.plans.iter().any(Plan::has_constant_momentum),
            finished: false,
            peak_memory: None,
            peak_gpu_memory: None,
            training_seconds: None,
            halving: None,
            groups: Vec::new(),
            initial_weights: study.plans.iter().filter_map(weights_of).collect(),
            modules: module_copies::of(study),
            changes: study.changes.clone(),
            variants: study.selected.clone(),
            source: SourceText { layers: Vec::new(), modules: Vec::new(), ..study.source.clone() },
        })
    }

    /// Returns the record of a run that this process continues.
    pub fn on_this_machine(self) -> RunRecord {
        RunRecord { host: Some(host_name()), job: Job::of_this_process().map(|job| job.id), ..self }
    }

    /// Whether this directory contains a record.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// Reads the record in a run directory.
    ///
    /// # Errors
    /// When it is missing, damaged or of another version.
    pub fn read(folder: &Path) -> anyhow::Result<RunRecord> {
        let path = folder.join(FILE);
        let shown = path.display();
        let hint = "start a new run with `runner exp`: runs of earlier versions have no `run.json`";
        let text = bounded_file::read(&path, bounded_file::JSON)
            .with_context(|| format!("failed to read `{shown}`"))
            .with_context(|| Hint(hint.to_owned()))?;
        let mut record = Self::parse(&text).with_context(|| format!("failed to read `{shown}`"))?;
        record.modules.iter_mut().for_each(|module| module.copy = folder.join(&module.file));
        Ok(record)
    }

    /// Parses a record.
    ///
    /// # Errors
    /// When it is damaged or of another version.
    pub fn parse(text: &[u8]) -> anyhow::Result<RunRecord> {
        let damaged = || Hint("restore the file: it is damaged, or not a run record".to_owned());
        let value: serde_json::Value = serde_json::from_slice(text).context(damaged())?;
        match value.get("schema").and_then(serde_json::Value::as_str) {
            Some(SCHEMA | FORMER_SCHEMA) => {
                let record: RunRecord = serde_json::from_value(value).context(damaged())?;
                record.check().context(damaged())?;
                Ok(RunRecord { schema: SCHEMA.to_owned(), ..record })
            }
            Some(other) => Err(anyhow!("its schema is `{other}`, but this version reads `{SCHEMA}`")
                .context(Hint("use the version of runner that wrote it".to_owned()))),
            None => Err(anyhow!("it has no `schema`").context(damaged())),
        }
    }

    /// Checks values that may have been edited: names that become file names, and counts that start at 1.
    fn check(&self) -> anyhow::Result<()> {
        let RunOptions { threads, stack, .. } = &self.options;
        ensure!(
            (1..=threads::MAX).contains(threads),
            "`threads` must be between 1 and {}, found {threads}",
            threads::MAX
        );
        ensure!(*stack != Some(0), "`stack` must be at least 1, found 0");
        self.halving.as_ref().map_or(Ok(()), |rule| rule.halving().check()).context("`halving` is invalid")?;
        self.modules.iter().try_for_each(|module| check_letters("modules.file", &module.file))?;
        for stack in self.groups.iter().flat_map(|group| &group.stacks) {
            let mut seen = HashSet::new();
            for trial in &stack.trials {
                check_letters("variant", &trial.variant)?;
                ensure!(seen.insert(trial), "a stack contains the trial `{}` twice", trial.stem());
            }
        }
        Ok(())
    }

    /// Returns the record as JSON text.
    ///
    /// # Errors
    /// When a path in it is not valid Unicode.
    pub fn to_json(&self) -> anyhow::Result<String> {
        readable_json::readable(self).context("failed to serialize the run record")
    }

    /// Reads the experiment with the run's changes.
    ///
    /// # Errors
    /// When this version cannot read it.
    pub fn study(&self) -> anyhow::Result<Study> {
        let current = std::env::current_dir().unwrap_or_default();
        let current = self.working_folder.clone().filter(|folder| folder.is_dir()).unwrap_or(current);
        let source = SourceText { modules: self.modules.clone(), ..self.source.clone() };
        let mut study = Study::with_working_directory(&current, &source, &self.changes)
            .and_then(|study| study.with_variants(&self.variants))
            .context("failed to read the experiment of the run")?;
        if !self.cycles_momentum {
            study.plans = study.plans.into_iter().map(Plan::with_constant_momentum).collect();
        }
        self.set_initial_weights(&mut study);
        Ok(match &self.command {
            Some(command) => study.with_command(command),
            None => study,
        })
    }

    /// Sets the initial weights of this study to those that the run started from.
    pub fn set_initial_weights(&self, study: &mut Study) {
        for plan in study.plans.iter_mut().filter(|plan| plan.initial_weights().is_some()) {
            self.initial_weights.get(&plan.variant).into_iter().for_each(|weights| plan.set_initial_weights(weights));
        }
    }

    /// Directories that data paths may be relative to.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.source.folder.iter().chain(&self.working_folder).cloned().collect()
    }

    /// Start time.
    ///
    /// # Errors
    /// When it is not a valid time.
    pub fn started(&self) -> anyhow::Result<OffsetDateTime> {
        let shown = &self.started;
        OffsetDateTime::parse(shown, &Rfc3339)
            .with_context(|| format!("`started` must be an RFC 3339 time, found `{shown}`"))
    }

    /// Whether it is a run of this study: same experiment, changes and variants.
    pub fn is_of(&self, study: &Study) -> bool {
        (&self.experiment, &self.source.text, &self.changes, &self.variants)
            == (&study.name, &study.source.text, &study.changes, &study.selected)
    }

    /// Checks that the data of a group are the same as when it started.
    ///
    /// # Errors
    /// When they have changed.
    pub fn check_data(&self, group: usize, name: &str, sha256: &str) -> anyhow::Result<()> {
        let Some(then) = self.groups.get(group).map(|group| &group.data).filter(|data| !data.is_empty()) else {
            return Ok(());
        };
        let short = |sum: &str| sum.chars().take(12).collect::<String>();
        ensure!(
            then == sha256,
            anyhow!(
                "the data of `{name}` have changed since the run started: their checksum was {}… and is now {}…",
                short(then),
                short(sha256)
            )
            .context(Hint("restore the data, or start a new run with `runner exp`".to_owned()))
        );
        Ok(())
    }

    /// Checks that the data files of this study are the same as those that the run was trained on.
    ///
    /// # Errors
    /// When they have changed, or cannot be read.
    pub fn check_data_of(&self, study: &Study) -> anyhow::Result<()> {
        for (number, group) in groups_of(&self.groups, &study.plans).iter().enumerate() {
            let data = &group[0].spec.data;
            if let Some(sum) = data.checksum_of_files().map_err(into_error)? {
                self.check_data(number, data.name(), &sum)?;
            }
        }
        Ok(())
    }

    /// All planned stacks.
    pub fn stacks(&self) -> impl Iterator<Item = &StackRecord> {
        self.groups.iter().flat_map(|group| &group.stacks)
    }

    /// Number of trials that are done.
    pub fn done(&self) -> usize {
        self.stacks().filter(|stack| stack.state == StackState::Done).map(|stack| stack.trials.len()).sum()
    }

    /// Whether the run is finished and every history is in this directory.
    pub fn is_complete(&self, folder: &Path) -> bool {
        let is_there = |trial: &TrialName| folder.join(format!("{}.json", trial.stem())).is_file();
        self.finished && self.stacks().flat_map(|stack| &stack.trials).all(is_there)
    }
}
