//! What an experiment may expect: whether the figure that it names will be there.

use crate::check::Invalid;
use crate::history::expectation::{Expectation, VARIANT_SEPARATOR};
use crate::suggest;

/// The groups of figures that an expectation can name.
const GROUPS: [&str; 9] = ["first", "last", "epoch", "best", "min", "max", "test", "diagnosis", "learned"];

/// The figures of a diagnosis.
const DIAGNOSIS: [&str; 7] = ["verdict", "sentence", "overfits_from", "gap", "acc_gap", "explained", "rises"];

/// The verdicts of a diagnosis.
const VERDICTS: [&str; 5] = ["underfitting", "good", "overfitting", "diverged", "jumping_about"];

/// What figures a run will have.
#[derive(Debug)]
pub struct Figures {
    /// What an epoch has figures of.
    pub metrics: Vec<String>,
    /// Whether there are test rows.
    pub has_test: bool,
}

impl Figures {
    /// Checks that an expectation can be held against the run.
    ///
    /// # Errors
    /// When the run will have no such figure, or nothing is stated of it; the key is relative to the expectation.
    pub fn check_expectation(&self, expectation: &Expectation) -> Result<(), Invalid> {
        let Expectation { value, at_least, at_most, near, within, above, times, is, .. } = expectation;
        self.check("value", value)?;
        if let Some(other) = above {
            self.check("above", other.split_once(VARIANT_SEPARATOR).map_or(other, |(_, figure)| figure))?;
        }
        let stated = [at_least.is_some(), at_most.is_some(), near.is_some(), above.is_some(), is.is_some()];
        if !stated.contains(&true) {
            let message = format!("holds `{value}` against nothing");
            return Err(Invalid::new("value", message).hint("state `at_least`, `at_most`, `near`, `above` or `is`"));
        }
        if near.is_some() != within.is_some() {
            return Err(Invalid::new("near", "and `within` need each other"));
        }
        for (key, bound) in [("at_least", at_least), ("at_most", at_most), ("near", near), ("times", times)] {
            if bound.is_some_and(|bound| !bound.is_finite()) {
                return Err(Invalid::new(key, "must be a finite number"));
            }
        }
        if within.is_some_and(|within| !within.is_finite() || within < 0.0) {
            return Err(Invalid::new("within", "must be finite and at least 0"));
        }
        let is_word = matches!(value.as_str(), "diagnosis.verdict" | "diagnosis.sentence");
        if is.is_some() != is_word {
            let message = if is_word { "is a word: state `is`" } else { "is for words, and this figure is a number" };
            return Err(Invalid::new(if is_word { "value" } else { "is" }, message));
        }
        if times.is_some() && above.is_none() {
            return Err(Invalid::new("times", "needs `above`"));
        }
        match is {
            Some(word) if value == "diagnosis.verdict" && !VERDICTS.contains(&word.as_str()) => {
                Err(Invalid::new("is", format!("is no verdict: `{word}`")).hint(suggest::hint(word, VERDICTS)))
            }
            _ => Ok(()),
        }
    }

    /// Checks that the run will have a figure of this name.
    fn check(&self, key: &str, name: &str) -> Result<(), Invalid> {
        let metrics: Vec<&str> = self.metrics.iter().map(String::as_str).collect();
        let unknown =
            |hint: String| Err(Invalid::new(key, format!("names no figure of this run: `{name}`")).hint(hint));
        let one_of = |figure: &str, known: &[&str]| match figure.strip_prefix("val_") {
            _ if known.contains(&figure) => Ok(()),
            Some(of_training) if known.contains(&of_training) => {
                unknown("split off validation rows: `split = { validation = 0.2 }`".to_owned())
            }
            _ => unknown(suggest::hint(figure, known.iter().copied())),
        };
        let Some((group, figure)) = name.split_once('.') else {
            return unknown(match metrics.contains(&name) {
                true => format!("say which epoch's: `last.{name}`, `best.{name}`, `min.{name}`"),
                false => {
                    format!("a figure is named as `last.loss`; instead of `last`, {} can stand", suggest::list(&GROUPS))
                }
            });
        };
        let extra = |more: &[&'static str]| [&metrics[..], more].concat();
        match group {
            "first" | "last" | "min" | "max" => one_of(figure, &extra(&["lr", "seconds"])),
            "best" => one_of(figure, &extra(&["epoch"])),
            "epoch" => {
                let Some((epoch, metric)) = figure.split_once('.') else {
                    return unknown("write it as `epoch.11.loss`".to_owned());
                };
                // one beyond the last is no mistake: a shorter run of the same file has no such figure
                match epoch.parse::<usize>() {
                    Ok(1..) => one_of(metric, &extra(&["lr", "seconds"])),
                    _ => unknown("epochs are numbered from 1".to_owned()),
                }
            }
            "test" if !self.has_test => unknown("there are no test rows: `split = { test = 0.2 }`".to_owned()),
            "test" => {
                let tested: Vec<&str> = metrics.iter().copied().filter(|name| !name.starts_with("val_")).collect();
                one_of(figure, &tested)
            }
            "diagnosis" => one_of(figure, &DIAGNOSIS),
            "learned" => Ok(()), // which parameters there are is known when they are there
            _ => unknown(suggest::hint(group, GROUPS)),
        }
    }
}
