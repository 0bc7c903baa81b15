//! What is shown of a decision tree: its figures on each part of the rows, how large it is, and what it asks for.

use crate::cli::text::number_format;
use crate::cli::text::table::Columns;
use crate::compare::metric_name::is_metric;
use crate::history::History;
use crate::history::tree::TreeRecord;

/// So many features are listed.
const FEATURES: usize = 5;

/// The parts, where it was fitted.
pub fn of(history: &History) -> Vec<String> {
    history.tree.as_ref().map(|tree| vec![figures_table(history), of_tree(tree)]).unwrap_or_default()
}

/// A line for each figure: on training rows, on validation rows where there are some, and on test rows, unless these are at
/// another threshold.
fn figures_table(history: &History) -> String {
    let curve = |name: &str| history.history.at(1, name);
    let of_test = |name: &str| Some(history.test.as_ref()?.metrics.get(name)?.0);
    let is_tested = history.test.as_ref().is_some_and(|test| test.threshold.is_none());
    let has_validation = history.history.series.keys().any(|name| name.starts_with("val_"));
    let mut header = vec!["figure", "training"];
    header.extend(has_validation.then_some("validation"));
    header.extend(is_tested.then_some("test"));
    let mut table = Columns::new(header.clone(), 1..header.len());
    let mut names: Vec<&String> =
        history.history.series.keys().filter(|name| is_metric(name) && !name.starts_with("val_")).collect();
    for name in history.test.iter().filter(|_| is_tested).flat_map(|test| test.metrics.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let mut row = vec![name.clone(), number_format::of(name, curve(name))];
        row.extend(has_validation.then(|| number_format::of(name, curve(&format!("val_{name}")))));
        row.extend(is_tested.then(|| number_format::of(name, of_test(name))));
        table.row(row);
    }
    table.text()
}

/// How large a tree is, and the features that it splits by, the most important first.
fn of_tree(tree: &TreeRecord) -> String {
    let heading = format!("a tree of {} leaves, {} splits deep", number_format::count(tree.leaves), tree.depth);
    if tree.features.is_empty() {
        return heading;
    }
    let mut table = Columns::new(["feature", "importance", "splits"], 1..3);
    for feature in tree.features.iter().take(FEATURES) {
        let importance = number_format::metric(Some(feature.importance));
        table.row([feature.name.clone(), importance, number_format::count(feature.splits)]);
    }
    format!("{heading}\n{}", table.text())
}
