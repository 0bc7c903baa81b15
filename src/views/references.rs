//! Reference values that somebody else published, beside the values of our runs.

use crate::compare::statistics::mean;
use crate::history::number::brief;
use crate::views::document::block::{Block, Section};
use crate::views::document::statistic::{MISSING, mean_and_std_of, signed};
use crate::views::document::table::Table;
use crate::views::trials::Runs;

/// A reference value and the value of this run.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The metric's name: `relu/last.loss`.
    pub metric: String,
    /// The published value.
    pub published: f64,
    /// Whether the published run can be repeated to the last digit.
    pub is_exact: bool,
    /// The values of each run's trials.
    pub ours: Vec<Vec<f64>>,
}

/// Returns the reference values in the order of their files.
pub fn rows(runs: &Runs) -> Vec<Reference> {
    let mut rows: Vec<Reference> = Vec::new();
    for (place, history) in runs.trials() {
        let variant = runs.variant(history).map(|variant| format!("{variant}/")).unwrap_or_default();
        for beside in &history.theirs {
            let metric = format!("{}{variant}{}", runs.prefix(history), beside.value);
            let known = rows.iter().position(|row| row.metric == metric && row.published == beside.theirs);
            let known = known.unwrap_or_else(|| {
                let ours = vec![Vec::new(); runs.labels.len()];
                rows.push(Reference { metric, published: beside.theirs, is_exact: beside.exact, ours });
                rows.len() - 1
            });
            rows[known].ours[place].extend(beside.ours.map(|ours| ours.0));
        }
    }
    rows
}

/// Returns the section with the reference values; `None` if there are none. Each run has a column if there are several.
pub fn section(runs: &Runs) -> Option<Section> {
    let mut heads = vec!["metric", "reference"];
    match &runs.labels[..] {
        [_] => heads.push("this run"),
        labels => heads.extend(labels.iter().map(String::as_str)),
    }
    let several = runs.labels.len() > 1;
    heads.extend((!several).then_some("difference"));
    let numbers = heads.len();
    heads.push("");
    let caption = "Published reference values and the values of this run; over several trials, their mean";
    let mut table = Table::new(caption, heads, 1..numbers);
    for row in rows(runs) {
        let all = row.ours.concat();
        let difference = if all.is_empty() { MISSING.to_owned() } else { signed(mean(&all) - row.published) };
        let mut cells = vec![row.metric, brief(row.published)];
        cells.extend(row.ours.iter().map(|ours| mean_and_std_of(ours)));
        cells.extend((!several).then_some(difference));
        cells.push(if row.is_exact { "the published run can be repeated exactly" } else { "" }.to_owned());
        table.row(cells);
    }
    Some(Section { id: "references", title: "References", blocks: vec![Block::Table(table.filled()?)] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::number::Number;
    use crate::history::trial_fields::ReferenceComparison;
    use crate::history::{History, trial_for_tests};

    fn trial(seed: i64, ours: f64) -> History {
        let beside =
            ReferenceComparison { value: "last.loss".to_owned(), theirs: 0.25, ours: Some(Number(ours)), exact: false };
        History { theirs: vec![beside], ..trial_for_tests("base", seed, ours) }
    }

    #[test]
    fn a_reference_value_has_a_column_for_each_run() {
        let (first, second) = ([trial(0, 0.25), trial(1, 0.75)], [trial(2, 0.5)]);
        let one = Runs::of(vec![("seeds 0 and 1".to_owned(), first.iter().collect())]);
        assert_eq!(rows(&one)[0].ours, [vec![0.25, 0.75]]);
        let table = |runs: &Runs| match section(runs).unwrap().blocks.remove(0) {
            Block::Table(table) => table,
            other => panic!("{other:?}"),
        };
        let heads: Vec<String> = table(&one).columns.into_iter().map(|column| column.head).collect();
        assert_eq!(heads, ["metric", "reference", "this run", "difference", ""]);
        assert_eq!(table(&one).rows[0].cells[3], "+0.2500".into());
        let two = Runs::of(vec![
            ("seeds 0 and 1".to_owned(), first.iter().collect()),
            ("seed 2".to_owned(), second.iter().collect()),
        ]);
        let heads: Vec<String> = table(&two).columns.into_iter().map(|column| column.head).collect();
        assert_eq!(heads, ["metric", "reference", "seeds 0 and 1", "seed 2", ""]);
        assert_eq!(section(&Runs::of(vec![("seed 0".to_owned(), Vec::new())])), None);
    }
}
