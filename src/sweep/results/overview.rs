//! The results of a sweep for one metric, as reports and plots show them.

use std::collections::HashSet;

use crate::sweep::labels::Labels;
use crate::sweep::record::SweepRecord;
use crate::sweep::results::best_so_far::{Step, best_so_far};
use crate::sweep::results::configuration_result::{ConfigurationResult, Outcome};
use crate::sweep::results::expected_best::expected_best;
use crate::sweep::results::ranking::Ranking;
use crate::sweep::results::setting_column::SettingColumn;
use crate::sweep::results::setting_importance;
use crate::sweep::rounds::Rounds;

/// The results of a sweep for one metric.
#[derive(Debug)]
pub struct Overview<'a> {
    /// The record of the sweep.
    pub record: &'a SweepRecord,
    /// The configurations, best first.
    pub ranking: Ranking<'a>,
    /// Path of the metric that ranks them.
    pub metric: String,
    /// Whether a higher value is better.
    pub higher_is_better: bool,
    /// Short labels of the settings.
    pub labels: Labels,
    /// The settings that differ, with their values in the order of the ranking.
    pub columns: Vec<SettingColumn>,
    /// Importance of the settings by key, the largest first; `None` if there are too few configurations.
    pub importance: Option<Vec<(&'a str, f64)>>,
    /// The best configuration so far.
    pub course: Vec<Step>,
    /// Expected best of n configurations that are chosen without results.
    pub expected_best: Vec<(usize, f64)>,
}

impl<'a> Overview<'a> {
    /// Returns the results for a ranking by this metric.
    pub fn new(record: &'a SweepRecord, ranking: Ranking<'a>, metric: &str, higher_is_better: bool) -> Overview<'a> {
        let labels = Labels::new(&record.settings);
        Overview {
            columns: SettingColumn::of_ranking(record, &labels, &ranking),
            importance: setting_importance::of_settings(record, &ranking),
            course: best_so_far(&ranking, higher_is_better),
            expected_best: expected_best(&ended_values(record, &ranking, higher_is_better), higher_is_better),
            record,
            ranking,
            metric: metric.to_owned(),
            higher_is_better,
            labels,
        }
    }

    /// Mean of the metric of each configuration that has all of its trials, with its place in the ranking.
    pub fn means(&self) -> impl Iterator<Item = (usize, f64)> {
        let done = self.ranking.results.iter().enumerate().filter(|(_, result)| result.outcome == Outcome::Done);
        done.filter_map(|(place, result)| Some((place, result.mean()?)))
    }

    /// Places of the configurations that halving dropped.
    pub fn dropped(&self) -> impl Iterator<Item = usize> {
        let results = self.ranking.results.iter().enumerate();
        results.filter(|(_, result)| matches!(result.outcome, Outcome::Dropped(_))).map(|(place, _)| place)
    }

    /// Places of the configurations that diverged or failed.
    pub fn failed(&self) -> impl Iterator<Item = usize> {
        let results = self.ranking.results.iter().enumerate();
        results.filter(|(_, result)| is_worst(result)).map(|(place, _)| place)
    }
}

/// Returns the values of all configurations that were trained to the end. Those that diverged or failed have the worst value of
/// the others. Dropped configurations, whose final value is unknown, are left out, and so are those that were chosen from results:
/// they are not independent.
fn ended_values(record: &SweepRecord, ranking: &Ranking, higher_is_better: bool) -> Vec<f64> {
    let first = record.search.rounds.map_or(usize::MAX, Rounds::startup);
    let independent: HashSet<&str> =
        record.configurations.iter().take(first).map(|configuration| configuration.name.as_str()).collect();
    let results = || {
        let is_independent = |result: &&ConfigurationResult| independent.contains(result.configuration.name.as_str());
        ranking.results.iter().filter(is_independent)
    };
    let done = results().filter(|result| result.outcome == Outcome::Done);
    let mut values: Vec<f64> = done.filter_map(ConfigurationResult::mean).collect();
    let worst = if higher_is_better { f64::min } else { f64::max };
    if let Some(worst) = values.iter().copied().reduce(worst) {
        values.extend(results().filter(|result| is_worst(result)).map(|_| worst));
    }
    values
}

fn is_worst(result: &ConfigurationResult) -> bool {
    matches!(result.outcome, Outcome::Diverged(_) | Outcome::Failed(_))
}

#[cfg(test)]
pub(crate) mod fixtures {
    use std::collections::HashMap;

    use indexmap::IndexMap;
    use serde_json::{Value, json};

    use crate::history::Status;
    use crate::history::number::Number;
    use crate::sweep::dir::ended::{EndedStack, EndedTrial};
    use crate::sweep::record::{StackPlan, SweepRecord, record_for_tests};

    /// Returns a sweep over the learning rate, the optimizer and the momentum of SGD, and the ends of its stack. Two seeds
    /// each; the configurations with the largest learning rates diverged.
    pub(crate) fn sweep(count: usize) -> (SweepRecord, HashMap<String, EndedStack>) {
        let names: Vec<String> = (0..count).map(|number| format!("{number:04}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut record = record_for_tests(&names, &[0, 1]);
        record.settings =
            ["train.optimizer", "train.optimizer.adam.lr", "train.optimizer.sgd.lr", "train.optimizer.sgd.momentum"]
                .map(str::to_owned)
                .to_vec();
        let configurations = names.iter().map(|name| (*name).to_owned()).collect();
        record.stacks = vec![StackPlan { name: "S000".to_owned(), configurations, seeds: None }];
        let mut end = EndedStack::new("S000", 1, "w", String::new());
        for (number, configuration) in record.configurations.iter_mut().enumerate() {
            let lr = 10_f64.powf(-4.0 + 4.0 * ((number * 7 % count) as f64) / (count - 1).max(1) as f64);
            let is_sgd = number % 3 == 2;
            let optimizer = if is_sgd { "sgd" } else { "adam" };
            let mut set = IndexMap::from([("train.optimizer".to_owned(), json!(optimizer))]);
            set.insert(format!("train.optimizer.{optimizer}.lr"), json!((lr * 1e6).round() / 1e6));
            set.extend(is_sgd.then(|| ("train.optimizer.sgd.momentum".to_owned(), json!(0.9))));
            configuration.set = set.into_iter().collect::<IndexMap<String, Value>>();
            for seed in [0, 1] {
                let value = (lr.log10() + 2.0).powi(2) + 0.1 * seed as f64 + if is_sgd { 0.2 } else { 0.0 };
                let status = if lr > 0.5 { Status::Diverged } else { Status::Completed };
                let (configuration, value) = (configuration.name.clone(), Some(Number(value)));
                end.trials.push(EndedTrial { configuration, seed, fold: None, status, epochs: 10, value });
            }
        }
        (record, HashMap::from([("S000".to_owned(), end)]))
    }

    /// Returns the same sweep with halving: two of three configurations were dropped after epoch 3.
    pub(crate) fn halved_sweep(count: usize) -> (SweepRecord, HashMap<String, EndedStack>) {
        let (record, mut ended) = sweep(count);
        for trial in ended.values_mut().flat_map(|end| &mut end.trials) {
            let number: usize = trial.configuration.parse().expect("the names are numbers");
            if trial.status == Status::Completed && !number.is_multiple_of(3) {
                (trial.status, trial.epochs) = (Status::Dropped, 3);
            }
        }
        (record, ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pictures_are_of_the_same_configurations() {
        let (record, ended) = fixtures::sweep(12);
        let overview = Overview::new(&record, Ranking::new(&record, &ended, false), "best.val_loss", false);
        let labels: Vec<&str> = overview.columns.iter().map(|column| column.label.as_str()).collect();
        assert_eq!(labels, ["optimizer", "lr", "momentum"]);
        assert_eq!((overview.means().count(), overview.failed().count()), (11, 1));
        let best = overview.means().next().unwrap().1;
        let last = overview.course.last().unwrap();
        assert_eq!((overview.course.len(), last.epochs, last.best), (12, 240, Some(best)));
        assert!(overview.course.windows(2).all(|pair| pair[1].best.unwrap() <= pair[0].best.unwrap()));
        assert_eq!(overview.expected_best.len(), 12, "a diverged configuration counts");
        assert_eq!(overview.expected_best[11], (12, best));
        let worst = overview.means().map(|(_, mean)| mean).fold(0.0, f64::max);
        let mean = (overview.means().map(|(_, mean)| mean).sum::<f64>() + worst) / 12.0;
        assert!((overview.expected_best[0].1 - mean).abs() < 1e-12);
    }

    #[test]
    fn a_dropped_configuration_is_neither_failed_nor_in_the_expected_best() {
        let (record, ended) = fixtures::halved_sweep(12);
        let overview = Overview::new(&record, Ranking::new(&record, &ended, false), "best.val_loss", false);
        assert_eq!((overview.means().count(), overview.dropped().count(), overview.failed().count()), (4, 7, 1));
        let values: Vec<f64> = overview.means().map(|(_, mean)| mean).collect();
        let worst = values.iter().copied().fold(0.0, f64::max);
        let mean = (values.iter().sum::<f64>() + worst) / 5.0;
        assert_eq!(overview.expected_best.len(), 5);
        assert!((overview.expected_best[0].1 - mean).abs() < 1e-12);
        assert_eq!(overview.course.len(), 12);
    }
}
