//! Compares two histories of the same trial, to the last bit of every metric, and the environments and settings of their
//! runs.
//!
//! Times are not compared. Metrics by epoch are compared in the epochs that both histories have. Status, best epoch, test
//! results and learned parameters are compared only if both trials ended in the same way after the same number of epochs.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::history::curves::Curves;
use crate::history::number::Number;
use crate::history::trial_fields::Environment;
use crate::history::trial_history::History;

/// The differences of two histories.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// Number of epochs that both histories have.
    pub epochs: usize,
    /// The first metric that differs, by epoch, then in the order of the metrics.
    pub first: Option<MetricDifference>,
    /// The metric with the largest relative difference.
    pub largest: Option<MetricDifference>,
    /// Other values that differ.
    pub others: Vec<ValueDifference>,
}

/// A metric that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricDifference {
    /// The epoch.
    pub epoch: usize,
    /// Name of the metric.
    pub metric: String,
    /// The first history's value.
    pub then: Number,
    /// The second history's value.
    pub now: Number,
    /// The absolute difference.
    pub absolute: Number,
    /// The difference divided by the larger absolute value, at most 2.
    pub relative: Number,
}

/// Another value that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValueDifference {
    /// Its path in the history: `test.loss`.
    pub place: String,
    /// The first history's value, or `null` if it has none.
    pub then: Value,
    /// The second history's value, or `null` if it has none.
    pub now: Value,
    /// Number of values that differ in this part of the history, including this one.
    pub of: usize,
}

/// A difference between the environments, data or settings of two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunDifference {
    /// What differs: `threads`.
    pub what: String,
    /// The first run's value.
    pub then: String,
    /// The second run's value.
    pub now: String,
}

impl Difference {
    /// Compares a history with the history of the repeated trial.
    pub fn between(then: &History, now: &History) -> Difference {
        let mut difference = Difference { epochs: then.history.len().min(now.history.len()), ..Difference::default() };
        difference.compare_curves(then, now);
        let as_far = then.history.len() == now.history.len() && then.status == now.status;
        if as_far || (!then.status.is_unfinished() && !now.status.is_unfinished()) {
            let parts = |history: &History| {
                let value = serde_json::to_value(history).unwrap_or_default();
                ["status", "network", "tree", "best", "test", "learned"].map(|part| (part, value[part].clone()))
            };
            for ((part, then), (_, now)) in parts(then).into_iter().zip(parts(now)) {
                // the metrics of the best epoch are compared with the curves
                match part == "best" && difference.first.is_some() {
                    true => difference.compare_parts("best.epoch", &then["epoch"], &now["epoch"]),
                    false => difference.compare_parts(part, &then, &now),
                }
            }
            if then.history.len() != now.history.len() {
                let (then, now) = (then.history.len().into(), now.history.len().into());
                difference.others.push(ValueDifference { place: "epochs".to_owned(), then, now, of: 1 });
            }
        }
        difference
    }

    /// Returns whether the histories are identical.
    pub fn is_none(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    fn compare_curves(&mut self, then: &History, now: &History) {
        let (then, now) = (&then.history, &now.history);
        for name in then.series.keys().chain(now.series.keys()).collect::<BTreeSet<_>>() {
            let presence = |of: &Curves| of.series.get(name).map_or(Value::Null, |_| Value::from("present"));
            let (then, now) = (presence(then), presence(now));
            if then != now {
                self.others.push(ValueDifference { place: format!("history.{name}"), then, now, of: 1 });
            }
        }
        for row in 0..self.epochs {
            for (metric, values) in then.series.iter().filter(|(metric, _)| metric.as_str() != "seconds") {
                let found = now.series.get(metric).and_then(|values| values.get(row));
                let (Some(&then_is), Some(&now_is)) = (values.get(row), found) else { continue };
                if is_same(then_is.0, now_is.0) {
                    continue;
                }
                let metric_difference = MetricDifference::new(then.epoch[row], metric, then_is.0, now_is.0);
                if self.largest.as_ref().is_none_or(|largest| metric_difference.relative.0 > largest.relative.0) {
                    self.largest = Some(metric_difference.clone());
                }
                self.first.get_or_insert(metric_difference);
            }
        }
    }

    fn compare_parts(&mut self, place: &str, then: &Value, now: &Value) {
        let mut found = Vec::new();
        collect(place, then, now, &mut found);
        let of = found.len();
        if let Some((place, then, now)) = found.into_iter().next() {
            self.others.push(ValueDifference { place, then: then.clone(), now: now.clone(), of });
        }
    }
}

impl MetricDifference {
    fn new(epoch: usize, metric: &str, then: f64, now: f64) -> MetricDifference {
        let absolute = if then.is_finite() && now.is_finite() { (then - now).abs() } else { f64::INFINITY };
        let relative = match then.abs().max(now.abs()) {
            0.0 => 0.0, // 0 and −0
            largest if absolute.is_finite() => absolute / largest,
            _ => f64::INFINITY,
        };
        let [then, now, absolute, relative] = [then, now, absolute, relative].map(Number);
        MetricDifference { epoch, metric: metric.to_owned(), then, now, absolute, relative }
    }
}

/// Returns whether two values are equal to the last bit. NaN equals NaN.
fn is_same(then: f64, now: f64) -> bool {
    then.to_bits() == now.to_bits() || (then.is_nan() && now.is_nan())
}

/// Collects the values that differ, with their paths.
fn collect<'a>(place: &str, then: &'a Value, now: &'a Value, found: &mut Vec<(String, &'a Value, &'a Value)>) {
    match (then, now) {
        (Value::Object(was), Value::Object(is)) => {
            for (name, then) in was {
                collect(&format!("{place}.{name}"), then, is.get(name).unwrap_or(&Value::Null), found);
            }
            for (name, now) in is.iter().filter(|(name, _)| !was.contains_key(*name)) {
                collect(&format!("{place}.{name}"), &Value::Null, now, found);
            }
        }
        (Value::Array(was), Value::Array(is)) => {
            for number in 0..was.len().max(is.len()) {
                let of = |values: &'a [Value]| values.get(number).unwrap_or(&Value::Null);
                collect(&format!("{place}.{number}"), of(was), of(is), found);
            }
        }
        (Value::Number(was), Value::Number(is)) => match (was.as_f64(), is.as_f64()) {
            (Some(a), Some(b)) if is_same(a, b) && was == is => {}
            _ => found.push((place.to_owned(), then, now)),
        },
        _ if then == now => {}
        _ => found.push((place.to_owned(), then, now)),
    }
}

/// Returns the known differences between the environments, data and settings of two runs, which can explain different
/// results.
pub fn run_differences(then: &History, now: &History) -> Vec<RunDifference> {
    let (was, is) = (&then.environment, &now.environment);
    let whether = |deterministic: Option<bool>| deterministic.map(|yes| if yes { "yes" } else { "no" }.to_owned());
    let of = |environment: &Environment| {
        let Environment { runner, commit, libtorch, device, threads, os, replicas, precision, deterministic, cpu } =
            environment.clone();
        [
            ("device", Some(device)),
            ("precision", precision),
            ("deterministic", whether(deterministic)),
            ("threads", Some(threads.to_string())),
            ("replicas in a stack", Some(replicas.to_string())),
            ("processor", cpu),
            ("system", Some(os)),
            ("libtorch", Some(libtorch)),
            ("runner", Some(runner)),
            ("commit", Some(commit)),
        ]
    };
    let mut found = Vec::new();
    let mut compare = |what: &str, then: Option<String>, now: Option<String>| {
        if let (Some(then), Some(now)) = (then, now)
            && then != now
        {
            found.push(RunDifference { what: what.to_owned(), then, now });
        }
    };
    let sum = |history: &History| Some(history.data.sha256.clone()).filter(|sum| !sum.is_empty());
    compare(&format!("checksum of the data `{}`", then.data.name), sum(then), sum(now));
    for ((what, then), (_, now)) in of(was).into_iter().zip(of(is)) {
        compare(what, then, now);
    }
    let mut settings = Vec::new();
    collect("", &then.config, &now.config, &mut settings);
    for (place, then, now) in settings {
        let place = place.trim_start_matches('.');
        let part = place.split('.').next().unwrap_or(place);
        if !WITHOUT_EFFECT.contains(&part) {
            compare(&format!("setting `{place}`"), Some(then.to_string()), Some(now.to_string()));
        }
    }
    found
}

/// Settings that do not change the results. `theirs` is the former name of `reference`.
const WITHOUT_EFFECT: [&str; 9] =
    ["title", "question", "source", "lesson", "quick", "seeds", "reference", "theirs", "expect"];

/// Returns possible differences that the histories do not record.
pub fn unknown_differences(then: &History, now: &History) -> Vec<String> {
    let (then, now) = (&then.environment, &now.environment);
    let mut unknown = Vec::new();
    if then.commit == now.commit && then.commit.ends_with('+') {
        unknown.push(format!("uncommitted changes on top of commit {}", then.commit.trim_end_matches('+')));
    }
    if then.cpu.is_none() && now.cpu.is_some() {
        unknown.push("the processor: the history does not name it".to_owned());
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::trial_fields::{Learned, Status};
    use crate::history::trial_history::trial_for_tests;

    /// Returns a trial of three epochs.
    fn trial() -> History {
        let mut trial = trial_for_tests("base", 0, 0.5);
        trial.history.push(2, &[("loss", 0.25)]);
        trial.history.push(3, &[("loss", 0.125)]);
        trial.history.series.insert("seconds".to_owned(), [1.0, 2.0, 3.0].map(Number).to_vec());
        trial
    }

    #[test]
    fn durations_are_not_compared() {
        let mut again = trial();
        again.seconds = 7.0;
        again.started = "2026-01-01T00:00:00Z".to_owned();
        again.history.series["seconds"][1] = Number(9.0);
        let difference = Difference::between(&trial(), &again);
        assert!(difference.is_none() && difference.epochs == 3, "{difference:?}");
    }

    #[test]
    fn the_first_and_the_largest_difference_are_found_to_the_last_bit() {
        let mut again = trial();
        again.history.series["loss"][1] = Number(0.25_f64.next_up());
        again.history.series["loss"][2] = Number(0.25);
        let Difference { first: Some(first), largest: Some(largest), .. } = Difference::between(&trial(), &again)
        else {
            panic!("nothing is found");
        };
        assert_eq!((first.epoch, first.metric.as_str(), first.then), (2, "loss", Number(0.25)));
        assert_eq!(first.absolute.0, 0.25_f64.next_up() - 0.25);
        assert_eq!((largest.epoch, largest.absolute, largest.relative), (3, Number(0.125), Number(0.5)));
    }

    #[test]
    fn nan_equals_nan_and_differs_from_every_number() {
        let mut broken = trial();
        broken.history.series["loss"][2] = Number(f64::NAN);
        assert!(Difference::between(&broken, &broken).is_none());
        let first = Difference::between(&trial(), &broken).first.unwrap();
        assert_eq!((first.epoch, first.relative), (3, Number(f64::INFINITY)));
    }

    #[test]
    fn other_values_are_named_by_their_path() {
        let mut again = trial();
        again.status = Status::EarlyStopped;
        let learned = |value: f64| Learned {
            parameters: [("0.weight".to_owned(), vec![Number(1.0), Number(value)])].into_iter().collect(),
            predictions: Vec::new(),
        };
        let mut then = trial();
        then.learned = Some(learned(2.0));
        again.learned = Some(learned(3.0));
        let others = Difference::between(&then, &again).others;
        let places: Vec<&str> = others.iter().map(|other| other.place.as_str()).collect();
        assert_eq!(places, ["status", "learned.parameters.0.weight.1"]);
        assert_eq!((others[1].then.as_f64(), others[1].now.as_f64()), (Some(2.0), Some(3.0)));
    }

    #[test]
    fn an_interrupted_trial_is_compared_in_the_epochs_that_both_have() {
        let mut interrupted = trial();
        interrupted.status = Status::Interrupted;
        let mut whole = trial();
        whole.history.push(4, &[("loss", 0.1)]);
        let difference = Difference::between(&interrupted, &whole);
        assert!(difference.is_none() && difference.epochs == 3, "{difference:?}");
        assert_eq!(Difference::between(&trial(), &whole).others[0].place, "epochs");
    }

    #[test]
    fn a_metric_that_only_one_history_has_is_found() {
        let mut again = trial();
        again.history.series.insert("acc".to_owned(), vec![Number(1.0); 3]);
        let others = Difference::between(&trial(), &again).others;
        assert_eq!((others[0].place.as_str(), &others[0].then), ("history.acc", &Value::Null));
    }

    #[test]
    fn differences_of_environment_data_and_settings_are_named() {
        let then = trial();
        let mut now = trial();
        assert_eq!(run_differences(&then, &now), []);
        now.environment.threads = 2;
        now.environment.device = "cuda:0".to_owned();
        now.environment.cpu = Some("a processor".to_owned()); // not known of the other
        now.config = serde_json::json!({ "title": "another", "train": { "epochs": 4 } });
        let mut then = then;
        then.config = serde_json::json!({ "title": "one", "train": { "epochs": 3 } });
        then.data.sha256 = "a".to_owned();
        now.data.sha256 = "b".to_owned();
        let found: Vec<String> = run_differences(&then, &now).into_iter().map(|difference| difference.what).collect();
        assert_eq!(found, ["checksum of the data `logic`", "device", "threads", "setting `train.epochs`"]);
        assert_eq!(unknown_differences(&then, &now).len(), 1);
    }
}
