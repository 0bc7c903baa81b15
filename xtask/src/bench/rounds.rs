//! Programs that do the same, run in turn: A B C A B C …, so that a machine's drift meets all of them alike.

use anyhow::{Result, anyhow};
use serde_json::Value;

use crate::bench::figures::Spread;
use crate::bench::measure::Run;
use crate::say;

/// One program of those that are compared.
pub struct Contender<'a> {
    pub name: String,
    /// A run of it; or why there can be none.
    act: Result<Box<dyn Fn() -> Result<Sample> + 'a>, String>,
}

/// One run, and what the program itself tells of it.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    pub run: Run,
    pub told: Value,
}

impl<'a> Contender<'a> {
    pub fn new(name: &str, act: impl Fn() -> Result<Sample> + 'a) -> Self {
        Self { name: name.to_owned(), act: Ok(Box::new(act)) }
    }

    /// One that needs something that may be missing.
    pub fn needing<T>(name: &str, need: &'a Result<T, String>, act: impl Fn(&T) -> Result<Sample> + 'a) -> Self {
        let act: Result<Box<dyn Fn() -> Result<Sample> + 'a>, String> = match need {
            Ok(need) => Ok(Box::new(move || act(need))),
            Err(why) => Err(why.clone()),
        };
        Self { name: name.to_owned(), act }
    }
}

/// All runs of one program.
#[derive(Debug)]
pub struct Series {
    pub name: String,
    pub samples: Vec<Sample>,
    /// Why there are none, or no more.
    pub missing: Option<String>,
}

impl Series {
    /// A figure of every run; `None` where the program is missing.
    pub fn spread(&self, figure: impl Fn(&Sample) -> f64) -> Option<Spread> {
        match self.missing {
            None => Spread::of(self.samples.iter().map(figure)),
            Some(_) => None,
        }
    }

    pub fn wall(&self) -> Option<Spread> {
        self.spread(|sample| sample.run.wall)
    }

    pub fn cpu(&self) -> Option<Spread> {
        self.spread(|sample| sample.run.cpu)
    }

    pub fn peak_mb(&self) -> Option<Spread> {
        self.spread(|sample| sample.run.peak_mb)
    }

    /// What the last run told.
    pub fn told(&self) -> Option<&Value> {
        self.samples.last().filter(|_| self.missing.is_none()).map(|sample| &sample.told)
    }
}

/// Runs all of them in turn, so many rounds. A program that fails is not run again, and the others go on.
pub fn run(what: &str, contenders: &[Contender], rounds: usize) -> Vec<Series> {
    let series = |contender: &Contender| {
        let missing = contender.act.as_ref().err().cloned();
        Series { name: contender.name.clone(), samples: Vec::new(), missing }
    };
    let mut all: Vec<Series> = contenders.iter().map(series).collect();
    for missing in all.iter().filter(|series| series.missing.is_some()) {
        say::note(&format!("{what}: {} is missing: {}", missing.name, missing.missing.as_deref().unwrap_or_default()));
    }
    for round in 1..=rounds {
        for (contender, series) in contenders.iter().zip(&mut all) {
            let Ok(act) = &contender.act else { continue };
            if series.missing.is_some() {
                continue;
            }
            let place = format!("{what}, round {round} of {rounds}: {}", contender.name);
            match act() {
                Ok(sample) => {
                    say::note(&format!("{place}, {:.2} s", sample.run.wall));
                    series.samples.push(sample);
                }
                Err(error) => {
                    say::note(&format!("{place} failed: {error:#}"));
                    series.missing = Some(format!("{error:#}").lines().next().unwrap_or_default().to_owned());
                }
            }
        }
    }
    all
}

/// The first of them, which is ours; an error when it failed.
pub fn ours(all: &[Series]) -> Result<&Series> {
    let ours = all.first().ok_or_else(|| anyhow!("nothing was run"))?;
    match &ours.missing {
        None => Ok(ours),
        Some(why) => Err(anyhow!("{why}")),
    }
}

/// How many times as much as `ours` another takes.
pub fn ratio(ours: Option<Spread>, theirs: Option<Spread>) -> Option<f64> {
    Some(theirs?.median / ours?.median)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn took(wall: f64) -> Sample {
        Sample { run: Run { wall, ..Run::default() }, told: Value::Null }
    }

    #[test]
    fn contenders_take_turns() {
        let order = RefCell::new(String::new());
        let contender = |name: &'static str, wall: f64| {
            let order = &order;
            Contender::new(name, move || {
                order.borrow_mut().push_str(name);
                Ok(took(wall))
            })
        };
        let series = run("trial", &[contender("A", 2.0), contender("B", 5.0)], 3);
        assert_eq!(*order.borrow(), "ABABAB");
        assert_eq!(ratio(series[0].wall(), series[1].wall()), Some(2.5));
    }

    #[test]
    fn who_fails_or_is_missing_says_why_and_has_no_figures() {
        let none: Result<(), String> = Err("no Keras".to_owned());
        let turn = RefCell::new(0);
        let fails_later = || {
            *turn.borrow_mut() += 1;
            if *turn.borrow() == 1 { Ok(took(1.0)) } else { Err(anyhow!("gave up\nhint: x")) }
        };
        let contenders = [
            Contender::new("ours", || Ok(took(1.0))),
            Contender::new("fails", fails_later),
            Contender::needing("Keras", &none, |()| Ok(took(1.0))),
        ];
        let series = run("trial", &contenders, 3);
        assert_eq!((series[0].samples.len(), *turn.borrow()), (3, 2));
        assert_eq!(series[1].missing.as_deref(), Some("gave up"));
        assert_eq!(series[2].missing.as_deref(), Some("no Keras"));
        assert!(series[1].wall().is_none() && series[2].told().is_none());
        assert!(ours(&series).is_ok() && ours(&series[1..]).is_err());
    }
}
