//! The line below a table of metrics: their rows, epoch and threshold.

use crate::history::History;

/// Returns the parts that have metrics, and the epoch whose weights are saved: `train/val/test: best epoch by val_loss`.
/// Test metrics at a chosen threshold have a separate table.
pub fn of(trials: &[&History]) -> String {
    let has = |validation: bool| {
        trials.iter().any(|history| history.history.series.keys().any(|name| name.starts_with("val_") == validation))
    };
    let has_threshold = trials.iter().any(|history| history.test.as_ref().is_some_and(|test| test.threshold.is_some()));
    let is_tested = trials.iter().any(|history| history.test.is_some());
    let parts = [("train", has(false)), ("val", has(true)), ("test", is_tested)];
    let parts: Vec<&str> = parts.into_iter().filter(|(_, there)| *there).map(|(part, _)| part).collect();
    let networks: Vec<&History> = trials.iter().filter(|history| history.network.is_some()).copied().collect();
    let mut monitors: Vec<&str> =
        networks.iter().filter_map(|history| Some(history.best.as_ref()?.monitor.as_str())).collect();
    monitors.sort_unstable();
    monitors.dedup();
    let last = networks.iter().filter(|history| history.keeps_last()).count();
    let epoch = match (last, &monitors[..]) {
        _ if networks.is_empty() => "the fitted tree".to_owned(),
        (last, _) if last == networks.len() => "last epoch".to_owned(),
        (0, [monitor]) => format!("best epoch by {monitor}"),
        (0, _) => "best epoch by the monitored metric".to_owned(),
        _ => "the saved epoch, best or last".to_owned(),
    };
    let threshold = if has_threshold { ", default threshold" } else { "" };
    format!("{}: {epoch}{threshold}", parts.join("/"))
}

/// Returns the line below the table of metrics at the chosen thresholds.
pub fn at_threshold(trials: &[&History]) -> String {
    let epoch = of(trials);
    let epoch = epoch.split_once(": ").map_or("", |(_, epoch)| epoch).trim_end_matches(", default threshold");
    let each = if trials.len() > 1 { "the threshold of each trial" } else { "the threshold" };
    format!("val/test at {each}: {epoch}")
}
