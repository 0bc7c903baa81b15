//! Numbers of trials of a sweep that are done, in training and failed.

use std::collections::{HashMap, HashSet};

use crate::history::number::count;
use crate::run_dir::live_tail::LiveTail;
use crate::sweep::dir::SweepDir;
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

/// Trials of stacks in training that have left them already: dropped at a rung, stopped early or diverged.
#[derive(Debug, Default)]
pub struct DecidedTrials {
    tails: HashMap<String, LiveTail>,
}

impl DecidedTrials {
    /// Returns their number. Reads what the runs of the stacks have added to their live metrics since the last call.
    pub fn update(&mut self, dir: &SweepDir, state: &SweepState) -> usize {
        self.tails.retain(|stack, _| state.running.iter().any(|running| running.stack == *stack));
        let held = state.running.iter().filter(|running| running.is_held());
        let decided = held.map(|running| {
            let name = &running.stack;
            let tail = self.tails.entry(name.clone()).or_insert_with(|| LiveTail::new(&dir.stack(name)));
            let _ = tail.update(); // a file that cannot be read now is read later
            let (epoch, _) = tail.progress().unwrap_or_default();
            tail.in_training().filter(|trial| trial.curves.epoch.last().is_none_or(|last| *last < epoch)).count()
        });
        decided.sum()
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::dir::beat::Beat;
    use crate::sweep::dir::state::RunningStack;
    use crate::sweep::dir::sweep_dir::empty_for_tests;

    #[test]
    fn trials_that_have_left_a_stack_in_training_are_decided() {
        let (_folder, dir) = empty_for_tests();
        let running = |stack: &str, beat: Beat| RunningStack {
            stack: stack.to_owned(),
            generation: 1,
            claim: None,
            beat,
            progress: None,
        };
        let state = SweepState {
            running: vec![running("S000", Beat::Count(1)), running("S001", Beat::Released)],
            ..SweepState::default()
        };
        let write = |stack: &str, epochs: &str| {
            std::fs::create_dir_all(dir.stack(stack)).unwrap();
            let start = r#"{"trials":["0000-seed0","0001-seed0","0002-seed0"],"epochs":9}"#;
            std::fs::write(dir.stack(stack).join("live.jsonl"), format!("{start}\n{epochs}")).unwrap();
        };
        let epoch = |number: usize, losses: &str| {
            format!("{{\"epoch\":{number},\"seconds\":0.1,\"metrics\":{{\"loss\":[{losses}]}}}}\n")
        };
        let mut decided = DecidedTrials::default();
        assert_eq!(decided.update(&dir, &state), 0, "no live metrics yet");
        write("S000", &epoch(1, "0.5,0.6,0.7"));
        write("S001", &(epoch(1, "0.5,0.6,0.7") + &epoch(2, "0.5,null,null")));
        assert_eq!(decided.update(&dir, &state), 0);
        // lines may be missing after a worker was killed
        write("S000", &(epoch(1, "0.5,0.6,0.7") + &epoch(4, "0.4,0.3,null") + &epoch(5, "0.4,null,null")));
        assert_eq!(decided.update(&dir, &state), 2, "no worker has the second stack");
    }
}
