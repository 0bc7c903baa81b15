//! One run alone: its metrics on training, validation and test rows.

use indexmap::IndexSet;

use crate::cli::commands::compare::overview;
use crate::cli::commands::compare::screen::Screen;
use crate::cli::commands::compare::table::format_metric;
use crate::cli::text::column::{Cell, Column};
use crate::cli::text::column_layout::{Fitted, fit};
use crate::cli::text::text_style::TextStyle;
use crate::compare::group::describe_test_weights;
use crate::compare::metric_name::metric_of;
use crate::compare::positive_class;

/// Columns: header, start of the metric path, and rank if there is not enough room.
const COLUMNS: [(&str, &str, usize); 5] = [
    ("train (best epoch)", "best.", 2),
    ("train (last)", "last.", 4),
    ("val (best epoch)", "best.val_", 1),
    ("val (last)", "last.val_", 3),
    ("test", "test.", 0),
];

/// Returns a table with a row for each metric, and a legend.
pub(crate) fn render(screen: &Screen, page: TextStyle) -> String {
    let comparison = &screen.comparison;
    let shown = comparison.metrics.iter().filter(|metric| metric.is_there());
    let names: IndexSet<&str> = shown.map(|metric| metric_of(&metric.name).trim_start_matches("val_")).collect();
    if names.is_empty() {
        return "no metrics: no epoch was completed".to_owned();
    }
    let cell = |path: String| comparison.metric(&path).map_or("–".to_owned(), |metric| format_metric(metric, 0));
    let column = |(header, start, rank): (&str, &str, usize)| {
        let cells = names.iter().map(|name| Cell::plain(cell(format!("{start}{name}"))));
        (rank, Column::numbers(header, cells))
    };
    let columns: Vec<(usize, Column)> =
        COLUMNS.into_iter().map(column).filter(|(_, column)| !column.is_empty()).collect();
    let labels = Column::words("metric", names.iter().map(|name| (*name).to_owned()));
    let (table, left_out) = match screen.all {
        true => {
            let groups = columns.iter().map(|(_, column)| vec![column.clone()]).collect();
            let whole = Fitted::new(labels, groups);
            (whole.tables(page).join("\n\n"), Vec::new())
        }
        false => fit(&labels, &columns, page),
    };
    let mut legend = Vec::new();
    if screen.groups[0].trials.len() > 1 {
        legend.push("± = standard deviation".to_owned());
    }
    if comparison.metrics.iter().any(|metric| metric.name.starts_with("test.")) {
        legend.push(format!("test metrics: {}", describe_test_weights(&screen.groups)));
    }
    legend.extend(positive_class::describe(&screen.groups));
    let hidden: Vec<&str> = left_out.iter().map(|&place| columns[place].1.header()).collect();
    legend.extend((!hidden.is_empty()).then(|| format!("not shown: {} (`--all`)", hidden.join(", "))));
    let legend = (!legend.is_empty()).then(|| page.wrapped(&legend.join("; "), 2));
    let group = &screen.groups[0];
    let training = format!(
        "epochs: {}; best epoch: {}; diagnosis: {}",
        overview::epochs(group),
        overview::best_epoch(group),
        overview::diagnosis(group)
    );
    let training = format!("{}\n{}", page.wrapped(&training, 2), overview::locations(&screen.groups).join("\n"));
    let metrics = [Some(table), legend].into_iter().flatten().collect::<Vec<_>>().join("\n");
    format!("{metrics}\n\n{training}")
}
