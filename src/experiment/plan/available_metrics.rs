//! What figures a run will have, known from its plan: whether a name in `[[expect]]` or `[[theirs]]` will find one.

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::data::Target;
use crate::experiment::plan::network_plan::TINY;
use crate::experiment::plan::{BASE, Model, Plan};
use crate::history::figure::{PREDICTION, STATUS};
use crate::metrics::Metric;
use crate::metrics::threshold::ThresholdBy;

/// The groups of figures that can be named.
const GROUPS: [&str; 11] =
    ["first", "last", "epoch", "best", "min", "max", "test", "diagnosis", "learned", "data", "tree"];

/// The figures of the data: how many rows each part has.
const DATA: [&str; 3] = ["rows.train", "rows.validation", "rows.test"];

/// The figures of a tree.
const TREE: [&str; 3] = ["depth", "leaves", "nodes"];

/// The figures of a diagnosis.
const DIAGNOSIS: [&str; 9] = [
    "verdict",
    "sentence",
    "overfits_from",
    "val_loss_rise",
    "generalization_gap",
    "acc_gap",
    "explained",
    "rises",
    "jitter",
];

/// The verdicts of a diagnosis.
const VERDICTS: [&str; 5] = ["underfitting", "good", "overfitting", "diverged", "unstable"];

/// How a trial can end by itself.
const ENDS: [&str; 3] = ["completed", "early_stopped", "diverged"];

/// What figures the trials of a plan will have.
#[derive(Debug)]
pub struct Figures {
    /// Whose figures they are, in words.
    pub of: String,
    /// What an epoch has figures of.
    pub metrics: Vec<String>,
    /// Whether it is a tree, which has one epoch, and no learning rate.
    pub is_tree: bool,
    /// Whether there are test rows.
    pub has_test: bool,
    /// How many classes there are to predict; `None` for labels and numbers.
    pub classes: Option<usize>,
    /// How the threshold is chosen, where it is.
    pub threshold: Option<ThresholdBy>,
    /// Whether there are validation rows.
    pub has_validation: bool,
    /// What is shown of a tiny network; `None` where the network or its data are larger.
    pub learned: Option<Learned>,
}

/// What is shown of a tiny network.
#[derive(Debug)]
pub struct Learned {
    /// Its parameters, each with how many values it has.
    pub parameters: Vec<(String, usize)>,
    /// How many training rows it makes a prediction of.
    pub rows: usize,
    /// How many outputs a prediction has.
    pub outputs: usize,
}

/// The words that a figure can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// None: it is a number.
    None,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Any.
    Any,
}

/// The words that the figure of this name can be.
pub fn words(name: &str) -> Words {
    match name {
        STATUS => Words::OneOf(&ENDS),
        "diagnosis.verdict" => Words::OneOf(&VERDICTS),
        "diagnosis.sentence" => Words::Any,
        _ => Words::None,
    }
}

impl Figures {
    /// The figures that a plan's trials will have.
    pub fn of(plan: &Plan) -> Figures {
        let (spec, split) = (&plan.spec, plan.spec.data.split());
        let rows = split.training_rows(plan.card.rows);
        let mut metrics = plan.metric_names();
        let mut learned = None;
        if let Model::Network(network) = &plan.model {
            for (number, planned) in network.architecture.layers().iter().enumerate() {
                let observers = network.train.observe.iter();
                let seen = observers.filter(|observer| observer.sees(&planned.layer, planned.parameters));
                metrics.extend(seen.map(|observer| observer.series(number)));
            }
            let is_shown = network.is_tiny(rows) && split.folds.is_none() && spec.resample.is_none();
            learned = is_shown.then(|| Learned {
                parameters: network.architecture.parameter_sizes(),
                rows,
                outputs: network.outputs(),
            });
        }
        Figures {
            of: match plan.variant.as_str() {
                BASE => "this run".to_owned(),
                variant => format!("variant `{variant}`"),
            },
            metrics,
            is_tree: matches!(plan.model, Model::Tree(_)),
            has_test: plan.card.test_rows > 0 || split.test.is_some(),
            classes: match plan.card.target {
                Target::Classes(classes) => Some(classes),
                Target::Labels(_) | Target::Values(_) => None,
            },
            threshold: spec.threshold,
            has_validation: plan.has_validation(),
            learned,
        }
    }

    /// Checks that there will be a figure of this name.
    ///
    /// # Errors
    /// When there will be none, with what is meant perhaps; the fault is told of `key`.
    pub fn check(&self, key: &str, name: &str) -> Result<(), Invalid> {
        let metrics: Vec<&str> = self.metrics.iter().map(String::as_str).collect();
        let unknown =
            |hint: String| Err(Invalid::new(key, format!("names no metric of {}: `{name}`", self.of)).hint(hint));
        let one_of = |figure: &str, known: &[&str]| match figure.strip_prefix("val_") {
            _ if known.contains(&figure) => Ok(()),
            Some(of_training) if known.contains(&of_training) => {
                unknown("split off validation rows: `split = { validation = 0.2 }`".to_owned())
            }
            _ => unknown(suggest::hint(figure, known.iter().copied())),
        };
        if name == STATUS {
            return Ok(());
        }
        let Some((group, figure)) = name.split_once('.') else {
            return unknown(match metrics.contains(&name) {
                true => format!("add which epoch: `last.{name}`, `best.{name}`, `min.{name}`"),
                false => match suggest::nearest(name, [STATUS]) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!(
                        "metric paths look like `last.loss`; allowed prefixes: {}; `{STATUS}` has none",
                        suggest::list(&GROUPS)
                    ),
                },
            });
        };
        let extra = |more: &[&'static str]| [&metrics[..], more].concat();
        let timed: &[&str] = if self.is_tree { &["seconds"] } else { &["lr", "seconds"] };
        match group {
            "data" => one_of(figure, &DATA),
            "tree" if !self.is_tree => unknown("it is no tree".to_owned()),
            "tree" => one_of(figure, &TREE),
            "best" | "diagnosis" | "learned" if self.is_tree => {
                unknown("a tree has no epochs; use `last.acc`, `last.val_acc` or `test.acc`".to_owned())
            }
            "first" | "last" | "min" | "max" => one_of(figure, &extra(timed)),
            "best" => one_of(figure, &extra(&["epoch"])),
            "epoch" => {
                let Some((epoch, metric)) = figure.split_once('.') else {
                    return unknown("write it as `epoch.11.loss`".to_owned());
                };
                // one beyond the last is no mistake: a shorter run of the same file has not available
                match epoch.parse::<usize>() {
                    Ok(1..) => one_of(metric, &extra(timed)),
                    _ => unknown("epochs are numbered from 1".to_owned()),
                }
            }
            "test" if !self.has_test => unknown("there are no test rows: `split = { test = 0.2 }`".to_owned()),
            "test" => {
                let deeper = self.deeper();
                if deeper.iter().any(|path| path == figure) {
                    return Ok(());
                }
                if let Some(near) = suggest::nearest(figure, deeper.iter().map(String::as_str))
                    && figure.contains('.')
                {
                    return unknown(format!("did you mean `test.{near}`?"));
                }
                let always = Metric::of_tests(self.classes).iter().map(|metric| metric.name());
                let always: Vec<_> = always.collect();
                let mut tested: Vec<&str> = metrics.iter().copied().filter(|name| !name.starts_with("val_")).collect();
                tested.extend(always.iter().map(|name| &**name).filter(|name| !metrics.contains(name)));
                one_of(figure, &tested)
            }
            "diagnosis" if figure == "gap" => Ok(()), // what `val_loss_rise` was called before
            "diagnosis" => one_of(figure, &DIAGNOSIS),
            "learned" => self.check_learned(figure).or_else(unknown),
            _ => unknown(suggest::hint(group, GROUPS)),
        }
    }

    /// The figures of test rows that lie deeper than the metrics, by their paths.
    fn deeper(&self) -> Vec<String> {
        const SCORES: [&str; 3] = ["precision", "recall", "f1"];
        let Some(classes) = self.classes else { return Vec::new() };
        let scores = |of: &str| SCORES.map(|score| format!("{of}.{score}"));
        let confusion = |of: &str| -> Vec<String> {
            let row = |truth: usize| (0..classes).map(move |predicted| format!("{of}.{truth}.{predicted}"));
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
            paths.push("positives".to_owned());
        }
        if let Some(by) = self.threshold {
            paths.push("threshold.value".to_owned());
            for at in
                ["threshold.validation", "threshold.at_default"].into_iter().skip(usize::from(!self.has_validation))
            {
                paths.extend(scores(at));
                paths.extend(matches!(by, ThresholdBy::Cost(_)).then(|| format!("{at}.cost")));
                paths.extend(confusion(&format!("{at}.confusion")));
            }
        }
        paths
    }

    /// Checks that a tiny network has what is named behind `learned.`; the hint where it has not.
    fn check_learned(&self, name: &str) -> Result<(), String> {
        let Some(learned) = &self.learned else {
            let (parameters, rows) = TINY;
            return Err(format!(
                "only a network of at most {parameters} parameters, trained on at most {rows} rows without folds or resampling, is shown in full"
            ));
        };
        let below = |part: &str, index: &str, count: usize, what: &str| match index.parse::<usize>() {
            Ok(index) if index < count => Ok(()),
            _ if count == 1 => Err(format!("`{part}` has one {what}: `{part}.0`")),
            _ => Err(format!("`{part}` has {count} {what}s, numbered from 0 to {}", count - 1)),
        };
        let Some((part, index)) = name.rsplit_once('.') else {
            return Err("write it as `learned.0.weight.0`, or `learned.prediction.0.0`".to_owned());
        };
        if let Some((PREDICTION, row)) = part.split_once('.') {
            below("learned.prediction", row, learned.rows, "training row")?;
            return below(&format!("learned.prediction.{row}"), index, learned.outputs, "output");
        }
        match learned.parameters.iter().find(|(known, _)| known == part) {
            Some((_, count)) => below(&format!("learned.{part}"), index, *count, "value"),
            None if part == PREDICTION => Err("name row and output: `learned.prediction.0.0`".to_owned()),
            None => {
                let known = learned.parameters.iter().map(|(name, _)| name.as_str());
                Err(suggest::hint(part, known.chain([PREDICTION])))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::threshold::Cost;

    fn figures(classes: Option<usize>, has_threshold: bool) -> Figures {
        let metrics = ["loss", "f1", "val_loss", "val_f1"].map(str::to_owned).to_vec();
        Figures {
            of: "this run".to_owned(),
            metrics,
            is_tree: false,
            has_test: true,
            classes,
            threshold: has_threshold.then_some(ThresholdBy::Cost(Cost { miss: 9.0, false_alarm: 1.0 })),
            has_validation: true,
            learned: None,
        }
    }

    #[test]
    fn the_diagnosis_is_named_by_its_numbers_and_by_what_they_were_called_before() {
        let figures = figures(Some(2), false);
        for name in ["verdict", "val_loss_rise", "generalization_gap", "jitter", "gap", "rises"] {
            assert_eq!(figures.check("value", &format!("diagnosis.{name}")), Ok(()), "{name}");
        }
        let unknown = figures.check("value", "diagnosis.val_los_rise").unwrap_err();
        assert_eq!(unknown.hint.unwrap(), "did you mean `diagnosis.val_loss_rise`?".replace("diagnosis.", ""));
    }

    #[test]
    fn test_figures_that_lie_deeper_can_be_named_where_they_will_be() {
        let two = figures(Some(2), true);
        for name in [
            "f1",
            "mcc",
            "balanced_acc",
            "roc_auc",
            "ap",
            "positives",
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
        let hint = |figures: &Figures, name: &str| figures.check("value", name).unwrap_err().hint.unwrap();
        assert_eq!(hint(&two, "test.report.clases.1.recall"), "did you mean `test.report.classes.1.recall`?");
        assert_eq!(hint(&two, "test.report.macro.f2"), "did you mean `test.report.macro.f1`?");
        assert_eq!(hint(&two, "test.zzzz"), "known are `loss`, `f1`, `mcc`, `balanced_acc`, `roc_auc`, `ap`");
        assert!(figures(Some(2), false).check("value", "test.threshold.value").is_err());
        assert!(figures(Some(3), false).check("value", "test.ap").is_err());
        assert!(figures(Some(3), false).check("value", "test.confusion.2.3").is_err());
        assert_eq!(figures(Some(3), false).check("value", "test.confusion.2.2"), Ok(()));
        assert!(figures(None, false).check("value", "test.mcc").is_err());
        assert!(figures(None, false).check("value", "test.confusion.0.0").is_err());
    }
}
