//! The summary's lines about expectations, each with a mark and the value that was found, and the table of references.

use crate::cli::text::number_format;
use crate::cli::text::table::Columns;
use crate::cli::text::text_style::TextStyle;
use crate::compare::statistics::sample::Sample;
use crate::history::History;
use crate::history::expectation::Expectation;
use crate::views::expectations::{self, Expected};
use crate::views::references;
use crate::views::trials::Runs;

/// Returns each expectation with a mark, over all trials that it applies to, in the order of the file. `is_part` says
/// whether these are only the trials of one variant.
pub fn of(histories: &[History], is_part: bool, page: TextStyle) -> String {
    let expected = expectations::rows(&Runs::together(histories), false);
    let mut lines: Vec<String> = expected.iter().map(|expected| line(expected, page)).collect();
    let missing_variants = match is_part {
        true => expectations::of_hidden_variants(histories.iter()),
        false => expectations::of_missing_variants(histories.iter()),
    };
    if expected.is_empty() && missing_variants.is_none() {
        lines.push("no expectation applies to these seeds".to_owned());
    }
    lines.extend(missing_variants.map(|note| page.wrapped(&note, 2)));
    lines.extend(unchecked(histories).map(|note| page.wrapped(&note, 2)));
    lines.join("\n")
}

/// Returns a line for each missed expectation, and the notes on the number of those that are met or were not checked.
pub fn missed(histories: &[History], page: TextStyle) -> (Vec<String>, String) {
    let expected = expectations::rows(&Runs::together(histories), false);
    let missed = expected.iter().filter(|expected| !expected.is_met());
    let missed: Vec<String> = missed.map(|expected| line(expected, page)).collect();
    let missing_variants = expectations::of_missing_variants(histories.iter());
    let counted = match expected.len() {
        0 if missing_variants.is_some() => "no expectation applies to these variants".to_owned(),
        0 => "no expectation applies to these seeds".to_owned(),
        1 => format!("{} of 1 expectation met", 1 - missed.len()),
        all => format!("{} of {all} expectations met", all - missed.len()),
    };
    let notes = std::iter::once(counted).chain(missing_variants).chain(unchecked(histories));
    (missed, notes.map(|note| page.wrapped(&note, 2)).collect::<Vec<_>>().join("\n"))
}

/// Returns a note on the expectations that need more seeds than were trained; `None` if there are none.
fn unchecked(histories: &[History]) -> Option<String> {
    let stated = histories.first()?.config.get("expect")?.as_array()?;
    let stated = stated.iter().filter_map(|value| serde_json::from_value::<Expectation>(value.clone()).ok());
    let skipped = stated.filter(|expectation| !expectation.has_enough_seeds(histories));
    let skipped: Vec<usize> = skipped.filter_map(|expectation| expectation.min_seeds).collect();
    let needed = *skipped.iter().max()?;
    let what = if skipped.len() == 1 { "1 expectation was" } else { &format!("{} expectations were", skipped.len()) };
    Some(format!(
        "{what} not checked: statements about several seeds need at least {needed} seeds (`--seeds 0..{}`)",
        needed - 1
    ))
}

/// Returns one expectation: the value of a single trial, or the number of trials that meet it.
fn line(expected: &Expected, page: TextStyle) -> String {
    let found = expected.outcomes.iter().flatten().map(|outcome| match &outcome.trials[..] {
        [one] if one.against.is_none() && expected.bound.starts_with('>') => {
            format!("found {}, and no value to compare it with", outcome.describe(&number))
        }
        [one] if one.found.is_none() => outcome.describe(&number),
        [_] => format!("found {}", outcome.describe(&number)),
        _ => format!("met by {}", outcome.describe(&number)),
    });
    page.marked(expected.is_met(), &format!("{}: {}", expected.statement, found.collect::<Vec<_>>().join("; ")))
}

/// Returns a number with up to seven decimals.
fn number(value: f64) -> String {
    match (1e-3..1e6).contains(&value.abs()) {
        true => format!("{value:.7}").trim_end_matches('0').to_owned(),
        false => format!("{value:.3e}"),
    }
}

/// Returns the table of reference values and those of this run (of several trials, their mean); `None` if there are none.
pub fn references(histories: &[History]) -> Option<String> {
    let rows = references::rows(&Runs::together(histories));
    let several = histories.iter().filter(|history| !history.theirs.is_empty()).count() > 1;
    let mut table = Columns::new(["metric", "reference", if several { "mean" } else { "this run" }], 1..3);
    for row in &rows {
        let mean = Sample::from_values(&row.ours.concat()).map(|sample| sample.mean);
        table.row([row.metric.clone(), number_format::metric(Some(row.published)), number_format::metric(mean)]);
    }
    (!rows.is_empty()).then(|| table.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::expectation::verify;
    use crate::history::reference::{Reference, compare_with_references};
    use crate::history::trial_for_tests as trial;

    fn shown(expectation: &str, mut trials: Vec<History>) -> String {
        let expectation: Expectation = toml_edit::de::from_str(expectation).unwrap();
        verify(&[expectation], &mut trials);
        of(&trials, false, TextStyle { width: 60, styled: false })
    }

    #[test]
    fn a_comparison_shows_both_values() {
        let above = "value = \"last.loss\"\nvariant = \"a\"\nabove = \"b/last.loss\"";
        let of_one_seed = shown(above, vec![trial("a", 0, 0.31), trial("b", 0, 0.125)]);
        assert_eq!(of_one_seed, "✓ a/last.loss > b/last.loss: found 0.31, against 0.125");
        let trials = vec![trial("a", 0, 0.31), trial("a", 1, 0.1), trial("b", 0, 0.12), trial("b", 1, 0.12)];
        assert_eq!(shown(above, trials), "✗ a/last.loss > b/last.loss: met by 1 of 2 trials");
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
        let one_variant = shown(mean, vec![trial("base", 0, 0.25), trial("base", 1, 0.5)]);
        assert_eq!(one_variant, "✓ mean of last.loss ≤ 0.5: found 0.375");
        let variants = shown(mean, vec![trial("a", 0, 0.25), trial("a", 1, 0.5), trial("b", 0, 0.7)]);
        assert_eq!(variants, "✗ mean of last.loss ≤ 0.5: met by 1 of 2 variants");
    }

    #[test]
    fn reference_values_are_beside_ours() {
        let mut trials = [trial("base", 0, 0.25), trial("base", 1, 0.5)];
        assert_eq!(references(&trials), None);
        let reported: Reference = toml_edit::de::from_str("value = \"last.loss\"\nfigure = 0.0074").unwrap();
        compare_with_references(&[reported], &mut trials);
        assert_eq!(references(&trials).unwrap(), "metric     reference    mean\nlast.loss     0.0074  0.3750");
    }
}
