//! The record of a run, `run.json` in its folder: what is needed to go on with it, or to make it again.
//!
//! What was asked for: the experiment's text as it was, the command line's changes and the options. And how far it has
//! come: the stacks that its trials were put in, and which of them are done. Which trials share a stack depends on the
//! memory that was free when it began, and dropout's masks on who shares one; so a run that is resumed keeps its stacks.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::hint::{Hint, told};
use crate::experiment::plan::Plan;
use crate::experiment::plan::study::Study;
use crate::experiment::run::grouping;
use crate::experiment::spec::source_text::SourceText;
use crate::experiment::store::history_fields;
use crate::experiment::store::stack_record::{GroupRecord, StackRecord, StackState, TrialName};
use crate::history::json;
use crate::io::bounded_file;
use crate::io::file_names::check_letters;
use crate::tensor::threads;

/// The value of `schema` in every record of this version.
pub const SCHEMA: &str = "runner.run/1";

/// The record's file in a run's folder.
pub const FILE: &str = "run.json";

/// A run: what was asked for, and how far it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// `runner.run/1`.
    pub schema: String,
    /// The experiment's name.
    pub experiment: String,
    /// The command that asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// When it started: UTC, RFC 3339.
    pub started: String,
    /// The folder that it was started in; paths in `changes` are relative to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_folder: Option<PathBuf>,
    /// What it was begun by.
    pub program: Program,
    /// What it was asked to run on, and how.
    pub options: RunOptions,
    /// Whether `one_cycle` cycles the momentum by default; earlier versions, which lack the key, could not cycle it.
    #[serde(default)]
    pub cycles_momentum: bool,
    /// Whether all of it is done.
    pub finished: bool,
    /// Variants that share their data, in the order in which they are trained; those behind the last have not begun.
    pub groups: Vec<GroupRecord>,
    /// What the command line changes, as `--set` has it.
    pub changes: Vec<String>,
    /// The experiment's file.
    pub source: SourceRecord,
}

/// The program that a run was begun by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Version of runner.
    pub runner: String,
    /// The commit that it was built from; `+` means with changes.
    pub commit: String,
    /// Version of libtorch.
    pub libtorch: String,
}

/// What a run was asked to run on, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOptions {
    /// `cpu`, `cuda:0`.
    pub device: String,
    /// The most CPU threads.
    pub threads: usize,
    /// The most replicas of a stack, where that was asked for.
    pub stack: Option<usize>,
    /// Whether a GPU may round the factors of products to TF32.
    pub tf32: bool,
    /// Whether only algorithms are used that give the same figures each time.
    pub deterministic: bool,
}

/// An experiment's file as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// The experiment's name: the file's, without `.toml`.
    pub name: String,
    /// Where the text comes from.
    pub origin: String,
    /// The text itself.
    pub text: String,
    /// The folder of the file, which paths in it are relative to; in runs of earlier versions, `working_folder`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
}

impl Program {
    /// This program.
    pub fn this() -> Program {
        Program {
            runner: env!("CARGO_PKG_VERSION").to_owned(),
            commit: env!("RUNNER_COMMIT").to_owned(),
            libtorch: env!("RUNNER_LIBTORCH_VERSION").to_owned(),
        }
    }

    /// In what this program differs from it, in words.
    pub fn differences(&self, this: &Program) -> Vec<String> {
        let differs = [
            ("libtorch", &self.libtorch, &this.libtorch),
            ("runner", &self.runner, &this.runner),
            ("commit", &self.commit, &this.commit),
        ];
        let differs = differs.into_iter().filter(|(_, then, now)| then != now);
        differs.map(|(what, then, now)| format!("{what} {then} then, {now} now")).collect()
    }
}

impl RunRecord {
    /// The record of a run of which nothing is done.
    ///
    /// # Errors
    /// When the time cannot be written.
    pub fn new(study: &Study, options: RunOptions, started: OffsetDateTime) -> anyhow::Result<RunRecord> {
        let SourceText { name, origin, text, folder } = study.source.clone();
        Ok(RunRecord {
            schema: SCHEMA.to_owned(),
            experiment: study.name.clone(),
            command: study.baseline().asked.as_ref().and_then(|asked| asked.command.clone()),
            started: history_fields::started(started)?,
            working_folder: std::env::current_dir().ok(),
            program: Program::this(),
            options,
            cycles_momentum: !study.plans.iter().any(Plan::is_before_momentum_cycles),
            finished: false,
            groups: Vec::new(),
            changes: study.changes.clone(),
            source: SourceRecord { name, origin, text, folder },
        })
    }

    /// Whether there is a record in this folder.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// Reads the record in a run's folder.
    ///
    /// # Errors
    /// When there is none, or it is damaged or of another version.
    pub fn read(folder: &Path) -> anyhow::Result<RunRecord> {
        let path = folder.join(FILE);
        let shown = path.display();
        let text = bounded_file::read(&path, bounded_file::JSON)
            .with_context(|| format!("failed to read `{shown}`"))
            .map_err(|error| {
            error.context(Hint("runs of earlier versions have no `run.json`: `runner exp` makes a new one".to_owned()))
        })?;
        Self::of_json(&text).with_context(|| format!("failed to read `{shown}`"))
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When it is damaged or of another version.
    pub fn of_json(text: &[u8]) -> anyhow::Result<RunRecord> {
        let damaged = || Hint("it is damaged, or no record of a run".to_owned());
        let value: serde_json::Value = serde_json::from_slice(text).context(damaged())?;
        match value.get("schema").and_then(serde_json::Value::as_str) {
            Some(SCHEMA) => {
                let record: RunRecord = serde_json::from_value(value).context(damaged())?;
                record.check().context(damaged())?;
                Ok(record)
            }
            Some(other) => Err(anyhow!("it is a `{other}`, and this version reads `{SCHEMA}`")
                .context(Hint("another version of runner wrote it".to_owned()))),
            None => Err(anyhow!("it names no `schema`").context(damaged())),
        }
    }

    /// Checks what anybody may have written into it: names of files that are read, and what can only be counted from 1.
    fn check(&self) -> anyhow::Result<()> {
        let RunOptions { threads, stack, .. } = &self.options;
        ensure!(
            (1..=threads::MOST).contains(threads),
            "`threads` must be between 1 and {}, found {threads}",
            threads::MOST
        );
        ensure!(*stack != Some(0), "`stack` must be at least 1, found 0");
        for stack in self.groups.iter().flat_map(|group| &group.stacks) {
            let mut seen = HashSet::new();
            for trial in &stack.trials {
                check_letters("variant", &trial.variant)?;
                ensure!(seen.insert(trial), "a stack holds the trial `{}` twice", trial.stem());
            }
        }
        Ok(())
    }

    /// The record as it stands in its file.
    ///
    /// # Errors
    /// When a path in it is no text.
    pub fn to_json(&self) -> anyhow::Result<String> {
        json::readable(self).context("failed to lay out the record of the run")
    }

    /// The experiment as the run has it.
    ///
    /// # Errors
    /// When this version of runner cannot read it.
    pub fn study(&self) -> anyhow::Result<Study> {
        let SourceRecord { name, origin, text, folder } = self.source.clone();
        let current = std::env::current_dir().unwrap_or_default();
        let current = self.working_folder.clone().filter(|folder| folder.is_dir()).unwrap_or(current);
        let mut study = Study::started_in(&current, &SourceText { name, origin, text, folder }, &self.changes)
            .context("failed to read the experiment that the run was begun with")?;
        if !self.cycles_momentum {
            study.plans = study.plans.into_iter().map(Plan::before_momentum_cycles).collect();
        }
        Ok(match &self.command {
            Some(command) => study.asked_by(command),
            None => study,
        })
    }

    /// The folders that paths of its data may have been relative to.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.source.folder.iter().chain(&self.working_folder).cloned().collect()
    }

    /// When it started.
    ///
    /// # Errors
    /// When that is no time.
    pub fn started(&self) -> anyhow::Result<OffsetDateTime> {
        let shown = &self.started;
        OffsetDateTime::parse(shown, &Rfc3339).with_context(|| format!("`started` is no time: `{shown}`"))
    }

    /// Whether it is a run of this study: the same experiment with the same changes.
    pub fn is_of(&self, study: &Study) -> bool {
        (&self.experiment, &self.source.text, &self.changes) == (&study.name, &study.source.text, &study.changes)
    }

    /// Checks that the data of a group are those that it was begun with.
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
                "the data of `{name}` have changed since the run began: their checksum was {}…, and is {}…",
                short(then),
                short(sha256)
            )
            .context(Hint("restore the data, or begin a new run with `runner exp`".to_owned()))
        );
        Ok(())
    }

    /// Checks that the files of this study's data are those that the run was trained on.
    ///
    /// # Errors
    /// When they have changed, or cannot be read.
    pub fn check_data_of(&self, study: &Study) -> anyhow::Result<()> {
        for (number, group) in grouping::groups(&study.plans).iter().enumerate() {
            let data = &group[0].spec.data;
            if let Some(sum) = data.checksum_of_files().map_err(told)? {
                self.check_data(number, data.name(), &sum)?;
            }
        }
        Ok(())
    }

    /// The stacks that were planned so far.
    pub fn stacks(&self) -> impl Iterator<Item = &StackRecord> {
        self.groups.iter().flat_map(|group| &group.stacks)
    }

    /// How many trials are done.
    pub fn done(&self) -> usize {
        self.stacks().filter(|stack| stack.state == StackState::Done).map(|stack| stack.trials.len()).sum()
    }

    /// Whether all of it is done, and every history is in this folder.
    pub fn is_whole(&self, folder: &Path) -> bool {
        let is_there = |trial: &TrialName| folder.join(format!("{}.json", trial.stem())).is_file();
        self.finished && self.stacks().flat_map(|stack| &stack.trials).all(is_there)
    }
}
