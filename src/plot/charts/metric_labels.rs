//! Names and units of metrics in plots.

use std::borrow::Borrow;

use crate::metrics::Metric;
use crate::observe::observer::Observer;
use crate::plot::draw::ticks::{Unit, format_number, percent};

/// Prefix of validation series.
const VALIDATION: &str = "val_";

/// Returns a metric's name without `val_`.
pub fn base(metric: &str) -> &str {
    metric.strip_prefix(VALIDATION).unwrap_or(metric)
}

/// Returns the name of a metric's validation series.
pub fn validation(base: &str) -> String {
    format!("{VALIDATION}{base}")
}

/// Returns a metric's name in words.
pub fn words(metric: &str) -> String {
    match Metric::info_of_name(base(metric)) {
        Some(info) => spaced(&info.label, metric),
        None if base(metric) == "lr" => spaced("learning rate", metric),
        None => spaced(base(metric), metric),
    }
}

/// Replaces underscores with blanks, and adds `validation` if the metric is a validation metric.
fn spaced(name: &str, metric: &str) -> String {
    let name = name.replace('_', " ");
    if metric.starts_with(VALIDATION) { format!("validation {name}") } else { name }
}

/// Returns the unit of a metric or of an observed statistic.
pub fn unit(metric: &str) -> Unit {
    let name = base(metric);
    let is_metric = Metric::info_of_name(name).is_some_and(|info| info.is_percent) || name.starts_with("top_");
    let is_observed =
        || Observer::ALL.iter().any(|observer| observer.is_fraction() && name.starts_with(observer.name()));
    if is_metric || is_observed() { Unit::Percent } else { Unit::Plain }
}

/// Returns a formatted value of a metric.
pub fn value(metric: &str, value: f64) -> String {
    match unit(metric) {
        Unit::Percent => percent(value),
        Unit::Plain | Unit::Whole => format_number(value),
    }
}

/// Returns the names separated by commas, at most `most` of them.
pub fn list<S: Borrow<str>>(names: &[S], most: usize) -> String {
    match names.len() {
        all if all <= most => names.join(", "),
        all => format!("{} and {} more", names[..most].join(", "), all - most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_named_in_words_and_shares_are_percent() {
        assert_eq!(
            ["acc", "val_acc", "loss", "val_my_own", "f1"].map(words),
            ["accuracy", "validation accuracy", "loss", "validation my own", "F1"]
        );
        assert_eq!(value("val_acc", 0.9657), "96.6 %");
        assert_eq!(value("loss", 0.1127), "0.1127");
        assert_eq!(list(&["a", "b", "c"], 2), "a, b and 1 more");
    }
}
