//! Which metrics rank groups. Validation metrics choose the best group. Test metrics never rank: the test set must not
//! take part in model selection. Training metrics rank only without validation rows, and only if the training rows
//! were not resampled. Losses of different loss functions never rank.

use crate::compare::direction::higher_is_better;
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::statistics::mean;
use crate::history::History;
use crate::train::loss::Loss;

/// What the groups have in common, as far as ranking depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankingRules {
    /// Whether there are validation metrics.
    pub has_validation: bool,
    is_resampled: bool,
    same_data: bool,
    same_loss: bool,
}

impl RankingRules {
    /// Returns the ranking rules for these groups.
    pub fn new(groups: &[Group]) -> RankingRules {
        let trials = || groups.iter().flat_map(|group| &group.trials);
        let ours: Vec<&History> = groups.iter().filter_map(|group| group.trials.first()?.history()).collect();
        let alike = |same: fn(&History, &History) -> bool| {
            ours.iter().enumerate().all(|(place, one)| ours[..place].iter().all(|other| same(one, other)))
        };
        RankingRules {
            has_validation: trials().any(|trial| trial.metrics().iter().any(|name| name.starts_with("val_"))),
            is_resampled: ours.iter().any(|history| history.data.resample.is_some()),
            same_data: alike(|one, other| one.data.name == other.data.name && one.data.sha256 == other.data.sha256),
            same_loss: alike(same_loss),
        }
    }

    /// Returns whether a metric path such as `best.val_acc`, or a metric, ranks the groups. The first epoch never
    /// does.
    pub fn ranks(&self, path: &str) -> bool {
        let metric = metric_of(path);
        let is_of_test = path.starts_with("test.") || metric.starts_with("test_");
        if is_of_test || path.starts_with("first.") || !self.same_data {
            return false;
        }
        let is_loss = metric.ends_with("loss") || matches!(path, "diagnosis.val_loss_rise" | "diagnosis.gap");
        let has_rows = metric.starts_with("val_") || matches!(path, "diagnosis.val_loss_rise" | "diagnosis.gap");
        (self.same_loss || !is_loss) && (has_rows || !(self.has_validation || self.is_resampled))
    }

    /// Returns the index of the best group: by the monitored metric in the epoch whose weights are kept, or else by
    /// the first metric that ranks. A single group needs no metric. `None` if no metric ranks.
    pub fn best_group(&self, groups: &[Group]) -> Option<usize> {
        let without_leakage: Vec<usize> = (0..groups.len()).filter(|&place| !groups[place].leaks()).collect();
        match (&without_leakage[..], groups) {
            ([one], _) => return Some(*one),
            ([], [_]) => return Some(0),
            _ => {}
        }
        let trials = || without_leakage.iter().flat_map(|&place| &groups[place].trials);
        let monitored = trials().filter_map(|trial| Some(trial.best()?.monitor.as_str()));
        let metrics = trials().flat_map(|trial| trial.metrics());
        monitored.chain(metrics).filter(|metric| self.ranks(metric)).find_map(|metric| {
            let higher = higher_is_better(metric)?;
            let of_group = |place: usize| {
                let values = groups[place].values(|trial| trial.kept(metric));
                (!values.is_empty()).then(|| (place, mean(&values)))
            };
            let means: Option<Vec<(usize, f64)>> = without_leakage
                .iter()
                .filter(|&&place| groups[place].not_diverged().next().is_some())
                .map(|&place| of_group(place))
                .collect();
            let better = |a: (usize, f64), b: (usize, f64)| if a.1 != b.1 && (b.1 > a.1) == higher { b } else { a };
            means?.into_iter().reduce(better).map(|(place, _)| place)
        })
    }
}

/// Returns whether two histories have comparable losses. A model without a loss, such as a tree, is comparable with
/// every other.
pub fn same_loss(one: &History, other: &History) -> bool {
    let (Some(a), Some(b)) = (loss(one), loss(other)) else { return true };
    let read = |loss: &serde_json::Value| serde_json::from_value::<Loss>(loss.clone()).ok();
    let module = |history: &'_ History| history.module("train.loss.torchscript").map(str::to_owned);
    let same = match (read(a), read(b)) {
        (Some(Loss::TorchScript(_)), Some(Loss::TorchScript(_))) if module(one).is_some() => {
            module(one) == module(other)
        }
        (Some(a), Some(b)) => a.is_comparable_to(&b),
        _ => a == b,
    };
    same && row_weights(one) == row_weights(other)
}

/// Returns the loss function; `None` for trees.
fn loss(history: &History) -> Option<&serde_json::Value> {
    history.network.as_ref()?;
    history.config.get("train")?.get("loss")
}

/// Returns the column of the sample weights.
fn row_weights(history: &History) -> Option<&serde_json::Value> {
    history.config.get("data")?.as_object()?.values().next()?.get("weights").filter(|weights| !weights.is_null())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use indexmap::IndexMap;
    use serde_json::json;

    use super::*;
    use crate::compare::comparison::{CompareOptions, compare};
    use crate::compare::trial::Trial;
    use crate::history::number::Number;
    use crate::history::test_record::TestRecord;
    use crate::history::{Best, NetworkRecord, trial_for_tests};

    /// Returns a group with one trial of one epoch, with these metrics and this test accuracy.
    fn group(label: &str, loss: serde_json::Value, metrics: &[(&str, f64)], test_acc: f64) -> Group {
        let blank = trial_for_tests(label, 0, 1.0);
        let mut curves = crate::history::curves::Curves::default();
        curves.push(1, metrics);
        let named = |metrics: &[(&str, f64)]| -> IndexMap<String, Number> {
            metrics.iter().map(|(name, value)| ((*name).to_owned(), Number(*value))).collect()
        };
        let monitor = metrics.iter().find(|(name, _)| *name == "val_loss").map_or("loss", |_| "val_loss");
        let history = History {
            config: json!({ "data": { "digits": {} }, "train": { "loss": loss } }),
            network: Some(NetworkRecord { layers: Vec::new(), parameters: 1 }),
            best: Some(Best { epoch: 1, monitor: monitor.to_owned(), metrics: named(metrics) }),
            history: curves,
            test: Some(TestRecord {
                weights: "best".to_owned(),
                metrics: named(&[("acc", test_acc)]),
                ..TestRecord::default()
            }),
            ..blank
        };
        Group { label: label.to_owned(), trials: vec![Trial::from_history(history, PathBuf::new())] }
    }

    fn marked(groups: &[Group], path: &str) -> Vec<bool> {
        compare(groups, &CompareOptions::default()).unwrap().metric(path).unwrap().best.clone()
    }

    const LOSS: &str = "cross_entropy";

    #[test]
    fn variants_are_ranked_by_validation_rows_and_not_by_test_or_training_rows() {
        let metrics = |loss, acc| [("loss", 1.0 - loss), ("acc", 0.9), ("val_loss", loss), ("val_acc", acc)];
        let groups =
            [group("a", json!(LOSS), &metrics(0.4, 0.8), 0.99), group("b", json!(LOSS), &metrics(0.3, 0.9), 0.70)];
        assert_eq!(marked(&groups, "best.val_loss"), [false, true]);
        assert_eq!(marked(&groups, "last.val_acc"), [false, true]);
        assert_eq!(marked(&groups, "test.acc"), [false, false], "test rows rank nothing");
        assert_eq!(marked(&groups, "last.loss"), [false, false], "training rows neither, with validation rows there");
        assert_eq!(RankingRules::new(&groups).best_group(&groups), Some(1));
    }

    #[test]
    fn losses_of_different_functions_have_no_best_and_another_metric_chooses() {
        let metrics = |loss, acc| [("val_loss", loss), ("val_acc", acc)];
        let smooth = json!({ "cross_entropy": { "label_smoothing": 0.1 } });
        let groups = [
            group("a", json!({ "cross_entropy": {} }), &metrics(0.1, 0.8), 0.99),
            group("b", smooth, &metrics(0.6, 0.9), 0.98),
        ];
        assert_eq!(marked(&groups, "best.val_loss"), [false, false]);
        assert_eq!(marked(&groups, "best.val_acc"), [false, true]);
        assert_eq!(RankingRules::new(&groups).best_group(&groups), Some(1));
        let no_other = [
            group("a", json!("mse"), &[("val_loss", 0.1)], 0.99),
            group("b", json!("mae"), &[("val_loss", 0.6)], 0.98),
        ];
        assert_eq!(RankingRules::new(&no_other).best_group(&no_other), None);
    }

    #[test]
    fn without_validation_rows_training_rows_rank_unless_they_were_resampled() {
        let groups =
            || [group("a", json!(LOSS), &[("loss", 0.1)], 0.7), group("b", json!(LOSS), &[("loss", 0.2)], 0.9)];
        assert_eq!(marked(&groups(), "last.loss"), [true, false]);
        assert_eq!(RankingRules::new(&groups()).best_group(&groups()), Some(0));
        let mut resampled = groups();
        let record = json!({ "method": "smote", "before_split": false, "from": [9, 3], "to": [9, 9] });
        for trial in &mut resampled[1].trials {
            let crate::compare::trial::Record::Runner(history) = &mut trial.record else { panic!("ours") };
            history.data.resample = Some(serde_json::from_value(record.clone()).unwrap());
        }
        assert_eq!(marked(&resampled, "last.loss"), [false, false]);
        assert_eq!(RankingRules::new(&resampled).best_group(&resampled), None);
    }
}
