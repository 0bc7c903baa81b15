//! The summary of a decision tree: its metrics on each part of the rows, its size, and its most important features.

use indexmap::IndexSet;

use crate::cli::text::number_format;
use crate::cli::text::table::Columns;
use crate::compare::metric_name::is_metric;
use crate::history::History;
use crate::history::tree::TreeRecord;

/// Number of features that are listed.
const FEATURES: usize = 5;

/// Returns the metrics and the size of a fitted tree.
pub fn of(history: &History) -> Vec<String> {
    history.tree.as_ref().map(|tree| vec![metrics_table(history), of_tree(tree)]).unwrap_or_default()
}

/// Returns a line for each metric: on training rows, validation rows if there are any, and test rows unless their metrics are at
/// another threshold.
fn metrics_table(history: &History) -> String {
    let curve = |name: &str| history.history.at(1, name);
    let of_test = |name: &str| Some(history.test.as_ref()?.metrics.get(name)?.0);
    let is_tested = history.test.as_ref().is_some_and(|test| test.threshold.is_none());
    let has_validation = history.history.series.keys().any(|name| name.starts_with("val_"));
    let mut header = vec!["metric", "training"];
    header.extend(has_validation.then_some("validation"));
    header.extend(is_tested.then_some("test"));
    let mut table = Columns::new(header.clone(), 1..header.len());
    let of_epochs = history.history.series.keys().filter(|name| is_metric(name) && !name.starts_with("val_"));
    let tested = history.test.iter().filter(|_| is_tested).flat_map(|test| test.metrics.keys());
    for name in of_epochs.chain(tested).collect::<IndexSet<_>>() {
        let mut row = vec![name.clone(), number_format::of(name, curve(name))];
        row.extend(has_validation.then(|| number_format::of(name, curve(&format!("val_{name}")))));
        row.extend(is_tested.then(|| number_format::of(name, of_test(name))));
        table.row(row);
    }
    table.text()
}

/// Returns the size of a tree, and the features that it splits by, the most important first.
fn of_tree(tree: &TreeRecord) -> String {
    let heading = format!("a {}", number_format::tree_size(tree.leaves, tree.depth));
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
