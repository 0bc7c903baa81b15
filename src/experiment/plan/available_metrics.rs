//! The metrics that a run will have, derived from its plan before training. A metric path in `[[expect]]` or
//! `[[theirs]]` that will not exist is an error.

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::data::Target;
use crate::experiment::plan::network_plan::TINY;
use crate::experiment::plan::{BASE, Model, Plan};
use crate::history::metric_path::{PREDICTION, STATUS, current};
use crate::metrics::Metric;
use crate::metrics::threshold::ThresholdRule;

/// Prefixes of metric paths.
const GROUPS: [&str; 11] =
    ["first", "last", "epoch", "best", "min", "max", "test", "diagnosis", "learned", "data", "tree"];

/// Metrics below `data.`: number of rows in each part.
const DATA: [&str; 3] = ["rows.train", "rows.validation", "rows.test"];

/// Metrics below `tree.`.
const TREE: [&str; 3] = ["depth", "leaves", "nodes"];

/// Metrics below `diagnosis.`.
const DIAGNOSIS: [&str; 9] = [
    "label",
    "sentence",
    "overfits_from",
    "val_loss_rise",
    "generalization_gap",
    "acc_gap",
    "explained",
    "rises",
    "jitter",
];

/// Values of `diagnosis.label`.
const VERDICTS: [&str; 5] = ["underfitting", "good", "overfitting", "diverged", "unstable"];

/// Values of `status` for trials that were not interrupted.
const ENDS: [&str; 3] = ["completed", "early_stopped", "diverged"];

/// Metrics that the trials of a plan will have.
#[derive(Debug)]
pub struct AvailableMetrics {
    /// Whose metrics these are, for messages: `this run` or ``variant `NAME` ``.
    pub label: String,
    /// Names of the metrics of each epoch.
    pub metrics: Vec<String>,
    /// Whether the model is a tree, which has a single epoch and no learning rate.
    pub is_tree: bool,
    /// Whether there are test rows.
    pub has_test: bool,
    /// Number of classes; `None` for labels and numeric targets.
    pub classes: Option<usize>,
    /// How the decision threshold is chosen, if the plan sets one.
    pub threshold: Option<ThresholdRule>,
    /// Whether there are validation rows.
    pub has_validation: bool,
    /// Parameters and predictions that are recorded for a tiny network; `None` if the network or its data are larger.
    pub learned: Option<TinyNetwork>,
}

/// Parameters and predictions that are recorded for a tiny network.
#[derive(Debug)]
pub struct TinyNetwork {
    /// Name and number of values of each parameter.
    pub parameters: Vec<(String, usize)>,
    /// Number of training rows, each with a recorded prediction.
    pub rows: usize,
    /// Number of outputs per prediction.
    pub outputs: usize,
}

/// Returns the words that the metric `name` can be; an empty list if it can be any text, and `None` if it is a number.
pub fn text_values(name: &str) -> Option<&'static [&'static str]> {
    match &*current(name) {
        STATUS => Some(&ENDS),
        "diagnosis.label" => Some(&VERDICTS),
        "diagnosis.sentence" => Some(&[]),
        _ => None,
    }
}

impl AvailableMetrics {
    /// Returns the metrics that the trials of a plan will have.
    pub fn new(plan: &Plan) -> AvailableMetrics {
        let (spec, split) = (&plan.spec, plan.spec.data.split());
        let rows = split.training_rows(plan.info.rows);
        let mut metrics = plan.metric_names();
        let mut learned = None;
        if let Model::Network(network) = &plan.model {
            for (number, planned) in network.architecture.layers().iter().enumerate() {
                let observers = network.train.observe.iter();
                let observed = observers.filter(|observer| observer.applies_to(&planned.layer, planned.parameters));
                metrics.extend(observed.map(|observer| observer.series(number)));
            }
            let is_shown =
                network.is_tiny(rows) && split.folds.is_none() && split.group.is_none() && spec.resample.is_none();
            learned = is_shown.then(|| TinyNetwork {
                parameters: network.architecture.parameter_sizes(),
                rows,
                outputs: network.outputs(),
            });
        }
        AvailableMetrics {
            label: match plan.variant.as_str() {
                BASE => "this run".to_owned(),
                variant => format!("variant `{variant}`"),
            },
            metrics,
            is_tree: matches!(plan.model, Model::Tree(_)),
            has_test: plan.info.test_rows > 0 || split.test.is_some(),
            classes: match plan.info.target {
                Target::Classes(classes) => Some(classes),
                Target::Labels(_) | Target::Values(_) => None,
            },
            threshold: spec.threshold,
            has_validation: plan.has_validation(),
            learned,
        }
    }

    /// Checks that the trials will have a metric of this name.
    ///
    /// # Errors
    /// When they will not. The error names the setting `key` and hints at a similar name.
    pub fn check(&self, key: &str, name: &str) -> Result<(), Invalid> {
        let name = &*current(name);
        let metrics: Vec<&str> = self.metrics.iter().map(String::as_str).collect();
        let unknown = |hint: String| {
            Err(Invalid::new(key, format!("must be a metric of {}, found `{name}`", self.label)).hint(hint))
        };
        let has_val = metrics.iter().any(|metric| metric.starts_with("val_"));
        let lacks_validation = |metric: &str| {
            let of_training = metric.strip_prefix("val_").filter(|_| !has_val);
            of_training.is_some_and(|metric| suggest::nearest(metric, metrics.iter().copied()).is_some())
        };
        let without_validation = || unknown("split off validation rows: `split = { validation = 0.2 }`".to_owned());
        let check_known = |metric: &str, known: &[&str]| {
            if known.contains(&metric) {
                return Ok(());
            }
            if lacks_validation(metric) {
                return without_validation();
            }
            let prefix = name.strip_suffix(metric).unwrap_or_default();
            unknown(match suggest::nearest(metric, known.iter().copied()) {
                Some(near) => format!("did you mean `{prefix}{near}`?"),
                None => {
                    let known: Vec<String> = known.iter().map(|metric| format!("{prefix}{metric}")).collect();
                    format!("known names: {}", suggest::list(&known))
                }
            })
        };
        if name == STATUS {
            return Ok(());
        }
        let tested: Vec<String> =
            Metric::test_defaults(self.classes).iter().map(|metric| metric.name().into_owned()).collect();
        let Some((group, metric)) = name.split_once('.') else {
            if lacks_validation(name) {
                return without_validation();
            }
            return unknown(match metrics.contains(&name) {
                true => {
                    let info = Metric::info_of_name(name.strip_prefix("val_").unwrap_or(name));
                    let is_higher_better = info.is_some_and(|info| info.higher_is_better == Some(true));
                    let extreme = if is_higher_better { "max" } else { "min" };
                    format!("add a prefix: `last.{name}`, `best.{name}` or `{extreme}.{name}`")
                }
                false if self.has_test && tested.iter().any(|metric| metric == name) => {
                    format!("add a prefix: `test.{name}`")
                }
                false => match suggest::nearest(name, metrics.iter().copied().chain([STATUS])) {
                    Some(STATUS) => format!("did you mean `{STATUS}`?"),
                    Some(near) => format!("did you mean `last.{near}`?"),
                    None => format!(
                        "write PREFIX.METRIC, such as `last.{}`; prefixes: {}; metrics: {}",
                        metrics.first().unwrap_or(&"loss"),
                        suggest::list(&self.groups()),
                        suggest::list(&metrics)
                    ),
                },
            });
        };
        let with_more = |more: &[&'static str]| [&metrics[..], more].concat();
        let with_timing: &[&str] = if self.is_tree { &["seconds"] } else { &["lr", "seconds"] };
        match group {
            "data" => check_known(metric, &DATA),
            "tree" if !self.is_tree => unknown("remove it: only decision trees have `tree` metrics".to_owned()),
            "tree" => check_known(metric, &TREE),
            "best" | "diagnosis" | "learned" if self.is_tree => {
                let others = if self.has_test { ", `last.val_acc` or `test.acc`" } else { " or `last.val_acc`" };
                unknown(format!("use `last.acc`{others}: a tree has no epochs"))
            }
            "first" | "last" | "min" | "max" => check_known(metric, &with_more(with_timing)),
            "best" => check_known(metric, &with_more(&["epoch"])),
            "epoch" => {
                let Some((epoch, metric)) = metric.split_once('.') else {
                    return unknown("write it as `epoch.11.loss`".to_owned());
                };
                // an epoch after the last one is allowed: a shorter run of the same file reports it as not available
                match epoch.parse::<usize>() {
                    Ok(1..) => check_known(metric, &with_more(with_timing)),
                    _ => unknown("count epochs from 1".to_owned()),
                }
            }
            "test" if !self.has_test => unknown("split off test rows: `split = { test = 0.2 }`".to_owned()),
            "test" => {
                let nested_test_metrics = self.nested_test_metrics();
                if nested_test_metrics.iter().any(|path| path == metric) {
                    return Ok(());
                }
                if let Some(near) = suggest::nearest(metric, nested_test_metrics.iter().map(String::as_str))
                    && metric.contains('.')
                {
                    return unknown(format!("did you mean `test.{near}`?"));
                }
                let mut known: Vec<&str> = metrics.iter().copied().filter(|name| !name.starts_with("val_")).collect();
                known.extend(tested.iter().map(String::as_str).filter(|name| !metrics.contains(name)));
                check_known(metric, &known)
            }
            "diagnosis" => check_known(metric, &DIAGNOSIS),
            "learned" => self.check_learned(metric).or_else(unknown),
            _ => unknown(suggest::hint(group, self.groups())),
        }
    }

    /// Returns the prefixes of the metrics that the trials will have.
    fn groups(&self) -> Vec<&'static str> {
        let has = |group: &&str| match *group {
            "best" | "diagnosis" => !self.is_tree,
            "learned" => self.learned.is_some(),
            "test" => self.has_test,
            "tree" => self.is_tree,
            _ => true,
        };
        GROUPS.into_iter().filter(has).collect()
    }

    /// Paths of the nested test metrics: confusion matrix, classification report and threshold.
    fn nested_test_metrics(&self) -> Vec<String> {
        const SCORES: [&str; 3] = ["precision", "recall", "f1"];
        let Some(classes) = self.classes else { return Vec::new() };
        let scores = |label: &str| SCORES.map(|score| format!("{label}.{score}"));
        let confusion = |label: &str| -> Vec<String> {
            let row = |truth: usize| (0..classes).map(move |predicted| format!("{label}.{truth}.{predicted}"));
            (0..classes).flat_map(row).collect()
        };
        let mut paths = confusion("confusion");
        paths.push("report.accuracy".to_owned());
        for average in ["report.macro", "report.weighted"] {
            paths.extend(scores(average));
        }
        for class in (0..classes).map(|class| format!("report.classes.{class}")) {
            paths.extend(scores(&class));
            paths.push(format!("{class}.support"));
        }
        if classes == 2 {
            paths.push("prevalence".to_owned());
        }
        if let Some(by) = self.threshold {
            paths.push("threshold.value".to_owned());
            for at in
                ["threshold.validation", "threshold.at_default"].into_iter().skip(usize::from(!self.has_validation))
            {
                paths.extend(scores(at));
                paths.extend(matches!(by, ThresholdRule::Cost(_)).then(|| format!("{at}.cost")));
                paths.extend(confusion(&format!("{at}.confusion")));
            }
        }
        paths
    }

    /// Checks a path below `learned.`; returns a hint if it will not exist.
    fn check_learned(&self, name: &str) -> Result<(), String> {
        let Some(learned) = &self.learned else {
            let (parameters, rows) = TINY;
            return Err(format!(
                "weights and predictions below `learned` are kept only for networks with at most {parameters} parameters and {rows} \
                 training rows, without folds or resampling"
            ));
        };
        let check_index = |part: &str, index: &str, count: usize, what: &str| match index.parse::<usize>() {
            Ok(index) if index < count => Ok(()),
            _ if count == 1 => Err(format!("`{part}` has one {what}: `{part}.0`")),
            _ => Err(format!("`{part}` has {count} {what}s, numbered from 0 to {}", count - 1)),
        };
        let Some((part, index)) = name.rsplit_once('.') else {
            return Err("write it as `learned.0.weight.0`, or `learned.prediction.0.0`".to_owned());
        };
        if let Some((PREDICTION, row)) = part.split_once('.') {
            check_index("learned.prediction", row, learned.rows, "training row")?;
            return check_index(&format!("learned.prediction.{row}"), index, learned.outputs, "output");
        }
        match learned.parameters.iter().find(|(known, _)| known == part) {
            Some((_, count)) => check_index(&format!("learned.{part}"), index, *count, "value"),
            None if part == PREDICTION => Err("name row and output: `learned.prediction.0.0`".to_owned()),
            None => {
                let known = learned.parameters.iter().map(|(name, _)| name.as_str());
                Err(suggest::hint(part, known.chain([PREDICTION])).replace("did you mean `", "did you mean `learned."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::threshold::Cost;

    fn metrics(classes: Option<usize>, has_threshold: bool) -> AvailableMetrics {
        let metrics = ["loss", "f1", "val_loss", "val_f1"].map(str::to_owned).to_vec();
        AvailableMetrics {
            label: "this run".to_owned(),
            metrics,
            is_tree: false,
            has_test: true,
            classes,
            threshold: has_threshold.then_some(ThresholdRule::Cost(Cost { miss: 9.0, false_alarm: 1.0 })),
            has_validation: true,
            learned: None,
        }
    }

    #[test]
    fn the_values_of_a_diagnosis_have_current_and_former_names() {
        let metrics = metrics(Some(2), false);
        for name in ["label", "verdict", "val_loss_rise", "gap", "generalization_gap", "jitter", "rises"] {
            assert_eq!(metrics.check("value", &format!("diagnosis.{name}")), Ok(()), "{name}");
        }
        let unknown = metrics.check("value", "diagnosis.val_los_rise").unwrap_err();
        assert_eq!(unknown.hint.unwrap(), "did you mean `diagnosis.val_loss_rise`?");
    }

    #[test]
    fn test_figures_that_lie_deeper_can_be_named_where_they_will_be() {
        let two = metrics(Some(2), true);
        for name in [
            "f1",
            "mcc",
            "balanced_acc",
            "roc_auc",
            "ap",
            "prevalence",
            "confusion.1.0",
            "report.accuracy",
            "report.macro.f1",
            "report.classes.1.recall",
            "report.classes.0.support",
            "threshold.value",
            "threshold.validation.f1",
            "threshold.at_default.cost",
            "threshold.at_default.confusion.1.0",
        ] {
            assert_eq!(two.check("value", &format!("test.{name}")), Ok(()), "{name}");
        }
        let hint = |metrics: &AvailableMetrics, name: &str| metrics.check("value", name).unwrap_err().hint.unwrap();
        assert_eq!(hint(&two, "test.report.clases.1.recall"), "did you mean `test.report.classes.1.recall`?");
        assert_eq!(hint(&two, "test.report.macro.f2"), "did you mean `test.report.macro.f1`?");
        assert_eq!(
            hint(&two, "test.zzzz"),
            "known names: `test.loss`, `test.f1`, `test.mcc`, `test.balanced_acc`, `test.roc_auc`, `test.ap`"
        );
        assert_eq!(hint(&two, "mcc"), "add a prefix: `test.mcc`");
        assert!(metrics(Some(2), false).check("value", "test.threshold.value").is_err());
        assert!(metrics(Some(3), false).check("value", "test.ap").is_err());
        assert!(metrics(Some(3), false).check("value", "test.confusion.2.3").is_err());
        assert_eq!(metrics(Some(3), false).check("value", "test.confusion.2.2"), Ok(()));
        assert!(metrics(None, false).check("value", "test.mcc").is_err());
        assert!(metrics(None, false).check("value", "test.confusion.0.0").is_err());
    }
}
