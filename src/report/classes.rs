//! Report sections about classes: confusion matrix, classification report, decision threshold, and threshold curves.

use crate::compare::group::Group;
use crate::compare::positive_class;
use crate::compare::statistics::sample::Sample;
use crate::compare::trial::Trial;
use crate::history::number::{brief, count};
use crate::history::report::Scores;
use crate::history::tested::{AtThreshold, TestRecord};
use crate::report::markup::{Cell, Section, Table, by_group, folded, note, text};
use crate::report::{run, thinned};

/// Matrices with more classes are replaced by the most frequent mistakes.
const MOST_CLASSES: usize = 40;

fn tests(group: &Group) -> Vec<&TestRecord> {
    group.trials.iter().filter_map(|trial| trial.history()?.test.as_ref()).collect()
}

/// Returns the section; `None` if no group has test metrics by class.
pub fn of(groups: &[Group]) -> Option<Section> {
    let of_group = |(place, group): (usize, &Group)| -> Option<(String, String)> {
        let parts: Vec<String> =
            [confusion(group, place), report(group), at_threshold(group)].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| (group.label.clone(), parts.join("\n")))
    };
    let parts: Vec<(String, String)> = groups.iter().enumerate().filter_map(of_group).collect();
    let positive = positive_class(groups).map(|line| note(&line)).unwrap_or_default();
    let body = format!("{positive}\n{}", by_group(&parts));
    (!parts.is_empty()).then_some(Section { id: "classes", title: "Classes", body })
}

/// Returns a sentence that names the positive class.
fn positive_class(groups: &[Group]) -> Option<String> {
    let words = positive_class::in_words(groups)?;
    let of = "precision, recall, F1, AP, ROC AUC and the threshold are about it";
    let of = if words.starts_with("positive classes") { of.replace("about it", "about these") } else { of.to_owned() };
    Some(format!("{}; {of}.", words.replacen("positive class", "Positive class", 1)))
}

/// Returns the name of a class.
fn name(classes: &[String], number: usize) -> String {
    classes.get(number).cloned().unwrap_or_else(|| number.to_string())
}

/// Returns the confusion matrix: counts summed over all trials, and shares of the true class (recall).
fn confusion(group: &Group, place: usize) -> Option<String> {
    let matrices: Vec<&Vec<Vec<u64>>> = tests(group).into_iter().filter_map(|test| test.confusion.as_ref()).collect();
    let size = matrices.first()?.len();
    let like: Vec<&&Vec<Vec<u64>>> = matrices.iter().filter(|matrix| is_square(matrix, size)).collect();
    let sum = |at: usize, to: usize| like.iter().map(|matrix| matrix[at][to]).sum::<u64>();
    let counts: Vec<Vec<u64>> = (0..size).map(|at| (0..size).map(|to| sum(at, to)).collect()).collect();
    let classes = group.trials.iter().find_map(|trial| Some(trial.history()?.data.classes.clone())).unwrap_or_default();
    let of = if like.len() > 1 { format!(", {} trials together", like.len()) } else { String::new() };
    let most = most_confused(&counts, &classes);
    if size > MOST_CLASSES {
        return Some(format!(
            "<h3>Confusion matrix</h3>\n{}\n{}",
            note(&format!("{size} classes are too many to show.")),
            most
        ));
    }
    let label = text(&group.label);
    let caption =
        format!("Test rows by true class (down) and predicted class (across), and their share of the true class{of}");
    let mut html = format!(
        "<h3>Confusion matrix</h3>\n{most}\n<p class=\"caption\" aria-hidden=\"true\">{caption}</p>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Confusion matrix of {label}\">\
         <table class=\"confusion\" data-group=\"{place}\">\n<caption>{caption}</caption>\n\
         <thead><tr><th scope=\"col\">true class</th>"
    );
    for to in 0..size {
        html.push_str(&format!("<th scope=\"col\">{}</th>", text(&name(&classes, to))));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for (at, row) in counts.iter().enumerate() {
        html.push_str(&format!("<tr><th scope=\"row\">{}</th>", text(&name(&classes, at))));
        let all: u64 = row.iter().sum();
        for (to, &number) in row.iter().enumerate() {
            let share = (all > 0).then(|| number as f64 / all as f64);
            let (alpha, is_hot) = heat(share.unwrap_or(0.0), at == to);
            let kind = match (at == to, number) {
                (true, _) => "hit",
                (false, 0) => "",
                (false, _) => "slip",
            };
            let hot = if is_hot { " hot" } else { "" };
            let percent = share.map_or("–".to_owned(), |share| format!("{:.1} %", 100.0 * share));
            html.push_str(&format!(
                "<td class=\"{kind}{hot}\" style=\"--a: {alpha:.3}\">{}<small>{percent}</small></td>",
                count(usize::try_from(number).unwrap_or(usize::MAX))
            ));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>");
    Some(html)
}

fn is_square(matrix: &[Vec<u64>], size: usize) -> bool {
    matrix.len() == size && matrix.iter().all(|row| row.len() == size)
}

/// Returns the opacity of a cell's color, and whether its text color is inverted. Opacities between the two ranges are
/// skipped, because neither text color is readable on them. Mistakes are rare, so their color follows the square root.
fn heat(share: f64, is_hit: bool) -> (f64, bool) {
    let strength = if is_hit { share } else { share.sqrt() };
    match strength <= 0.5 {
        true => (0.04 + strength * 1.1, false),
        false => (0.85 + (strength - 0.5) * 0.3, true),
    }
}

/// Returns a sentence with the three most frequent mistakes.
fn most_confused(counts: &[Vec<u64>], classes: &[String]) -> String {
    let mut mistakes: Vec<(u64, usize, usize)> = Vec::new();
    for (at, row) in counts.iter().enumerate() {
        mistakes.extend(
            row.iter().enumerate().filter(|(to, number)| *to != at && **number > 0).map(|(to, n)| (*n, at, to)),
        );
    }
    mistakes.sort_by_key(|&(number, at, to)| (std::cmp::Reverse(number), at, to));
    let all: u64 = mistakes.iter().map(|(number, ..)| number).sum();
    if mistakes.is_empty() {
        return note("No row of the test was predicted wrong.");
    }
    let most: Vec<String> = mistakes
        .iter()
        .take(3)
        .map(|&(number, at, to)| {
            format!("{} for {} ({})", name(classes, at), name(classes, to), count(number as usize))
        })
        .collect();
    note(&format!("{} mistakes; most often {}.", count(all as usize), most.join(", ")))
}

/// Returns precision, recall and F1 of each class.
fn report(group: &Group) -> Option<String> {
    let reports: Vec<_> = tests(group).into_iter().filter_map(|test| test.report.as_ref()).collect();
    let first = reports.first()?;
    let classes = group.trials.iter().find_map(|trial| Some(trial.history()?.data.classes.clone())).unwrap_or_default();
    let several = if reports.len() > 1 {
        format!(", mean ± standard deviation over {} trials", reports.len())
    } else {
        String::new()
    };
    let heads = ["class", "precision", "recall", "F1", "test rows"].map(Cell::text);
    let heads = heads.into_iter().enumerate().map(|(place, head)| if place > 0 { head.of_class("n") } else { head });
    let mut table = Table::new(&format!("Classification report{several}"), heads).tall();
    let shown = |of: &dyn Fn(usize) -> Option<f64>| -> Cell {
        let values: Vec<f64> = (0..reports.len()).filter_map(of).collect();
        Cell::number(&Sample::of(&values).map_or("–".to_owned(), |sample| run::shown(&sample)))
    };
    let scores = |label: &str, of: &dyn Fn(usize) -> Option<Scores>, support: String| {
        [
            Cell::head(text(label)),
            shown(&|trial| of(trial)?.precision),
            shown(&|trial| of(trial)?.recall),
            shown(&|trial| of(trial)?.f1),
            Cell::number(&support),
        ]
    };
    for (number, class) in first.classes.iter().enumerate() {
        let of = |trial: usize| reports[trial].classes.get(number).map(|class| class.scores);
        table.row(scores(&name(&classes, number), &of, count(class.support as usize)));
    }
    let all: u64 = first.classes.iter().map(|class| class.support).sum();
    table.row(scores("mean over classes (macro)", &|trial| Some(reports[trial].macro_average), count(all as usize)));
    table.row(scores("mean over rows (weighted)", &|trial| Some(reports[trial].weighted_average), count(all as usize)));
    Some(format!("<h3>Classification report</h3>\n{}", table.html_text()))
}

/// Returns the chosen threshold and its metrics, compared with those at the default threshold.
fn at_threshold(group: &Group) -> Option<String> {
    let trial = group
        .trials
        .iter()
        .find(|trial| trial.history().is_some_and(|h| h.test.as_ref().is_some_and(|t| t.threshold.is_some())))?;
    let history = trial.history()?;
    let test = history.test.as_ref()?;
    let positive = history.data.positive_index();
    let threshold = test.threshold.as_ref()?;
    let of = if group.trials.len() > 1 { format!(" of {}", trial.name()) } else { String::new() };
    let by = match &threshold.by {
        serde_json::Value::String(by) => format!("chosen on validation rows by {by}"),
        serde_json::Value::Number(_) => "given".to_owned(),
        other => format!("chosen on validation rows by {other}"),
    };
    let heads = ["", "threshold", "precision", "recall", "F1", "missed", "false alarms"].map(Cell::text);
    let heads = heads.into_iter().enumerate().map(|(place, head)| if place > 0 { head.of_class("n") } else { head });
    let mut table = Table::new(&format!("Threshold{of}: {}, {by}", brief(threshold.value)), heads);
    let mut row = |label: &str, at: &str, scores: Scores, confusion: &[Vec<u64>]| {
        let counted = |truth: usize, predicted: usize| {
            let number = confusion.get(truth).and_then(|row| row.get(predicted));
            number.map_or("–".to_owned(), |&number| count(number as usize))
        };
        let figure = |value: Option<f64>| Cell::number(&value.map_or("–".to_owned(), brief));
        table.row([
            Cell::head(text(label)),
            Cell::number(at),
            figure(scores.precision),
            figure(scores.recall),
            figure(scores.f1),
            Cell::number(&counted(positive, 1 - positive)),
            Cell::number(&counted(1 - positive, positive)),
        ]);
    };
    let at = brief(threshold.value);
    if let Some(AtThreshold { scores, confusion, .. }) = &threshold.validation {
        row("validation rows", &at, *scores, confusion);
    }
    if let (Some(report), Some(confusion)) = (&test.report, &test.confusion) {
        row("test rows", &at, report.classes.get(positive).map(|class| class.scores).unwrap_or_default(), confusion);
    }
    row("test rows, without it", "the likelier class", threshold.at_default.scores, &threshold.at_default.confusion);
    Some(format!("<h3>Threshold</h3>\n{}", table.html_text()))
}

/// Returns the section with ROC, precision–recall and threshold curves; `None` if no group has them.
pub fn of_thresholds(groups: &[Group]) -> Option<Section> {
    let mut parts: Vec<(String, String)> = Vec::new();
    let mut curves = 0;
    for group in groups {
        let with: Vec<(&Trial, &TestRecord)> = group
            .trials
            .iter()
            .filter_map(|trial| Some((trial, trial.history()?.test.as_ref()?)))
            .filter(|(_, test)| test.roc.is_some() || test.precision_recall.is_some())
            .collect();
        curves +=
            with.iter().map(|(_, test)| test.roc.iter().count() + test.precision_recall.iter().count()).sum::<usize>();
        let Some((trial, test)) = with.first() else { continue };
        let of = if group.trials.len() > 1 { format!(" of {}", trial.name()) } else { String::new() };
        parts.extend(points(test, &of).map(|table| (group.label.clone(), table)));
    }
    if curves == 0 {
        return None;
    }
    let mut told = String::from(
        "The dotted line is what chance gets: of the ROC curve the diagonal, of precision and recall the share of the positive class. \
         Point at a curve to read its threshold; with the keyboard, arrow keys walk along a curve, and up and down change to the next one.",
    );
    if thinned::points_of_each(curves) < 500 {
        told.push_str(&format!(" Of each curve {} points are drawn at most.", thinned::points_of_each(curves)));
    }
    let tables =
        if parts.is_empty() { String::new() } else { folded("Precision and recall in a table", &by_group(&parts)) };
    let positive = positive_class(groups).map(|line| note(&line)).unwrap_or_default();
    let body =
        format!("{positive}\n<div id=\"threshold-charts\" class=\"stack needs-js\"></div>\n{}\n{tables}", note(&told));
    Some(Section { id: "thresholds", title: "By threshold", body })
}

/// Returns a table with some points of a precision–recall curve.
fn points(test: &TestRecord, of: &str) -> Option<String> {
    let curve = test.precision_recall.as_ref()?;
    let heads = ["threshold", "precision", "recall", "F1"].map(|head| Cell::text(head).of_class("n"));
    let mut table = Table::new(&format!("Precision and recall by threshold{of}"), heads).tall();
    for place in thinned::places(curve.recall.len().min(curve.precision.len()), 15) {
        let at = |values: &[f64]| Cell::number(&values.get(place).map_or("–".to_owned(), |&value| brief(value)));
        let threshold = curve.threshold.get(place).map_or("–".to_owned(), |threshold| brief(threshold.0));
        table.row([Cell::head(text(&threshold)).of_class("n"), at(&curve.precision), at(&curve.recall), at(&curve.f1)]);
    }
    Some(table.html_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_by_their_number() {
        let counts = vec![vec![5, 2, 0], vec![7, 5, 0], vec![1, 0, 5]];
        let classes: Vec<String> = ["a", "<b>"].iter().map(|name| (*name).to_owned()).collect();
        let told = most_confused(&counts, &classes);
        assert!(
            told.contains("10 mistakes; most often &lt;b&gt; for a (7), a for &lt;b&gt; (2), 2 for a (1)."),
            "{told}"
        );
        assert!(most_confused(&[vec![3, 0], vec![0, 4]], &classes).contains("No row"));
    }

    #[test]
    fn heat_leaves_out_what_neither_text_is_read_on() {
        for percent in 0..=100 {
            for is_hit in [true, false] {
                let (alpha, is_hot) = heat(f64::from(percent) / 100.0, is_hit);
                assert!((0.0..=1.0).contains(&alpha) && (if is_hot { alpha >= 0.85 } else { alpha <= 0.6 }));
            }
        }
    }
}
