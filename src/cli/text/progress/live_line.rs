//! The metrics of an epoch in one line, during training.
//!
//! Seeds and folds of a variant are shown by their mean. Of different variants the best and the worst are shown, because their
//! mean would be the metric of none. The monitored metric is always shown, even if the line is narrow.

use crate::cli::text::{number_format, settings};
use crate::compare::direction::higher_is_better;
use crate::compare::metric_name::is_metric;
use crate::compare::statistics::sample::Sample;
use crate::train::callback::EpochReport;

/// The variants that are trained together.
#[derive(Clone, Debug, Default)]
pub struct Trained {
    /// The names of the variants.
    pub variants: Vec<String>,
    /// The index of each replica's variant.
    pub variant_of: Vec<usize>,
    /// The metric that decides the best epoch.
    pub monitor: String,
    /// Whether the learning rate changes, so that it is shown.
    pub shows_lr: bool,
}

/// A metric as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The name of the metric; empty for the number of replicas that are still training.
    pub name: String,
    /// The metric; with several variants, that of the best and of the worst.
    pub text: String,
    /// A shorter form.
    pub short: String,
    rank: Rank,
}

/// Priority of a metric if the line is narrow, the highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Monitored,
    Loss,
    Other,
}

/// Returns the epoch's metrics of the replicas that are still training (if none is, of those that trained in the epoch), and
/// their number.
pub fn metrics(report: &EpochReport, trained: &Trained) -> Vec<Shown> {
    let training = report.training.iter().filter(|trains| **trains).count();
    let shown_of = if training > 0 { &report.training } else { &report.trained };
    let kept = |values: &[f64]| -> Vec<f64> {
        let kept = values.iter().zip(shown_of).filter(|(_, is_shown)| **is_shown);
        kept.map(|(value, _)| *value).collect()
    };
    let mut shown = Vec::new();
    for (name, values) in report.metrics.iter().filter(|(name, _)| is_metric(name)) {
        let rank = match name {
            name if *name == trained.monitor => Rank::Monitored,
            name if name.ends_with("loss") => Rank::Loss,
            _ => Rank::Other,
        };
        let (text, short) = of_variants(name, &by_variant(values, shown_of, trained), rank, trained);
        shown.push(Shown { name: name.clone(), text, short, rank });
    }
    let plain =
        |name: &str, text: String| Shown { name: name.to_owned(), short: text.clone(), text, rank: Rank::Other };
    let lrs = report.metrics.iter().find(|(name, _)| trained.shows_lr && name == "lr").map(|(_, lrs)| kept(lrs));
    shown.extend(lrs.map(|lrs| plain("lr", format!("lr {}", settings::range(&lrs, number_format::short)))));
    let all = report.training.len();
    if (1..all).contains(&training) {
        shown.push(plain("", format!("({training} of {all} still training)")));
    }
    shown
}

/// Returns the mean of each variant with a replica that is shown, by its index.
fn by_variant(values: &[f64], shown_of: &[bool], trained: &Trained) -> Vec<(usize, f64)> {
    let of = |place: usize| -> Option<(usize, f64)> {
        let of_variant = values.iter().zip(shown_of).enumerate().filter(|(replica, (_, is_shown))| {
            **is_shown && trained.variant_of.get(*replica).copied().unwrap_or_default() == place
        });
        let values: Vec<f64> = of_variant.map(|(_, (value, _))| *value).collect();
        Some((place, Sample::from_values(&values)?.mean))
    };
    (0..trained.variants.len().max(1)).filter_map(of).collect()
}

/// Returns the metric of a single variant, or of the best and the worst, with their names if it is the monitored metric; if
/// neither higher nor lower is better, the lowest and the highest.
fn of_variants(name: &str, means: &[(usize, f64)], rank: Rank, trained: &Trained) -> (String, String) {
    let shown = |value: f64| number_format::of(name, Some(value));
    let better = higher_is_better(name);
    let key = |value: f64| match value {
        value if value.is_nan() => f64::INFINITY, // NaN is always the worst
        value if better == Some(true) => -value,
        value => value,
    };
    let mut sorted = means.to_vec();
    sorted.sort_by(|a, b| key(a.1).total_cmp(&key(b.1))); // stable
    let (text, short) = match &sorted[..] {
        [] => ("–".to_owned(), "–".to_owned()),
        [(_, value)] => (shown(*value), shown(*value)),
        [(first, best), .., (last, worst)] => {
            let short = format!("{} to {}", shown(*best), shown(*worst));
            let name_of = |place: &usize| trained.variants.get(*place).map_or("", String::as_str);
            let named = format!("{} ({}) to {} ({})", shown(*best), name_of(first), shown(*worst), name_of(last));
            (if rank == Rank::Monitored && better.is_some() { named } else { short.clone() }, short)
        }
    };
    (format!("{name} {text}"), format!("{name} {short}"))
}

/// Returns the names of the metrics that fit with a gap behind each. A metric without a value takes as much room as one with.
pub fn names_that_fit(metrics: &[Shown], room: usize, gap: usize) -> Vec<String> {
    let wide = |text: &str| text.replace('–', "0.0000");
    let widened = |shown: &Shown| Shown { text: wide(&shown.text), short: wide(&shown.short), ..shown.clone() };
    let metrics: Vec<Shown> = metrics.iter().map(widened).collect();
    chosen(&metrics, room, gap).into_iter().map(|(place, _)| metrics[place].name.clone()).collect()
}

/// Returns all of these metrics, in their shorter form if the longer one does not fit.
pub fn with_all(metrics: &[Shown], room: usize, gap: usize) -> Vec<&str> {
    let width = |text: &str| text.chars().count() + gap;
    let least: usize = metrics.iter().map(|shown| width(&shown.short)).sum();
    let fits = |shown: &Shown| least - width(&shown.short) + width(&shown.text) <= room;
    metrics.iter().map(|shown| if fits(shown) { &*shown.text } else { &*shown.short }).collect()
}

/// Returns the metrics that fit with a gap behind each, in their order: always the monitored one, then losses, then others.
pub fn fitting(metrics: &[Shown], room: usize, gap: usize) -> Vec<&str> {
    chosen(metrics, room, gap).into_iter().map(|(_, text)| text).collect()
}

/// Returns the same metrics with their places.
fn chosen(metrics: &[Shown], room: usize, gap: usize) -> Vec<(usize, &str)> {
    let mut places: Vec<usize> = (0..metrics.len()).collect();
    places.sort_by_key(|&place| metrics[place].rank); // stable
    let width = |text: &str| text.chars().count() + gap;
    let mut left = room;
    let mut chosen: Vec<(usize, &str)> = Vec::new();
    for place in places {
        let Shown { text, short, rank, .. } = &metrics[place];
        let text = if width(text) <= left { text } else { short };
        let fits = width(text) <= left;
        if fits || *rank == Rank::Monitored {
            chosen.push((place, text));
        }
        left = if fits { left - width(text) } else { 0 };
    }
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(training: &[bool]) -> EpochReport {
        let metrics = [
            ("loss", [0.5, 0.25]),
            ("r2", [0.5, 0.7]),
            ("gradient_norm.0", [1.0, 1.0]),
            ("val_loss", [0.75, 0.25]),
            ("lr", [0.1, 0.05]),
        ];
        EpochReport {
            epoch: 1,
            epochs: 30,
            metrics: metrics.iter().map(|(name, values)| ((*name).to_owned(), values.to_vec())).collect(),
            seconds: 1.0,
            trained: vec![true; training.len()],
            training: training.to_vec(),
        }
    }

    fn trained(variants: &[&str], variant_of: &[usize], monitor: &str) -> Trained {
        Trained {
            variants: variants.iter().map(|name| (*name).to_owned()).collect(),
            variant_of: variant_of.to_vec(),
            monitor: monitor.to_owned(),
            shows_lr: false,
        }
    }

    fn texts(shown: &[Shown]) -> Vec<&str> {
        shown.iter().map(|shown| shown.text.as_str()).collect()
    }

    #[test]
    fn seeds_of_a_variant_are_shown_by_the_mean_of_those_that_train_and_a_learning_rate_that_changes() {
        let seeds = trained(&["base"], &[0, 0], "val_loss");
        assert_eq!(texts(&metrics(&report(&[true, true]), &seeds)), ["loss 0.3750", "r2 0.6000", "val_loss 0.5000"]);
        assert_eq!(
            texts(&metrics(&report(&[false, true]), &Trained { shows_lr: true, ..seeds.clone() })),
            ["loss 0.2500", "r2 0.7000", "val_loss 0.2500", "lr 0.050", "(1 of 2 still training)"]
        );
        assert_eq!(metrics(&report(&[false, false]), &seeds)[0].text, "loss 0.3750", "all have ended");
    }

    #[test]
    fn of_different_variants_the_best_and_the_worst_are_shown_and_no_mean() {
        let variants = trained(&["slow", "fast"], &[0, 1], "val_loss");
        assert_eq!(
            texts(&metrics(&report(&[true, true]), &variants)),
            ["loss 0.2500 to 0.5000", "r2 0.7000 to 0.5000", "val_loss 0.2500 (fast) to 0.7500 (slow)"]
        );
        assert_eq!(texts(&metrics(&report(&[true, false]), &variants))[0], "loss 0.5000", "one is left");
        let mut with_seeds = report(&[true; 4]);
        with_seeds.metrics = vec![("val_loss".to_owned(), vec![1.0, 0.5, f64::NAN, 0.5])];
        let seeds = trained(&["slow", "fast"], &[0, 0, 1, 1], "val_loss");
        assert_eq!(texts(&metrics(&with_seeds, &seeds)), ["val_loss 0.7500 (slow) to nan (fast)"]);
    }

    #[test]
    fn a_metric_without_a_value_takes_as_much_room_as_one_with() {
        let seeds = trained(&["base"], &[0, 0], "val_loss");
        let mut undefined = report(&[true, true]);
        undefined.metrics[1].1 = vec![f64::NAN; 2];
        let room = "loss 0.3750 val_loss 0.5000 r2 0.60".len();
        assert_eq!(fitting(&metrics(&undefined, &seeds), room, 1), ["loss 0.3750", "r2 –", "val_loss 0.5000"]);
        assert_eq!(names_that_fit(&metrics(&undefined, &seeds), room, 1), ["loss", "val_loss"]);
    }

    #[test]
    fn the_monitored_metric_is_there_however_narrow_the_line_and_losses_come_before_others() {
        let seeds = trained(&["base"], &[0, 0], "r2");
        let all = metrics(&report(&[true, true]), &Trained { shows_lr: true, ..seeds });
        assert_eq!(fitting(&all, 80, 1), ["loss 0.3750", "r2 0.6000", "val_loss 0.5000", "lr 0.050 to 0.100"]);
        assert_eq!(fitting(&all, 38, 1), ["loss 0.3750", "r2 0.6000", "val_loss 0.5000"]);
        assert_eq!(fitting(&all, 23, 1), ["loss 0.3750", "r2 0.6000"]);
        assert_eq!(fitting(&all, 5, 1), ["r2 0.6000"]);
        let variants = metrics(&report(&[true, true]), &trained(&["slow", "fast"], &[0, 1], "val_loss"));
        assert_eq!(fitting(&variants, 41, 1), ["val_loss 0.2500 (fast) to 0.7500 (slow)"]);
        assert_eq!(fitting(&variants, 30, 1), ["val_loss 0.2500 to 0.7500"]);
        assert_eq!(fitting(&variants, 3, 1), ["val_loss 0.2500 to 0.7500"]);
    }
}
