//! In what two histories of the same trial differ, to the last bit of every figure, and in what the two runs that they
//! are of were made otherwise.
//!
//! Times are no part of it. Figures by epoch are compared in the epochs that both have; what is of the trial as a whole
//! (status, best epoch, test, what was learned) where both ended in the same way after as many epochs.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::history::number::Number;
use crate::history::records::{Environment, Status};
use crate::history::trial_history::History;

/// In what two histories differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// How many epochs both have.
    pub epochs: usize,
    /// The first figure that differs, by epoch, and in an epoch by the order of metrics.
    pub first: Option<Figure>,
    /// The figure with the largest relative difference.
    pub largest: Option<Figure>,
    /// What else differs.
    pub others: Vec<Other>,
}

/// A figure that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Its epoch.
    pub epoch: usize,
    /// The metric.
    pub metric: String,
    /// What it was.
    pub then: Number,
    /// What it is.
    pub now: Number,
    /// By how much it differs.
    pub absolute: Number,
    /// The same as a share of the larger of both, at most 2.
    pub relative: Number,
}

/// Something else that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Other {
    /// Where it stands in the history: `test.loss`.
    pub place: String,
    /// What it was; none where it was not there.
    pub then: Value,
    /// What it is; none where it is not there.
    pub now: Value,
    /// How many values differ in that part of the history, this one included.
    pub of: usize,
}

/// Something in which two runs were made otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Otherwise {
    /// What it is: `threads`.
    pub what: String,
    /// What it was.
    pub then: String,
    /// What it is.
    pub now: String,
}

impl Difference {
    /// Compares a history with the one of the same trial, made again.
    pub fn of(then: &History, now: &History) -> Difference {
        let mut difference = Difference { epochs: then.history.len().min(now.history.len()), ..Difference::default() };
        difference.compare_curves(then, now);
        let as_far = then.history.len() == now.history.len() && then.status == now.status;
        if as_far || (then.status != Status::Interrupted && now.status != Status::Interrupted) {
            let parts = |history: &History| {
                let value = serde_json::to_value(history).unwrap_or_default();
                ["status", "network", "tree", "best", "test", "learned"].map(|part| (part, value[part].clone()))
            };
            for ((part, then), (_, now)) in parts(then).into_iter().zip(parts(now)) {
                // figures of the best epoch are those of the curves
                match part == "best" && difference.first.is_some() {
                    true => difference.compare_parts("best.epoch", &then["epoch"], &now["epoch"]),
                    false => difference.compare_parts(part, &then, &now),
                }
            }
            if then.history.len() != now.history.len() {
                let (then, now) = (then.history.len().into(), now.history.len().into());
                difference.others.push(Other { place: "epochs".to_owned(), then, now, of: 1 });
            }
        }
        difference
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    fn compare_curves(&mut self, then: &History, now: &History) {
        let (then, now) = (&then.history, &now.history);
        let names: BTreeSet<&String> = then.series.keys().chain(now.series.keys()).collect();
        for name in names {
            let presence = |there: bool| if there { Value::from("there") } else { Value::Null };
            let (was, is) = (then.series.contains_key(name), now.series.contains_key(name));
            if was != is {
                let place = format!("history.{name}");
                self.others.push(Other { place, then: presence(was), now: presence(is), of: 1 });
            }
        }
        for row in 0..self.epochs {
            for (metric, values) in then.series.iter().filter(|(metric, _)| metric.as_str() != "seconds") {
                let found = now.series.get(metric).and_then(|values| values.get(row));
                let (Some(&then_is), Some(&now_is)) = (values.get(row), found) else { continue };
                if is_same(then_is.0, now_is.0) {
                    continue;
                }
                let figure = Figure::new(then.epoch[row], metric, then_is.0, now_is.0);
                if self.largest.as_ref().is_none_or(|largest| figure.relative.0 > largest.relative.0) {
                    self.largest = Some(figure.clone());
                }
                self.first.get_or_insert(figure);
            }
        }
    }

    fn compare_parts(&mut self, place: &str, then: &Value, now: &Value) {
        let mut found = Vec::new();
        leaves(place, then, now, &mut found);
        let of = found.len();
        if let Some((place, then, now)) = found.into_iter().next() {
            self.others.push(Other { place, then: then.clone(), now: now.clone(), of });
        }
    }
}

impl Figure {
    fn new(epoch: usize, metric: &str, then: f64, now: f64) -> Figure {
        let absolute = if then.is_finite() && now.is_finite() { (then - now).abs() } else { f64::INFINITY };
        let relative = match then.abs().max(now.abs()) {
            0.0 => 0.0, // 0 and −0
            largest if absolute.is_finite() => absolute / largest,
            _ => f64::INFINITY,
        };
        let metric = metric.to_owned();
        Figure {
            epoch,
            metric,
            then: Number(then),
            now: Number(now),
            absolute: Number(absolute),
            relative: Number(relative),
        }
    }
}

/// Whether two figures are the same to the last bit. All that are no numbers are the same.
fn is_same(then: f64, now: f64) -> bool {
    then.to_bits() == now.to_bits() || (then.is_nan() && now.is_nan())
}

/// The values that differ, by their places.
fn leaves<'a>(place: &str, then: &'a Value, now: &'a Value, found: &mut Vec<(String, &'a Value, &'a Value)>) {
    match (then, now) {
        (Value::Object(was), Value::Object(is)) => {
            for (name, then) in was {
                leaves(&format!("{place}.{name}"), then, is.get(name).unwrap_or(&Value::Null), found);
            }
            for (name, now) in is.iter().filter(|(name, _)| !was.contains_key(*name)) {
                leaves(&format!("{place}.{name}"), &Value::Null, now, found);
            }
        }
        (Value::Array(was), Value::Array(is)) => {
            for number in 0..was.len().max(is.len()) {
                let of = |values: &'a [Value]| values.get(number).unwrap_or(&Value::Null);
                leaves(&format!("{place}.{number}"), of(was), of(is), found);
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

/// What stands in the way of the same figures: all that is known to be otherwise.
pub fn otherwise(then: &History, now: &History) -> Vec<Otherwise> {
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
    let mut hold = |what: &str, then: Option<String>, now: Option<String>| {
        if let (Some(then), Some(now)) = (then, now)
            && then != now
        {
            found.push(Otherwise { what: what.to_owned(), then, now });
        }
    };
    let sum = |history: &History| Some(history.data.sha256.clone()).filter(|sum| !sum.is_empty());
    hold(&format!("checksum of the data `{}`", then.data.name), sum(then), sum(now));
    for ((what, then), (_, now)) in of(was).into_iter().zip(of(is)) {
        hold(what, then, now);
    }
    let mut settings = Vec::new();
    leaves("", &then.config, &now.config, &mut settings);
    for (place, then, now) in settings {
        let place = place.trim_start_matches('.');
        let part = place.split('.').next().unwrap_or(place);
        if !WITHOUT_PART.contains(&part) {
            hold(&format!("setting `{place}`"), Some(then.to_string()), Some(now.to_string()));
        }
    }
    found
}

/// Settings that have no part in figures.
const WITHOUT_PART: [&str; 8] = ["title", "question", "source", "lesson", "quick", "seeds", "theirs", "expect"];

/// What may be otherwise and cannot be told.
pub fn unseen(then: &History, now: &History) -> Vec<String> {
    let (then, now) = (&then.environment, &now.environment);
    let mut unseen = Vec::new();
    if then.commit == now.commit && then.commit.ends_with('+') {
        unseen.push(format!("the changes beside commit {}", then.commit.trim_end_matches('+')));
    }
    if then.cpu.is_none() && now.cpu.is_some() {
        unseen.push("the processor, which the history does not name".to_owned());
    }
    unseen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::records::Learned;
    use crate::history::trial_history::trial_for_tests;

    /// A trial of three epochs.
    fn trial() -> History {
        let mut trial = trial_for_tests("base", 0, 0.5);
        trial.history.push(2, &[("loss", 0.25)]);
        trial.history.push(3, &[("loss", 0.125)]);
        trial.history.series.insert("seconds".to_owned(), [1.0, 2.0, 3.0].map(Number).to_vec());
        trial
    }

    #[test]
    fn the_same_figures_are_the_same_whatever_time_they_took() {
        let mut again = trial();
        again.seconds = 7.0;
        again.started = "2026-01-01T00:00:00Z".to_owned();
        again.history.series["seconds"][1] = Number(9.0);
        let difference = Difference::of(&trial(), &again);
        assert!(difference.is_none() && difference.epochs == 3, "{difference:?}");
    }

    #[test]
    fn the_last_bit_is_seen_and_the_first_and_the_largest_are_told() {
        let mut again = trial();
        again.history.series["loss"][1] = Number(0.25_f64.next_up());
        again.history.series["loss"][2] = Number(0.25);
        let Difference { first: Some(first), largest: Some(largest), .. } = Difference::of(&trial(), &again) else {
            panic!("nothing is found");
        };
        assert_eq!((first.epoch, first.metric.as_str(), first.then), (2, "loss", Number(0.25)));
        assert_eq!(first.absolute.0, 0.25_f64.next_up() - 0.25);
        assert_eq!((largest.epoch, largest.absolute, largest.relative), (3, Number(0.125), Number(0.5)));
    }

    #[test]
    fn no_number_is_like_another_and_unlike_every_number() {
        let mut broken = trial();
        broken.history.series["loss"][2] = Number(f64::NAN);
        assert!(Difference::of(&broken, &broken).is_none());
        let first = Difference::of(&trial(), &broken).first.unwrap();
        assert_eq!((first.epoch, first.relative), (3, Number(f64::INFINITY)));
    }

    #[test]
    fn what_is_of_the_whole_trial_is_told_by_its_place() {
        let mut again = trial();
        again.status = Status::EarlyStopped;
        let learned = |value: f64| Learned {
            parameters: [("0.weight".to_owned(), vec![Number(1.0), Number(value)])].into_iter().collect(),
            predictions: Vec::new(),
        };
        let mut then = trial();
        then.learned = Some(learned(2.0));
        again.learned = Some(learned(3.0));
        let others = Difference::of(&then, &again).others;
        let places: Vec<&str> = others.iter().map(|other| other.place.as_str()).collect();
        assert_eq!(places, ["status", "learned.parameters.0.weight.1"]);
        assert_eq!((others[1].then.as_f64(), others[1].now.as_f64()), (Some(2.0), Some(3.0)));
    }

    #[test]
    fn of_a_trial_that_was_interrupted_only_the_epochs_count_that_both_have() {
        let mut interrupted = trial();
        interrupted.status = Status::Interrupted;
        let mut whole = trial();
        whole.history.push(4, &[("loss", 0.1)]);
        let difference = Difference::of(&interrupted, &whole);
        assert!(difference.is_none() && difference.epochs == 3, "{difference:?}");
        assert_eq!(Difference::of(&trial(), &whole).others[0].place, "epochs");
    }

    #[test]
    fn a_metric_that_only_one_has_is_told() {
        let mut again = trial();
        again.history.series.insert("acc".to_owned(), vec![Number(1.0); 3]);
        let others = Difference::of(&trial(), &again).others;
        assert_eq!((others[0].place.as_str(), &others[0].then), ("history.acc", &Value::Null));
    }

    #[test]
    fn what_is_otherwise_is_named() {
        let then = trial();
        let mut now = trial();
        assert_eq!(otherwise(&then, &now), []);
        now.environment.threads = 2;
        now.environment.device = "cuda:0".to_owned();
        now.environment.cpu = Some("a processor".to_owned()); // not known of the other
        now.config = serde_json::json!({ "title": "another", "train": { "epochs": 4 } });
        let mut then = then;
        then.config = serde_json::json!({ "title": "one", "train": { "epochs": 3 } });
        then.data.sha256 = "a".to_owned();
        now.data.sha256 = "b".to_owned();
        let found: Vec<String> = otherwise(&then, &now).into_iter().map(|otherwise| otherwise.what).collect();
        assert_eq!(found, ["checksum of the data `logic`", "device", "threads", "setting `train.epochs`"]);
        assert_eq!(unseen(&then, &now).len(), 1);
    }
}
