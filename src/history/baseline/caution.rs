//! Warnings that a classifier never predicts a class or is no better than the majority class, or that its loss cannot be right.

use indexmap::IndexMap;

use crate::history::baseline::constant_prediction::{Baseline, Baselines};
use crate::history::number::brief;
use crate::history::test_record::TestRecord;
use crate::history::trial_history::History;

/// If the balanced accuracy is this far above chance, the classifier distinguishes the classes, whatever its accuracy.
const ABOVE_CHANCE: f64 = 0.1;

/// Average precision up to this multiple of the share of the positive class is that of chance.
const NEAR_CHANCE: f64 = 1.2;

/// Returns a warning if a loss is below 0 that cannot be, or if the classifier is no better than a constant prediction.
pub fn caution(history: &History, baselines: &Baselines) -> Option<String> {
    let parts: Vec<String> =
        [without_skill(history, baselines), negative_loss(history)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Returns a warning if the negative log-likelihood is below 0.
fn negative_loss(history: &History) -> Option<String> {
    let loss = &history.config["train"]["loss"];
    let is_nll = loss.as_str() == Some("nll") || loss.get("nll").is_some();
    let least = history.history.metric("loss").filter(|_| is_nll)?.into_iter().reduce(f64::min)?;
    (least < 0.0).then(|| {
        format!("the loss `nll` is {}, below 0: the outputs of the network are no log-probabilities", brief(least))
    })
}

/// Returns a warning if a classifier never predicts a class, or if neither its accuracy is better than the share of the majority
/// class nor its balanced accuracy (without test rows: its ROC AUC) clearly above chance. A threshold that finds a rare class costs
/// accuracy, which is no fault. It looks at the test rows, or without test rows at the validation rows.
fn without_skill(history: &History, baselines: &Baselines) -> Option<String> {
    let classes = &history.data.classes;
    let name = |class: usize| classes.get(class).map_or_else(|| format!("class {class}"), |name| format!("`{name}`"));
    match history.test.as_ref() {
        Some(test) => {
            let confusion = test.confusion.as_ref().filter(|matrix| matrix.len() > 1)?;
            let baseline = baselines.test.as_ref()?;
            ranking_by_chance(test).or_else(|| of_confusion(confusion, baseline, name))
        }
        None => {
            let baseline = baselines.validation.as_ref()?;
            let (class, share) = (baseline.class?, baseline.metric("acc")?);
            let best = history.history.metric("val_acc")?.into_iter().reduce(f64::max)?;
            let highest = |name: &str| history.history.metric(name)?.into_iter().reduce(f64::max);
            let ranks = highest("val_roc_auc").is_some_and(|auc| auc > 0.5 + ABOVE_CHANCE);
            (share < 1.0 && best <= share && !ranks).then(|| {
                format!(
                    "the best validation accuracy {} is no better than always predicting {} ({})",
                    brief(best),
                    name(class),
                    brief(share)
                )
            })
        }
    }
}

/// Returns the warning on the average precision in place of that on the accuracy, if the test rows have the former and not the
/// latter and it is that of chance; `None` if the accuracy decides.
fn ranking_by_chance(test: &TestRecord) -> Option<String> {
    let (ap, chance) = (test.metrics.get("ap")?.0, test.positives.filter(|chance| *chance > 0.0)?);
    let is_by_chance = !test.metrics.contains_key("acc") && ap <= NEAR_CHANCE * chance;
    let how = if ap <= chance || brief(ap) == brief(chance) { "no" } else { "hardly" };
    is_by_chance.then(|| format!("ap {} is {how} better than chance ({})", brief(ap), brief(chance)))
}

/// The beginning of the warning on classes that are never predicted.
const NEVER: &str = "never predicts ";

/// The parts of the warning on the accuracy, before and after its value.
const ACCURACY: &str = "accuracy ";
const NO_BETTER: &str = " is no better than ";

/// Returns the warnings of the trials of one network, with the number of trials if there are several. The classes that are
/// never predicted share a warning, and so do accuracies that are no better than the same share.
pub fn cautions(histories: &[&History]) -> Vec<String> {
    let of_trials: Vec<&str> = histories.iter().filter_map(|history| history.caution()).collect();
    let all = histories.len();
    if all == 1 {
        return of_trials.into_iter().map(str::to_owned).collect();
    }
    let (mut never, mut others): (IndexMap<&str, usize>, IndexMap<&str, usize>) = Default::default();
    let mut accuracies: IndexMap<&str, Vec<&str>> = IndexMap::new(); // by what is as good
    for caution in of_trials {
        let (classes, other) = match caution.strip_prefix(NEVER) {
            Some(rest) => rest.split_once("; ").map_or((rest, ""), |parts| parts),
            None => ("", caution),
        };
        let separator = if classes.starts_with('`') { "`, `" } else { ", " };
        for class in classes.split(separator).filter(|class| !class.is_empty()) {
            *never.entry(class.trim_matches('`')).or_default() += 1;
        }
        match other.strip_prefix(ACCURACY).and_then(|rest| rest.split_once(NO_BETTER)) {
            Some((accuracy, always)) => accuracies.entry(always).or_default().push(accuracy),
            None if other.is_empty() => {}
            None => *others.entry(other).or_default() += 1,
        }
    }
    never.sort_by(|a, a_count, b, b_count| b_count.cmp(a_count).then(a.cmp(b)));
    let class = |(place, (class, count)): (usize, (&str, usize))| match place {
        0 => format!("`{class}` ({count} of {all} trials)"),
        _ => format!("`{class}` ({count})"),
    };
    let never: Vec<String> = never.into_iter().enumerate().map(class).collect();
    let never = (!never.is_empty()).then(|| format!("{NEVER}{}", never.join(", ")));
    let accuracy = |(always, mut values): (&str, Vec<&str>)| {
        values.sort_unstable();
        let range = match (values[0], values[values.len() - 1]) {
            (least, most) if least == most => least.to_owned(),
            (least, most) => format!("{least} to {most}"),
        };
        format!("{ACCURACY}{range}{NO_BETTER}{always} ({} of {all} trials)", values.len())
    };
    let accuracies = accuracies.into_iter().map(accuracy);
    let others = others.into_iter().map(|(caution, count)| format!("{caution} ({count} of {all} trials)"));
    never.into_iter().chain(accuracies).chain(others).collect()
}

/// Returns the warning for a confusion matrix: counts by true class, then by predicted class.
fn of_confusion(confusion: &[Vec<u64>], baseline: &Baseline, name: impl Fn(usize) -> String) -> Option<String> {
    let (majority, share) = (baseline.class?, baseline.metric("acc")?);
    let rows_of = |class: usize| confusion[class].iter().sum::<u64>();
    let predicted = |class: usize| confusion.iter().map(|row| row.get(class).copied().unwrap_or(0)).sum::<u64>();
    let all: u64 = (0..confusion.len()).map(rows_of).sum();
    let right: u64 = confusion.iter().enumerate().map(|(class, row)| row.get(class).copied().unwrap_or(0)).sum();
    let present: Vec<usize> = (0..confusion.len()).filter(|&class| rows_of(class) > 0).collect();
    let ever_predicted: Vec<usize> = (0..confusion.len()).filter(|&class| predicted(class) > 0).collect();
    let acc = right as f64 / all as f64;
    if present.len() < 2 {
        return None; // rows of a single class do not allow a conclusion
    }
    match ever_predicted[..] {
        [only] if only == majority => {
            return Some(format!(
                "predicts only {}: accuracy {} is the share of the most frequent class",
                name(only),
                brief(acc)
            ));
        }
        [only] => {
            let best = format!("always predicting {} gets {}", name(majority), brief(share));
            return Some(format!("predicts only {}: accuracy {}; {best}", name(only), brief(acc)));
        }
        _ => {}
    }
    let never: Vec<String> = present.iter().filter(|&&class| predicted(class) == 0).map(|&class| name(class)).collect();
    let recalls = present.iter().map(|&class| confusion[class][class] as f64 / rows_of(class) as f64);
    let balanced = recalls.sum::<f64>() / present.len() as f64;
    let mut parts = Vec::new();
    if !never.is_empty() {
        parts.push(format!("{NEVER}{}", never.join(", ")));
    }
    if acc <= share && balanced <= 1.0 / present.len() as f64 + ABOVE_CHANCE {
        let always = format!("always predicting {} ({})", name(majority), brief(share));
        parts.push(format!("{ACCURACY}{}{NO_BETTER}{always}", brief(acc)));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::number::Number;
    use crate::history::trial_history::trial_for_tests;

    fn warning(confusion: &[&[u64]], classes: &[&str]) -> Option<String> {
        let confusion: Vec<Vec<u64>> = confusion.iter().map(|row| row.to_vec()).collect();
        let counts: Vec<u64> = confusion.iter().map(|row| row.iter().sum()).collect();
        let mut history = trial_for_tests("base", 0, 1.0);
        history.data.classes = classes.iter().map(|name| (*name).to_owned()).collect();
        history.test = Some(TestRecord { confusion: Some(confusion), ..TestRecord::default() });
        caution(&history, &Baselines { test: Baseline::of_counts(&counts), ..Baselines::default() })
    }

    #[test]
    fn a_classifier_that_predicts_one_class_is_compared_with_the_majority_share() {
        let warning = |confusion: &[&[u64]]| warning(confusion, &["no", "yes"]).unwrap();
        assert_eq!(
            warning(&[&[955, 0], &[45, 0]]),
            "predicts only `no`: accuracy 0.9550 is the share of the most frequent class"
        );
        assert_eq!(
            warning(&[&[0, 955], &[0, 45]]),
            "predicts only `yes`: accuracy 0.0450; always predicting `no` gets 0.9550"
        );
    }

    #[test]
    fn a_ranking_by_chance_and_a_loss_below_zero_are_named() {
        let mut history = trial_for_tests("base", 0, 1.0);
        history.data.classes = vec!["no".to_owned(), "yes".to_owned()];
        let with_ap = |ap: f64| TestRecord {
            confusion: Some(vec![vec![40, 150], vec![1, 9]]),
            metrics: [("ap".to_owned(), Number(ap))].into(),
            positives: Some(0.05),
            ..TestRecord::default()
        };
        let baselines = Baselines { test: Baseline::of_counts(&[190, 10]), ..Baselines::default() };
        history.test = Some(with_ap(0.04));
        assert_eq!(caution(&history, &baselines).unwrap(), "ap 0.0400 is no better than chance (0.0500)");
        history.test = Some(with_ap(0.055));
        assert_eq!(caution(&history, &baselines).unwrap(), "ap 0.0550 is hardly better than chance (0.0500)");
        history.test = None;
        history.config["train"]["loss"] = "nll".into();
        history.history.series.insert("loss".to_owned(), vec![Number(-1.5), Number(-2.0)]);
        let found = caution(&history, &Baselines::default()).unwrap();
        assert_eq!(found, "the loss `nll` is -2.0000, below 0: the outputs of the network are no log-probabilities");
    }

    #[test]
    fn classes_that_have_rows_and_are_never_predicted_are_named() {
        let classes = ["a", "b", "c", "d"];
        let matrix: [&[u64]; 4] = [&[30, 2, 0, 0], &[1, 20, 0, 0], &[3, 4, 0, 0], &[0, 0, 0, 0]];
        assert_eq!(warning(&matrix, &classes).unwrap(), "never predicts `c`");
    }

    #[test]
    fn classes_that_several_trials_never_predict_share_a_warning() {
        let trial = |caution: Option<&str>| {
            let mut history = trial_for_tests("base", 0, 1.0);
            let caution = caution.map(str::to_owned);
            history.baselines = Some(Baselines { caution, ..Baselines::default() });
            history
        };
        let trials = [
            trial(Some("never predicts `b`")),
            trial(Some("never predicts `a`, `b`; accuracy 0.5000 is no better than always predicting `c` (0.6000)")),
            trial(Some("accuracy 0.4100 is no better than always predicting `c` (0.6000)")),
        ];
        let found = cautions(&trials.iter().collect::<Vec<_>>());
        let accuracy = "accuracy 0.4100 to 0.5000 is no better than always predicting `c` (0.6000) (2 of 3 trials)";
        assert_eq!(found, ["never predicts `b` (2 of 3 trials), `a` (1)", accuracy]);
        assert_eq!(cautions(&[&trials[0]]), ["never predicts `b`"]);
    }

    #[test]
    fn an_accuracy_that_is_not_above_the_majority_share_gives_a_warning() {
        let warning = |confusion: &[&[u64]]| warning(confusion, &["no", "yes"]);
        assert_eq!(
            warning(&[&[940, 10], &[48, 2]]).unwrap(),
            "accuracy 0.9420 is no better than always predicting `no` (0.9500)"
        );
        assert_eq!(warning(&[&[900, 50], &[10, 40]]), None, "it finds most of the rare class");
        assert_eq!(warning(&[&[940, 10], &[20, 30]]), None);
        assert_eq!(warning(&[&[5, 0], &[0, 0]]), None, "a single class");
    }

    #[test]
    fn without_test_rows_the_validation_accuracy_counts() {
        let mut history = trial_for_tests("base", 0, 1.0);
        history.data.classes = vec!["no".to_owned(), "yes".to_owned()];
        history.history.series.insert("val_acc".to_owned(), vec![Number(0.7)]);
        let of = |counts: &[u64]| Baselines { validation: Baseline::of_counts(counts), ..Baselines::default() };
        assert_eq!(
            caution(&history, &of(&[75, 25])).unwrap(),
            "the best validation accuracy 0.7000 is no better than always predicting `no` (0.7500)"
        );
        assert_eq!(caution(&history, &of(&[60, 40])), None);
        history.history.series.insert("val_roc_auc".to_owned(), vec![Number(0.8)]);
        assert_eq!(caution(&history, &of(&[75, 25])), None, "it ranks the rows well");
    }
}
