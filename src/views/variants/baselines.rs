//! Metrics of a constant prediction, and classifiers that are no better.

use crate::compare::statistics::mean;
use crate::history::History;
use crate::history::baseline::without_skill::{WITHOUT_SKILL, metric};
use crate::history::baseline::{Baseline, cautions};
use crate::history::number::of_name;
use crate::views::variants::variant::Variant;

/// Returns the baseline of the test rows, or without test rows, of the validation rows: `baseline: acc 0.1135 (always `1`), loss
/// 2.3011 (constant probabilities)`; over several trials their means. `None` if there is no baseline.
pub fn line(histories: &[&History]) -> Option<String> {
    let of_test: Vec<&Baseline> =
        histories.iter().filter_map(|history| history.baselines.as_ref()?.test.as_ref()).collect();
    let has_test = !of_test.is_empty();
    let of_rows: Vec<&Baseline> = match has_test {
        true => of_test,
        false => histories.iter().filter_map(|history| history.baselines.as_ref()?.validation.as_ref()).collect(),
    };
    let first = of_rows.first()?;
    let recorded = first.metrics.keys().map(String::as_str);
    let metrics: Vec<String> = recorded
        .chain(WITHOUT_SKILL.into_iter().filter(|name| has_metric(histories, name)))
        .filter(|name| is_shared(histories, name))
        .filter_map(|name| {
            let with_baseline = histories.iter().filter(|history| history.baselines.is_some());
            let values: Vec<f64> = with_baseline.map(|history| metric(name, history)).collect::<Option<_>>()?;
            let how = match (first.class, name) {
                (Some(class), "acc") if of_rows.iter().all(|other| other.class == Some(class)) => {
                    format!(" (always {})", class_name(histories[0], class))
                }
                (Some(_), "acc") => " (majority class)".to_owned(),
                (Some(_), "loss") => " (constant probabilities)".to_owned(),
                (_, "ap") => " (share of positives)".to_owned(),
                _ => String::new(),
            };
            Some(format!("{name} {}{how}", of_name(name, mean(&values))))
        })
        .collect();
    let rows = if has_test { "" } else { " on the validation rows" };
    let of = if first.class.is_none() && first.metrics.len() > 1 { " (the mean of the training rows)" } else { "" };
    (!metrics.is_empty()).then(|| format!("baseline{rows}{of}: {}", metrics.join(", ")))
}

/// Returns whether a trial has this metric on the test rows, or without test rows on the validation rows.
fn has_metric(histories: &[&History], name: &str) -> bool {
    histories.iter().any(|history| match &history.test {
        Some(test) => test.metrics.contains_key(name),
        None => history.history.series.contains_key(&format!("val_{name}")),
    })
}

/// Returns what the baseline predicts and for which rows: `baseline: always `1`, the most frequent class of the test rows`.
/// `None` if there is no baseline.
pub fn meaning(histories: &[&History]) -> Option<String> {
    let of_rows = |history: &&History| {
        let baselines = history.baselines.as_ref()?;
        Some((baselines.test.is_some(), baselines.test.as_ref().or(baselines.validation.as_ref())?.class))
    };
    let found: Vec<(bool, Option<usize>)> = histories.iter().filter_map(of_rows).collect();
    let (has_test, class) = *found.first()?;
    let rows = if has_test { "test" } else { "validation" };
    let what = match class {
        Some(class) if found.iter().all(|(_, other)| *other == Some(class)) => {
            format!("always {}, the most frequent class of the {rows} rows", class_name(histories[0], class))
        }
        Some(_) => format!("always the most frequent class of the {rows} rows"),
        None if has_test => "always the mean of the training rows".to_owned(),
        None => "always the mean of the training rows (validation rows)".to_owned(),
    };
    Some(format!("baseline: {what}"))
}

/// Returns whether the trials share the baseline; losses of different functions have no common baseline.
fn is_shared(histories: &[&History], metric: &str) -> bool {
    let loss = |history: &History| history.config["train"]["loss"].clone();
    metric != "loss" || histories.windows(2).all(|pair| loss(pair[0]) == loss(pair[1]))
}

fn class_name(history: &History, class: usize) -> String {
    history.data.classes.get(class).map_or_else(|| format!("class {class}"), |name| format!("`{name}`"))
}

/// Returns the cautions of all variants, each with its variant's name.
pub fn cautions_of_variants(variants: &[Variant]) -> Vec<String> {
    let of = |variant: &Variant| {
        let named = |caution: String| format!("{}: {caution}", variant.name);
        cautions(&variant.trials).into_iter().map(named).collect::<Vec<_>>()
    };
    variants.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;
    use crate::history::baseline::Baselines;
    use crate::history::number::Number;
    use crate::history::test_record::TestRecord;
    use crate::views::fixtures::history;

    fn with(mut history: History, baselines: Baselines) -> History {
        history.data.classes = vec!["no".to_owned(), "yes".to_owned()];
        history.baselines = Some(baselines);
        history
    }

    fn of_classes(counts: &[u64], caution: Option<&str>) -> Baselines {
        let mut test = Baseline::of_counts(counts).unwrap();
        test.metrics.insert("loss".to_owned(), Number(0.25));
        Baselines { test: Some(test), validation: None, caution: caution.map(str::to_owned) }
    }

    fn trial(seed: i64, counts: &[u64], caution: Option<&str>) -> History {
        with(history("base", seed, &[("loss", &[1.0, 0.5])]), of_classes(counts, caution))
    }

    fn refs(histories: &[History]) -> Vec<&History> {
        histories.iter().collect()
    }

    #[test]
    fn the_majority_class_is_named_and_over_folds_its_mean_share_is_shown() {
        let one = [trial(0, &[90, 10], None)];
        assert_eq!(
            line(&refs(&one)).unwrap(),
            "baseline: acc 0.9000 (always `no`), loss 0.2500 (constant probabilities)"
        );
        let two = [trial(0, &[90, 10], None), trial(1, &[20, 80], None)];
        assert!(line(&refs(&two)).unwrap().starts_with("baseline: acc 0.8500 (majority class), "));
        assert_eq!(line(&[&history("base", 0, &[("loss", &[1.0])])]), None);
    }

    #[test]
    fn metrics_of_random_scores_are_shown_if_the_model_has_them() {
        let mut scored = trial(0, &[90, 10], None);
        let metrics = [("acc", 0.9), ("balanced_acc", 0.7), ("roc_auc", 0.8), ("ap", 0.6)];
        scored.test = Some(TestRecord {
            metrics: metrics.map(|(name, value)| (name.to_owned(), Number(value))).into(),
            positives: Some(0.1),
            confusion: Some(vec![vec![85, 5], vec![5, 5]]),
            ..TestRecord::default()
        });
        assert_eq!(
            line(&[&scored]).unwrap(),
            "baseline: acc 0.9000 (always `no`), loss 0.2500 (constant probabilities), balanced_acc 0.5000, \
             roc_auc 0.5000, ap 0.1000 (share of positives)"
        );
        assert_eq!(metric("ap", &scored), Some(0.1));
        assert_eq!(metric("f1", &scored), None);
    }

    #[test]
    fn of_numbers_it_is_the_mean_and_without_test_rows_the_validation_rows_are_named() {
        let metrics = [("loss", 2.0), ("mae", 1.2)].map(|(name, value)| (name.to_owned(), Number(value)));
        let validation = Some(Baseline { class: None, metrics: IndexMap::from(metrics) });
        let trial = with(history("a", 0, &[("loss", &[1.0])]), Baselines { validation, ..Baselines::default() });
        assert_eq!(
            line(&[&trial]).unwrap(),
            "baseline on the validation rows (the mean of the training rows): loss 2.0000, mae 1.2000"
        );
    }

    #[test]
    fn cautions_are_counted_over_trials_and_named_by_variant() {
        let only = Some("predicts only `no`: accuracy 0.9000 is the share of the most frequent class");
        let trials = [trial(0, &[90, 10], only), trial(1, &[90, 10], None), trial(2, &[90, 10], only)];
        let trials: Vec<&History> = trials.iter().collect();
        assert_eq!(
            cautions(&trials),
            ["predicts only `no`: accuracy 0.9000 is the share of the most frequent class (2 of 3 trials)"]
        );
        let histories = [trial(0, &[90, 10], only)];
        assert_eq!(
            cautions_of_variants(&Variant::all(["base", "other"], &histories)),
            ["base: predicts only `no`: accuracy 0.9000 is the share of the most frequent class"]
        );
    }
}
