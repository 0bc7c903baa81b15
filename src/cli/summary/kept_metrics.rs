//! The metrics of the epoch whose weights are saved: a row for each metric, a column for each part of the rows, and the
//! metrics of a constant prediction.

use indexmap::IndexSet;

use crate::cli::text::column::{Cell, Column};
use crate::cli::text::column_layout::Fitted;
use crate::cli::text::number_format;
use crate::cli::text::text_style::TextStyle;
use crate::compare::metric_name::is_metric;
use crate::compare::statistics::sample::Sample;
use crate::history::baseline::without_skill;
use crate::history::test_record::{AtThreshold, ThresholdRecord};
use crate::history::{History, Status};
use crate::views::metric_column::MetricColumn;
use crate::views::variants::baselines;

/// Maximum number of rows.
const MOST: usize = 8;

/// Returns the table of the trials of one variant, means over several trials; `None` before the first epoch.
pub fn table(trials: &[&History], page: TextStyle) -> Option<String> {
    let sound: Vec<&History> = trials.iter().filter(|history| history.status != Status::Diverged).copied().collect();
    let trials = if sound.is_empty() { trials } else { &sound[..] };
    let names = metrics(trials);
    let shown = &names[..names.len().min(MOST)];
    let column = |header: String, value: &dyn Fn(&str, &History) -> Option<f64>| {
        let values = |name: &str| trials.iter().filter_map(|history| value(name, history)).collect::<Vec<f64>>();
        let with_std = header != "baseline";
        let cells: Vec<String> = shown.iter().map(|name| mean(name, &values(name), with_std)).collect();
        cells.iter().any(|cell| cell != "–").then(|| Column::numbers(header, cells.into_iter().map(Cell::plain)))
    };
    let kept = |name: String| move |history: &History| MetricColumn::Kept(name.clone()).value(history);
    let columns = [
        column("training".to_owned(), &|name, history| kept(name.to_owned())(history)),
        column("validation".to_owned(), &|name, history| {
            let at_threshold = test_threshold(history).and_then(|threshold| threshold.validation.as_ref());
            match at_threshold {
                Some(scores) if !MetricColumn::is_without_threshold(name) => at_chosen_threshold(name, scores),
                _ => kept(format!("val_{name}"))(history),
            }
        }),
        column("test".to_owned(), &|name, history| MetricColumn::Test(name.to_owned()).value(history)),
        column("baseline".to_owned(), &without_skill::metric),
    ];
    let columns: Vec<Column> = columns.into_iter().flatten().collect();
    if columns.is_empty() {
        return None;
    }
    let has_baseline = columns.iter().any(|column| column.header() == "baseline");
    let left_out = names.len() - shown.len();
    let is_chosen = trials.iter().any(|history| test_threshold(history).is_some_and(|one| one.validation.is_some()));
    let (at_default, at_own) = match is_chosen {
        true => ("training", "validation and test"),
        false => ("training and validation", "test"),
    };
    let threshold = match trials {
        [history] => format!(" {}", number_format::metric(MetricColumn::Threshold.value(history))),
        _ => " of each trial".to_owned(),
    };
    let notes = [
        has_baseline.then(|| baselines::meaning(trials)).flatten(),
        has_threshold(trials).then(|| {
            format!("{at_own}: threshold{threshold}; {at_default}: default threshold (the more probable class)")
        }),
        waits_for_threshold(trials)
            .then(|| "default threshold (the more probable class): the other is chosen when training ends".to_owned()),
        (trials.len() > 1).then(|| format!("mean ± std of {} trials", trials.len())),
        (left_out > 0).then(|| format!("{left_out} more with `--verbose`")),
    ];
    let notes: Vec<String> = notes.into_iter().flatten().collect();
    let labels = Column::words(epoch_header(trials), shown.iter().map(|name| (*name).to_owned()));
    let fitted = Fitted::new(labels, vec![columns]);
    Some(match notes.is_empty() {
        true => fitted.tables(page).join("\n"),
        false => fitted.tables_with_legend(&notes.join("; "), page).join("\n"),
    })
}

/// Returns the mean of the defined values, `with_std` with the standard deviation of several values.
fn mean(name: &str, values: &[f64], with_std: bool) -> String {
    let defined: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let Some(sample) = Sample::from_values(&defined) else { return number_format::of(name, values.first().copied()) };
    let mean = number_format::of(name, Some(sample.mean));
    match sample.std.filter(|_| with_std) {
        Some(std) => format!("{mean} ±{}", number_format::spread(Some(sample.mean), Some(std))),
        None => mean,
    }
}

/// Returns the metrics without `val_`: those of the epochs, then those of the test rows only.
fn metrics<'a>(trials: &[&'a History]) -> Vec<&'a str> {
    let of_epochs = trials.iter().flat_map(|history| history.history.series.keys()).filter(|name| is_metric(name));
    let of_epochs = of_epochs.map(|name| name.strip_prefix("val_").unwrap_or(name));
    let tested = trials.iter().filter_map(|history| history.test.as_ref()).flat_map(|test| test.metrics.keys());
    let names: IndexSet<&str> = of_epochs.chain(tested.map(String::as_str)).collect();
    names.into_iter().collect()
}

/// Returns the epoch whose weights are saved: `best epoch (8)`, `last epoch (60)`.
fn epoch_header(trials: &[&History]) -> String {
    let epochs =
        || trials.iter().filter(|history| history.network.is_some()).filter_map(|history| history.kept_epoch());
    let which =
        if trials.iter().all(|history| history.keeps_last() || history.best.is_none()) { "last" } else { "best" };
    match (epochs().min(), epochs().max()) {
        (Some(first), Some(last)) if first == last => format!("{which} epoch ({last})"),
        (Some(first), Some(last)) => format!("{which} epochs ({first}–{last})"),
        _ => "metric".to_owned(),
    }
}

fn has_threshold(trials: &[&History]) -> bool {
    trials.iter().any(|history| MetricColumn::Threshold.value(history).is_some())
}

/// Returns whether a threshold will be chosen for some trials once they end.
fn waits_for_threshold(trials: &[&History]) -> bool {
    let waits = |history: &&History| {
        let rule = &history.config["threshold"];
        history.status == Status::Interrupted && history.test.is_none() && (rule.is_string() || rule.is_object())
    };
    trials.iter().any(waits)
}

/// Returns the threshold that was set or chosen for the test rows.
fn test_threshold(history: &History) -> Option<&ThresholdRecord> {
    history.test.as_ref()?.threshold.as_ref()
}

/// Returns a metric of the validation rows at the chosen threshold, if it is known.
fn at_chosen_threshold(name: &str, AtThreshold { scores, confusion, .. }: &AtThreshold) -> Option<f64> {
    let right = |class: usize| confusion.get(class)?.get(class).copied();
    let rows = |class: usize| confusion.get(class).map(|row| row.iter().sum::<u64>()).filter(|rows| *rows > 0);
    let classes = 0..confusion.len();
    match name {
        "precision" => scores.precision,
        "recall" => scores.recall,
        "f1" => scores.f1,
        "acc" => {
            let all: u64 = classes.clone().filter_map(rows).sum();
            Some(classes.filter_map(right).sum::<u64>() as f64 / all as f64)
        }
        "balanced_acc" => {
            let recalls =
                classes.map(|class| Some(right(class)? as f64 / rows(class)? as f64)).collect::<Option<Vec<f64>>>()?;
            Some(recalls.iter().sum::<f64>() / recalls.len() as f64)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;
    use crate::cli::fixtures::{HistoryFixture, PLAIN, history};

    fn trial(seed: i64, acc: f64) -> HistoryFixture {
        let series =
            [("loss", &[0.9, 0.4][..]), ("acc", &[0.5, acc]), ("val_loss", &[0.9, 0.5]), ("val_acc", &[0.5, 0.8])];
        let mut trial = history("base", seed, &series).tested(&[("loss", 0.6), ("acc", 0.75), ("mcc", 0.5)]);
        trial.0.data.classes = vec!["no".to_owned(), "yes".to_owned()];
        trial.0.baselines =
            serde_json::from_value(json!({ "test": { "class": 1, "acc": 0.6, "loss": 0.67 } })).unwrap();
        trial
    }

    fn shown(trials: &[HistoryFixture]) -> String {
        table(&trials.iter().map(|fixture| &fixture.0).collect::<Vec<_>>(), PLAIN).unwrap()
    }

    #[test]
    fn each_part_of_the_rows_has_a_column_beside_the_baseline() {
        assert_snapshot!(shown(&[trial(0, 0.9)]), @r"
        last epoch (2)  training  validation    test  baseline
        loss              0.4000      0.5000  0.6000    0.6700
        acc               0.9000      0.8000  0.7500    0.6000
        mcc                    –           –  0.5000         –
        baseline: always `yes`, the most frequent class of the test rows
        ");
        assert_snapshot!(shown(&[trial(0, 0.9), trial(1, 0.7)]), @r"
        last epoch (2)        training      validation            test  baseline
        loss            0.4000 ±0.0000  0.5000 ±0.0000  0.6000 ±0.0000    0.6700
        acc             0.8000 ±0.1414  0.8000 ±0.0000  0.7500 ±0.0000    0.6000
        mcc                          –               –  0.5000 ±0.0000         –
        baseline: always `yes`, the most frequent class of the test rows; mean ± std of
        2 trials
        ");
    }

    #[test]
    fn test_metrics_at_a_chosen_threshold_say_so() {
        let mut trial = trial(0, 0.9);
        let scores = json!({ "precision": 0.5, "recall": 0.75, "f1": 0.6, "confusion": [[4, 2], [1, 3]] });
        let threshold = json!({ "value": 0.25, "by": "f1", "validation": scores, "at_default": scores });
        trial.0.test.as_mut().unwrap().threshold = Some(serde_json::from_value(threshold).unwrap());
        assert_snapshot!(shown(&[trial]), @r"
        last epoch (2)  training  validation    test  baseline
        loss              0.4000      0.5000  0.6000    0.6700
        acc               0.9000      0.7000  0.7500    0.6000
        mcc                    –           –  0.5000         –
        baseline: always `yes`, the most frequent class of the test rows; validation and
        test: threshold 0.2500; training: default threshold (the more probable class)
        ");
    }
}
