//! Numbers of trials of a sweep that are done, in training and failed.

use std::collections::HashSet;

use crate::history::number::count;
use crate::sweep::dir::state::SweepState;
use crate::sweep::record::SweepRecord;

/// Numbers of trials of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All trials.
    pub all: usize,
    /// Trials that are done, diverged ones included.
    pub done: usize,
    /// Trials of the stacks that workers have.
    pub running: usize,
    /// Trials of failed stacks.
    pub failed: usize,
}

impl Counts {
    /// Counts the trials of a sweep. Folds are counted as they are in the stacks that have ended.
    pub fn new(record: &SweepRecord, state: &SweepState) -> Counts {
        Counts::of(record, state, None)
    }

    /// Counts the trials of these stacks, or of all.
    pub fn of(record: &SweepRecord, state: &SweepState, stacks: Option<&HashSet<String>>) -> Counts {
        let folds = state.ended.values().flat_map(|end| &end.trials).filter_map(|trial| Some(trial.fold? + 1)).max();
        let held = state.running.iter().filter(|running| running.is_held());
        let held: HashSet<&str> = held.map(|running| running.stack.as_str()).collect();
        let mut counts = Counts::default();
        for stack in record.stacks.iter().filter(|stack| stacks.is_none_or(|own| own.contains(&stack.name))) {
            let trials = stack.configurations.len() * record.seeds_of(stack).len() * folds.unwrap_or(1);
            counts.all += trials;
            match state.ended.get(&stack.name) {
                // files of its trials may be missing
                Some(end) if end.failure.is_some() => counts.failed += trials,
                Some(end) => counts.done += end.trials.len(),
                None if held.contains(stack.name.as_str()) => counts.running += trials,
                None => {}
            }
        }
        counts.all += record.unchosen() * record.seeds.len() * folds.unwrap_or(1);
        counts
    }

    /// Returns the numbers as text.
    pub fn to_text(self) -> String {
        let Counts { all, done, running, failed } = self;
        let part = |number: usize, what: &str| (number > 0).then(|| format!("{} {what}", count(number)));
        let parts = [
            Some(format!("{} of {} done", count(done), count(all))),
            part(running, "in training"),
            part(failed, "failed"),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}
