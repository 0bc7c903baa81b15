//! Text of `runner predict`: bars for one row, a table for several.

use crate::cli::commands::predict::kept_columns;
use crate::cli::text::table::Columns;
use crate::cli::text::{number_format, terminal};
use crate::data::Target;
use crate::experiment::predict::prediction::{Label, Prediction, Predictions, Value};
use crate::history::number::unsigned_zero;

/// Predictions and how they are shown.
pub(crate) struct PredictionView<'a> {
    pub(crate) predictions: &'a Predictions,
    /// Kind of target.
    pub(crate) target: Target,
    /// Names of the classes, labels or values.
    pub(crate) names: &'a [String],
    /// Number of each row in its source.
    pub(crate) numbers: &'a [usize],
    /// Columns that are copied from the source: name, and value of each row.
    pub(crate) kept: &'a [(String, Vec<String>)],
    /// Maximum number of classes to show; all without it.
    pub(crate) top: Option<usize>,
    /// Whether the targets of the rows are known.
    pub(crate) has_truth: bool,
    /// Maximum number of rows that the text lists.
    pub(crate) most_rows: usize,
}

/// Maximum number of classes shown in their own order. Of more classes, only the most probable ones are shown, sorted.
const MAX_IN_ORDER: usize = 12;

/// Maximum length of a bar.
const MAX_BAR: usize = 40;

/// Maximum width of the text, even on a wide terminal.
const MAX_WIDTH: usize = 80;

impl PredictionView<'_> {
    /// Returns the copied values of a row.
    pub(crate) fn kept_of(&self, row: usize) -> impl Iterator<Item = &str> {
        self.kept.iter().map(move |(_, values)| values[row].as_str())
    }

    /// Returns what the outputs are called: `probability` or `score`.
    pub(crate) fn score_name(&self) -> &'static str {
        if self.predictions.are_probabilities { "probability" } else { "score" }
    }

    /// Returns a bar for a probability, next to the names and to other columns of a total width of `others`.
    fn bar(&self, share: f64, others: usize) -> String {
        let names = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let longest = terminal::width().min(MAX_WIDTH).saturating_sub(names + others).clamp(8, MAX_BAR);
        if self.predictions.are_probabilities { bar(share, longest) } else { String::new() }
    }

    /// Returns the classes to show: all in their order, or the most probable ones first.
    pub(crate) fn classes(&self, shares: &[f64]) -> Vec<usize> {
        let mut classes: Vec<usize> = (0..shares.len()).collect();
        if self.top.is_none() && classes.len() <= MAX_IN_ORDER {
            return classes;
        }
        classes.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
        classes.truncate(self.top.unwrap_or(MAX_IN_ORDER));
        classes
    }
}

/// Returns one row with all its classes, labels or values.
pub(crate) fn single_row(view: &PredictionView) -> String {
    match &view.predictions.rows[0] {
        Prediction::Class { class, shares, truth } => {
            let mut table = Columns::new(["class", view.score_name(), ""], [1]);
            for number in view.classes(shares) {
                table.row([view.names[number].clone(), four_decimals(shares[number]), view.bar(shares[number], 16)]);
            }
            let predicted = terminal::bold(&format!("predicted {}", view.names[*class]));
            let verdict = truth.map(|truth| {
                let word = if truth == *class { terminal::green("right") } else { terminal::red("wrong") };
                format!(", true class {}: {word}", view.names[truth])
            });
            format!("{}\n\n{predicted}{}", table.text(), verdict.unwrap_or_default())
        }
        Prediction::Labels(labels) => {
            let mut header = vec!["label", view.score_name(), "", "predicted"];
            header.extend(view.has_truth.then_some("true"));
            let mut table = Columns::new(header, [1]);
            for (name, label) in view.names.iter().zip(labels) {
                let bar = view.bar(label.share, 40);
                let mut row = vec![name.clone(), four_decimals(label.share), bar, yes_or_no(label.yes).to_owned()];
                row.extend(view.has_truth.then(|| match label.truth {
                    Some(truth) if truth == label.yes => yes_or_no(truth).to_owned(),
                    Some(truth) => format!("{}: {}", yes_or_no(truth), terminal::red("wrong")),
                    None => "–".to_owned(),
                }));
                table.row(row);
            }
            table.text()
        }
        Prediction::Values(values) => {
            let mut header = vec!["value", "predicted"];
            header.extend(view.has_truth.then_some(["true", "error"]).into_iter().flatten());
            let numbers = 1..header.len();
            let mut table = Columns::new(header, numbers);
            for (name, value) in view.names.iter().zip(values) {
                let mut row = vec![name.clone(), four_decimals(value.value)];
                row.extend(view.has_truth.then(|| format_truth_and_error(value)).into_iter().flatten());
                table.row(row);
            }
            table.text()
        }
    }
}

/// Returns a table with a line for each row.
pub(crate) fn table(view: &PredictionView) -> String {
    let truth = |name: &str| view.has_truth.then(|| name.to_owned());
    let mut header = vec!["row".to_owned()];
    let own = header.clone();
    header.extend(view.kept.iter().map(|(name, _)| kept_columns::header(name, &own)));
    let mut numbers = vec![0];
    match view.target {
        Target::Classes(_) => {
            header.extend(["prediction".to_owned(), view.score_name().to_owned()]);
            numbers.push(header.len() - 1);
            header.extend(view.top.filter(|&top| top > 1).map(|_| "next best".to_owned()));
            header.extend(["true", ""].into_iter().filter_map(truth));
        }
        Target::Labels(_) => {
            for name in view.names {
                numbers.push(header.len() + 1);
                header.extend([name.clone(), view.score_name().to_owned()]);
                header.extend(truth("true"));
            }
        }
        Target::Values(_) => {
            for name in view.names {
                numbers.extend(header.len()..header.len() + 3);
                header.push(name.clone());
                header.extend(["true", "error"].into_iter().filter_map(truth));
            }
        }
    }
    numbers.retain(|&number| number < header.len());
    let mut table = Columns::new(header, numbers);
    for (place, (number, prediction)) in
        view.numbers.iter().zip(&view.predictions.rows).enumerate().take(view.most_rows)
    {
        let mut row = vec![number.to_string()];
        row.extend(view.kept_of(place).map(str::to_owned));
        match prediction {
            Prediction::Class { class, shares, truth } => {
                row.extend([view.names[*class].clone(), four_decimals(shares[*class])]);
                row.extend(view.top.filter(|&top| top > 1).map(|_| next_best(view, shares, *class)));
                if view.has_truth {
                    row.push(truth.map_or("–".to_owned(), |truth| view.names[truth].clone()));
                    row.push(if prediction.is_right() == Some(false) { terminal::red("wrong") } else { String::new() });
                }
            }
            Prediction::Labels(labels) => {
                for Label { yes, share, truth } in labels {
                    row.extend([yes_or_no(*yes).to_owned(), four_decimals(*share)]);
                    row.extend(view.has_truth.then(|| truth.map_or("–", yes_or_no).to_owned()));
                }
            }
            Prediction::Values(values) => {
                for value in values {
                    row.push(four_decimals(value.value));
                    row.extend(view.has_truth.then(|| format_truth_and_error(value)).into_iter().flatten());
                }
            }
        }
        table.row(row);
    }
    let hidden = view.numbers.len().saturating_sub(view.most_rows);
    let hidden =
        (hidden > 0).then(|| format!("{} more rows: write all with `-o FILE.csv`", number_format::count(hidden)));
    let below: Vec<String> = hidden.into_iter().chain(accuracy_line(view)).collect();
    match below.is_empty() {
        true => table.text(),
        false => format!("{}\n\n{}", table.text(), below.join("\n")),
    }
}

/// Returns the most probable classes after the predicted one.
fn next_best(view: &PredictionView, shares: &[f64], class: usize) -> String {
    let next = view.classes(shares).into_iter().filter(|&number| number != class);
    next.map(|number| format!("{} {}", view.names[number], four_decimals(shares[number])))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Returns how many predictions are right, if any target is known.
fn accuracy_line(view: &PredictionView) -> Option<String> {
    let known: Vec<bool> = view.predictions.rows.iter().filter_map(Prediction::is_right).collect();
    let right = known.iter().filter(|right| **right).count();
    (!known.is_empty())
        .then(|| format!("{} of {} right", number_format::count(right), number_format::count(known.len())))
}

/// Returns the true value and the error, each `–` if unknown.
fn format_truth_and_error(value: &Value) -> [String; 2] {
    let error = value.error().map(|error| unsigned_zero(format!("{error:+.4}")));
    [value.truth.map(four_decimals), error].map(|text| text.unwrap_or("–".to_owned()))
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn four_decimals(value: f64) -> String {
    if value.abs() < 1e6 { unsigned_zero(format!("{value:.4}")) } else { format!("{value:.4e}") }
}

/// Returns a bar for a number from 0 to 1, in steps of an eighth of a character.
fn bar(share: f64, longest: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * (longest * 8) as f64).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["no", "yes"];

    fn classes() -> Predictions {
        let class = |class, shares: &[f64], truth| Prediction::Class { class, shares: shares.to_vec(), truth };
        let rows = vec![class(1, &[0.25, 0.75], Some(1)), class(0, &[0.9, 0.1], Some(1)), class(0, &[0.6, 0.4], None)];
        Predictions { are_probabilities: true, rows }
    }

    fn view<'a>(predictions: &'a Predictions, target: Target, names: &'a [String]) -> PredictionView<'a> {
        PredictionView {
            predictions,
            target,
            names,
            numbers: &[4, 5, 6],
            kept: &[],
            top: None,
            has_truth: true,
            most_rows: 9,
        }
    }

    #[test]
    fn one_row_has_a_bar_for_each_class_and_is_right_or_wrong() {
        let (predictions, names) = (classes(), NAMES.map(str::to_owned));
        let view = view(&predictions, Target::Classes(2), &names);
        let text = single_row(&view);
        assert!(text.contains(&format!("yes         0.7500  {}\n", "█".repeat(30))), "{text}");
        assert!(text.ends_with("predicted yes, true class yes: right"), "{text}");
        let top = single_row(&PredictionView { top: Some(1), ..view });
        assert!(!top.contains("0.2500"), "{top}");
    }

    #[test]
    fn several_rows_are_a_table_with_the_number_of_right_predictions() {
        let (predictions, names) = (classes(), NAMES.map(str::to_owned));
        let view = view(&predictions, Target::Classes(2), &names);
        let text = table(&view);
        assert_eq!(text.lines().filter(|line| line.ends_with("wrong")).count(), 1, "{text}");
        assert!(text.ends_with("1 of 2 right"), "{text}");
        let top = table(&PredictionView { top: Some(2), ..view });
        assert!(top.contains("no 0.2500"), "{top}");
    }

    #[test]
    fn scores_have_no_bars_and_are_not_called_probabilities() {
        let (predictions, names) = (classes(), NAMES.map(str::to_owned));
        let predictions = Predictions { are_probabilities: false, ..predictions };
        let text = single_row(&view(&predictions, Target::Classes(2), &names));
        assert!(text.contains("score") && !text.contains('█') && !text.contains("probability"), "{text}");
    }

    #[test]
    fn labels_with_their_bars_fit_80_columns() {
        let label = Label { yes: true, share: 1.0, truth: Some(false) };
        let predictions = Predictions { are_probabilities: true, rows: vec![Prediction::Labels(vec![label])] };
        let names = ["a_rather_long_label".to_owned()];
        let text = single_row(&view(&predictions, Target::Labels(1), &names));
        assert!(text.contains("yes        no: wrong"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn values_are_shown_with_their_errors() {
        let value = Value { value: 1.5, truth: Some(2.0) };
        let predictions = Predictions { are_probabilities: false, rows: vec![Prediction::Values(vec![value])] };
        let names = ["y".to_owned()];
        assert!(single_row(&view(&predictions, Target::Values(1), &names)).contains("-0.5000"));
    }

    #[test]
    fn bars_are_as_long_as_their_probabilities() {
        assert_eq!((bar(1.0, 40), bar(0.0, 40)), ("█".repeat(40), String::new()));
        assert_eq!(bar(0.5 / 40.0, 40), "▌");
        assert_eq!(bar(f64::NAN, 40), "");
    }
}
