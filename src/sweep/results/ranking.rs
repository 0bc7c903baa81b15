//! The configurations of a sweep, best first.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use crate::sweep::dir::ended::{EndedStack, EndedTrial};
use crate::sweep::record::{Configuration, StackPlan, SweepRecord};
use crate::sweep::results::configuration_result::{ConfigurationResult, Outcome};

/// The configurations of a sweep, best first: those whose trials are all done by the mean of the metric, then those that were
/// dropped at rungs, the latest rung first, the unfinished ones, those with diverged trials, and the failed ones.
#[derive(Debug)]
pub struct Ranking<'a> {
    /// The configurations in this order.
    pub results: Vec<ConfigurationResult<'a>>,
}

impl<'a> Ranking<'a> {
    /// Ranks the configurations by the metric in these ends of stacks.
    pub fn new(record: &'a SweepRecord, ended: &HashMap<String, EndedStack>, higher_is_better: bool) -> Ranking<'a> {
        // an extension by seeds trains a configuration in another stack
        let confirming = record.confirmation_stacks();
        let of_search = || record.stacks.iter().filter(|stack| !confirming.contains(stack.name.as_str()));
        let mut stacks_of: HashMap<&str, Vec<&StackPlan>> = HashMap::new();
        for stack in of_search() {
            for name in &stack.configurations {
                stacks_of.entry(name).or_default().push(stack);
            }
        }
        let mut trials_of: HashMap<&str, Vec<&EndedTrial>> = HashMap::new();
        let ends = of_search().filter_map(|stack| ended.get(&stack.name));
        for trial in ends.flat_map(|end| &end.trials) {
            trials_of.entry(&trial.configuration).or_default().push(trial);
        }
        // a mean must not depend on the order of the stacks
        trials_of.values_mut().for_each(|trials| trials.sort_by_key(|trial| (trial.fold, trial.seed)));
        let folds: HashSet<Option<usize>> = trials_of.values().flatten().map(|trial| trial.fold).collect();
        let result = |configuration: &'a Configuration| {
            let name = configuration.name.as_str();
            let stacks = stacks_of.get(name).map_or(&[][..], Vec::as_slice);
            let ends: Vec<(&StackPlan, &EndedStack)> =
                stacks.iter().filter_map(|stack| Some((*stack, ended.get(&stack.name)?))).collect();
            let trials = trials_of.get(name).map_or(&[][..], Vec::as_slice);
            // a stack that failed after the last trial of a configuration has its result
            let lacks_trials = |(stack, end): &&(&StackPlan, &EndedStack)| {
                let found = end.trials.iter().filter(|trial| trial.configuration == *name).count();
                found < record.seeds_of(stack).len().max(1) * folds.len().max(1)
            };
            let failed = ends.iter().filter(|(_, end)| end.failure.is_some()).find(lacks_trials);
            let failure = failed.and_then(|(_, end)| end.failure.as_ref());
            let is_ended = !ends.is_empty() && ends.len() == stacks.len();
            ConfigurationResult::new(configuration, trials, is_ended, failure)
        };
        let mut results: Vec<ConfigurationResult> = record.configurations.iter().map(result).collect();
        let sign = if higher_is_better { -1.0 } else { 1.0 };
        let key = |result: &ConfigurationResult| {
            let (place, epochs) = match result.outcome {
                Outcome::Done => (0, 0),
                Outcome::Dropped(epoch) => (1, epoch),
                Outcome::Unfinished => (2, 0),
                Outcome::Diverged(_) => (3, 0),
                Outcome::Failed(_) => (4, 0),
            };
            ((place, Reverse(epochs)), result.mean().map_or(f64::INFINITY, |mean| sign * mean))
        };
        // equal configurations stay in their order
        results.sort_by(|a, b| {
            let (a, b) = (key(a), key(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        Ranking { results }
    }

    /// The best configuration; `None` if no configuration has all of its trials.
    pub fn best(&self) -> Option<&ConfigurationResult<'a>> {
        self.results.first().filter(|result| result.outcome == Outcome::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Status;
    use crate::history::number::Number;
    use crate::sweep::dir::ended::Failure;
    use crate::sweep::record::record_for_tests;

    fn trial(configuration: &str, seed: i64, status: Status, value: f64) -> EndedTrial {
        let value = Some(Number(value));
        EndedTrial { configuration: configuration.to_owned(), seed, fold: None, status, epochs: 5, value }
    }

    #[test]
    fn diverged_and_failed_configurations_are_last_and_never_dropped() {
        let mut record = record_for_tests(&["0000", "0001", "0002", "0003", "0004"], &[0, 1]);
        let stack = |name: &str, configurations: &[&str]| StackPlan {
            name: name.to_owned(),
            configurations: configurations.iter().map(|name| (*name).to_owned()).collect(),
            seeds: None,
        };
        record.stacks =
            vec![stack("S000", &["0000", "0001", "0002"]), stack("S001", &["0003"]), stack("S002", &["0004"])];
        let end = |name: &str| EndedStack::new(name, 1, "w", String::new());
        let mut first = end("S000");
        first.trials = vec![
            trial("0000", 0, Status::Completed, 0.5),
            trial("0000", 1, Status::Completed, 0.7),
            trial("0001", 0, Status::Completed, 0.01),
            trial("0001", 1, Status::Diverged, 0.01),
            trial("0002", 0, Status::EarlyStopped, 0.3),
            trial("0002", 1, Status::Completed, 0.5),
        ];
        let failure = Failure { error: "no memory".to_owned(), cause: "no memory".to_owned(), hint: None };
        let second = EndedStack { failure: Some(failure), ..end("S001") };
        let ended = [first, second].map(|end| (end.stack.clone(), end)).into();
        let order = |higher| -> Vec<&str> {
            let results = Ranking::new(&record, &ended, higher).results;
            results.iter().map(|result| result.configuration.name.as_str()).collect()
        };
        assert_eq!(order(false), ["0002", "0000", "0004", "0001", "0003"]);
        assert_eq!(order(true), ["0000", "0002", "0004", "0001", "0003"]);
        let ranking = Ranking::new(&record, &ended, false);
        let best = ranking.best().unwrap();
        assert_eq!((best.mean(), best.done, best.epochs), (Some(0.4), 2, 10));
        assert_eq!(ranking.results[3].outcome, Outcome::Diverged(1));
        assert!(matches!(&ranking.results[4].outcome, Outcome::Failed(failure) if failure.error == "no memory"));
    }

    #[test]
    fn a_configuration_has_a_result_when_all_of_its_folds_have_one() {
        let mut record = record_for_tests(&["0000", "0001"], &[0, 1]);
        let stack = |name: &str, configuration: &str| StackPlan {
            name: name.to_owned(),
            configurations: vec![configuration.to_owned()],
            seeds: None,
        };
        record.stacks = vec![stack("S000", "0000"), stack("S001", "0001")];
        let trials = |configuration: &str, values: [f64; 6]| -> Vec<EndedTrial> {
            let place = |(number, value): (usize, f64)| EndedTrial {
                fold: Some(number % 3),
                ..trial(configuration, (number / 3) as i64, Status::Completed, value)
            };
            values.into_iter().enumerate().map(place).collect()
        };
        let end = |name: &str, trials: Vec<EndedTrial>| {
            (name.to_owned(), EndedStack { trials, ..EndedStack::new(name, 1, "w", String::new()) })
        };
        let first = end("S000", trials("0000", [0.3, 0.4, 0.5, 0.3, 0.4, 0.5]));
        let second = trials("0001", [0.1, 0.2, 0.3, 0.1, 0.2, 0.3]);
        let both = [first.clone(), end("S001", second.clone())].into();
        let ranking = Ranking::new(&record, &both, false);
        let best = ranking.best().unwrap();
        assert_eq!((best.configuration.name.as_str(), best.done), ("0001", 6));
        assert!((best.mean().unwrap() - 0.2).abs() < 1e-12);

        // a failed stack whose last fold is missing
        let failure = Failure { error: "no memory".to_owned(), cause: "no memory".to_owned(), hint: None };
        let (name, mut failed) = end("S001", second[..5].to_vec());
        failed.failure = Some(failure);
        let ended = [first, (name, failed)].into();
        let ranking = Ranking::new(&record, &ended, false);
        assert_eq!(ranking.best().unwrap().configuration.name, "0000");
        assert!(matches!(ranking.results[1].outcome, Outcome::Failed(_)));
        assert_eq!(ranking.results[1].done, 5);
    }

    #[test]
    fn a_stack_that_failed_with_all_of_its_trials_does_not_fail_those_of_further_seeds() {
        let mut record = record_for_tests(&["0000"], &[0]);
        let stack = |name: &str, seed| StackPlan {
            name: name.to_owned(),
            configurations: vec!["0000".to_owned()],
            seeds: Some(vec![seed]),
        };
        record.stacks = vec![stack("S000", 0)];
        let failure = Failure { error: "no room".to_owned(), cause: "no room".to_owned(), hint: None };
        let end = |name: &str, seed| EndedStack {
            trials: vec![trial("0000", seed, Status::Completed, 0.5)],
            ..EndedStack::new(name, 1, "w", String::new())
        };
        let first = EndedStack { failure: Some(failure.clone()), ..end("S000", 0) };
        let mut ended = HashMap::from([("S000".to_owned(), first)]);
        let outcome = |record: &SweepRecord, ended: &HashMap<String, EndedStack>| {
            Ranking::new(record, ended, false).results[0].outcome.clone()
        };
        assert_eq!(outcome(&record, &ended), Outcome::Done);
        record.seeds.push(1);
        record.stacks.push(stack("S001", 1));
        assert_eq!(outcome(&record, &ended), Outcome::Unfinished);
        ended.insert("S001".to_owned(), end("S001", 1));
        assert_eq!(outcome(&record, &ended), Outcome::Done);
        let without = EndedStack { trials: Vec::new(), failure: Some(failure.clone()), ..end("S001", 1) };
        ended.insert("S001".to_owned(), without);
        assert_eq!(outcome(&record, &ended), Outcome::Failed(failure));
    }
}
