//! Which variants are the best by a metric, and which metrics cannot be compared.
//!
//! Variants are ranked on validation rows, so only columns of these have a mark ([`MetricColumn::ranks`]).

use indexmap::IndexMap;

use crate::history::History;
use crate::train::loss::Loss;
use crate::views::metric_column::MetricColumn;
use crate::views::variants::variant::Variant;

/// Returns which variants are the best by a metric. None is if variants are not ranked by it, if neither higher nor lower
/// is better, or if it cannot be compared.
pub fn best_by(column: &MetricColumn, variants: &[Variant]) -> Vec<bool> {
    let Some(higher_is_better) = direction(column, variants) else { return vec![false; variants.len()] };
    let mean = |variant: &Variant| variant.mean(|history| column.value(history)).filter(|_| variant.is_complete());
    let values: Vec<Option<f64>> = variants.iter().map(mean).collect();
    best(&values, higher_is_better, |value| column.text(Some(value)))
}

/// Returns whether higher is better; `None` if variants are not ranked by the metric or it cannot be compared.
pub fn direction(column: &MetricColumn, variants: &[Variant]) -> Option<bool> {
    let is_resampled = trials(variants).any(|history| history.data.resample.is_some());
    let comparable = if column.is_loss() { minimize_the_same(variants) } else { predict_the_same(variants) };
    let ranks = column.ranks(have_validation(variants), is_resampled) && comparable;
    column.higher_is_better().filter(|_| ranks)
}

/// Returns which of these values are the best, several if they are shown alike; none if more than half of them are.
/// `None` is a variant that cannot be the best.
fn best(values: &[Option<f64>], higher_is_better: bool, shown: impl Fn(f64) -> String) -> Vec<bool> {
    let none = vec![false; values.len()];
    let contenders = || values.iter().flatten().copied();
    let better = |a: f64, b: f64| if (a > b) == higher_is_better { a } else { b };
    let Some(best) = contenders().reduce(better).map(&shown) else { return none };
    if 2 * contenders().filter(|value| shown(*value) == best).count() > contenders().count() {
        return none;
    }
    values.iter().map(|value| value.is_some_and(|value| shown(value) == best)).collect()
}

fn trials<'a>(variants: &[Variant<'a>]) -> impl Iterator<Item = &'a History> {
    variants.iter().flat_map(|variant| variant.trials.iter().copied())
}

/// Returns whether any variant has metrics of validation rows.
fn have_validation(variants: &[Variant]) -> bool {
    trials(variants).any(|history| history.history.series.keys().any(|name| name.starts_with("val_")))
}

/// Returns whether a condition holds for all pairs. One without trials agrees with all others, so it is not enough to look
/// at neighbors.
fn all_pairs(variants: &[Variant], holds: impl Fn(&Variant, &Variant) -> bool) -> bool {
    variants.iter().enumerate().all(|(place, one)| variants[..place].iter().all(|other| holds(one, other)))
}

fn predict_the_same(variants: &[Variant]) -> bool {
    all_pairs(variants, |one, other| one.predicts_as(other))
}

fn minimize_the_same(variants: &[Variant]) -> bool {
    all_pairs(variants, |one, other| one.minimizes_as(other))
}

/// Returns what cannot be compared, and why; `None` if everything can.
pub fn incomparable(variants: &[Variant], words: impl Fn(&Loss) -> String) -> Option<String> {
    if !predict_the_same(variants) {
        return Some("the variants predict different targets, so none is marked as best".to_owned());
    }
    if minimize_the_same(variants) {
        return None;
    }
    let mut losses: IndexMap<String, Vec<&str>> = IndexMap::new();
    for variant in variants {
        let Some(loss) = variant.trials.first().and_then(|history| loss(history, &words)) else { continue };
        losses.entry(loss).or_default().push(variant.name);
    }
    let losses: Vec<String> = losses.iter().map(|(loss, names)| format!("{loss} ({})", names.join(", "))).collect();
    Some(format!("losses are not comparable, different loss functions: {}", losses.join(", ")))
}

/// Returns the loss of a network in words, with the column of row weights.
fn loss(history: &History, words: impl Fn(&Loss) -> String) -> Option<String> {
    history.network.as_ref()?;
    let loss = history.config.get("train")?.get("loss")?;
    let loss = serde_json::from_value::<Loss>(loss.clone()).map_or_else(|_| loss.to_string(), |loss| words(&loss));
    let weights = || history.config.get("data")?.as_object()?.values().next()?.get("weights")?.as_str();
    Some(weights().map_or(loss.clone(), |column| format!("{loss} weighted by {column}")))
}

/// Returns which rows the mark is about: `best value on validation rows`; without a mark, why there is none.
pub fn meaning_of_mark(variants: &[Variant], has_best: bool) -> Option<&'static str> {
    match (has_best, have_validation(variants)) {
        (true, true) => Some("best value on validation rows"),
        (true, false) => Some("best value on training rows"),
        (false, false) if predict_the_same(variants) => Some("without validation rows no variant is marked as best"),
        (false, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::number::brief;
    use crate::views::fixtures::history;

    #[test]
    fn the_best_are_those_that_show_the_best_value() {
        let values = [Some(0.91), Some(0.95), None, Some(0.950_000_1), Some(0.92)];
        assert_eq!(best(&values, true, brief), [false, true, false, true, false]);
        assert_eq!(best(&values, false, brief), [true, false, false, false, false]);
    }

    #[test]
    fn none_is_the_best_of_equals_alone_or_among_many_that_share_it() {
        assert_eq!(best(&[Some(0.0), Some(0.0), Some(1.0)], false, brief), [false; 3]);
        assert_eq!(best(&[Some(1.0), Some(1.0)], true, brief), [false, false]);
        assert_eq!(best(&[Some(1.0), None], true, brief), [false, false]);
        assert_eq!(best(&[None, None], true, brief), [false, false]);
    }

    #[test]
    fn different_losses_are_listed() {
        let trial = |variant, loss: &str| {
            let mut trial = history(variant, 0, &[("loss", &[0.9, 0.4])]);
            trial.config["train"]["loss"] = loss.into();
            trial
        };
        let histories = [trial("a", "mse"), trial("b", "mae"), trial("c", "mse")];
        let words = |loss: &Loss| loss.name().to_owned();
        assert_eq!(
            incomparable(&Variant::all(["a", "b", "c"], &histories), words).unwrap(),
            "losses are not comparable, different loss functions: mse (a, c), mae (b)"
        );
        assert_eq!(incomparable(&Variant::all(["a", "c"], &histories), words), None);
    }
}
