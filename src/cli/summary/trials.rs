//! The summary of several trials of one network: each of them with their mean and standard deviation, the folds of each seed,
//! or of many trials the extremes.

use std::collections::BTreeSet;

use crate::cli::summary::{classification, layers};
use crate::cli::text::column::{Cell, Column};
use crate::cli::text::column_layout::Fitted;
use crate::cli::text::number_format;
use crate::cli::text::text_style::TextStyle;
use crate::compare::statistics::sample::Sample;
use crate::history::diagnosis::Verdict;
use crate::history::{History, Status};
use crate::views::metric_column::MetricColumn;
use crate::views::variants::{baselines, legend, trial_status};

/// Maximum number of rows.
const MOST: usize = 20;

/// Returns the tables, how trials ended, and their diagnoses.
pub fn of(histories: &[History], page: TextStyle) -> Vec<String> {
    let rows = rows(histories);
    let all: Vec<&History> = histories.iter().collect();
    let some_epoch = histories.iter().any(|history| !history.history.is_empty());
    let mut parts = if some_epoch { tables(&rows, histories, page) } else { Vec::new() };
    let notes: Vec<String> = trial_status::of_trials(&all)
        .into_iter()
        .chain(trial_status::near_zero(histories))
        .chain(baselines::line(&all))
        .chain(classification::positive_class(&all))
        .chain(classification::thresholds(&all))
        .map(|note| page.wrapped(&note, 2))
        .collect();
    parts.extend((!notes.is_empty()).then(|| notes.join("\n")));
    parts.extend(layers::of_trials(histories, page));
    parts.extend(Some(diagnoses(histories)).filter(|diagnoses| !diagnoses.is_empty()));
    parts
}

/// Numbers below are shown as powers of ten.
const TINY: f64 = 5e-4;

/// A row of the table.
struct Row<'a> {
    label: String,
    shows: Shows,
    trials: Vec<&'a History>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    One,
    Mean,
    Std,
    MeanAndStd,
    Min,
    Max,
}

/// The rows and the header of their labels.
struct Rows<'a> {
    header: &'static str,
    rows: Vec<Row<'a>>,
    /// A note for the legend.
    note: Option<String>,
}

fn rows(histories: &[History]) -> Rows<'_> {
    let seeds: Vec<i64> = histories.iter().map(|history| history.seed).collect::<BTreeSet<_>>().into_iter().collect();
    let folds: BTreeSet<usize> = histories.iter().filter_map(|history| history.fold).collect();
    let sound: Vec<&History> = histories.iter().filter(|history| history.status != Status::Diverged).collect();
    let over_all = |label: &str, shows| Row { label: label.to_owned(), shows, trials: sound.clone() };
    let mean = || over_all(&format!("mean of {}", sound.len()), Shows::Mean);
    let std = || over_all("± std", Shows::Std);
    let elsewhere = || Some(format!("all {} trials: `--json`, and the run directory", histories.len()));

    if !folds.is_empty() && seeds.len() > 1 && seeds.len() <= MOST {
        let of_seed = |&seed: &i64| Row {
            label: seed.to_string(),
            shows: Shows::MeanAndStd,
            trials: sound.iter().filter(|history| history.seed == seed).copied().collect(),
        };
        let mut rows: Vec<Row> = seeds.iter().map(of_seed).collect();
        rows.push(over_all(&format!("all {}", sound.len()), Shows::MeanAndStd));
        let note = format!("mean ± std over the {} folds of each seed; ", folds.len());
        return Rows { header: "seed", rows, note: elsewhere().map(|elsewhere| note + &elsewhere) };
    }
    if histories.len() > MOST {
        let rows = vec![over_all("lowest", Shows::Min), mean(), over_all("highest", Shows::Max), std()];
        return Rows { header: "", rows, note: elsewhere() };
    }
    let label = |history: &History| history.fold.map_or(history.seed.to_string(), |fold| fold.to_string());
    let one = |history| Row { label: label(history), shows: Shows::One, trials: vec![history] };
    let mut rows: Vec<Row> = histories.iter().map(one).collect();
    rows.extend([mean(), std()]);
    Rows { header: if folds.is_empty() { "seed" } else { "fold" }, rows, note: None }
}

fn tables(rows: &Rows, histories: &[History], page: TextStyle) -> Vec<String> {
    let all: Vec<&History> = histories.iter().collect();
    let column = |metric: &MetricColumn| {
        let values = all.iter().filter_map(|history| metric.value(history));
        let has_tiny = values.into_iter().any(|value| value != 0.0 && value.abs() < TINY);
        Column::numbers(metric.name(), rows.rows.iter().map(|row| row.cell(metric, has_tiny)))
    };
    let mut groups: Vec<Vec<Column>> =
        MetricColumn::groups(&all, false).iter().map(|group| group.iter().map(column).collect()).collect();
    let has_best = histories.iter().any(|history| history.best.is_some());
    if has_best && rows.rows.iter().any(|row| row.shows == Shows::One) {
        let best = Column::numbers("best", rows.rows.iter().map(Row::best_epoch));
        match groups.first_mut() {
            Some(losses) => losses.insert(0, best),
            None => groups.push(vec![best]),
        }
    }
    let test_loss = MetricColumn::test_loss();
    let is_tested = all.iter().any(|history| test_loss.value(history).is_some());
    let behind_the_losses = groups.first().map_or(0, Vec::len);
    let spare = Vec::from_iter(is_tested.then(|| (behind_the_losses, column(&test_loss))));
    let fitted = |groups, spare| Fitted {
        labels: Column::words(rows.header, rows.rows.iter().map(|row| row.label.clone())),
        groups,
        spare,
        closing: None,
    };
    let note = rows.note.as_ref().map(|note| format!("; {note}")).unwrap_or_default();
    let mut tables = fitted(groups, spare).tables_with_legend(&format!("{}{note}", legend::of(&all)), page);
    let at_threshold = MetricColumn::at_threshold(&all);
    if !at_threshold.is_empty() {
        let groups = at_threshold.iter().map(|group| group.iter().map(column).collect()).collect();
        tables.extend(fitted(groups, Vec::new()).tables_with_legend(&legend::at_threshold(&all), page));
    }
    tables
}

impl Row<'_> {
    /// Returns the cell of a metric. If the column `has_tiny` values, all small ones are powers of ten.
    fn cell(&self, metric: &MetricColumn, has_tiny: bool) -> Cell {
        let values = || self.trials.iter().filter_map(|history| metric.value(history));
        let finite: Vec<f64> = values().filter(|value| value.is_finite()).collect();
        let sample = Sample::from_values(&finite);
        let (mean, std) = (sample.as_ref().map(|sample| sample.mean), sample.as_ref().and_then(|sample| sample.std));
        let as_power = |value: Option<f64>| {
            let small = value.filter(|value| has_tiny && *value != 0.0 && value.abs() < 2.0 * TINY);
            small.map(|value| format!("{value:.1e}"))
        };
        let shown = |value: Option<f64>| as_power(value).unwrap_or_else(|| metric.text(value));
        let spread = || as_power(mean).and(as_power(std)).unwrap_or_else(|| number_format::spread(mean, std));
        let text = match self.shows {
            Shows::One => shown(values().next()),
            Shows::Mean => shown(mean),
            Shows::Std => spread(),
            Shows::MeanAndStd if std.is_none() => shown(mean),
            Shows::MeanAndStd => format!("{} ±{}", shown(mean), spread()),
            Shows::Min => shown(sample.map(|sample| sample.min)),
            Shows::Max => shown(sample.map(|sample| sample.max)),
        };
        Cell::plain(text)
    }

    fn best_epoch(&self) -> Cell {
        let text = match self.shows {
            Shows::One => {
                let best = self.trials.first().and_then(|history| history.best.as_ref());
                best.map_or("–".to_owned(), |best| best.epoch.to_string())
            }
            _ => String::new(),
        };
        Cell::plain(text)
    }
}

/// Returns the diagnoses of several trials, each with the number of trials that have it.
fn diagnoses(histories: &[History]) -> String {
    let mut lines = Vec::new();
    for verdict in Verdict::ALL {
        let shared: Vec<&History> = histories.iter().filter(|history| history.finds(verdict)).collect();
        if shared.is_empty() {
            continue;
        }
        let onsets = shared.iter().filter_map(|history| history.diagnosis.as_ref()?.overfits_from);
        let from: Vec<usize> = onsets.filter(|_| verdict == Verdict::Overfitting).collect();
        let since = match (from.iter().min(), from.iter().max()) {
            (Some(min), Some(max)) if min == max => format!(", from epoch {min}"),
            (Some(min), Some(max)) => format!(", from epochs {min} to {max}"),
            _ => String::new(),
        };
        lines.push(format!("{} in {} of {} trials{since}", verdict.word(), shared.len(), histories.len()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::cli::fixtures::{PLAIN, history, width};

    fn trial(seed: i64) -> crate::cli::fixtures::HistoryFixture {
        let apart = 0.001 * seed as f64;
        let series = [
            ("loss", &[0.9, 0.2 + apart][..]),
            ("acc", &[0.5, 0.95 - apart]),
            ("val_loss", &[0.8, 0.25 + apart]),
            ("val_acc", &[0.6, 0.93]),
        ];
        history("base", seed, &series)
    }

    fn shown(histories: &[History]) -> String {
        let text = of(histories, PLAIN).join("\n\n");
        assert!(width(&text) <= 80, "{text}");
        text
    }

    #[test]
    fn a_few_seeds_are_listed_with_their_mean_and_spread() {
        let mut histories: Vec<History> =
            (0..3).map(|seed| trial(seed).tested(&[("loss", 0.3), ("acc", 0.9)]).0).collect();
        histories[1].status = Status::EarlyStopped;
        assert_snapshot!(shown(&histories), @r"
        seed       best    loss  val_loss  test loss     acc  val_acc  test acc
        0             2  0.2000    0.2500     0.3000  0.9500   0.9300    0.9000
        1             2  0.2010    0.2510     0.3000  0.9490   0.9300    0.9000
        2             2  0.2020    0.2520     0.3000  0.9480   0.9300    0.9000
        mean of 3        0.2010    0.2510     0.3000  0.9490   0.9300    0.9000
        ± std            0.0010    0.0010     0.0000  0.0010   0.0000    0.0000
        train/val/test: last epoch

        stopped early: seed 1 (epoch 2 of 2)

        good in 3 of 3 trials
        ");
    }

    #[test]
    fn small_values_of_a_column_have_one_form() {
        let histories: Vec<History> = [4.6e-4, 6.2e-4]
            .into_iter()
            .enumerate()
            .map(|(seed, loss)| history("base", seed as i64, &[("loss", &[loss])]).0)
            .collect();
        let text = shown(&histories);
        assert!(["4.6e-4", "6.2e-4", "5.4e-4", "1.1e-4"].iter().all(|number| text.contains(number)), "{text}");
        assert!(!text.contains("0.0006"), "{text}");
    }

    #[test]
    fn the_folds_of_one_seed_are_listed() {
        let histories: Vec<History> = (0..3).map(|fold| trial(fold).with_fold(fold as usize).0).collect();
        let histories: Vec<History> = histories.into_iter().map(|h| History { seed: 7, ..h }).collect();
        assert_snapshot!(shown(&histories), @r"
        fold       best    loss  val_loss     acc  val_acc
        0             2  0.2000    0.2500  0.9500   0.9300
        1             2  0.2010    0.2510  0.9490   0.9300
        2             2  0.2020    0.2520  0.9480   0.9300
        mean of 3        0.2010    0.2510  0.9490   0.9300
        ± std            0.0010    0.0010  0.0010   0.0000
        train/val: last epoch

        good in 3 of 3 trials
        ");
    }

    #[test]
    fn the_folds_of_several_seeds_are_summed_up_by_seed() {
        let fold = |fold: usize| (0..5).map(move |seed| trial(seed + fold as i64).with_fold(fold).0);
        let mut histories: Vec<History> = (0..5).flat_map(fold).collect();
        for (number, history) in histories.iter_mut().enumerate() {
            history.seed = number as i64 % 5;
        }
        assert_snapshot!(shown(&histories), @r"
        seed              loss        val_loss             acc         val_acc
        0       0.2020 ±0.0016  0.2520 ±0.0016  0.9480 ±0.0016  0.9300 ±0.0000
        1       0.2030 ±0.0016  0.2530 ±0.0016  0.9470 ±0.0016  0.9300 ±0.0000
        2       0.2040 ±0.0016  0.2540 ±0.0016  0.9460 ±0.0016  0.9300 ±0.0000
        3       0.2050 ±0.0016  0.2550 ±0.0016  0.9450 ±0.0016  0.9300 ±0.0000
        4       0.2060 ±0.0016  0.2560 ±0.0016  0.9440 ±0.0016  0.9300 ±0.0000
        all 25  0.2040 ±0.0020  0.2540 ±0.0020  0.9460 ±0.0020  0.9300 ±0.0000
        train/val: last epoch; mean ± std over the 5 folds of each seed; all 25 trials:
        `--json`, and the run directory

        good in 25 of 25 trials
        ");
    }

    #[test]
    fn of_more_trials_than_can_be_read_the_extremes_are_shown_and_where_to_find_each() {
        let mut histories: Vec<History> = (0..30).map(|seed| trial(seed).0).collect();
        histories[4].status = Status::Diverged;
        assert_snapshot!(shown(&histories), @r"
                      loss  val_loss     acc  val_acc
        lowest      0.2000    0.2500  0.9210   0.9300
        mean of 29  0.2149    0.2649  0.9351   0.9300
        highest     0.2290    0.2790  0.9500   0.9300
        ± std       0.0087    0.0087  0.0087   0.0000
        train/val: last epoch; all 30 trials: `--json`, and the run directory

        diverged (not in the means): 1 of 30 trials (epoch 2 of 2)

        diverged in 1 of 30 trials
        good in 29 of 30 trials
        ");
    }

    #[test]
    fn many_metrics_are_parted_into_tables_that_fit() {
        let names: Vec<String> = ["loss", "r2", "mae", "rmse", "mse", "me", "mape"]
            .iter()
            .flat_map(|name| [(*name).to_owned(), format!("val_{name}")])
            .collect();
        let series: Vec<(&str, &[f64])> = names.iter().map(|name| (name.as_str(), &[1234.5, 29_385.7][..])).collect();
        let histories: Vec<History> = (0..2).map(|seed| history("base", seed, &series).0).collect();
        let shown = shown(&histories);
        assert!(names.iter().all(|name| shown.contains(name.as_str())), "{shown}");
    }
}
