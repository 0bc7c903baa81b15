//! Test metrics by class: the classification report in scikit-learn's layout, the confusion matrix in counts and in shares of
//! each true class, and the chosen threshold.

use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{number_format, settings};
use crate::cli::truncate::truncated;
use crate::compare::statistics::sample::Sample;
use crate::history::classification_report::{Report, Scores};
use crate::history::test_record::{AtThreshold, TestRecord, ThresholdRecord};
use crate::history::{DataRecord, History};
use crate::views::classes::confusion::class_name;
pub use crate::views::classes::positive_class::sentence as positive_class;
use crate::views::classes::thresholds::how_chosen;
use crate::views::document::statistic::MISSING;

/// Maximum number of classes in the classification report.
const MOST_IN_REPORT: usize = 20;

/// Maximum number of classes in the confusion matrix.
const MOST_IN_MATRIX: usize = 12;

/// Maximum length of class names beside the matrix, and above it.
const LONGEST_NAMES: (usize, usize) = (20, 10);

/// Returns the report, the matrix and the threshold, as far as there are any, of the rows with this name: `test`.
pub fn of(test: &TestRecord, rows: &str, data: &DataRecord, page: TextStyle) -> Vec<String> {
    let names = |count: usize| (0..count).map(|class| class_name(&data.classes, class)).collect::<Vec<String>>();
    let mut parts = Vec::new();
    if let Some(report) = &test.report {
        parts.push(report_text(report, &names(report.classes.len()), page));
    }
    if let Some(matrix) = &test.confusion {
        parts.extend(matrix_text(matrix, &names(matrix.len()), page));
    }
    let threshold = test.threshold.as_ref().map(|threshold| threshold_text(threshold, rows, data.positive_name()));
    parts.extend(threshold.map(|text| page.wrapped(&text, 0)));
    parts
}

/// Returns the thresholds of several trials, and the test metrics at the default threshold; `None` if no trial has one.
pub fn thresholds(histories: &[&History]) -> Option<String> {
    let chosen: Vec<&ThresholdRecord> =
        histories.iter().filter_map(|history| history.test.as_ref()?.threshold.as_ref()).collect();
    let first = chosen.first()?;
    let mean = |of: &dyn Fn(&AtThreshold) -> Option<f64>| {
        let values: Vec<f64> = chosen.iter().filter_map(|threshold| of(&threshold.at_default)).collect();
        Sample::from_values(&values).map(|sample| sample.mean)
    };
    let [precision, recall, f1] =
        [mean(&|at| at.scores.precision), mean(&|at| at.scores.recall), mean(&|at| at.scores.f1)]
            .map(number_format::metric);
    let values: Vec<f64> = chosen.iter().map(|threshold| threshold.value).collect();
    let values = settings::range(&values, |value| number_format::metric(Some(value)));
    let mean = if chosen.len() > 1 { " on average" } else { "" };
    let default = format!(
        "at the default threshold, used for the train/val metrics of each epoch: test precision {precision}, recall {recall}, f1 {f1}{mean}"
    );
    let data =
        &histories.iter().find(|history| history.test.as_ref().is_some_and(|test| test.threshold.is_some()))?.data;
    let (of, chosen) = (of_class(data.positive_name()), how_chosen(first, data.positive_name()));
    Some(format!("test at threshold {values}{of}, {chosen}; {default}"))
}

/// Returns a note on trials for which no threshold could be chosen.
pub fn without_threshold(histories: &[History]) -> Option<String> {
    let lacks = |history: &&History| {
        let wanted = !history.config["threshold"].is_null();
        wanted && history.test.as_ref().is_some_and(|test| test.threshold.is_none())
    };
    let count = histories.iter().filter(lacks).count();
    let of = if histories.len() > 1 { format!(" in {count} of {} trials", histories.len()) } else { String::new() };
    (count > 0).then(|| {
        format!("no threshold could be chosen{of}: the validation rows are of one class, or their scores no numbers")
    })
}

/// Returns `classification_report(digits=4)` of scikit-learn, with – for undefined scores.
fn report_text(report: &Report, names: &[String], page: TextStyle) -> String {
    const NUMBERS: usize = 1 + 4 * 10;
    let room = page.width.saturating_sub(NUMBERS).max("weighted avg".len());
    let shown = if names.len() > MOST_IN_REPORT { &[] } else { names };
    let shown: Vec<String> = shown.iter().map(|name| truncated(name, room)).collect();
    let width = shown.iter().map(|name| name.chars().count()).max().unwrap_or(0).max("weighted avg".len());
    let line = |name: &str, cells: [String; 4]| {
        let [precision, recall, f1, support] = cells;
        format!("{name:>width$}  {precision:>9} {recall:>9} {f1:>9} {support:>9}")
    };
    let score = |value: Option<f64>| value.map_or(MISSING.to_owned(), |value| format!("{value:.4}"));
    let scores = |name: &str, scores: &Scores, support: u64| {
        line(name, [score(scores.precision), score(scores.recall), score(scores.f1), support.to_string()])
    };
    let rows = report.classes.iter().map(|class| class.support).sum::<u64>();
    let mut lines = vec![line("", ["precision", "recall", "f1-score", "support"].map(str::to_owned)), String::new()];
    for (name, class) in shown.iter().zip(&report.classes) {
        lines.push(scores(name, &class.scores, class.support));
    }
    if shown.len() < names.len() {
        lines.push(line(&format!("{} classes", names.len()), ["…"; 4].map(str::to_owned)));
    }
    let of_all = [String::new(), String::new(), score(report.accuracy), rows.to_string()];
    lines.extend([String::new(), line("accuracy", of_all)]);
    lines.push(scores("macro avg", &report.macro_average, rows));
    lines.push(scores("weighted avg", &report.weighted_average, rows));
    lines.join("\n")
}

/// Returns counts and shares of each true class, beside each other if there is room, otherwise one below the other; `None` if
/// the page is too narrow.
fn matrix_text(matrix: &[Vec<u64>], names: &[String], page: TextStyle) -> Option<String> {
    if matrix.len() > MOST_IN_MATRIX {
        return None;
    }
    let counts = cells(matrix, |count, _| count.to_string());
    let shares = cells(matrix, share);
    let rounded = |digits: usize| {
        cells(matrix, |count, all| match share(count, all).as_str() {
            exact @ ("0" | "–") => exact.to_owned(),
            _ => format!("{:.digits$}", count as f64 / all as f64),
        })
    };
    let block = |title: &str, cells: &[Vec<String>]| block(title, names, cells);
    let counts = block("predicted", &counts);
    let shares = [shares, rounded(3), rounded(2)].map(|shares| block("row-normalized (recall)", &shares));
    let labels = labels(names);
    let beside = |blocks: &[&Vec<String>]| -> String {
        let lines = labels.iter().enumerate().map(|(row, label)| {
            let cells: Vec<&str> = blocks.iter().map(|block| block[row].as_str()).collect();
            format!("{label}  {}", cells.join("   ")).trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let fits = |text: &String| text.lines().all(|line| line.chars().count() <= page.width);
    let below = |shares| format!("{}\n\n{}", beside(&[&counts]), beside(&[shares]));
    let below = shares.iter().map(below);
    std::iter::once(beside(&[&counts, &shares[0]])).chain(below).find(fits)
}

/// Returns a count as a share of its true class.
fn share(count: u64, all: u64) -> String {
    match (count, all) {
        (_, 0) => "–".to_owned(),
        (0, _) => "0".to_owned(),
        (count, all) => number_format::metric(Some(count as f64 / all as f64)),
    }
}

/// Returns the cells; `written` takes a count and the number of rows of its true class.
fn cells(matrix: &[Vec<u64>], written: impl Fn(u64, u64) -> String) -> Vec<Vec<String>> {
    let row = |counts: &Vec<u64>| {
        let all = counts.iter().sum();
        counts.iter().map(|&count| written(count, all)).collect()
    };
    matrix.iter().map(row).collect()
}

/// Returns the true classes below two lines of header, all of one width.
fn labels(names: &[String]) -> Vec<String> {
    let names = names.iter().map(|name| truncated(name, LONGEST_NAMES.0));
    let labels: Vec<String> = [String::new(), "true".to_owned()].into_iter().chain(names).collect();
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    labels.into_iter().map(|label| format!("{label:<width$}")).collect()
}

/// Returns a title, the predicted classes and the cells, in lines of one width.
fn block(title: &str, names: &[String], cells: &[Vec<String>]) -> Vec<String> {
    let names: Vec<String> = names.iter().map(|name| truncated(name, LONGEST_NAMES.1)).collect();
    let all = || std::iter::once(&names).chain(cells);
    let width = all().flatten().map(|cell| cell.chars().count()).max().unwrap_or(0);
    let line = |row: &Vec<String>| row.iter().map(|cell| format!("{cell:>width$}")).collect::<Vec<_>>().join("  ");
    let lines: Vec<String> = std::iter::once(title.to_owned()).chain(all().map(line)).collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    lines.into_iter().map(|line| format!("{line:<width$}")).collect()
}

/// Returns the threshold, how it was chosen, its metrics on the validation rows, and the test metrics at the default one.
fn threshold_text(threshold: &ThresholdRecord, rows: &str, positive: Option<&str>) -> String {
    let (of, chosen) = (of_class(positive), how_chosen(threshold, positive));
    let validation = threshold.validation.as_ref().map_or(String::new(), |at| format!(" (validation {})", at_text(at)));
    let value = number_format::metric(Some(threshold.value));
    let (whose, epochs) = match rows {
        "test" => ("the test rows".to_owned(), " Train/val metrics of epochs are at the default threshold, too."),
        rows => (format!("the rows of the {rows}"), ""),
    };
    format!(
        "Threshold {value}{of}, {chosen}{validation}. At the default threshold, {whose} have {}.{epochs}",
        at_text(&threshold.at_default)
    )
}

/// Returns the class that a threshold is about.
fn of_class(positive: Option<&str>) -> String {
    positive.map_or(String::new(), |positive| format!(" for `{positive}`"))
}

fn at_text(at: &AtThreshold) -> String {
    let Scores { precision, recall, f1 } = at.scores;
    let cost = at.cost.map_or(String::new(), |cost| format!(", cost {}", number_format::setting(cost)));
    let [precision, recall, f1] = [precision, recall, f1].map(number_format::metric);
    format!("precision {precision}, recall {recall}, f1 {f1}{cost}")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;
    use crate::cli::fixtures::{PLAIN, width};
    use crate::metrics::confusion::Confusion;
    use crate::metrics::threshold::{ChosenThreshold, Cost, ThresholdRule};

    fn record(matrix: Vec<Vec<u64>>) -> TestRecord {
        let report = Some(Confusion(matrix.clone()).report());
        TestRecord { confusion: Some(matrix), report, ..TestRecord::default() }
    }

    fn shown(matrix: Vec<Vec<u64>>, classes: &[&str]) -> String {
        let classes: Vec<String> = classes.iter().map(|name| (*name).to_owned()).collect();
        let data = DataRecord { classes, ..crate::history::trial_for_tests("base", 0, 0.5).data };
        let shown = of(&record(matrix), "test", &data, PLAIN).join("\n\n");
        assert!(width(&shown) <= 80, "{shown}");
        shown
    }

    #[test]
    fn two_classes_have_counts_and_shares_beside_each_other() {
        assert_snapshot!(shown(vec![vec![56840, 24], vec![25, 73]], &["legit", "fraud"]), @r"
                      precision    recall  f1-score   support

               legit     0.9996    0.9996    0.9996     56864
               fraud     0.7526    0.7449    0.7487        98

            accuracy                         0.9991     56962
           macro avg     0.8761    0.8722    0.8741     56962
        weighted avg     0.9991    0.9991    0.9991     56962

               predicted      row-normalized (recall)
        true   legit  fraud    legit   fraud
        legit  56840     24   0.9996  4.2e-4
        fraud     25     73   0.2551  0.7449
        ");
    }

    #[test]
    fn what_is_undefined_is_a_dash() {
        assert_snapshot!(shown(vec![vec![3, 0], vec![0, 0]], &["no", "yes"]), @r"
                      precision    recall  f1-score   support

                  no     1.0000    1.0000    1.0000         3
                 yes          –         –         –         0

            accuracy                         1.0000         3
           macro avg     1.0000    1.0000    1.0000         3
        weighted avg     1.0000    1.0000    1.0000         3

              predicted   row-normalized (recall)
        true   no  yes        no     yes
        no      3    0    1.0000       0
        yes     0    0         –       –
        ");
    }

    #[test]
    fn more_classes_have_them_below_each_other_and_many_are_left_to_the_history() {
        let matrix = |classes: usize| -> Vec<Vec<u64>> {
            (0..classes)
                .map(|t| (0..classes).map(|p| if t == p { 1000 } else { (t * p % 4) as u64 }).collect())
                .collect()
        };
        let names: Vec<String> = (0..12).map(|class| class.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let ten = shown(matrix(10), &names[..10]);
        assert!(ten.contains("\ntrue     0     1 "), "{ten}");
        assert!(ten.contains("  0.988  0.002  "), "{ten}");
        let twelve = shown(matrix(12), &names);
        assert!(twelve.contains("row-normalized (recall)"), "{twelve}");
        let long = shown(matrix(3), &["a class with a very long name indeed, longer than lines are", "b", "c"]);
        assert!(long.contains("a class with a very…"), "{long}");
        let thirty = shown(matrix(30), &[]);
        assert!(thirty.contains("  30 classes") && !thirty.contains("predicted"), "{thirty}");
    }

    #[test]
    fn the_report_is_scikit_learns_to_the_letter() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/metrics.json");
        let golden: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let confusion: Confusion = serde_json::from_value(case["confusion"].clone()).unwrap();
            let names: Vec<String> = (0..confusion.0.len()).map(|class| class.to_string()).collect();
            let lines = |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
            let wanted = lines(&case["text"].as_str().unwrap().replace("nan", "  –"));
            assert_eq!(lines(&report_text(&confusion.report(), &names, PLAIN)), wanted, "{}", case["name"]);
        }
    }

    #[test]
    fn a_threshold_has_its_metrics_and_those_at_the_default() {
        let by = ThresholdRule::Cost(Cost { miss: 10.0, false_alarm: 0.5 });
        let text = |by: ThresholdRule, choice: ChosenThreshold| {
            let by_value = serde_json::to_value(by).unwrap();
            let at_default = by.evaluate(&[vec![90, 4], vec![2, 4]], 1);
            let (value, validation) = (choice.value, choice.validation);
            let record = ThresholdRecord { value, by: by_value, validation, at_default };
            PLAIN.wrapped(&threshold_text(&record, "test", Some("fraud")), 0)
        };
        let validation = Some(by.evaluate(&[vec![40, 2], vec![1, 3]], 1));
        assert_snapshot!(text(by, ChosenThreshold { by, value: 0.25, validation: validation.clone() }), @r"
        Threshold 0.2500 for `fraud`, chosen on the validation rows by cost: a missed
        `fraud` 10, a false alarm 0.5 (validation precision 0.6000, recall 0.7500, f1
        0.6667, cost 11). At the default threshold, the test rows have precision 0.5000,
        recall 0.6667, f1 0.5714, cost 22. Train/val metrics of epochs are at the
        default threshold, too.
        ");
        let validation = Some(ThresholdRule::F1.evaluate(&[vec![40, 2], vec![1, 3]], 1));
        assert_snapshot!(text(ThresholdRule::F1, ChosenThreshold { by: ThresholdRule::F1, value: 0.25, validation }), @r"
        Threshold 0.2500 for `fraud`, chosen by f1 on the validation rows (validation
        precision 0.6000, recall 0.7500, f1 0.6667). At the default threshold, the test
        rows have precision 0.5000, recall 0.6667, f1 0.5714. Train/val metrics of
        epochs are at the default threshold, too.
        ");
        assert_snapshot!(text(ThresholdRule::Fixed(0.9), ChosenThreshold::fixed(0.9)), @r"
        Threshold 0.9000 for `fraud`, given. At the default threshold, the test rows
        have precision 0.5000, recall 0.6667, f1 0.5714. Train/val metrics of epochs are
        at the default threshold, too.
        ");
        assert_eq!(serde_json::to_value(by).unwrap(), json!({ "cost": { "miss": 10.0, "false_alarm": 0.5 } }));
    }
}
