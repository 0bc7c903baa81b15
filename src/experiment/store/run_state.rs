//! The run record during training: updated and written whenever a stack ends.

use std::cell::{Ref, RefCell};
use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use safetensors::tensor::Metadata;

use crate::config::hint::in_a_line;
use crate::device::{self, memory};
use crate::experiment::halving::decision::Rung;
use crate::experiment::plan::Plan;
use crate::experiment::store::run_record::{FILE, RunRecord};
use crate::experiment::store::stack_record::{GroupRecord, StackRecord, StackState, TrialName, groups_of};
use crate::history::History;
use crate::io::bounded_file;
use crate::run_dir::RunDir;

/// The record of a run and the directory that it is written to.
#[derive(Debug)]
pub struct RunState<'a> {
    folder: &'a RunDir,
    record: RefCell<RunRecord>,
}

impl<'a> RunState<'a> {
    /// Starts with this record.
    pub fn new(folder: &'a RunDir, record: RunRecord) -> Self {
        RunState { folder, record: RefCell::new(record) }
    }

    /// Borrows the record. Drop the result before anything changes the record; otherwise the change panics.
    pub fn record(&self) -> Ref<'_, RunRecord> {
        self.record.borrow()
    }

    /// Returns the planned stacks of a group; empty before it starts.
    pub fn stacks(&self, group: usize) -> Vec<StackRecord> {
        self.record.borrow().groups.get(group).map(|group| group.stacks.clone()).unwrap_or_default()
    }

    /// Returns the groups of these plans; see [`groups_of`].
    pub fn groups_of<'p>(&self, plans: &'p [Plan]) -> Vec<Vec<&'p Plan>> {
        groups_of(&self.record.borrow().groups, plans)
    }

    /// Whether all trials of a group are done.
    pub fn is_done(&self, group: usize) -> bool {
        let stacks = self.stacks(group);
        !stacks.is_empty() && stacks.iter().all(|stack| stack.state == StackState::Done)
    }

    /// Records the start of a group, with the checksum of its data.
    pub fn start_group(&self, group: usize, data: &str) {
        let mut record = self.record.borrow_mut();
        // earlier groups whose data could not be loaded have no entry yet
        while record.groups.len() <= group {
            record.groups.push(GroupRecord { data: String::new(), stacks: Vec::new() });
        }
        data.clone_into(&mut record.groups[group].data);
    }

    /// Records the waiting stacks of a group, in place of those that were waiting before.
    pub fn set_waiting(&self, group: usize, waiting: Vec<Vec<TrialName>>) {
        {
            let stacks = &mut self.record.borrow_mut().groups[group].stacks;
            stacks.retain(|stack| stack.state == StackState::Done || stack.fault.is_some());
            let planned: BTreeSet<String> = waiting.iter().flatten().map(TrialName::stem).collect();
            stacks.retain(|stack| !stack.trials.iter().any(|trial| planned.contains(&trial.stem())));
            let waiting = waiting.into_iter();
            stacks.extend(waiting.map(StackRecord::waiting));
        }
        self.write();
    }

    /// Records that a stack is done, if the run directory has all files of its trials: those with these extensions.
    /// Otherwise the stack waits to be trained again.
    pub fn mark_done(&self, group: usize, trials: &[TrialName], endings: [&str; 2]) {
        let is_there = |trial: &TrialName| {
            endings.iter().all(|ending| self.folder.has_file(&format!("{}.{ending}", trial.stem())))
        };
        let state = if trials.iter().all(is_there) { StackState::Done } else { StackState::Waiting };
        self.set_state(group, trials, state, None);
        self.write();
    }

    /// Records the rungs of a stack, which are written when it is done.
    pub fn set_rungs(&self, trials: &[TrialName], rungs: Vec<Rung>) {
        let mut record = self.record.borrow_mut();
        let mut stacks = record.groups.iter_mut().flat_map(|group| &mut group.stacks);
        stacks.find(|stack| stack.trials == trials).into_iter().for_each(|stack| stack.rungs.clone_from(&rungs));
    }

    /// Records that a stack failed, and why.
    pub fn mark_failed(&self, group: usize, trials: &[TrialName], error: &anyhow::Error) {
        self.set_state(group, trials, StackState::Failed, Some(in_a_line(error)));
        self.write();
    }

    /// Sets the state of a stack.
    fn set_state(&self, group: usize, trials: &[TrialName], state: StackState, fault: Option<String>) {
        let stacks = &mut self.record.borrow_mut().groups[group].stacks;
        if let Some(stack) = stacks.iter_mut().find(|stack| stack.trials == trials) {
            (stack.state, stack.fault) = (state, fault);
        }
    }

    /// Replaces a stack by those that it was split into. Nothing changes if it is the only one of them.
    pub fn replace_stack(&self, group: usize, trials: &[TrialName], by: &[StackRecord]) {
        let stacks = &mut self.record.borrow_mut().groups[group].stacks;
        let is_same = matches!(by, [] | [_]);
        if let Some(place) = stacks.iter().position(|stack| stack.trials == trials).filter(|_| !is_same) {
            let waiting = by.iter().map(|stack| StackRecord { state: StackState::Waiting, ..stack.clone() });
            stacks.splice(place..=place, waiting);
        }
    }

    /// Records the time that workers have trained so far, which is written when the next stack ends.
    pub fn set_training_seconds(&self, seconds: f64) {
        self.record.borrow_mut().training_seconds = Some(seconds);
    }

    /// Records that the run is finished.
    pub fn mark_finished(&self) {
        self.record.borrow_mut().finished = true;
        self.write();
    }

    /// Writes the record. Training continues if that fails.
    fn write(&self) {
        let mut record = self.record.borrow_mut();
        record.peak_memory = record.peak_memory.max(memory::peak_of_process());
        let gpu = device::gpu_with_name(&record.options.device).and_then(memory::peak_of_gpu);
        record.peak_gpu_memory = record.peak_gpu_memory.max(gpu);
        drop(record);
        let json = self.record.borrow().to_json();
        let json = json.expect("the record was serialized at the start and has the same types");
        self.folder.write(FILE, json.as_bytes());
    }

    /// Reads the histories of a finished stack. Returns the reason if a history cannot be read or its weights or tree
    /// are missing; the stack is trained again in this case.
    pub fn histories(&self, stack: &StackRecord) -> Result<Vec<History>, String> {
        let read = |trial: &TrialName| {
            let stem = trial.stem();
            let history = History::read(&self.folder.file(&format!("{stem}.json")))
                .with_context(|| format!("failed to read the history of trial `{stem}`"))?;
            ensure!(!history.status.is_unfinished(), "trial `{stem}` was interrupted");
            let ending = if history.tree.is_some() { "tree.json" } else { "safetensors" };
            let model = self.folder.file(&format!("{stem}.{ending}"));
            ensure!(model.is_file(), "`{}` is missing", model.display());
            let is_complete = history.tree.is_some() || has_all_weights(&model).unwrap_or(false);
            ensure!(is_complete, "`{}` is incomplete", model.display());
            Ok(history)
        };
        stack.trials.iter().map(read).collect::<anyhow::Result<_>>().map_err(|error| in_a_line(&error))
    }
}

/// Whether a file of weights is as long as its header says; a power failure may shorten files.
fn has_all_weights(path: &Path) -> anyhow::Result<bool> {
    let start = bounded_file::beginning(path, 8)?;
    let start = <[u8; 8]>::try_from(start).map_err(|_| anyhow!("it has no header"))?;
    let length = u64::from_le_bytes(start);
    let header = bounded_file::beginning(path, length.saturating_add(8).min(bounded_file::JSON))?;
    let metadata: Metadata = serde_json::from_slice(header.get(8..).unwrap_or_default())?;
    Ok(path.metadata()?.len() == 8 + length + metadata.data_len() as u64)
}
