//! A run whose stacks are trained in parts: each stack in a run directory of its own, by any process, and then brought into
//! the directory of the run. What the run has at its end is what one process would have written.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::device::memory;
use crate::experiment::plan::study::Study;
use crate::experiment::plan::{Model, Plan};
use crate::experiment::run::checkpointing::{self, RunCheckpoint, final_file};
use crate::experiment::run::progress::RunProgress;
use crate::experiment::run::run_study::leased::run_or_continue;
use crate::experiment::run::run_study::loading::{LoadedData, load_group};
use crate::experiment::run::run_study::options::Options;
use crate::experiment::run::run_study::{Finished, Run};
use crate::experiment::run::scheduler::{TrialResults, planned_stacks, unfinished_stacks};
use crate::experiment::run::source_rows::Fold;
use crate::experiment::run::tree;
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::stack_record::{GroupRecord, StackRecord, StackState, TrialName};
use crate::history::History;
use crate::run_dir::RunDir;
use crate::run_dir::lease_check::LeaseCheck;

/// Subdirectory of a run with the parts that are not in it yet.
const FOLDER: &str = "workers";

/// A stack of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Number of its group.
    pub group: usize,
    /// Its trials in order.
    pub trials: Vec<TrialName>,
}

impl Part {
    /// Returns the directory in which the stack is trained.
    pub fn folder(&self, run: &Path) -> PathBuf {
        run.join(FOLDER).join(self.trials[0].stem())
    }
}

/// Returns the subdirectory with the parts of a run; it exists only while there are some.
pub fn folder_of_parts(run: &Path) -> PathBuf {
    run.join(FOLDER)
}

impl Run<'_> {
    /// Distributes the trials of all groups over stacks, unless the record has their stacks. Of the free memory, a process
    /// that trains a stack has the part that is left if it is shared by `sharing`. Returns the errors of groups whose data
    /// cannot be loaded.
    ///
    /// # Errors
    /// When the data of the first group cannot be loaded.
    pub fn plan(
        &self,
        loaded: &mut LoadedData,
        sharing: usize,
        watch: &mut dyn RunProgress,
    ) -> anyhow::Result<Vec<anyhow::Error>> {
        let Run { study, run_state, options, .. } = *self;
        let LoadedData { source, first, .. } = loaded;
        let (mut failures, mut reported, mut is_first) = (Vec::new(), BTreeSet::new(), true);
        for (number, group) in run_state.groups_of(&study.plans).iter().enumerate() {
            if !run_state.stacks(number).is_empty() {
                is_first = false;
                continue;
            }
            let folds = match first.take() {
                Some(folds) => Ok(folds),
                None => load_group(study, group, source, options, &mut *watch),
            };
            let folds = match folds {
                Ok(folds) => folds,
                Err(error) if is_first => return Err(error),
                Err(error) => {
                    failures.push(error);
                    continue;
                }
            };
            is_first = false;
            self.begin_group(number, group, &folds, source.as_ref(), &mut reported, &mut *watch)?;
            run_state.set_waiting(number, self.stacks_of(group, &folds, sharing));
        }
        Ok(failures)
    }

    fn stacks_of(&self, group: &[&Plan], folds: &[Fold], sharing: usize) -> Vec<Vec<TrialName>> {
        let Options { device, stack, .. } = *self.options;
        match &group[0].model {
            Model::Network(_) => {
                planned_stacks(group, folds, stack, device, memory::free(device) / sharing.max(1) as u64)
            }
            Model::Tree(_) => tree::trial_names(group[0], folds).into_iter().map(|name| vec![name]).collect(),
        }
    }

    /// Returns the stacks that are not done, and reads the histories of the others.
    pub fn unfinished(&self, histories: &mut Vec<History>, watch: &mut dyn RunProgress) -> Vec<Part> {
        let Run { study, run_state, .. } = *self;
        let mut parts = Vec::new();
        for group in 0..run_state.groups_of(&study.plans).len() {
            let open = unfinished_stacks(&run_state.stacks(group), run_state, histories, &mut *watch);
            parts.extend(open.into_iter().map(|StackRecord { trials, .. }| Part { group, trials }));
        }
        parts
    }

    /// Moves the checkpoint of a run that one process has begun into the directory of its stack.
    ///
    /// # Errors
    /// When it cannot be read or moved.
    pub fn move_checkpoint(&self, parts: &[Part]) -> anyhow::Result<()> {
        let folder = self.folder;
        let Some(checkpoint) = RunCheckpoint::read(folder)? else { return Ok(()) };
        let Some(part) = parts.iter().find(|part| checkpoint.is_of(&part.trials)) else { return Ok(()) };
        let path = part.folder(folder.path());
        let moved = std::fs::create_dir_all(&path)
            .and_then(|()| std::fs::rename(folder.file(checkpointing::FILE), path.join(checkpointing::FILE)));
        moved.with_context(|| format!("failed to move the checkpoint to `{}`", path.display()))
    }

    /// Brings what a process has trained of a stack into the directory of the run: the histories and models of its trials.
    /// Returns the histories.
    ///
    /// # Errors
    /// When files of the stack cannot be read.
    pub fn bring_in(&self, part: &Part) -> anyhow::Result<Vec<History>> {
        let Run { folder, run_state, .. } = *self;
        let path = part.folder(folder.path());
        let stacks = RunRecord::read(&path)?.groups.into_iter().next().map(|group| group.stacks).unwrap_or_default();
        let is_done = stacks.iter().all(|stack| stack.state == StackState::Done);
        if is_done {
            // a stack without room in memory was trained in smaller ones
            run_state.replace_stack(part.group, &part.trials, &stacks);
        }
        let mut histories = Vec::new();
        for StackRecord { trials, .. } in &stacks {
            let mut model = "safetensors";
            for trial in trials {
                let stem = trial.stem();
                if !path.join(format!("{stem}.json")).is_file() {
                    continue; // it was not started
                }
                let history = History::read(&path.join(format!("{stem}.json")))?;
                model = if history.tree.is_some() { "tree.json" } else { model };
                histories.push(history);
                for ending in ["json", model] {
                    self.copy(&path, &format!("{stem}.{ending}"));
                }
            }
            self.copy(&path, &final_file(trials));
            if is_done {
                run_state.mark_done(part.group, trials, ["json", model]);
            }
        }
        let here = run_state.stacks(part.group);
        let is_in =
            |stack: &StackRecord| here.iter().any(|done| done.trials == stack.trials && done.state == StackState::Done);
        if is_done && stacks.iter().all(is_in) {
            let _ = std::fs::remove_dir_all(&path); // a leftover is brought in again by `runner resume`
        }
        Ok(histories)
    }

    /// Copies a file of a part, if it exists.
    fn copy(&self, path: &Path, name: &str) {
        let from = path.join(name);
        if from.is_file() {
            self.folder.write_with(name, &|file| io::copy(&mut File::open(&from)?, file).map(drop));
        }
    }

    /// Checks the expectations, writes the final histories and marks the run as finished, as for a run of one process.
    ///
    /// # Errors
    /// When a history cannot be serialized.
    pub fn finish(&self, results: TrialResults) -> anyhow::Result<Finished> {
        let ended = self.verify_and_store(results)?;
        if self.run_state.record().finished {
            let _ = std::fs::remove_dir_all(folder_of_parts(self.folder.path()));
        }
        Ok(ended)
    }
}

/// Trains a stack of a run in its own directory, or continues it there. The conditions of the run's expectations are checked
/// when all stacks have ended.
///
/// # Errors
/// As for `run` and `resume`.
pub fn run_part(
    study: &Study,
    record: &RunRecord,
    run: &Path,
    part: &Part,
    options: &Options,
    loaded: &mut LoadedData,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<Finished> {
    let path = part.folder(run);
    let parent = folder_of_parts(run);
    std::fs::create_dir_all(&parent).with_context(|| format!("failed to create `{}`", parent.display()))?;
    let mut study = study.clone();
    study.plans.retain(|plan| part.trials.iter().any(|trial| trial.variant == plan.variant));
    (study.spec.expect, study.spec.theirs) = (Vec::new(), Vec::new());
    let new_record = || {
        let group =
            record.groups.get(part.group).with_context(|| anyhow!("the run record has no group {}", part.group))?;
        let stack = StackRecord::waiting(part.trials.clone());
        let groups = vec![GroupRecord { data: group.data.clone(), stacks: vec![stack] }];
        Ok(RunRecord {
            groups,
            finished: false,
            peak_memory: None,
            peak_gpu_memory: None,
            training_seconds: None,
            ..record.clone()
        })
    };
    // the process that has started this one gives each stack to one process
    let folder = RunDir::open_leased(&path, LeaseCheck::new(|| true))?;
    run_or_continue(&study, folder, None, new_record, options, loaded, watch)
}
