//! What an experiment claims and expects, and what came with each seed.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::results::markdown::{Table, decimals, figure, mark, shown};
use crate::results::{Experiment, Run};

/// One expectation; one that names no variant has a row for each.
pub struct Row {
    /// What it bears out.
    pub claim: Option<String>,
    /// The figure's name, with its variant's before it.
    pub name: String,
    /// What was expected, in words.
    pub expected: String,
    /// What came with each seed; `None` where the expectation does not concern it.
    pub cells: Vec<Option<Cell>>,
}

/// What came with one seed.
pub struct Cell {
    pub met: bool,
    pub text: String,
}

/// The rows in the order of the experiment's file.
pub fn rows(experiment: &Experiment) -> Vec<Row> {
    let mut variants: Vec<Option<&str>> = Vec::new();
    let mut found: BTreeMap<(u64, usize), Vec<Vec<&Value>>> = BTreeMap::new();
    for (place, run) in experiment.runs.iter().enumerate() {
        for history in &run.histories {
            let variant = experiment.variant(history);
            let order = variants.iter().position(|known| *known == variant).unwrap_or_else(|| {
                variants.push(variant);
                variants.len() - 1
            });
            for verified in history["expectations"].as_array().into_iter().flatten() {
                let key = (verified["number"].as_u64().unwrap_or_default(), order);
                found.entry(key).or_insert_with(|| vec![Vec::new(); experiment.runs.len()])[place].push(verified);
            }
        }
    }
    let row = |((_, order), by_seed): ((u64, usize), Vec<Vec<&Value>>)| {
        let one = by_seed.iter().flatten().next()?;
        let (name, expected) = title(variants[order], one)?;
        let claim = one["claim"].as_str().map(str::to_owned);
        let decimals = decimals(&expected);
        let cells = experiment.runs.iter().zip(&by_seed).map(|(run, verified)| cell(run, verified, decimals)).collect();
        Some(Row { claim, name, expected, cells })
    };
    found.into_iter().filter_map(row).collect()
}

/// The figure's name, with its variant's before it, and what is expected of it.
pub fn title(variant: Option<&str>, verified: &Value) -> Option<(String, String)> {
    let of_variant = variant.map(|variant| format!("{variant}/")).unwrap_or_default();
    let statistic = match verified["over"].as_str() {
        None | Some("share") => String::new(), // what is expected says which share
        Some(over) => format!("{over} of "),
    };
    let (value, expected) = (verified["value"].as_str()?, verified["expected"].as_str()?);
    Some((format!("{statistic}{of_variant}{value}"), expected.to_owned()))
}

/// How many rows are met with the seed at this place, and how many concern it.
pub fn count(rows: &[Row], place: usize) -> (usize, usize) {
    let cells: Vec<&Cell> = rows.iter().filter_map(|row| row.cells.get(place)?.as_ref()).collect();
    (cells.iter().filter(|cell| cell.met).count(), cells.len())
}

/// What came in the trials of one run: one trial, or one for each seed and fold.
fn cell(run: &Run, verified: &[&Value], decimals: usize) -> Option<Cell> {
    let first = *verified.first()?;
    let met = verified.iter().filter(|verified| verified["met"] == true).count();
    let text = match verified.len() {
        1 => lone(first, decimals),
        _ if first["over"].is_string() => lone(first, decimals), // one figure, noted in every trial
        all => {
            let values: Vec<f64> = verified.iter().filter_map(|verified| verified["found"].as_f64()).collect();
            let (min, max) = values
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| (min.min(*value), max.max(*value)));
            let range = match values.len() == all {
                true => format!(": {} to {}", figure(min, decimals), figure(max, decimals)),
                false => String::new(),
            };
            let word = if run.seeds.len() == 1 { "folds" } else { "trials" };
            format!("{met} of {all} {word}{range}")
        }
    };
    Some(Cell { met: met == verified.len(), text })
}

fn lone(verified: &Value, decimals: usize) -> String {
    let found = shown(&verified["found"], decimals).replace('_', " ");
    match &verified["against"] {
        Value::Null => found,
        against => format!("{found}, against {}", shown(against, decimals)),
    }
}

/// The table, each claim beside the first of its expectations.
pub fn table(experiment: &Experiment, rows: &[Row]) -> String {
    let header = ["claim", "figure", "expected"].map(str::to_owned).into_iter().chain(experiment.labels());
    let mut table = Table::new(header, 0..0);
    let mut above = None;
    for row in rows {
        let claim = row.claim.clone().filter(|claim| above != Some(claim));
        above = row.claim.as_ref();
        let cells = row.cells.iter().map(|cell| match cell {
            Some(cell) => format!("{} {}", mark(cell.met), cell.text),
            None => "–".to_owned(),
        });
        let words = [claim.unwrap_or_default(), named(&row.name), named_within(&row.expected)];
        table.row(words.into_iter().chain(cells));
    }
    table.text()
}

/// A figure's name as code, the statistic before it as words.
pub fn named(name: &str) -> String {
    match name.split_once(" of ") {
        Some((statistic, name)) => format!("{statistic} of `{name}`"),
        None => format!("`{name}`"),
    }
}

/// Returns what is expected, with the name of another metric (after `>`) as code, and words without their underscores.
pub fn named_within(expected: &str) -> String {
    match expected.rsplit_once(' ') {
        Some((bound, name)) if expected.contains('>') => format!("{bound} `{name}`"),
        _ => expected.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::{history, of_seed};
    use serde_json::json;

    fn verified(number: u64, expected: &str, found: Value, met: bool) -> Value {
        json!({"number": number, "value": "last.loss", "expected": expected, "found": found, "met": met})
    }

    /// An experiment whose trials hold these, run with seeds 0 and 1 alike.
    fn experiment(trials: &[(&str, Vec<Value>)]) -> Experiment {
        let trial = |(variant, expectations): &(&str, Vec<Value>)| {
            let mut history = history(variant, 0.5);
            history["expectations"] = expectations.clone().into();
            history
        };
        let histories: Vec<Value> = trials.iter().map(trial).collect();
        Experiment { name: "xor".to_owned(), runs: vec![of_seed(0, histories.clone()), of_seed(1, histories)] }
    }

    fn lines(trials: &[(&str, Vec<Value>)]) -> Vec<String> {
        let experiment = experiment(trials);
        table(&experiment, &rows(&experiment)).lines().skip(2).map(str::to_owned).collect()
    }

    #[test]
    fn rows_stand_in_the_order_of_the_file_a_claim_with_the_first_of_its_own() {
        let with = |mut verified: Value, claim: &str| {
            verified["claim"] = claim.into();
            verified
        };
        let a = vec![with(verified(1, "≤ 0.5", json!(0.25), true), "It learns")];
        let b = vec![
            with(verified(0, "≥ 0.1", json!(0.25), true), "It learns"),
            with(verified(2, "overfitting", json!("unstable"), false), "It memorizes"),
        ];
        assert_eq!(
            lines(&[("a", a), ("b", b)]),
            [
                "| It learns | `b/last.loss` | ≥ 0.1 | ✓ 0.2500 | ✓ 0.2500 |",
                "| | `a/last.loss` | ≤ 0.5 | ✓ 0.2500 | ✓ 0.2500 |",
                "| It memorizes | `b/last.loss` | overfitting | ✗ unstable | ✗ unstable |",
            ]
        );
    }

    #[test]
    fn a_comparison_shows_both_figures() {
        let mut above = verified(0, "> 2 × b/last.loss", json!(0.31), true);
        above["against"] = json!(0.12);
        let shown = "| | `a/last.loss` | > 2 × `b/last.loss` | ✓ 0.3100, against 0.1200 | ✓ 0.3100, against 0.1200 |";
        assert_eq!(lines(&[("a", vec![above])]), [shown]);
    }

    #[test]
    fn an_expectation_of_no_variant_has_a_row_for_each_and_folds_share_one() {
        let of = |found: f64, met: bool| vec![verified(0, "≤ 0.5", json!(found), met)];
        let shown = lines(&[("a", of(0.25, true)), ("b", of(0.75, false))]);
        assert_eq!(
            shown,
            ["| | `a/last.loss` | ≤ 0.5 | ✓ 0.2500 | ✓ 0.2500 |", "| | `b/last.loss` | ≤ 0.5 | ✗ 0.7500 | ✗ 0.7500 |",]
        );
        let shown = lines(&[("base", of(0.25, true)), ("base", of(0.75, false))]);
        let folds = "✗ 1 of 2 folds: 0.2500 to 0.7500";
        assert_eq!(shown, [format!("| | `last.loss` | ≤ 0.5 | {folds} | {folds} |")]);
        let mut seeds = experiment(&[("base", of(0.25, true)), ("base", of(0.75, false))]);
        seeds.runs[0].seeds = vec![0, 1];
        assert_eq!(rows(&seeds)[0].cells[0].as_ref().unwrap().text, "1 of 2 trials: 0.2500 to 0.7500");
    }

    #[test]
    fn a_statistic_over_trials_is_one_figure() {
        let mut mean = verified(0, "≥ 0.9", json!(0.95), true);
        mean["over"] = "mean".into();
        let shown = lines(&[("base", vec![mean.clone()]), ("base", vec![mean])]);
        assert_eq!(shown, ["| | mean of `last.loss` | ≥ 0.9 | ✓ 0.9500 | ✓ 0.9500 |"]);
    }

    #[test]
    fn words_have_no_underscores_and_another_metric_is_code() {
        assert_eq!(named_within("early_stopped in ≥ 0.6 of the trials"), "early stopped in ≥ 0.6 of the trials");
        assert_eq!(named_within("good_fit"), "good fit");
        assert_eq!(named_within("> 2 × a_b/last.loss"), "> 2 × `a_b/last.loss`");
        assert_eq!(named_within("≥ 0.5, > last.loss"), "≥ 0.5, > `last.loss`");
        assert_eq!(named_within("0.25 ± 0.001"), "0.25 ± 0.001");
    }

    #[test]
    fn an_expectation_of_one_seed_is_neither_met_nor_missed_with_the_others() {
        let mut experiment = experiment(&[("base", vec![verified(0, "2.4022679 ± 0.00001", json!(2.40226794), true)])]);
        experiment.runs[1].histories[0]["expectations"] = json!([]);
        let rows = rows(&experiment);
        assert_eq!((count(&rows, 0), count(&rows, 1)), ((1, 1), (0, 0)));
        let shown = "| | `last.loss` | 2.4022679 ± 0.00001 | ✓ 2.4022679 | – |\n";
        assert!(table(&experiment, &rows).ends_with(shown));
    }

    #[test]
    fn a_figure_that_is_not_there_is_missed() {
        let shown = lines(&[("base", vec![verified(0, "≤ 0.5", Value::Null, false)])]);
        assert_eq!(shown, ["| | `last.loss` | ≤ 0.5 | ✗ not available | ✗ not available |"]);
    }
}
