//! Names of metrics within metric paths and among series.

/// Returns the metric in a metric path: `val_acc` in `best.val_acc`.
pub fn metric_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, metric)| metric)
}

/// Returns whether a series is a loss or a metric, not the learning rate, the time or a layer statistic.
pub fn is_metric(series: &str) -> bool {
    !matches!(series, "lr" | "seconds" | "time") && !series.contains('.')
}
