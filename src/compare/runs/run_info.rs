//! What is known about a run besides its histories: id, name, tags, changes and state.

use std::collections::HashMap;

use crate::compare::runs::changes::{self, Change};
use crate::compare::trial::Trial;
use crate::experiment::store::about::About;
use crate::experiment::store::run_id::RunEntry;
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::stack_record::StackState;
use crate::history::History;
use crate::history::provenance::is_within;
use crate::run_dir::writer::Writer;

/// What is known about a run besides its histories.
#[derive(Clone, Debug)]
pub struct RunInfo {
    /// Experiment and directory.
    pub entry: RunEntry,
    /// Shortest unique beginning of the id.
    pub short_id: String,
    /// Name, tags and note.
    pub about: About,
    /// The settings that the command line changed, and those of an edited file ([`RunInfo::add_changes_of_file`]).
    pub changes: Vec<Change>,
    /// Number of trials that are done according to the run record, but whose history is missing.
    pub missing: usize,
    /// Whether the run is finished, or how far it is.
    pub state: RunState,
    /// Start of the run: UTC, RFC 3339; empty if unknown.
    pub started: String,
    /// Name of the machine that trains it, or trained it last.
    pub host: Option<String>,
    /// Job of Slurm that trains it, or trained it last.
    pub job: Option<String>,
    /// Time that workers trained it in parallel, in seconds; `None` if its stacks were trained one after the other.
    pub seconds: Option<f64>,
}

/// Whether a run is finished, or how far it is. Progress is the epoch and the number of epochs of the stack in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// A process is training it.
    Running {
        /// Process ID.
        process: Option<u32>,
        /// Progress.
        progress: Option<(usize, usize)>,
    },
    /// Training was interrupted or killed.
    Interrupted {
        /// Progress.
        progress: Option<(usize, usize)>,
    },
    /// Training of at least one stack failed.
    Failed,
    /// All trials ended.
    Finished,
}

impl RunState {
    /// Returns the state as one word.
    pub fn word(self) -> &'static str {
        match self {
            RunState::Running { .. } => "running",
            RunState::Interrupted { .. } => "interrupted",
            RunState::Failed => "failed",
            RunState::Finished => "complete",
        }
    }

    /// Returns the progress in epochs of a run that is not finished.
    pub fn progress(self) -> Option<(usize, usize)> {
        match self {
            RunState::Running { progress, .. } | RunState::Interrupted { progress } => progress,
            RunState::Failed | RunState::Finished => None,
        }
    }
}

impl RunInfo {
    /// Collects what is known about a run. `short_ids` are those of all runs.
    pub fn new(
        entry: RunEntry,
        about: About,
        record: Option<&RunRecord>,
        trials: &[Trial],
        missing: usize,
        short_ids: &HashMap<&str, &str>,
    ) -> RunInfo {
        let asked = trials.iter().find_map(|trial| trial.history()?.asked.as_ref());
        let overrides = record.map(|record| &record.changes).or(asked.map(|asked| &asked.overrides));
        let earliest = || trials.iter().filter_map(|trial| Some(trial.history()?.started.clone())).min();
        RunInfo {
            short_id: short_ids.get(&*entry.id).map_or_else(|| entry.id.clone(), |short| (*short).to_owned()),
            about,
            changes: overrides.map(|overrides| changes::parse(overrides)).unwrap_or_default(),
            missing,
            state: state(&entry, record, trials),
            host: record.and_then(|record| record.host.clone()),
            job: record.and_then(|record| record.job.clone()),
            seconds: record.and_then(|record| record.training_seconds),
            started: record.map(|record| record.started.clone()).or_else(earliest).unwrap_or_default(),
            entry,
        }
    }

    /// Adds the settings of the experiment file that differ from those of another run's file.
    pub fn add_changes_of_file(&mut self, history: &History, reference: &History) {
        for change in changes::of_file(history, reference) {
            if !self.changes.iter().any(|other| is_within(&change.key, &other.key)) {
                self.changes.push(change);
            }
        }
    }
}

/// Returns the state of a run.
fn state(entry: &RunEntry, record: Option<&RunRecord>, trials: &[Trial]) -> RunState {
    let writer = Writer::find(&entry.folder);
    if let Some(Writer { is_running: true, process, progress }) = writer {
        return RunState::Running { process, progress };
    }
    match record {
        Some(record) if record.finished => RunState::Finished,
        None if !trials.is_empty() => RunState::Finished, // runs of earlier versions have no record
        Some(record) if record.stacks().any(|stack| stack.state == StackState::Failed) => RunState::Failed,
        _ => {
            let interrupted = trials.iter().filter_map(Trial::history).find(|h| h.status.is_unfinished());
            let of_history = interrupted.and_then(|history| {
                let epochs = history.config.get("train")?.get("epochs")?.as_u64()?;
                Some((history.history.epoch.last().copied().unwrap_or(0), usize::try_from(epochs).ok()?))
            });
            RunState::Interrupted { progress: of_history.or(writer.and_then(|writer| writer.progress)) }
        }
    }
}
