//! The summary of an experiment's variants: the table of their metrics with the best marked, and notes about them.

use crate::cli::summary::trained_run::TrainedRun;
use crate::cli::summary::{classification, layers};
use crate::cli::text::column::{Cell, Column};
use crate::cli::text::column_layout::Fitted;
use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{number_format, settings};
use crate::history::History;
use crate::views::metric_column::MetricColumn;
use crate::views::variants::order::Ranked;
use crate::views::variants::ranking::{best_by, incomparable, meaning_of_mark};
use crate::views::variants::table::meaning_of_rise;
use crate::views::variants::variant::Variant;
use crate::views::variants::{baselines, leakage, legend, trial_status, val_loss_rise};

/// Returns the tables, best variants first, and the notes. `top` is the maximum number of rows.
pub fn of(run: &TrainedRun, top: Option<usize>, page: TextStyle) -> Vec<String> {
    let (histories, variants, all) = (&run.histories[..], run.variants(), run.trials());
    let paragraph = |lines: Vec<String>| {
        let lines: Vec<String> = lines.iter().map(|line| page.wrapped(line, 2)).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    };
    let mut parts: Vec<String> = paragraph(baselines::cautions_of_variants(&variants)).into_iter().collect();
    let ranked = Ranked::new(variants.clone());
    let shown = &ranked.variants[..ranked.variants.len().min(top.unwrap_or(usize::MAX))];
    if histories.iter().any(|history| !history.history.is_empty()) {
        parts.extend(tables(&ranked, top.unwrap_or(usize::MAX), page));
    }
    let threshold =
        |variant: &Variant| Some(format!("{}: {}", variant.name, classification::thresholds(&variant.trials)?));
    let in_file = in_order(&variants, shown);
    let notes = incomparable(&variants, settings::of_loss)
        .into_iter()
        .chain(trial_status::of_variants(&variants))
        .chain(classification::positive_class(&all))
        .chain(trial_status::near_zero(histories))
        .chain(baselines::line(&all))
        .chain(in_file.iter().filter_map(threshold));
    parts.extend(paragraph(notes.collect()));
    parts.extend(layers::of_variants(&in_file, page));
    parts.extend(paragraph(val_loss_rise::sentences(&variants)));
    parts.extend(paragraph(leakage::sentences(&variants)));
    parts
}

/// Returns the variants that are shown, in the order of the file.
fn in_order<'a>(variants: &[Variant<'a>], shown: &[Variant]) -> Vec<Variant<'a>> {
    let is_shown = |variant: &&Variant| shown.iter().any(|other| other.name == variant.name);
    variants.iter().filter(is_shown).cloned().collect()
}

/// Where the standard deviation over trials is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// Nowhere: each variant has one trial.
    None,
    /// After the mean.
    Beside,
    /// In a line of its own below the mean.
    Below,
}

fn tables(ranked: &Ranked, top: usize, page: TextStyle) -> Vec<String> {
    let variants = &ranked.variants[..];
    let trials: Vec<&History> = variants.iter().flat_map(|variant| variant.trials.iter().copied()).collect();
    let legend = |has_best: bool| {
        let (rise, order) = (meaning_of_rise(&trials), meaning_of_mark_and_order(ranked, has_best, page));
        format!("{}{rise}{order}", legend::of(&trials))
    };
    let main = |spread| fitted(variants, &trials, spread);
    let mut tables = with_legend(variants, top, &main, legend, page);
    let at_threshold = MetricColumn::at_threshold(&trials);
    if !at_threshold.is_empty() {
        let fitted = |spread| {
            let labels = Column::words("variant", names(variants, spread));
            Fitted::new(labels, columns(variants, &at_threshold, spread))
        };
        tables.extend(with_legend(variants, top, &fitted, |_| legend::at_threshold(&trials), page));
    }
    tables
}

/// Returns tables of the first variants, with the standard deviation over trials where it fits, and the legend below the last.
fn with_legend(
    variants: &[Variant],
    top: usize,
    fitted: &dyn Fn(Spread) -> Fitted,
    legend: impl Fn(bool) -> String,
    page: TextStyle,
) -> Vec<String> {
    let several = variants.iter().any(|variant| variant.trials.len() > 1);
    let beside = fitted(if several { Spread::Beside } else { Spread::None }).first(top);
    let fitted = match several && !beside.is_one(page) {
        true => fitted(Spread::Below).first(top.saturating_mul(2)),
        false => beside,
    };
    let legend = format!("{}{}", legend(fitted.has_best()), left_out(variants, top));
    fitted.tables_with_legend(&legend, page)
}

/// Returns what the mark means and which metric orders the variants, as the end of a legend; empty if there is neither.
pub(super) fn meaning_of_mark_and_order(ranked: &Ranked, has_best: bool, page: TextStyle) -> String {
    let mark = meaning_of_mark(&ranked.variants, has_best).map(|meaning| match (has_best, page.styled) {
        (true, true) => format!("; bold: {meaning}"),
        (true, false) => format!("; *: {meaning}"),
        (false, _) => format!("; {meaning}"),
    });
    let order = ranked.by.as_ref().map(|by| format!("; sorted by {}", by.name()));
    mark.into_iter().chain(order).collect()
}

/// Returns a note on the variants that are left out of a table of the first `top`; empty if it has all.
pub(super) fn left_out(variants: &[Variant], top: usize) -> String {
    match variants.len() {
        all if all > top => format!("; the best {top} of {all} variants (`--top {all}` shows all)"),
        _ => String::new(),
    }
}

/// Returns a row for each variant, and a second one if the standard deviation is below the mean.
fn rows(
    variants: &[Variant],
    spread: Spread,
    first: &dyn Fn(&Variant) -> String,
    second: &dyn Fn(&Variant) -> String,
) -> Vec<String> {
    let row = |variant| [Some(first(variant)), (spread == Spread::Below).then(|| second(variant))];
    variants.iter().flat_map(row).flatten().collect()
}

fn names(variants: &[Variant], spread: Spread) -> Vec<String> {
    rows(variants, spread, &|variant| variant.name.to_owned(), &|variant| match variant.trials.len() {
        0 | 1 => "  ± std".to_owned(),
        trials => format!("  ± std of {trials}"),
    })
}

fn columns(variants: &[Variant], groups: &[Vec<MetricColumn>], spread: Spread) -> Vec<Vec<Column>> {
    let column = |column: &MetricColumn| metric_column(variants, column, spread);
    groups.iter().map(|group| group.iter().map(column).collect()).collect()
}

fn fitted(variants: &[Variant], trials: &[&History], spread: Spread) -> Fitted {
    let groups = MetricColumn::groups(trials, true);
    let rows = |first: &dyn Fn(&Variant) -> String| rows(variants, spread, first, &|_| String::new());
    let test_loss = MetricColumn::test_loss();
    let mut spare = Vec::new();
    if trials.iter().any(|history| test_loss.value(history).is_some()) {
        spare.push((groups.first().map_or(0, Vec::len), metric_column(variants, &test_loss, spread)));
    }
    let planned = |history: &&History| history.config["train"]["epochs"].as_u64();
    if trials.iter().any(|history| planned(history) != planned(&trials[0])) {
        let epochs = rows(&|variant| epochs(&variant.trials)).into_iter();
        spare.push((0, Column::numbers("epochs", epochs.map(Cell::plain))));
    }
    Fitted {
        labels: Column::words("variant", names(variants, spread)),
        groups: columns(variants, &groups, spread),
        spare,
        closing: Some(Column::words("diagnosis", rows(&|variant| variant.diagnosis()))),
    }
}

/// Returns the number of trained epochs: `30`, or `12–30` if trials differ.
fn epochs(trials: &[&History]) -> String {
    let networks = || trials.iter().filter(|history| history.network.is_some());
    let epochs = || networks().map(|history| history.history.len());
    match (epochs().min(), epochs().max()) {
        (Some(fewest), Some(most)) if fewest == most => most.to_string(),
        (Some(fewest), Some(most)) => format!("{fewest}–{most}"),
        _ => "–".to_owned(),
    }
}

pub(super) fn metric_column(variants: &[Variant], column: &MetricColumn, spread: Spread) -> Column {
    let marks = best_by(column, variants);
    let cells = variants.iter().zip(marks).flat_map(|(variant, is_best)| {
        let values = variant.values(|history| column.value(history));
        let mean = variant.mean(|history| column.value(history));
        let std = number_format::spread(mean, number_format::mean_and_std(&values).map(|(_, std)| std));
        let text = match spread {
            Spread::Beside if values.len() > 1 => format!("{} ±{std}", column.text(mean)),
            _ => column.text(mean),
        };
        let below = (spread == Spread::Below).then_some(Cell::plain(std));
        [Some(Cell { text, is_best }), below]
    });
    Column::numbers(column.name(), cells.flatten())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;
    use crate::cli::fixtures::{self, HistoryFixture, PLAIN, history, width};
    use crate::history::Status;
    use crate::history::number::Number;

    fn shown(variants: &[&str], histories: &[History]) -> String {
        let text = of(&fixtures::run(variants, histories), None, PLAIN).join("\n\n");
        assert!(width(&text) <= 80, "{text}");
        text
    }

    /// A classifier that ends with these metrics.
    fn classifier(variant: &str, seed: i64, loss: f64, acc: f64) -> HistoryFixture {
        let series = [
            ("loss", &[0.9, 0.5, 0.4, loss][..]),
            ("acc", &[0.5, 0.8, 0.8, acc]),
            ("val_loss", &[0.9, 0.6, 0.5, loss + 0.1]),
            ("val_acc", &[0.5, 0.7, 0.8, acc - 0.05]),
        ];
        history(variant, seed, &series).tested(&[("loss", loss + 0.2), ("acc", acc - 0.1)])
    }

    #[test]
    fn variants_stand_side_by_side_with_the_best_marked_and_how_each_reads_and_ended() {
        let variants = ["baseline", "early_stopping", "large_steps", "interrupted", "late"];
        let mut burst = history("large_steps", 0, &[("loss", &[0.9, f64::NAN]), ("val_loss", &[0.9, f64::NAN])]);
        burst.0.status = Status::Diverged;
        let histories = [
            classifier("baseline", 0, 0.3, 0.95).0,
            classifier("early_stopping", 0, 0.35, 0.9).ended(Status::EarlyStopped, 60).0,
            burst.0,
            classifier("interrupted", 0, 0.1, 0.99).ended(Status::Interrupted, 60).0,
        ];
        assert_snapshot!(shown(&variants, &histories), @r"
        variant           loss  val_loss    rise     acc  val_acc  test acc  diagnosis
        baseline        0.3000    0.4000* 0.0000  0.9500   0.9000*   0.8500  good
        early_stopping  0.3500    0.4500  0.0000  0.9000   0.8500    0.8000  good
        interrupted     0.1000    0.2000  0.0000  0.9900   0.9400    0.8900  good
        large_steps          –         –       –       –        –         –  diverged
        late                 –         –       –       –        –         –  –
        train/val/test: last epoch; rise: last val_loss minus its lowest; *: best value
        on validation rows; sorted by val_loss

        diverged: large_steps (epoch 2 of 2)
        stopped early: early_stopping (epoch 4 of 60)
        interrupted: interrupted (epoch 4 of 60)
        not trained: late
        ");
    }

    #[test]
    fn where_no_epoch_was_completed_there_is_no_table() {
        let variants = ["a", "b"];
        let none = history("a", 0, &[]).ended(Status::Interrupted, 60).0;
        assert_eq!(shown(&variants, &[none]), "interrupted: a (epoch 0 of 60)\nnot trained: b");
    }

    #[test]
    fn the_spread_over_seeds_stands_behind_the_mean_where_it_fits_and_below_it_otherwise() {
        let variants = ["narrow", "wide"];
        let of = |metrics: usize| -> Vec<History> {
            let trial = |variant, seed: i64| {
                let apart = 0.01 * seed as f64;
                let mut trial = classifier(variant, seed, 0.3 + apart, 0.9 - apart);
                trial.0.history.series.truncate(metrics);
                trial.0.test = None;
                trial.0.diagnosis = None;
                trial.0
            };
            (0..3).flat_map(|seed| [trial("narrow", seed), trial("wide", 2 * seed)]).collect()
        };
        assert_snapshot!(shown(&variants, &of(2)), @r"
        variant            loss             acc  diagnosis
        narrow   0.3100 ±0.0100* 0.8900 ±0.0100* –
        wide     0.3200 ±0.0200  0.8800 ±0.0200  –
        train: last epoch; *: best value on training rows; sorted by loss
        ");
        assert_snapshot!(shown(&variants, &of(4)), @r"
        variant         loss  val_loss     acc  val_acc  diagnosis
        narrow        0.3100    0.4100* 0.8900   0.8400* –
          ± std of 3  0.0100    0.0100  0.0100   0.0100
        wide          0.3200    0.4200  0.8800   0.8300  –
          ± std of 3  0.0200    0.0200  0.0200   0.0200
        train/val: last epoch; *: best value on validation rows; sorted by val_loss
        ");
    }

    #[test]
    fn metrics_say_which_way_is_better_and_different_losses_are_not_compared() {
        let variants = ["squared", "absolute"];
        let trial = |variant, better: f64| {
            let series = [
                ("loss", &[29_385.7, 2780.386 - better][..]),
                ("r2", &[-3.0, 0.5 + 0.1 * better]),
                ("mae", &[150.0, 42.0 - better]),
                ("me", &[-150.0, better]),
                ("mape", &[1.0, 0.4]),
            ];
            let mut trial = history(variant, 0, &series)
                .tested(&[("loss", 3000.0 + better), ("r2", 0.3), ("mae", 45.0 + better), ("mape", 1.5e14)])
                .0;
            trial.test.as_mut().unwrap().targets_near_zero = Some(2);
            trial.config["train"]["loss"] = if variant == "squared" { "mse" } else { "mae" }.into();
            trial
        };
        assert_snapshot!(shown(&variants, &[trial("squared", 0.0), trial("absolute", 1.0)]), @r"
        variant      loss      r2  test r2      mae  test mae      me  diagnosis
        absolute  2779.39  0.6000*  0.3000  41.0000*  46.0000  1.0000  underfits
        squared   2780.39  0.5000   0.3000  42.0000   45.0000  0.0000  underfits

        variant     mape  test mape  test loss
        absolute  0.4000   1.500e14    3001.00
        squared   0.4000   1.500e14    3000.00
        train/test: last epoch; *: best value on training rows; sorted by r2

        losses are not comparable, different loss functions: mse (squared), mae
          (absolute)
        mape: 2 of 111 test targets are near zero, which makes it explode
        ");
    }

    #[test]
    fn training_validation_and_test_metrics_are_of_the_epoch_whose_weights_are_kept() {
        let variants = ["a", "b"];
        let best_in = |variant, epoch: usize, test: f64| {
            let mut trial = classifier(variant, 0, 0.3, 0.95).0;
            let best = trial.best.as_mut().unwrap();
            (best.epoch, best.monitor) = (epoch, "val_loss".to_owned());
            let tested = trial.test.as_mut().unwrap();
            tested.weights = "best".to_owned();
            tested.metrics.insert("acc".to_owned(), Number(test));
            trial.diagnosis = None;
            trial
        };
        let histories = [best_in("a", 2, 0.99), best_in("b", 3, 0.7)];
        assert_snapshot!(shown(&variants, &histories), @r"
        variant    loss  val_loss  test loss     acc  val_acc  test acc  diagnosis
        b        0.4000    0.5000*    0.5000  0.8000   0.8000*   0.7000  –
        a        0.5000    0.6000     0.5000  0.8000   0.7000    0.9900  –
        train/val/test: best epoch by val_loss; *: best value on validation rows; sorted
        by val_loss
        ");
    }

    #[test]
    fn metrics_at_a_chosen_threshold_have_a_table_of_their_own() {
        let variants = ["a", "b"];
        let trial = |variant, f1: f64| {
            let mut trial = classifier(variant, 0, 0.3, 0.95).0;
            trial.diagnosis = None;
            let scores = |f1: f64| json!({ "precision": 0.5, "recall": 0.75, "f1": f1, "confusion": [[3, 1], [1, 3]] });
            let threshold = json!({ "value": 0.25, "by": "f1", "validation": scores(f1), "at_default": scores(0.5) });
            trial.test.as_mut().unwrap().threshold = Some(serde_json::from_value(threshold).unwrap());
            trial
        };
        assert_snapshot!(shown(&variants, &[trial("a", 0.6), trial("b", 0.7)]), @r"
        variant    loss  val_loss  test loss     acc  val_acc  diagnosis
        a        0.3000    0.4000     0.5000  0.9500   0.9000  –
        b        0.3000    0.4000     0.5000  0.9500   0.9000  –
        train/val/test: last epoch, default threshold; sorted by val_loss

        variant  threshold  val_precision  val_recall  val_f1  test acc
        a           0.2500         0.5000      0.7500  0.6000    0.8500
        b           0.2500         0.5000      0.7500  0.7000*   0.8500
        val/test at the threshold of each trial: last epoch

        a: test at threshold 0.2500, chosen by f1 on the validation rows; at the default
          threshold, used for the train/val metrics of each epoch: test precision
          0.5000, recall 0.7500, f1 0.5000
        b: test at threshold 0.2500, chosen by f1 on the validation rows; at the default
          threshold, used for the train/val metrics of each epoch: test precision
          0.5000, recall 0.7500, f1 0.5000
        ");
    }
}
