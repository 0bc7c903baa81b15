//! What experiments expect, and whether their runs meet it.

use std::collections::BTreeMap;

use indexmap::IndexSet;
use serde_json::Value;

use crate::config::suggest;
use crate::history::History;
use crate::history::expectation::{Expectation, ExpectationResult};
use crate::history::metric_path::MetricValue;
use crate::history::number::{Number, brief};
use crate::views::document::block::{Block, Section};
use crate::views::document::statistic::MISSING;
use crate::views::document::table::{Cell, Table};
use crate::views::trials::Runs;

/// An expectation and what each run found.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// What it shows if it is met, with the experiment's name if there are several experiments.
    pub claim: Option<String>,
    /// The metric's name: `mean of relu/last.loss`.
    pub metric: String,
    /// The bound: `≤ 0.5`.
    pub bound: String,
    /// Both as a sentence: `mean of relu/last.loss ≤ 0.5`.
    pub statement: String,
    /// The outcome of each run; `None` if the expectation does not apply to it.
    pub outcomes: Vec<Option<Outcome>>,
}

/// What the trials of one run found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Each trial; for a statistic over trials, each variant.
    pub trials: Vec<TrialOutcome>,
    /// Whether a statistic over trials is expected.
    pub is_statistic: bool,
}

/// What one trial found.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialOutcome {
    /// The name of the trial's files.
    pub name: String,
    /// The value; `None` if it is not available.
    pub found: Option<MetricValue>,
    /// The value that it is compared with.
    pub against: Option<MetricValue>,
    /// Whether the expectation is met.
    pub is_met: bool,
    variant: String,
}

/// Returns the expectations in the order of their files. With `by_variant`, an expectation about all variants has a row
/// for each.
pub fn rows(runs: &Runs, by_variant: bool) -> Vec<Expected> {
    let mut rows: BTreeMap<(usize, usize, usize), Expected> = BTreeMap::new();
    let (mut experiments, mut variants): (IndexSet<&str>, IndexSet<&str>) = Default::default();
    for (place, history) in runs.trials() {
        let (experiment, _) = experiments.insert_full(&history.experiment);
        let order = if by_variant { variants.insert_full(&history.variant).0 } else { 0 };
        for verified in &history.expectations {
            let row = rows.entry((experiment, verified.number, order)).or_insert_with(|| {
                let variant = if by_variant { runs.variant(history) } else { verified.variant.as_deref() };
                Expected::new(verified, variant, &runs.prefix(history), runs.labels.len())
            });
            row.outcomes[place].get_or_insert_default().add(history, verified);
        }
    }
    rows.into_values().collect()
}

impl Expected {
    fn new(verified: &ExpectationResult, variant: Option<&str>, prefix: &str, runs: usize) -> Expected {
        let statement = verified.statement_of(variant);
        let metric = statement.strip_suffix(&verified.expected).unwrap_or(&statement).trim_end();
        Expected {
            claim: verified.claim.as_ref().map(|claim| format!("{prefix}{claim}")),
            metric: metric.strip_suffix(" is").unwrap_or(metric).to_owned(),
            bound: verified.expected.clone(),
            statement,
            outcomes: vec![None; runs],
        }
    }

    /// Returns whether all runs meet it.
    pub fn is_met(&self) -> bool {
        self.outcomes.iter().flatten().all(Outcome::is_met)
    }
}

impl Outcome {
    fn add(&mut self, history: &History, verified: &ExpectationResult) {
        self.is_statistic = verified.over.is_some();
        // A statistic is recorded in each trial of its variant.
        if !(self.is_statistic && self.trials.iter().any(|other| other.variant == history.variant)) {
            self.trials.push(TrialOutcome {
                name: history.stem(),
                found: verified.found.clone(),
                against: verified.against.clone(),
                is_met: verified.met,
                variant: history.variant.clone(),
            });
        }
    }

    /// Returns whether all trials meet the expectation.
    pub fn is_met(&self) -> bool {
        self.trials.iter().all(|trial| trial.is_met)
    }

    /// Returns the value that was found, with the one that it is compared with; of several trials, the number that meet
    /// the expectation: `4 of 5 trials`.
    pub fn describe(&self, number: &dyn Fn(f64) -> String) -> String {
        let value = |found: &Option<MetricValue>| value(found.as_ref(), number);
        match &self.trials[..] {
            [TrialOutcome { found: Some(_), against: Some(_), .. }] => {
                format!("{}, against {}", value(&self.trials[0].found), value(&self.trials[0].against))
            }
            [one] => value(&one.found),
            several => {
                let met = several.iter().filter(|trial| trial.is_met).count();
                format!("{met} of {} {}", several.len(), if self.is_statistic { "variants" } else { "trials" })
            }
        }
    }

    /// Returns the lowest and highest value of several trials: `0.9500 to 0.9700`; `None` if any is missing, or for a single
    /// trial.
    pub fn range(&self, number: &dyn Fn(f64) -> String) -> Option<String> {
        let values = self.trials.iter().map(|trial| match trial.found {
            Some(MetricValue::Number(Number(value))) => Some(value),
            _ => None,
        });
        let values: Vec<f64> = values.filter(|_| self.trials.len() > 1).collect::<Option<_>>()?;
        let (low, high) = (values.iter().copied().reduce(f64::min)?, values.iter().copied().reduce(f64::max)?);
        Some(if low == high { number(low) } else { format!("{} to {}", number(low), number(high)) })
    }

    /// Returns the first trials that miss the expectation, with their values; empty for a single trial.
    fn missed_by(&self, number: &dyn Fn(f64) -> String) -> String {
        let missed = self.trials.iter().filter(|trial| !trial.is_met && self.trials.len() > 1).take(3);
        let missed: Vec<String> =
            missed.map(|trial| format!("{}: {}", trial.name, value(trial.found.as_ref(), number))).collect();
        if missed.is_empty() { String::new() } else { format!("; missed by {}", missed.join(", ")) }
    }
}

/// Returns a value as text, a whole number without decimals.
fn value(found: Option<&MetricValue>, number: &dyn Fn(f64) -> String) -> String {
    match found {
        None => "not available".to_owned(),
        Some(MetricValue::Word(word)) => word.clone(),
        Some(MetricValue::Number(Number(value))) if value.fract() == 0.0 && value.abs() < 1e9 => value.to_string(),
        Some(MetricValue::Number(Number(value))) => number(*value),
    }
}

/// Returns a note on the expectations of an experiment that were not checked because a variant did not run; `None` if there
/// are none.
pub fn of_missing_variants<'a>(trials: impl Iterator<Item = &'a History> + Clone) -> Option<String> {
    let mut names = expectations_of_others(trials)?;
    let count = match names.len() {
        0 => return None,
        1 => "1 expectation was".to_owned(),
        several => format!("{several} expectations were"),
    };
    names.sort_unstable();
    names.dedup();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let what = if names.len() == 1 { "variant" } else { "variants" };
    Some(format!("{count} not checked: the {what} {} did not run", suggest::list(&names)))
}

/// Returns a note on the number of expectations about variants that are not among these trials; `None` if there are none.
pub fn of_hidden_variants<'a>(trials: impl Iterator<Item = &'a History> + Clone) -> Option<String> {
    match expectations_of_others(trials)?.len() {
        0 => None,
        1 => Some("1 expectation about other variants is not shown".to_owned()),
        several => Some(format!("{several} expectations about other variants are not shown")),
    }
}

/// Returns for each expectation that was not checked with these trials the name of a variant that they lack.
fn expectations_of_others<'a>(trials: impl Iterator<Item = &'a History> + Clone) -> Option<Vec<String>> {
    let stated = trials.clone().next()?.config.get("expect")?.as_array()?;
    let read = |(number, value): (usize, &Value)| Some((number, serde_json::from_value(value.clone()).ok()?));
    let stated = stated.iter().enumerate().filter_map(read);
    let is_checked = |number| trials.clone().any(|trial| trial.expectations.iter().any(|one| one.number == number));
    let left = stated.filter(|(number, _): &(usize, Expectation)| !is_checked(*number));
    Some(left.filter_map(|(_, one)| one.missing_variant(trials.clone()).map(str::to_owned)).collect())
}

/// Returns the caption of a table of expectations.
pub fn caption(met: usize, all: usize) -> String {
    let number = if met == all { format!("All {all}") } else { format!("{met} of {all}") };
    format!("{number} expectations are met")
}

/// Returns the section with the expectations; `None` if there are none. Each run has a column if there are several.
pub fn section(runs: &Runs) -> Option<Section> {
    let expected = rows(runs, false);
    let mut heads = vec!["outcome", "claim", "expected"];
    match &runs.labels[..] {
        [_] => heads.push("found"),
        labels => heads.extend(labels.iter().map(String::as_str)),
    }
    let met = expected.iter().filter(|row| row.is_met()).count();
    let mut table = Table::new(caption(met, expected.len()), heads, 0..0).with_id("expectations");
    let mut above = None;
    for row in &expected {
        // A claim applies also to the expectations that follow it, and is shown once.
        let claim = row.claim.as_ref().filter(|claim| above != Some(*claim));
        above = row.claim.as_ref();
        let found = row.outcomes.iter().map(|outcome| match outcome {
            Some(outcome) => format!("{}{}", outcome.describe(&brief), outcome.missed_by(&brief)),
            None => MISSING.to_owned(),
        });
        let cells =
            [Cell::Met(row.is_met()), claim.cloned().unwrap_or_default().into(), Cell::Code(row.statement.clone())];
        table.row(cells.into_iter().chain(found.map(Cell::Text)));
    }
    let experiments: IndexSet<&str> = runs.trials().map(|(_, history)| history.experiment.as_str()).collect();
    let notes = experiments.into_iter().filter_map(|experiment| {
        let trials = runs.trials().map(|(_, history)| history).filter(|history| history.experiment == experiment);
        of_missing_variants(trials.collect::<Vec<_>>().into_iter())
    });
    let mut blocks: Vec<Block> = table.filled().map(Block::Table).into_iter().collect();
    blocks.extend(notes.map(Block::Note));
    if blocks.is_empty() {
        return None;
    }
    Some(Section { id: "expected", title: "Expectations", blocks })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::expectation::{Expectation, verify};
    use crate::history::trial_for_tests;

    fn run(expectation: &str, trials: &[(&str, i64, f64)]) -> Vec<History> {
        let expectation: Expectation = toml_edit::de::from_str(expectation).unwrap();
        let mut trials: Vec<History> =
            trials.iter().map(|(variant, seed, loss)| trial_for_tests(variant, *seed, *loss)).collect();
        verify(&[expectation], &mut trials);
        trials
    }

    #[test]
    fn an_expectation_has_an_outcome_for_each_run() {
        let small = "claim = \"It learns\"\nvalue = \"last.loss\"\nat_most = 0.5";
        let (first, second) = (run(small, &[("base", 0, 0.25)]), run(small, &[("base", 1, 0.75), ("base", 2, 0.5)]));
        let runs = Runs::of(vec![
            ("seed 0".to_owned(), first.iter().collect()),
            ("seeds 1 and 2".to_owned(), second.iter().collect()),
        ]);
        let rows = rows(&runs, false);
        let [row] = &rows[..] else { panic!("one expectation") };
        assert_eq!((row.metric.as_str(), row.bound.as_str(), row.is_met()), ("last.loss", "≤ 0.5", false));
        let [Some(first), Some(second)] = &row.outcomes[..] else { panic!("two outcomes") };
        assert_eq!((first.is_met(), first.describe(&brief)), (true, "0.2500".to_owned()));
        assert_eq!((second.is_met(), second.describe(&brief)), (false, "1 of 2 trials".to_owned()));
        assert_eq!(second.range(&brief).unwrap(), "0.5000 to 0.7500");
        assert_eq!(second.missed_by(&brief), "; missed by base-seed1: 0.7500");
        let section = section(&runs).unwrap();
        let Block::Table(table) = &section.blocks[0] else { panic!("a table") };
        assert_eq!(table.caption, "0 of 1 expectations are met");
        assert_eq!(table.columns.len(), 5);
    }

    #[test]
    fn a_statistic_over_trials_is_one_outcome_and_variants_can_have_rows_of_their_own() {
        let mean = "value = \"last.loss\"\nover = \"mean\"\nat_most = 0.5";
        let trials = run(mean, &[("a", 0, 0.25), ("a", 1, 0.75), ("b", 0, 0.75), ("b", 1, 0.75)]);
        let runs = Runs::of(vec![("seeds 0 and 1".to_owned(), trials.iter().collect())]);
        let together = rows(&runs, false);
        assert_eq!(together[0].outcomes[0].as_ref().unwrap().describe(&brief), "1 of 2 variants");
        let each: Vec<String> = rows(&runs, true).into_iter().map(|row| row.metric).collect();
        assert_eq!(each, ["mean of a/last.loss", "mean of b/last.loss"]);
    }
}
