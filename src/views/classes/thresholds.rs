//! The chosen decision threshold and its metrics, and curves over all thresholds.

use serde_json::Value;

use crate::compare::group::Group;
use crate::compare::trial::Trial;
use crate::history::classification_report::Scores;
use crate::history::number::{brief, count};
use crate::history::test_record::{AtThreshold, TestRecord, ThresholdRecord};
use crate::views::classes::positive_class;
use crate::views::document::block::{Block, Section};
use crate::views::document::statistic::{MISSING, value_or_dash};
use crate::views::document::table::{Cell, Table};
use crate::views::document::thinning;

/// Returns how a threshold was chosen: `chosen by f1 on the validation rows`.
pub fn how_chosen(threshold: &ThresholdRecord, positive: Option<&str>) -> String {
    match &threshold.by {
        Value::String(name) => format!("chosen by {name} on the validation rows"),
        Value::Object(by) if by.contains_key("cost") => {
            let cost = |of: &str| by["cost"][of].as_f64().map_or(MISSING.to_owned(), |cost| cost.to_string());
            let (miss, false_alarm) = (cost("miss"), cost("false_alarm"));
            let missed = positive.map_or("a miss".to_owned(), |positive| format!("a missed `{positive}`"));
            format!("chosen on the validation rows by cost: {missed} {miss}, a false alarm {false_alarm}")
        }
        _ => "given".to_owned(),
    }
}

/// Returns the metrics at the chosen threshold of a group's first trial that has one, and at the default threshold.
pub fn at_threshold(group: &Group) -> Option<Table> {
    let (trial, history, test, threshold) = group.trials.iter().find_map(|trial| {
        let history = trial.history()?;
        let test = history.test.as_ref()?;
        Some((trial, history, test, test.threshold.as_ref()?))
    })?;
    let positive = history.data.positive_index();
    let at = brief(threshold.value);
    let by = how_chosen(threshold, history.data.positive_name());
    let heads = ["", "threshold", "precision", "recall", "F1", "missed", "false alarms"];
    let mut table = Table::new(format!("Threshold{}: {at}, {by}", of_trial(group, trial)), heads, 1..);
    let mut row = |label: &str, at: &str, scores: Scores, confusion: &[Vec<u64>]| {
        let rows = |truth: usize, predicted: usize| {
            let number = confusion.get(truth).and_then(|row| row.get(predicted));
            number.map_or(MISSING.to_owned(), |&number| count(number as usize))
        };
        let [precision, recall, f1] = [scores.precision, scores.recall, scores.f1].map(value_or_dash);
        let (missed, false_alarms) = (rows(positive, 1 - positive), rows(1 - positive, positive));
        table.row([label.to_owned(), at.to_owned(), precision, recall, f1, missed, false_alarms]);
    };
    if let Some(AtThreshold { scores, confusion, .. }) = &threshold.validation {
        row("validation rows", &at, *scores, confusion);
    }
    if let (Some(report), Some(confusion)) = (&test.report, &test.confusion) {
        row("test rows", &at, report.classes.get(positive).map(|class| class.scores).unwrap_or_default(), confusion);
    }
    row("test rows", "default", threshold.at_default.scores, &threshold.at_default.confusion);
    Some(table)
}

/// Returns ` of seed 3` if the group has several trials.
fn of_trial(group: &Group, trial: &Trial) -> String {
    if group.trials.len() > 1 { format!(" of {}", trial.name()) } else { String::new() }
}

/// Returns the section with ROC, precision–recall and threshold curves; `None` if no group has them.
pub fn section(groups: &[Group]) -> Option<Section> {
    let mut parts: Vec<(String, Vec<Block>)> = Vec::new();
    let mut curves = 0;
    for group in groups {
        for trial in &group.trials {
            let Some(history) = trial.history() else { continue };
            let Some(test) = &history.test else { continue };
            curves += test.roc.iter().count() + test.precision_recall.iter().count();
            if parts.last().is_none_or(|(label, _)| *label != group.label) {
                let table = points(test, history.data.positive_index(), &of_trial(group, trial));
                parts.extend(table.map(|table| (group.label.clone(), vec![Block::Table(table)])));
            }
        }
    }
    if curves == 0 {
        return None;
    }
    let mut note = String::from(
        "The dotted line is chance: the diagonal of the ROC curve, and the share of the positive class for precision and \
         recall. Point at a curve to read its threshold; with the keyboard, the left and right arrow keys move along a \
         curve, and up and down change to another curve.",
    );
    if thinning::points_of_each(curves) < 500 {
        note.push_str(&format!(" At most {} points of each curve are drawn.", thinning::points_of_each(curves)));
    }
    let mut blocks: Vec<Block> = positive_class::note(groups).into_iter().collect();
    blocks.push(Block::Html("<div id=\"threshold-charts\" class=\"stack needs-js\"></div>".to_owned()));
    blocks.push(Block::ChartNote(note));
    if !parts.is_empty() {
        blocks.push(Block::Folded("Precision and recall in a table".to_owned(), vec![Block::ByGroup(parts)]));
    }
    Some(Section { id: "thresholds", title: "By threshold", blocks })
}

/// Returns a table with some points of a precision–recall curve.
fn points(test: &TestRecord, positive: usize, of: &str) -> Option<Table> {
    let curve = test.curve_with_threshold(positive)?;
    let heads = ["threshold", "precision", "recall", "F1"];
    let mut table = Table::new(format!("Precision and recall by threshold{of}"), heads, ..);
    let is_finite = |place: &usize| curve.threshold.get(*place).is_some_and(|threshold| threshold.0.is_finite());
    let places = thinning::places(curve.recall.len().min(curve.precision.len()), 15).into_iter().filter(is_finite);
    for place in places {
        let threshold = curve.threshold.get(place).map(|threshold| threshold.0);
        let values = [&curve.precision, &curve.recall, &curve.f1].map(|values| values.get(place).copied());
        table.row(std::iter::once(threshold).chain(values).map(value_or_dash).map(Cell::Text));
    }
    Some(table)
}
