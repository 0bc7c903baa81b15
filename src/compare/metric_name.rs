//! Names of metrics, of series and in the names of figures.

/// The metric of a figure's name: `val_acc` of `best.val_acc`.
pub fn metric_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, metric)| metric)
}

/// Whether a series is a loss or a metric, and not the learning rate, the time, or an observation of a layer.
pub fn is_metric(series: &str) -> bool {
    !matches!(series, "lr" | "seconds" | "time") && !series.contains('.')
}
