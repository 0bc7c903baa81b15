//! What a user should know about the results of a sweep: a best value at the end of its range, and where trials diverged.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::history::number::count;
use crate::sweep::labels::{Labels, format_value};
use crate::sweep::record::SweepRecord;
use crate::sweep::results::configuration_result::{ConfigurationResult, Outcome};
use crate::sweep::results::ranking::Ranking;
use crate::sweep::results::setting_column::range;
use crate::sweep::space::domain::Domain;
use crate::sweep::space::entry::Values;

/// Minimum number of configurations: with fewer, each value is near an end.
const FEWEST: usize = 5;

/// Part of a range at each end that is near the end.
const NEAR: f64 = 0.05;

/// Minimum number of numbers in a list whose first and last are ends.
const FEWEST_CHOICES: usize = 4;

/// Returns notes on the results in this order.
pub fn notes(record: &SweepRecord, ranking: &Ranking) -> Vec<String> {
    let mut notes: Vec<String> = dropped(ranking).into_iter().collect();
    notes.extend(edges(record, ranking));
    notes.extend(divergence(record, ranking));
    notes
}

/// Returns how many configurations were dropped, and after which epochs.
fn dropped(ranking: &Ranking) -> Option<String> {
    let mut after: BTreeMap<usize, usize> = BTreeMap::new();
    for result in &ranking.results {
        if let Outcome::Dropped(epoch) = result.outcome {
            *after.entry(epoch).or_default() += 1;
        }
    }
    let (dropped, all): (usize, usize) = (after.values().sum(), ranking.results.len());
    let epochs: usize = ranking.results.iter().map(|result| result.epochs).sum();
    let parts: Vec<String> = after.iter().map(|(epoch, number)| format!("{number} after epoch {epoch}")).collect();
    let were = if dropped == 1 { "was" } else { "were" };
    (dropped > 0).then(|| {
        format!(
            "{dropped} of {all} configurations {were} dropped ({}); all trials together trained {} epochs",
            parts.join(", "),
            count(epochs)
        )
    })
}

/// Returns a note for each setting whose best value is at an end of its range.
fn edges(record: &SweepRecord, ranking: &Ranking) -> Vec<String> {
    let is_ended = |result: &&ConfigurationResult| matches!(result.outcome, Outcome::Done | Outcome::Dropped(_));
    let done = ranking.results.iter().filter(is_ended).count();
    let Some(best) = ranking.best().filter(|_| done >= FEWEST) else { return Vec::new() };
    let labels = Labels::new(&record.settings);
    let note = |(key, domain): (&String, &Domain)| {
        let value = best.configuration.set.get(key)?;
        let (end, range) = end_of(domain, value.as_f64()?)?;
        let (label, value) = (labels.label(key), format_value(value));
        Some(format!("the best {label}, {value}, is at the {end} end of its range {range}: extend it"))
    };
    let entries = record.search.space.iter().filter(|entry| entry.is_met(&best.configuration.set));
    let domains = entries.filter_map(|entry| match &entry.values {
        Values::One(domain) => Some((&entry.keys[0], domain)),
        Values::Rows(_) => None,
    });
    domains.filter_map(note).collect()
}

/// Returns the end of a range that a value is at, and the range as text. There is nothing below 0 to extend a range to that
/// begins there.
fn end_of(domain: &Domain, value: f64) -> Option<(&'static str, String)> {
    if let Domain::Choices(choices) = domain {
        let numbers = choices.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>()?;
        let (low, high) = range(&numbers);
        let is_end = numbers.len() >= FEWEST_CHOICES && (value == low || value == high);
        return match is_end {
            true if value == high => Some(("upper", shown_range(low, high))),
            true if low != 0.0 => Some(("lower", shown_range(low, high))),
            _ => None,
        };
    }
    let (low, high, log) = domain.range()?;
    let scale = |number: f64| if log { number.ln() } else { number };
    let position = (scale(value) - scale(low)) / (scale(high) - scale(low));
    match position {
        near if near >= 1.0 - NEAR => Some(("upper", shown_range(low, high))),
        near if near <= NEAR && low != 0.0 => Some(("lower", shown_range(low, high))),
        _ => None,
    }
}

fn shown_range(low: f64, high: f64) -> String {
    let text = |number: f64| if number.fract() == 0.0 { format!("{number}") } else { format_value(&number.into()) };
    format!("{} to {}", text(low), text(high))
}

/// Trials of a configuration, and how many of them diverged.
struct Trials<'a> {
    result: &'a ConfigurationResult<'a>,
    all: usize,
    diverged: usize,
}

/// Returns how many trials diverged, and the part of the space that all of them are in, if it is small.
fn divergence(record: &SweepRecord, ranking: &Ranking) -> Option<String> {
    let trials: Vec<Trials> = ranking.results.iter().filter_map(trials_of).collect();
    let (all, diverged): (usize, usize) =
        trials.iter().fold((0, 0), |(all, diverged), one| (all + one.all, diverged + one.diverged));
    if diverged == 0 {
        return None;
    }
    let labels = Labels::new(&record.settings);
    // of all parts that have all diverged trials, the one with the fewest trials
    let parts = record.settings.iter().flat_map(|key| parts(key, labels.label(key), &trials));
    let smallest = parts.min_by_key(|(_, inside)| *inside);
    // a part that is nearly everything says nothing
    let place = match smallest {
        Some((place, inside)) if 2 * inside <= all => format!(", all with {place}"),
        _ => String::new(),
    };
    let s = if all == 1 { "trial" } else { "trials" };
    Some(format!("{diverged} of {all} {s} diverged{place}"))
}

/// Returns the trials of a configuration; `None` if not all of them are done.
fn trials_of<'a>(result: &'a ConfigurationResult<'a>) -> Option<Trials<'a>> {
    let all = result.done;
    match result.outcome {
        Outcome::Done | Outcome::Dropped(_) => Some(Trials { result, all, diverged: 0 }),
        Outcome::Diverged(diverged) => Some(Trials { result, all, diverged }),
        Outcome::Unfinished | Outcome::Failed(_) => None,
    }
}

/// Returns the parts of the space by one setting that all diverged trials are in: from the lowest of their values on, up to
/// the highest one, or a choice. Each one with its number of trials.
fn parts(key: &str, label: &str, trials: &[Trials]) -> Vec<(String, usize)> {
    let value = |one: &Trials| one.result.configuration.set.get(key).cloned();
    let diverged: Option<Vec<Value>> = trials.iter().filter(|one| one.diverged > 0).map(value).collect();
    let Some(diverged) = diverged else { return Vec::new() };
    let inside = |is_inside: &dyn Fn(&Value) -> bool| {
        trials.iter().filter(|one| value(one).is_some_and(|value| is_inside(&value))).map(|one| one.all).sum()
    };
    let numbers: Option<Vec<f64>> = diverged.iter().map(Value::as_f64).collect();
    match (numbers, &diverged[..]) {
        (Some(numbers), _) => {
            let (low, high) = range(&numbers);
            let shown = |number: f64| {
                let found = diverged.iter().find(|value| value.as_f64() == Some(number));
                found.map(format_value).unwrap_or_default()
            };
            vec![
                (
                    format!("{label} ≥ {}", shown(low)),
                    inside(&|value| value.as_f64().is_some_and(|value| value >= low)),
                ),
                (
                    format!("{label} ≤ {}", shown(high)),
                    inside(&|value| value.as_f64().is_some_and(|value| value <= high)),
                ),
            ]
        }
        (None, [first, rest @ ..]) if rest.iter().all(|other| other == first) => {
            vec![(format!("{label}={}", format_value(first)), inside(&|value| value == first))]
        }
        (None, _) => Vec::new(),
    }
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
    use crate::sweep::space::entry::Entry;
    use crate::sweep::space::origin::Origin;

    /// Notes on a sweep over `lr` and `optimizer`; each configuration has two trials with this loss, `None` if they diverged.
    fn noted(domain: Value, rows: &[(f64, &str, Option<f64>)]) -> Vec<String> {
        let names: Vec<String> = (0..rows.len()).map(|number| format!("{number:04}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut record = record_for_tests(&names, &[0, 1]);
        record.settings = vec!["train.optimizer.adam.lr".to_owned(), "train.optimizer".to_owned()];
        let values = Values::One(Domain::from_value(domain).unwrap());
        record.search.space = vec![Entry {
            keys: vec!["train.optimizer.adam.lr".to_owned()],
            values,
            conditions: Vec::new(),
            origin: Origin::Record,
        }];
        let configurations = names.iter().map(|name| (*name).to_owned()).collect();
        record.stacks = vec![StackPlan { name: "S000".to_owned(), configurations, seeds: None }];
        let mut end = EndedStack::new("S000", 1, "w", String::new());
        for (configuration, (lr, optimizer, loss)) in record.configurations.iter_mut().zip(rows) {
            configuration.set = IndexMap::from([
                ("train.optimizer.adam.lr".to_owned(), json!(lr)),
                ("train.optimizer".to_owned(), json!(optimizer)),
            ]);
            for seed in [0, 1] {
                let status = if loss.is_some() { Status::Completed } else { Status::Diverged };
                let value = loss.map(Number);
                let name = configuration.name.clone();
                end.trials.push(EndedTrial { configuration: name, seed, fold: None, status, epochs: 1, value });
            }
        }
        let ended = HashMap::from([("S000".to_owned(), end)]);
        notes(&record, &Ranking::new(&record, &ended, false))
    }

    #[test]
    fn a_best_value_at_an_end_of_its_range_is_noted() {
        let rows = |best: f64| {
            [
                (best, "adam", Some(0.1)),
                (0.001, "adam", Some(0.2)),
                (0.002, "adam", Some(0.3)),
                (0.003, "adam", Some(0.4)),
                (0.004, "adam", Some(0.5)),
            ]
        };
        let log = || json!({ "log": [1e-4, 0.1] });
        assert_eq!(
            noted(log(), &rows(0.098)),
            ["the best lr, 0.098, is at the upper end of its range 1e-4 to 0.1: extend it"]
        );
        assert_eq!(noted(log(), &rows(1.2e-4)).len(), 1);
        assert!(noted(log(), &rows(0.05)).is_empty(), "in the last decade, but not at its end");
        assert!(noted(log(), &rows(0.098)[..4]).is_empty(), "too few configurations");
        assert_eq!(noted(json!({ "float": [0.0, 0.1] }), &rows(0.099)).len(), 1);
        assert!(noted(json!({ "float": [0.0, 0.1] }), &rows(0.0)).is_empty(), "nothing is below 0");
        assert_eq!(noted(json!([0.1, 0.01, 0.001, 0.0001]), &rows(0.1)).len(), 1);
        assert!(noted(json!([0.1, 0.01, 0.001]), &rows(0.1)).is_empty(), "two of three values are ends");
    }

    #[test]
    fn diverged_trials_are_counted_with_the_part_of_the_space_that_they_are_in() {
        let range = || json!({ "log": [1e-6, 1e6] });
        let rows = [
            (0.001, "adam", Some(0.2)),
            (0.01, "sgd", Some(0.1)),
            (0.02, "adam", Some(0.3)),
            (0.03, "sgd", None),
            (0.5, "adam", None),
            (0.002, "adam", Some(0.3)),
        ];
        assert_eq!(noted(range(), &rows), ["4 of 12 trials diverged, all with lr ≥ 0.03"]);
        let by_choice = [
            (0.001, "adam", Some(0.2)),
            (0.01, "sgd", None),
            (0.02, "adam", Some(0.3)),
            (0.03, "adam", Some(0.3)),
            (0.0001, "sgd", None),
        ];
        assert_eq!(noted(range(), &by_choice), ["4 of 10 trials diverged, all with optimizer=sgd"]);
        let anywhere = [(0.001, "adam", None), (0.01, "sgd", Some(0.1)), (0.02, "adam", None), (0.03, "sgd", None)];
        assert_eq!(noted(range(), &anywhere), ["6 of 8 trials diverged"]);
    }
}
