//! The best variants in one table: the metric that ranks them first, then losses and others as far as they fit.

use crate::cli::summary::variants::{Spread, left_out, meaning_of_mark_and_order, metric_column};
use crate::cli::text::column::Column;
use crate::cli::text::column_layout::Fitted;
use crate::cli::text::text_style::TextStyle;
use crate::history::History;
use crate::views::metric_column::MetricColumn;
use crate::views::variants::legend;
use crate::views::variants::order::Ranked;

/// Returns the table of the first `top` variants with its legend.
pub fn table(ranked: &Ranked, top: usize, page: TextStyle) -> String {
    let variants = &ranked.variants[..];
    let trials: Vec<&History> = variants.iter().flat_map(|variant| variant.trials.iter().copied()).collect();
    let several = variants.iter().any(|variant| variant.trials.len() > 1);
    let spread = if several { Spread::Beside } else { Spread::None };
    let metrics = metrics(&trials);
    let columns: Vec<Column> =
        metrics.iter().map(|metric| metric_column(variants, metric, spread).first(top)).collect();
    let diagnoses = variants.iter().map(|variant| variant.diagnosis());
    let diagnoses = Column::words("diagnosis", diagnoses).first(top);
    let labels = variants.iter().take(top).map(|variant| variant.name.to_owned());
    let labels = Column::words("variant", labels);
    let fitted = |chosen: &[usize]| {
        let chosen = chosen.iter().map(|&place| columns[place].clone()).collect();
        let closing = (!diagnoses.is_empty()).then(|| diagnoses.clone());
        Fitted { closing, ..Fitted::new(labels.clone(), vec![chosen]) }
    };
    let mut by_priority: Vec<usize> = (0..metrics.len()).collect();
    by_priority.sort_by_key(|&place| priority(&metrics[place], ranked.by.as_ref())); // stable
    let mut chosen: Vec<usize> = Vec::new();
    for place in by_priority {
        let mut with_it = chosen.clone();
        with_it.push(place);
        with_it.sort_unstable();
        if chosen.is_empty() || fitted(&with_it).is_one(page) {
            chosen = with_it;
        }
    }
    let fitted = fitted(&chosen);
    let legend = format!("{}{}", meaning(ranked, &trials, fitted.has_best(), page), left_out(variants, top));
    fitted.tables_with_legend(&legend, page).join("\n")
}

/// Returns the metrics that any trial has, each of training, validation and test rows in a row; test metrics are at the chosen
/// threshold if there is one.
fn metrics(trials: &[&History]) -> Vec<MetricColumn> {
    let mut metrics: Vec<MetricColumn> = Vec::new();
    for group in MetricColumn::groups(trials, false) {
        let has_loss = group.iter().any(MetricColumn::is_loss);
        metrics.extend(group);
        let is_tested = trials.iter().any(|history| MetricColumn::test_loss().value(history).is_some());
        metrics.extend((has_loss && is_tested).then(MetricColumn::test_loss));
    }
    let at_threshold = MetricColumn::at_threshold(trials).concat();
    metrics.extend(at_threshold.into_iter().filter(|column| matches!(column, MetricColumn::Test(_))));
    metrics
}

/// Returns the priority of a column, the highest first: those of the ranking metric, of the loss, then others; of each those of
/// validation, test and training rows.
fn priority(column: &MetricColumn, by: Option<&MetricColumn>) -> (usize, usize) {
    let base = |column: &MetricColumn| {
        let name = column.name();
        name.strip_prefix("val_").or(name.strip_prefix("test ")).unwrap_or(&name).to_owned()
    };
    let metric = match base(column) {
        name if by.map(base).as_ref() == Some(&name) => 0,
        name if name == "loss" => 1,
        _ => 2,
    };
    let rows = match column {
        MetricColumn::Kept(name) if name.starts_with("val_") => 0,
        MetricColumn::Test(_) => 1,
        _ => 2,
    };
    (metric, rows)
}

fn meaning(ranked: &Ranked, trials: &[&History], has_best: bool, page: TextStyle) -> String {
    let of = legend::of(trials);
    let of = match of.strip_suffix(", default threshold") {
        Some(of) => format!("{of}; test at the chosen thresholds"),
        None => of,
    };
    format!("{of}{}", meaning_of_mark_and_order(ranked, has_best, page))
}
