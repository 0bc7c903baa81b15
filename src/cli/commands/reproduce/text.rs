//! Text of `runner reproduce`: whether each trial is identical, the first difference, and its possible causes.

use crate::cli::commands::reproduce::reproduction::Reproduction;
use crate::cli::text::number_format::{count, counted};
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::experiment::verify::reproduction::TrialComparison;
use crate::experiment::verify::weight_diff::WeightDiff;
use crate::history::difference::{MetricDifference, RunDifference, ValueDifference};
use serde_json::Value;

/// Maximum number of trials that are listed one by one.
const MAX_LISTED: usize = 10;

/// Returns the comparison as text.
pub(crate) fn render(reproduction: &Reproduction) -> String {
    let page = TextStyle::of_output();
    let mut lines: Vec<String> = Vec::new();
    let of = |is_identical: Option<bool>| -> Vec<(&str, &TrialComparison)> {
        reproduction.outcomes().filter(|(_, outcome)| outcome.is_identical() == is_identical).collect()
    };
    let identical = of(Some(true));
    let compared: Vec<&TrialComparison> = identical.iter().map(|(_, outcome)| *outcome).collect();
    match &identical[..] {
        [] => {}
        [(stem, _)] => lines.push(format!("{stem}: identical ({})", what_was_compared(&compared))),
        many => {
            let all = count(reproduction.trials.len());
            lines.push(format!("{} of {all} trials identical: {}", count(many.len()), what_was_compared(&compared)));
        }
    }
    let unknown = of(None);
    for (stem, outcome) in unknown.iter().take(MAX_LISTED) {
        let what = if outcome.is_tree { "its tree was" } else { "its weights were" };
        let compared = what_was_compared(&[outcome]);
        let why = match outcome.kept_file {
            WeightDiff::Damaged { bytes, wanted } => {
                format!("damaged: {} bytes instead of {}", count(bytes), count(wanted))
            }
            _ => "missing".to_owned(),
        };
        let line = format!("{stem}: metrics identical ({compared}); {what} not compared: the run's file is {why}");
        lines.push(terminal::red(&line));
    }
    let more = |all: &[_]| all.len().checked_sub(MAX_LISTED).filter(|more| *more > 0);
    let not_compared = "more trials could not be compared completely; `--json` lists all";
    lines.extend(more(&unknown).map(|more| format!("{more} {not_compared}")));
    let different = of(Some(false));
    for (stem, outcome) in different.iter().take(MAX_LISTED) {
        lines.extend(difference_lines(stem, outcome));
    }
    lines.extend(more(&different).map(|more| format!("{more} more trials differ; `--json` lists all")));
    for (stem, _) in reproduction.trials.iter().filter(|(_, outcome)| outcome.is_none()) {
        lines.push(terminal::red(&format!("{stem}: was not trained again")));
    }
    if reproduction.outcomes().next().is_some() {
        lines.extend(causes(reproduction, different.is_empty()));
    }
    lines.extend(reproduction.kept.as_ref().map(|kept| format!("the new run is kept in {}", kept.display())));
    lines.iter().map(|line| wrapped(line, page)).collect::<Vec<_>>().join("\n")
}

/// Wraps a line, keeping its indentation.
fn wrapped(line: &str, page: TextStyle) -> String {
    match line.strip_prefix("  ") {
        Some(inner) => {
            let inner = TextStyle { width: page.width.min(100) - 2, ..page }.wrapped(inner, 9);
            inner.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
        }
        None => page.wrapped(line, 2),
    }
}

/// Returns what was compared in each of these trials: epochs, test metrics, weight files.
fn what_was_compared(trials: &[&TrialComparison]) -> String {
    let epochs = || trials.iter().map(|outcome| outcome.difference.epochs);
    let epochs = match (epochs().min().unwrap_or(0), epochs().max().unwrap_or(0)) {
        (fewest, most) if fewest < most => format!("{} to {} epochs", count(fewest), count(most)),
        (_, most) if trials.len() > 1 => format!("{} each", counted(most, "epoch")),
        (_, most) => counted(most, "epoch"),
    };
    let tested = trials.iter().all(|outcome| outcome.tested).then(|| "test metrics".to_owned());
    let kept = trials.iter().all(|outcome| outcome.kept_file == WeightDiff::Identical);
    let kept = kept.then(|| "weight files byte for byte".to_owned());
    let parts: Vec<String> = [epochs].into_iter().chain(tested).chain(kept).collect();
    match &parts[..] {
        [others @ .., last] if trials.len() == 1 && !others.is_empty() => format!("{} and {last}", others.join(", ")),
        parts => parts.join(", "),
    }
}

/// Returns lines with the first and the largest difference of a trial, and the other differences.
fn difference_lines(stem: &str, outcome: &TrialComparison) -> Vec<String> {
    let difference = &outcome.difference;
    let mut lines = Vec::new();
    match &difference.first {
        Some(first) => {
            let epochs = count(difference.epochs);
            lines.push(terminal::red(&format!("{stem}: different from epoch {} of {epochs} on", first.epoch)));
            lines.push(format!("  first    {}", metric_difference(first)));
            if let Some(largest) = difference.largest.as_ref().filter(|largest| *largest != first) {
                lines.push(format!("  largest  epoch {}: {}", count(largest.epoch), metric_difference(largest)));
            }
        }
        None => lines.push(terminal::red(&format!("{stem}: different, although the metrics of all epochs are equal"))),
    }
    let also = if difference.first.is_some() { "also " } else { "value" };
    lines.extend(difference.others.iter().map(|other| format!("  {also}    {}", other_difference(other))));
    if let WeightDiff::Different { tensor, largest } = &outcome.kept_file {
        let from = tensor.as_ref().map(|tensor| format!(", first in `{tensor}`")).unwrap_or_default();
        let by = largest.as_ref().map(|by| format!(", largest difference {:.1e}", by.0)).unwrap_or_default();
        lines.push(format!("  weights  the files differ{from}{by}"));
    }
    lines
}

/// Returns `loss 0.25 then, 0.2500001 now: difference 1.0e-7, relative 4.0e-7`.
fn metric_difference(difference: &MetricDifference) -> String {
    let MetricDifference { metric, then, now, absolute, relative, .. } = difference;
    let size = match absolute.0.is_finite() {
        true => format!("difference {:.1e}, relative {:.1e}", absolute.0, relative.0),
        false => "one of them is NaN or infinite".to_owned(),
    };
    format!("{metric} {} then, {} now: {size}", then.0, now.0)
}

/// Returns a difference outside the epochs, such as one of a test metric.
fn other_difference(other: &ValueDifference) -> String {
    let shown = |value: &Value| match value {
        Value::Null => "missing".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let more = match other.of {
        0 | 1 => String::new(),
        2 => "; 1 more value differs".to_owned(),
        of => format!("; {} more values differ", count(of - 1)),
    };
    format!("{} {} then, {} now{more}", other.place, shown(&other.then), shown(&other.now))
}

/// Returns the changes of the environment, which may be the cause of the differences.
fn causes(reproduction: &Reproduction, is_identical: bool) -> Vec<String> {
    let changes: Vec<String> = reproduction.changes().into_iter().map(format_change).collect();
    let unknown_changes = reproduction.unknown_changes();
    if is_identical {
        return match &changes[..] {
            [] => Vec::new(),
            all => vec![format!("identical, although the environment has changed: {}", all.join("; "))],
        };
    }
    let mut lines = match &changes[..] {
        [] => vec![unknown_cause(reproduction).to_owned()],
        _ => vec!["changes that may be the cause:".to_owned()],
    };
    lines.extend(changes.iter().map(|change| format!("  {change}")));
    if !unknown_changes.is_empty() {
        lines.push(format!("not recorded: {}", unknown_changes.join("; ")));
    }
    let options = &reproduction.stored.options;
    if options.device.starts_with("cuda") && !options.deterministic {
        lines.push("on a GPU, use `runner exp … --deterministic` for equal results each time".to_owned());
    }
    lines
}

/// Returns the possible cause of differences without a recorded change of the environment.
fn unknown_cause(reproduction: &Reproduction) -> &'static str {
    let is_same =
        |outcome: &TrialComparison| outcome.difference.first.is_none() && outcome.kept_file == WeightDiff::Identical;
    let options = &reproduction.stored.options;
    if reproduction.outcomes().filter(|(_, o)| o.is_identical() == Some(false)).all(|(_, outcome)| is_same(outcome)) {
        "the metrics of all epochs and the weight files are equal: the history may have been edited"
    } else if options.device == "cpu" && options.threads == 1 {
        "no change of the environment is recorded, and results of one CPU thread do not vary: the files of the run may \
         have been edited"
    } else {
        "no change of the environment is recorded: the results may depend on the order of parallel operations, which \
         varies from run to run"
    }
}

/// Returns `threads 1 then, 2 now`. Checksums are shortened.
fn format_change(change: &RunDifference) -> String {
    let RunDifference { what, then, now } = change;
    let short = |text: &str| match what.starts_with("checksum") && text.chars().count() > 12 {
        true => format!("{}…", text.chars().take(12).collect::<String>()),
        false => text.to_owned(),
    };
    format!("{what} {} then, {} now", short(then), short(now))
}
