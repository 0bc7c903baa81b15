//! What a run was expected to show, each expectation with a mark and what came; and figures that others report.

use std::collections::BTreeMap;

use crate::cli::text::page::Page;
use crate::cli::text::table::Columns;
use crate::cli::text::{number_format, terminal};
use crate::history::History;
use crate::history::expectation::{Expectation, Verified};
use crate::history::figure::Found;
use crate::history::number::Number;

/// Each expectation with a mark, over all trials that it concerns, in the order of the file.
pub fn of(histories: &[History], page: Page) -> String {
    let mut groups: BTreeMap<usize, Vec<(&History, &Verified)>> = BTreeMap::new();
    for history in histories {
        for verified in &history.expectations {
            groups.entry(verified.number).or_default().push((history, verified));
        }
    }
    let mut lines: Vec<String> = groups.values().map(|group| line(group, page)).collect();
    if groups.is_empty() {
        lines.push("no expectation applies to these seeds".to_owned());
    }
    lines.extend(unchecked(histories).map(|note| page.wrapped(&note, 2)));
    lines.join("\n")
}

/// A note on the expectations that need more seeds than were trained; `None` where there are none.
fn unchecked(histories: &[History]) -> Option<String> {
    let stated = histories.first()?.config.get("expect")?.as_array()?;
    let stated = stated.iter().filter_map(|value| serde_json::from_value::<Expectation>(value.clone()).ok());
    let skipped: Vec<usize> = stated
        .filter(|expectation| !expectation.has_enough_seeds(histories))
        .filter_map(|expectation| expectation.min_seeds)
        .collect();
    let needed = *skipped.iter().max()?;
    let what = if skipped.len() == 1 { "1 expectation was" } else { &format!("{} expectations were", skipped.len()) };
    Some(format!(
        "{what} not checked: statements about several seeds need at least {needed} seeds (`--seeds 0..{}`)",
        needed - 1
    ))
}

/// One expectation: what came of a lone trial, or how many trials are as expected.
fn line(trials: &[(&History, &Verified)], page: Page) -> String {
    let verified = trials[0].1;
    // a statistic over trials is one figure for each variant, whatever the number of its trials
    let mut distinct: Vec<(&History, &Verified)> = Vec::new();
    for (history, verified) in trials {
        let again = verified.over.is_some() && distinct.iter().any(|(other, _)| other.variant == history.variant);
        if !again {
            distinct.push((history, verified));
        }
    }
    let met = distinct.iter().filter(|(_, verified)| verified.met).count();
    let (mark, color): (_, fn(&str) -> String) =
        if met == distinct.len() { ("✓", terminal::green) } else { ("✗", terminal::red) };
    let came = match &distinct[..] {
        [(_, one)] => match &one.against {
            Some(against) => format!("found {}, against {}", found(one.found.as_ref()), found(Some(against))),
            None if verified.expected.starts_with('>') => {
                format!("found {}, and no value to compare it with", found(one.found.as_ref()))
            }
            None => format!("found {}", found(one.found.as_ref())),
        },
        several => {
            let what = if verified.over.is_some() { "variants" } else { "trials" };
            format!("{met} of {} {what}", several.len())
        }
    };
    let line = format!("{mark} {}: {came}", verified.statement());
    page.wrapped(&line, 2).replacen(mark, &color(mark), 1) // what colors it has no width
}

fn found(found: Option<&Found>) -> String {
    match found {
        None => "not available".to_owned(),
        Some(Found::Word(word)) => word.clone(),
        Some(Found::Number(Number(value))) if value.fract() == 0.0 && value.abs() < 1e9 => value.to_string(),
        Some(Found::Number(Number(value))) if value.abs() < 1e-3 || value.abs() >= 1e6 => format!("{value:.3e}"),
        Some(Found::Number(Number(value))) => format!("{value:.7}").trim_end_matches('0').to_owned(),
    }
}

/// The figures that a walkthrough reports beside ours, with several trials their mean; `None` where none are reported.
pub fn theirs(histories: &[History]) -> Option<String> {
    let reported = |history: &History| !history.theirs.is_empty();
    let several = histories.iter().filter(|history| reported(history)).count() > 1;
    let mut rows: Vec<(String, f64, Vec<f64>)> = Vec::new();
    for history in histories {
        for beside in &history.theirs {
            let name = match history.variant.as_str() {
                crate::experiment::plan::BASE => beside.value.clone(),
                variant => format!("{variant}/{}", beside.value),
            };
            let ours = beside.ours.map(|ours| ours.0);
            match rows.iter_mut().find(|(known, theirs, _)| *known == name && *theirs == beside.theirs) {
                Some((_, _, values)) => values.extend(ours),
                None => rows.push((name, beside.theirs, ours.into_iter().collect())),
            }
        }
    }
    let mut table = Columns::new(["figure", "theirs", if several { "our mean" } else { "ours" }], 1..3);
    for (name, theirs, values) in &rows {
        let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        table.row([name.clone(), number_format::metric(Some(*theirs)), number_format::metric(mean)]);
    }
    (!rows.is_empty()).then(|| table.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::expectation::verify;
    use crate::history::theirs::{Reference, compare_with};
    use crate::history::trial_for_tests as trial;

    fn shown(expectation: &str, mut trials: Vec<History>) -> String {
        let expectation: Expectation = toml_edit::de::from_str(expectation).unwrap();
        verify(&[expectation], &mut trials);
        of(&trials, Page { width: 60, styled: false })
    }

    #[test]
    fn a_comparison_shows_both_figures() {
        let above = "value = \"last.loss\"\nvariant = \"a\"\nabove = \"b/last.loss\"";
        let of_one_seed = shown(above, vec![trial("a", 0, 0.31), trial("b", 0, 0.125)]);
        assert_eq!(of_one_seed, "✓ a/last.loss > b/last.loss: found 0.31, against 0.125");
        let trials = vec![trial("a", 0, 0.31), trial("a", 1, 0.1), trial("b", 0, 0.12), trial("b", 1, 0.12)];
        assert_eq!(shown(above, trials), "✗ a/last.loss > b/last.loss: 1 of 2 trials");
        let long = above.replace("\"a\"", "\"a_longer_name\"");
        let broken = shown(&long, vec![trial("a_longer_name", 0, 0.31), trial("b", 0, 0.125)]);
        assert_eq!(broken, "✓ a_longer_name/last.loss > b/last.loss: found 0.31, against\n  0.125");
    }

    #[test]
    fn expectations_that_need_more_seeds_are_counted() {
        let mean = "value = \"last.loss\"\nover = \"mean\"\nat_most = 0.5\nmin_seeds = 2";
        let expectation: Expectation = toml_edit::de::from_str(mean).unwrap();
        let config = serde_json::json!({ "expect": [expectation] });
        let trials =
            |seeds: i64| (0..seeds).map(|seed| History { config: config.clone(), ..trial("base", seed, 0.25) });
        let shown = shown(mean, trials(1).collect());
        assert!(shown.starts_with("no expectation applies to these seeds\n1 expectation was not checked"), "{shown}");
        assert!(shown.ends_with("(`--seeds 0..1`)"), "{shown}");
        assert_eq!(self::shown(mean, trials(2).collect()), "✓ mean of last.loss ≤ 0.5: found 0.25");
    }

    #[test]
    fn a_statistic_is_shown_once() {
        let mean = "value = \"last.loss\"\nover = \"mean\"\nat_most = 0.5";
        let lone = shown(mean, vec![trial("base", 0, 0.25), trial("base", 1, 0.5)]);
        assert_eq!(lone, "✓ mean of last.loss ≤ 0.5: found 0.375");
        let variants = shown(mean, vec![trial("a", 0, 0.25), trial("a", 1, 0.5), trial("b", 0, 0.7)]);
        assert_eq!(variants, "✗ mean of last.loss ≤ 0.5: 1 of 2 variants");
    }

    #[test]
    fn what_a_walkthrough_reports_stands_beside_ours() {
        let mut trials = [trial("base", 0, 0.25), trial("base", 1, 0.5)];
        assert_eq!(theirs(&trials), None);
        let reported: Reference = toml_edit::de::from_str("value = \"last.loss\"\nfigure = 0.0074").unwrap();
        compare_with(&[reported], &mut trials);
        assert_eq!(theirs(&trials).unwrap(), "figure     theirs  our mean\nlast.loss  0.0074    0.3750");
    }
}
