//! The configurations of a sweep as a study of Optuna, in the format of its `JournalFileBackend`: a line of JSON for each
//! operation. Optuna loads it, draws its plots from it, and can continue the search.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::config::values::is_same;
use crate::sweep::dir::ended::{EndedStack, EndedTrial};
use crate::sweep::labels::format_value;
use crate::sweep::record::SweepRecord;
use crate::sweep::results::{ConfigurationResult, Outcome, Ranking};
use crate::sweep::space::domain::Domain;
use crate::sweep::space::entry::Values;

/// Codes of operations in the journal.
const CREATE_STUDY: u8 = 0;
const CREATE_TRIAL: u8 = 4;

/// Codes of states of a trial.
const COMPLETE: u8 = 1;
const PRUNED: u8 = 2;
const FAIL: u8 = 3;

/// A study of Optuna.
#[derive(Debug)]
pub struct Study {
    /// Lines of the journal.
    pub journal: String,
    /// Number of its trials, one for each configuration that has ended.
    pub trials: usize,
}

/// Returns the study of a sweep. A configuration is a trial whose value is the mean of the metric over the seeds; one that
/// halving dropped is pruned, and one with diverged trials or an error has failed.
pub fn study(record: &SweepRecord, ended: &HashMap<String, EndedStack>) -> Study {
    let direction = if record.higher_is_better { 2 } else { 1 };
    let mut lines = vec![
        json!({ "op_code": CREATE_STUDY, "worker_id": "runner", "study_name": record.experiment, "directions": [direction] }),
    ];
    let distributions = distributions(record);
    let ranking = Ranking::new(record, ended, record.higher_is_better);
    let mut results: Vec<&ConfigurationResult> = ranking.results.iter().collect();
    results.sort_by_key(|result| (result.configuration.name.len(), &result.configuration.name));
    let mut trials_of: HashMap<&str, (Vec<&EndedTrial>, &str)> = HashMap::new();
    for end in ended.values() {
        for trial in &end.trials {
            let (trials, time) = trials_of.entry(&trial.configuration).or_default();
            trials.push(trial);
            if end.ended.as_str() > *time {
                *time = &end.ended;
            }
        }
    }
    for result in results {
        let name = result.configuration.name.as_str();
        let (mut trials, time) = trials_of.remove(name).unwrap_or_default();
        trials.sort_by_key(|trial| (trial.fold, trial.seed));
        let (state, error) = match &result.outcome {
            Outcome::Unfinished => continue,
            Outcome::Done => (COMPLETE, None),
            Outcome::Dropped(_) => (PRUNED, None),
            Outcome::Diverged(_) => (FAIL, Some("diverged")),
            Outcome::Failed(failure) => (FAIL, Some(failure.error.as_str())),
        };
        let varied =
            || distributions.iter().filter_map(move |(key, all)| Some((key, all, result.configuration.set.get(*key)?)));
        let parameters: Map<String, Value> =
            varied().filter_map(|(key, all, value)| Some(((*key).to_owned(), all.internal(value)?))).collect();
        let of_trial: Map<String, Value> = varied()
            .filter(|(key, ..)| parameters.contains_key(**key))
            .map(|(key, all, _)| ((*key).to_owned(), json!(all).to_string().into()))
            .collect();
        let number = |trial: &&EndedTrial| trial.value.map(|value| value.0).filter(|value| value.is_finite());
        let values: Vec<Value> = trials.iter().map(|trial| number(trial).map_or(Value::Null, Value::from)).collect();
        let mut attributes = json!({
            "configuration": name,
            "settings": result.configuration.set,
            "seeds": trials.iter().map(|trial| trial.seed).collect::<Vec<_>>(),
            "values": values,
            "std": result.metric.as_ref().and_then(|metric| metric.std),
            "epochs": result.epochs,
        });
        if let (Some(error), Some(attributes)) = (error, attributes.as_object_mut()) {
            attributes.insert("error".to_owned(), error.into());
        }
        let at_rung: Map<String, Value> = match result.outcome {
            Outcome::Dropped(epoch) => result.mean().map(|mean| (epoch.to_string(), mean.into())).into_iter().collect(),
            Outcome::Done | Outcome::Unfinished | Outcome::Diverged(_) | Outcome::Failed(_) => Map::new(),
        };
        lines.push(json!({
            "op_code": CREATE_TRIAL,
            "worker_id": "runner",
            "study_id": 0,
            "datetime_start": utc(&record.started),
            "state": state,
            "value": result.mean().filter(|_| state == COMPLETE),
            "values": null,
            "datetime_complete": utc(if time.is_empty() { &record.started } else { time }),
            "distributions": of_trial,
            "params": parameters,
            "user_attrs": attributes,
            "system_attrs": {},
            "intermediate_values": at_rung,
        }));
    }
    let trials = lines.len() - 1;
    Study { journal: lines.into_iter().map(|line| format!("{line}\n")).collect(), trials }
}

/// Returns a time as all versions of Python read it: `+00:00` instead of `Z`.
fn utc(time: &str) -> String {
    time.strip_suffix('Z').map_or_else(|| time.to_owned(), |time| format!("{time}+00:00"))
}

/// Values that a parameter can have, as Optuna stores them.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "name", content = "attributes")]
enum Distribution {
    /// Whole numbers.
    #[serde(rename = "IntDistribution")]
    Int { log: bool, step: i64, low: i64, high: i64 },
    /// Numbers.
    #[serde(rename = "FloatDistribution")]
    Float { step: Option<f64>, low: f64, high: f64, log: bool },
    /// One of these values.
    #[serde(rename = "CategoricalDistribution")]
    Categorical { choices: Vec<Value> },
}

/// Returns the values of each setting in the whole space; settings that copy another one are no parameters.
fn distributions(record: &SweepRecord) -> IndexMap<&str, Distribution> {
    let mut all: IndexMap<&str, Distribution> = IndexMap::new();
    for entry in &record.search.space {
        for (place, key) in entry.keys.iter().enumerate() {
            let new = match &entry.values {
                Values::One(Domain::Copy(_)) => continue,
                Values::One(domain) => Distribution::new(domain),
                Values::Rows(rows) => {
                    Some(Distribution::Categorical { choices: rows.iter().map(|row| row[place].clone()).collect() })
                }
            };
            let Some(new) = new else { continue };
            let both = match all.shift_remove(key.as_str()) {
                None => new,
                Some(before) => before.with(new), // under another condition
            };
            all.insert(key, both.distinct());
        }
    }
    all
}

impl Distribution {
    fn new(domain: &Domain) -> Option<Distribution> {
        Some(match domain {
            Domain::Choices(choices) => Distribution::Categorical { choices: choices.clone() },
            Domain::Int { low, high, step, log } => {
                // the highest value is the last step
                Distribution::Int { low: *low, high: low + (high - low) / step * step, step: *step, log: *log }
            }
            Domain::Float { low, high, step } => {
                let last = domain.count().and_then(|count| domain.at(count - 1).as_f64()).filter(|_| step.is_some());
                Distribution::Float { low: *low, high: last.unwrap_or(*high), step: *step, log: false }
            }
            Domain::Log { low, high } => Distribution::Float { low: *low, high: *high, step: None, log: true },
            Domain::Copy(_) => return None,
        })
    }

    /// Returns a distribution with the values of both.
    fn with(mut self, other: Distribution) -> Distribution {
        match (&mut self, other) {
            (Distribution::Categorical { choices }, Distribution::Categorical { choices: other }) => {
                choices.extend(other);
            }
            (
                Distribution::Float { log, step, low, high },
                Distribution::Float { log: other_log, low: other_low, high: other_high, .. },
            ) => (*log, *step, *low, *high) = (*log && other_log, None, low.min(other_low), high.max(other_high)),
            (
                Distribution::Int { log, step, low, high },
                Distribution::Int { log: other_log, low: other_low, high: other_high, .. },
            ) => (*log, *step, *low, *high) = (*log && other_log, 1, other_low.min(*low), other_high.max(*high)),
            _ => {}
        }
        self
    }

    /// Returns the same values, each choice once, and choices that are tables or lists as text.
    fn distinct(self) -> Distribution {
        let Distribution::Categorical { choices } = self else { return self };
        let mut distinct: Vec<Value> = Vec::new();
        for choice in choices.iter().map(plain) {
            if !distinct.iter().any(|other| is_same(other, &choice)) {
                distinct.push(choice);
            }
        }
        Distribution::Categorical { choices: distinct }
    }

    /// Returns a value as the journal stores it: a number, or the index of a choice. `None` if it is not one of the values.
    fn internal(&self, value: &Value) -> Option<Value> {
        match self {
            Distribution::Int { .. } | Distribution::Float { .. } => value.as_f64().map(Value::from),
            Distribution::Categorical { choices } => {
                let value = plain(value);
                choices.iter().position(|choice| is_same(choice, &value)).map(Value::from)
            }
        }
    }
}

/// Returns a choice that Optuna can store: a text for tables and lists.
fn plain(choice: &Value) -> Value {
    match choice {
        Value::Object(_) | Value::Array(_) => format_value(choice).into(),
        plain => plain.clone(),
    }
}
