//! What `runner predict` shows to people: bars for one row, a table for several.

use crate::cli::text::table::Columns;
use crate::cli::text::{number_format, terminal};
use crate::data::Target;
use crate::experiment::predict::prediction::{Label, Prediction, Predictions, Value};

/// Predictions, and how they are to be shown.
pub(crate) struct Shown<'a> {
    /// What the network makes of the rows.
    pub(crate) predictions: &'a Predictions,
    /// What is predicted.
    pub(crate) target: Target,
    /// The names of the classes, labels or values.
    pub(crate) names: &'a [String],
    /// What each row is called.
    pub(crate) numbers: &'a [usize],
    /// How many classes are shown at most.
    pub(crate) top: Option<usize>,
    /// Whether it is known what is true of any row.
    pub(crate) has_truth: bool,
}

/// How many classes are shown in their own order; of more, the most probable come first.
const IN_ORDER: usize = 12;

/// The longest bar, where other columns leave room for it.
const BAR: usize = 40;

/// So many columns are filled at most, on a wide terminal too.
const WIDTH: usize = 80;

impl Shown<'_> {
    /// What shares are called.
    pub(crate) fn share(&self) -> &'static str {
        if self.predictions.are_probabilities { "probability" } else { "score" }
    }

    /// A bar for a probability, beside names and columns that are so wide.
    fn bar(&self, share: f64, others: usize) -> String {
        let names = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let longest = terminal::width().min(WIDTH).saturating_sub(names + others).clamp(8, BAR);
        if self.predictions.are_probabilities { bar(share, longest) } else { String::new() }
    }

    /// The classes to be shown of these shares: all in their order, or the largest ones first.
    pub(crate) fn classes(&self, shares: &[f64]) -> Vec<usize> {
        let mut classes: Vec<usize> = (0..shares.len()).collect();
        if self.top.is_none() && classes.len() <= IN_ORDER {
            return classes;
        }
        classes.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
        classes.truncate(self.top.unwrap_or(IN_ORDER));
        classes
    }
}

/// One row, in full.
pub(crate) fn one(shown: &Shown) -> String {
    match &shown.predictions.rows[0] {
        Prediction::Class { class, shares, truth } => {
            let mut table = Columns::new(["class", shown.share(), ""], [1]);
            for number in shown.classes(shares) {
                table.row([shown.names[number].clone(), figure(shares[number]), shown.bar(shares[number], 16)]);
            }
            let predicted = terminal::bold(&format!("predicted {}", shown.names[*class]));
            let verdict = match truth {
                None => predicted,
                Some(truth) if truth == class => {
                    format!("{predicted}, true class {}: {}", shown.names[*truth], terminal::green("right"))
                }
                Some(truth) => format!("{predicted}, true class {}: {}", shown.names[*truth], terminal::red("wrong")),
            };
            format!("{}\n\n{verdict}", table.text())
        }
        Prediction::Labels(labels) => {
            let mut header = vec!["label", shown.share(), "", "predicted"];
            header.extend(shown.has_truth.then_some("true"));
            let mut table = Columns::new(header, [1]);
            for (name, label) in shown.names.iter().zip(labels) {
                let bar = shown.bar(label.share, 40);
                let mut row = vec![name.clone(), figure(label.share), bar, yes_or_no(label.yes).to_owned()];
                row.extend(shown.has_truth.then(|| match label.truth {
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
            header.extend(shown.has_truth.then_some(["true", "error"]).into_iter().flatten());
            let numbers = 1..header.len();
            let mut table = Columns::new(header, numbers);
            for (name, value) in shown.names.iter().zip(values) {
                let mut row = vec![name.clone(), figure(value.value)];
                row.extend(shown.has_truth.then(|| truth_and_error(value)).into_iter().flatten());
                table.row(row);
            }
            table.text()
        }
    }
}

/// A line for each row.
pub(crate) fn table(shown: &Shown) -> String {
    let truth = |name: &str| shown.has_truth.then(|| name.to_owned());
    let mut header = vec!["row".to_owned()];
    let mut numbers = vec![0];
    match shown.target {
        Target::Classes(_) => {
            header.extend(["prediction".to_owned(), shown.share().to_owned()]);
            numbers.push(2);
            header.extend(shown.top.filter(|&top| top > 1).map(|_| "next".to_owned()));
            header.extend(truth("true"));
            header.extend(truth(""));
        }
        Target::Labels(_) => {
            for name in shown.names {
                numbers.push(header.len() + 1);
                header.extend([name.clone(), shown.share().to_owned()]);
                header.extend(truth("true"));
            }
        }
        Target::Values(_) => {
            for name in shown.names {
                numbers.extend(header.len()..header.len() + 3);
                header.push(name.clone());
                header.extend(truth("true"));
                header.extend(truth("error"));
            }
        }
    }
    numbers.retain(|&number| number < header.len());
    let mut table = Columns::new(header, numbers);
    for (number, prediction) in shown.numbers.iter().zip(&shown.predictions.rows) {
        let mut row = vec![number.to_string()];
        match prediction {
            Prediction::Class { class, shares, truth } => {
                row.extend([shown.names[*class].clone(), figure(shares[*class])]);
                row.extend(shown.top.filter(|&top| top > 1).map(|_| next(shown, shares, *class)));
                if shown.has_truth {
                    row.push(truth.map_or("–".to_owned(), |truth| shown.names[truth].clone()));
                    row.push(if prediction.is_right() == Some(false) { terminal::red("wrong") } else { String::new() });
                }
            }
            Prediction::Labels(labels) => {
                for Label { yes, share, truth } in labels {
                    row.extend([yes_or_no(*yes).to_owned(), figure(*share)]);
                    row.extend(shown.has_truth.then(|| truth.map_or("–", yes_or_no).to_owned()));
                }
            }
            Prediction::Values(values) => {
                for value in values {
                    row.push(figure(value.value));
                    row.extend(shown.has_truth.then(|| truth_and_error(value)).into_iter().flatten());
                }
            }
        }
        table.row(row);
    }
    match share_of_right(shown) {
        Some(note) => format!("{}\n\n{note}", table.text()),
        None => table.text(),
    }
}

/// The classes that come after the predicted one.
fn next(shown: &Shown, shares: &[f64], class: usize) -> String {
    let next = shown.classes(shares).into_iter().filter(|&number| number != class);
    next.map(|number| format!("{} {}", shown.names[number], figure(shares[number]))).collect::<Vec<_>>().join(", ")
}

/// How many rows are right, where it is known of any.
fn share_of_right(shown: &Shown) -> Option<String> {
    let known: Vec<bool> = shown.predictions.rows.iter().filter_map(Prediction::is_right).collect();
    let right = known.iter().filter(|right| **right).count();
    (!known.is_empty())
        .then(|| format!("{} of {} right", number_format::count(right), number_format::count(known.len())))
}

fn truth_and_error(value: &Value) -> [String; 2] {
    let told = |text: Option<String>| text.unwrap_or("–".to_owned());
    [told(value.truth.map(figure)), told(value.error().map(|error| format!("{error:+.4}")))]
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// Four decimals.
fn figure(value: f64) -> String {
    if value.abs() < 1e6 { format!("{value:.4}") } else { format!("{value:.4e}") }
}

/// A bar for a share of 1, in eighths of a character.
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

    fn shown<'a>(predictions: &'a Predictions, target: Target, names: &'a [String]) -> Shown<'a> {
        Shown { predictions, target, names, numbers: &[4, 5, 6], top: None, has_truth: true }
    }

    #[test]
    fn one_row_has_a_bar_for_each_class_and_is_right_or_wrong() {
        let (predictions, names) = (classes(), NAMES.map(str::to_owned));
        let shown = shown(&predictions, Target::Classes(2), &names);
        let text = one(&shown);
        assert!(text.contains(&format!("yes         0.7500  {}\n", "█".repeat(30))), "{text}");
        assert!(text.ends_with("predicted yes, true class yes: right"), "{text}");
        let top = one(&Shown { top: Some(1), ..shown });
        assert!(!top.contains("0.2500"), "{top}");
    }

    #[test]
    fn several_rows_are_a_table_with_the_share_that_is_right_of_those_that_are_known() {
        let (predictions, names) = (classes(), NAMES.map(str::to_owned));
        let shown = shown(&predictions, Target::Classes(2), &names);
        let text = table(&shown);
        assert_eq!(text.lines().filter(|line| line.ends_with("wrong")).count(), 1, "{text}");
        assert!(text.ends_with("1 of 2 right"), "{text}");
        let top = table(&Shown { top: Some(2), ..shown });
        assert!(top.contains("no 0.2500"), "{top}");
    }

    #[test]
    fn scores_have_no_bars_and_are_not_called_probabilities() {
        let (predictions, names) = (classes(), NAMES.map(str::to_owned));
        let predictions = Predictions { are_probabilities: false, ..predictions };
        let text = one(&shown(&predictions, Target::Classes(2), &names));
        assert!(text.contains("score") && !text.contains('█') && !text.contains("probability"), "{text}");
    }

    #[test]
    fn labels_with_their_bars_fit_80_columns() {
        let label = Label { yes: true, share: 1.0, truth: Some(false) };
        let predictions = Predictions { are_probabilities: true, rows: vec![Prediction::Labels(vec![label])] };
        let names = ["a_rather_long_label".to_owned()];
        let text = one(&shown(&predictions, Target::Labels(1), &names));
        assert!(text.contains("yes        no: wrong"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn values_are_shown_with_their_errors() {
        let value = Value { value: 1.5, truth: Some(2.0) };
        let predictions = Predictions { are_probabilities: false, rows: vec![Prediction::Values(vec![value])] };
        let names = ["y".to_owned()];
        assert!(one(&shown(&predictions, Target::Values(1), &names)).contains("-0.5000"));
    }

    #[test]
    fn bars_are_as_long_as_their_shares() {
        assert_eq!((bar(1.0, 40), bar(0.0, 40)), ("█".repeat(40), String::new()));
        assert_eq!(bar(0.5 / 40.0, 40), "▌");
        assert_eq!(bar(f64::NAN, 40), "");
    }
}
