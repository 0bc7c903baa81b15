//! How much of the differences between configurations each setting explains.

use serde_json::Value;

use crate::sweep::importance::{Domain as Axis, importance};
use crate::sweep::record::SweepRecord;
use crate::sweep::results::configuration_result::Outcome;
use crate::sweep::results::ranking::Ranking;
use crate::sweep::results::setting_column::{range, range_is_log, spans_decades};
use crate::sweep::space::domain::Domain;
use crate::sweep::space::entry::Values;

/// Minimum number of configurations: with fewer, the importances are mostly chance.
const FEWEST: usize = 10;

/// Returns the importance of each setting by its key, the largest first; they sum to 1. Only configurations with all of their
/// trials count, and only settings that all of them have with at least two values and that do not follow from another one: no
/// copies, and of settings in `[[sweep.zip]]` the first. `None` if there are fewer than ten configurations, or if the metric is
/// the same everywhere.
pub fn of_settings<'a>(record: &'a SweepRecord, ranking: &Ranking) -> Option<Vec<(&'a str, f64)>> {
    let done = ranking.results.iter().filter(|result| result.outcome == Outcome::Done);
    let mut done: Vec<_> = done.filter_map(|result| Some((result.configuration, result.mean()?))).collect();
    if done.len() < FEWEST {
        return None;
    }
    done.sort_by(|a, b| a.0.name.cmp(&b.0.name)); // the order in which they were chosen, not the ranking
    let columns: Vec<(&str, Axis, Vec<f64>)> = record
        .settings
        .iter()
        .filter(|key| is_free(record, key))
        .filter_map(|key| {
            let values: Option<Vec<&Value>> =
                done.iter().map(|(configuration, _)| configuration.set.get(key)).collect();
            let (domain, column) = column(&values?, range_is_log(record, key));
            let varies = column.iter().any(|value| *value != column[0]);
            varies.then_some((key.as_str(), domain, column))
        })
        .collect();
    let domains: Vec<Axis> = columns.iter().map(|(_, domain, _)| domain.clone()).collect();
    let rows: Vec<Vec<f64>> =
        (0..done.len()).map(|row| columns.iter().map(|(.., column)| column[row]).collect()).collect();
    let targets: Vec<f64> = done.iter().map(|(_, mean)| *mean).collect();
    let shares = importance(&domains, &rows, &targets, 0)?;
    let mut shares: Vec<(&str, f64)> = columns.iter().map(|(key, ..)| *key).zip(shares).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    Some(shares)
}

/// Whether the value of a setting does not follow from that of another one.
fn is_free(record: &SweepRecord, key: &str) -> bool {
    record.search.space.iter().all(|entry| match &entry.values {
        Values::One(Domain::Copy(_)) => entry.keys[0] != key,
        Values::One(_) => true,
        Values::Rows(_) => !entry.keys[1..].iter().any(|other| other == key),
    })
}

/// Returns the values of a setting as numbers: numbers, their logarithms if they span decades, or the index of each choice.
fn column(values: &[&Value], is_log: Option<bool>) -> (Axis, Vec<f64>) {
    let numbers: Option<Vec<f64>> = values.iter().map(|value| value.as_f64()).collect();
    let Some(numbers) = numbers else {
        let mut choices: Vec<&Value> = Vec::new();
        let indices = values.iter().map(|value| {
            choices.iter().position(|choice| choice == value).unwrap_or_else(|| {
                choices.push(value);
                choices.len() - 1
            }) as f64
        });
        let indices = indices.collect();
        return (Axis::Choices(choices.len()), indices);
    };
    let is_log = is_log.unwrap_or_else(|| spans_decades(&numbers)) && numbers.iter().all(|number| *number > 0.0);
    let numbers = match is_log {
        true => numbers.into_iter().map(f64::ln).collect(),
        false => numbers,
    };
    let (low, high) = range(&numbers);
    (Axis::Range(low, high), numbers)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;
    use crate::history::Status;
    use crate::history::number::Number;
    use crate::sweep::dir::ended::{EndedStack, EndedTrial};
    use crate::sweep::record::{StackPlan, record_for_tests};

    #[test]
    fn the_setting_that_decides_is_first_and_settings_of_some_configurations_are_left_out() {
        let names: Vec<String> = (0..40).map(|number| format!("{number:04}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut record = record_for_tests(&names, &[0]);
        record.settings = ["lr", "optimizer", "momentum", "batch"].map(str::to_owned).to_vec();
        record.stacks = vec![StackPlan {
            name: "S000".to_owned(),
            configurations: names.iter().map(|n| (*n).to_owned()).collect(),
            seeds: None,
        }];
        let mut end = EndedStack::new("S000", 1, "w", String::new());
        for (number, configuration) in record.configurations.iter_mut().enumerate() {
            let lr = 10_f64.powf(-4.0 + 3.0 * (number as f64) / 39.0);
            let optimizer = ["adam", "sgd"][number * 7 % 2];
            configuration.set = IndexMap::from([
                ("lr".to_owned(), json!(lr)),
                ("optimizer".to_owned(), json!(optimizer)),
                ("batch".to_owned(), json!(32)),
            ]);
            if optimizer == "sgd" {
                configuration.set.insert("momentum".to_owned(), json!(0.9));
            }
            let value = (lr.log10() + 2.5).powi(2) + if optimizer == "sgd" { 0.1 } else { 0.0 };
            end.trials.push(EndedTrial {
                configuration: configuration.name.clone(),
                seed: 0,
                fold: None,
                status: Status::Completed,
                epochs: 1,
                value: Some(Number(value)),
            });
        }
        let ended = HashMap::from([("S000".to_owned(), end)]);
        let found = of_settings(&record, &Ranking::new(&record, &ended, false)).unwrap();
        let keys: Vec<&str> = found.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["lr", "optimizer"]);
        assert!(found[0].1 > 0.9, "{found:?}");
        assert!((found[0].1 + found[1].1 - 1.0).abs() < 1e-9);
        assert_eq!(of_settings(&record, &Ranking::new(&record, &HashMap::new(), false)), None);
    }

    #[test]
    fn settings_that_follow_from_others_are_not_free() {
        let mut record = record_for_tests(&["0000"], &[0]);
        record.search.space = serde_json::from_value(json!([
            { "keys": ["a"], "values": { "one": [1, 2] } },
            { "keys": ["b"], "values": { "one": "= a * 2" } },
            { "keys": ["c", "d"], "values": { "rows": [[1, 2], [3, 4]] } },
        ]))
        .unwrap();
        let free: Vec<&str> = ["a", "b", "c", "d", "e"].into_iter().filter(|key| is_free(&record, key)).collect();
        assert_eq!(free, ["a", "c", "e"]);
    }
}
