//! The record of a run that goes on: brought up to date as its stacks end, and written each time.

use std::cell::RefCell;
use std::collections::BTreeSet;

use anyhow::{Context, ensure};

use crate::config::hint::in_a_line;
use crate::experiment::store::run_record::{FILE, RunRecord};
use crate::experiment::store::stack_record::{GroupRecord, StackRecord, StackState, TrialName};
use crate::history::{History, Status};
use crate::run_dir::RunDir;

/// The record of a run, and the folder that it is written to.
#[derive(Debug)]
pub struct RunState<'a> {
    folder: &'a RunDir,
    record: RefCell<RunRecord>,
}

impl<'a> RunState<'a> {
    /// Of a run in this folder.
    pub fn new(folder: &'a RunDir, record: RunRecord) -> Self {
        RunState { folder, record: RefCell::new(record) }
    }

    /// The stacks that were planned for a group; none before it has begun.
    pub fn stacks(&self, group: usize) -> Vec<StackRecord> {
        self.record.borrow().groups.get(group).map(|group| group.stacks.clone()).unwrap_or_default()
    }

    /// Whether nothing of a group is left to be trained.
    pub fn is_done(&self, group: usize) -> bool {
        let stacks = self.stacks(group);
        !stacks.is_empty() && stacks.iter().all(|stack| stack.state == StackState::Done)
    }

    /// Checks that the data of a group are those that it was begun with.
    ///
    /// # Errors
    /// When they have changed.
    pub fn check_data(&self, group: usize, name: &str, sha256: &str) -> anyhow::Result<()> {
        self.record.borrow().check_data(group, name, sha256)
    }

    /// Takes down that a group has begun, on these data.
    pub fn begin(&self, group: usize, data: &str) {
        let mut record = self.record.borrow_mut();
        // a group before it whose data could not be had has left nothing
        while record.groups.len() <= group {
            record.groups.push(GroupRecord { data: String::new(), stacks: Vec::new() });
        }
        data.clone_into(&mut record.groups[group].data);
    }

    /// Takes down the stacks of a group that wait, in the place of those that waited so far.
    pub fn plan(&self, group: usize, waiting: Vec<Vec<TrialName>>) {
        {
            let stacks = &mut self.record.borrow_mut().groups[group].stacks;
            stacks.retain(|stack| stack.state == StackState::Done || stack.fault.is_some());
            let planned: BTreeSet<String> = waiting.iter().flatten().map(TrialName::stem).collect();
            stacks.retain(|stack| !stack.trials.iter().any(|trial| planned.contains(&trial.stem())));
            let waiting = waiting.into_iter();
            stacks.extend(waiting.map(|trials| StackRecord { state: StackState::Waiting, fault: None, trials }));
        }
        self.write();
    }

    /// Takes down that a stack is done, where the run's folder has taken all that its trials leave: files with these
    /// endings. Where it has not, the stack waits to be trained again.
    pub fn end(&self, group: usize, trials: &[TrialName], endings: [&str; 2]) {
        let is_there = |trial: &TrialName| {
            endings.iter().all(|ending| self.folder.has_taken(&format!("{}.{ending}", trial.stem())))
        };
        let state = if trials.iter().all(is_there) { StackState::Done } else { StackState::Waiting };
        self.set(group, trials, state, None);
        self.write();
    }

    /// Takes down that a stack has come so far.
    pub fn set(&self, group: usize, trials: &[TrialName], state: StackState, fault: Option<String>) {
        let stacks = &mut self.record.borrow_mut().groups[group].stacks;
        if let Some(stack) = stacks.iter_mut().find(|stack| stack.trials == trials) {
            (stack.state, stack.fault) = (state, fault);
        }
    }

    /// Takes down that all of the run is done.
    pub fn finish(&self) {
        self.record.borrow_mut().finished = true;
        self.write();
    }

    /// Writes the record, as a trial's files are written: training goes on where that fails.
    pub fn write(&self) {
        let json = self.record.borrow().to_json();
        let json = json.expect("the record was laid out when the run began, and has the same types since");
        self.folder.write(FILE, json.as_bytes());
    }

    /// The histories of a stack that is done; `None`, and why, where one can no longer be read, or the network or tree is
    /// gone that it tells of: the stack is trained again then.
    pub fn histories(&self, stack: &StackRecord) -> Result<Vec<History>, String> {
        let read = |trial: &TrialName| {
            let stem = trial.stem();
            let history = History::read(&self.folder.file(&format!("{stem}.json")))
                .with_context(|| format!("failed to read what trial `{stem}` has left"))?;
            ensure!(history.status != Status::Interrupted, "trial `{stem}` has left no more than an interruption");
            let ending = if history.tree.is_some() { "tree.json" } else { "safetensors" };
            let model = self.folder.file(&format!("{stem}.{ending}"));
            ensure!(model.is_file(), "`{}` is gone", model.display());
            Ok(history)
        };
        stack.trials.iter().map(read).collect::<anyhow::Result<_>>().map_err(|error| in_a_line(&error))
    }
}
