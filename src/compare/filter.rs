//! Filters that select runs: `best.val_acc>0.96`, `status=completed`, `train.batch=128`.

use std::str::FromStr;

use crate::compare::group::Group;
use crate::compare::settings;
use crate::compare::statistics::mean;
use crate::history::Status;
use crate::history::diagnosis::canonical;
use crate::history::metric_path::{MetricValue, lookup};

/// A condition on a metric or a setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Metric path, or the key of a setting.
    pub name: String,
    operator: Operator,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Is,
    IsNot,
}

impl FromStr for Filter {
    type Err = String;

    /// Parses `NAME OP VALUE`. OP is one of `<`, `<=`, `>`, `>=`, `=`, `!=`.
    fn from_str(text: &str) -> Result<Filter, String> {
        const OPERATORS: [(&str, Operator); 7] = [
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("!=", Operator::IsNot),
            ("==", Operator::Is),
            ("<", Operator::Less),
            (">", Operator::Greater),
            ("=", Operator::Is),
        ];
        let expected = || {
            format!(
                "expected METRIC OP VALUE or SETTING OP VALUE with OP one of `<` `<=` `>` `>=` `=` `!=`, such as \
                 `best.val_acc>0.96` or `status=completed`, found `{text}`"
            )
        };
        let at = text.find(['<', '>', '=', '!']).ok_or_else(expected)?;
        let (name, rest) = text.split_at(at);
        let (sign, operator) = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign)).ok_or_else(expected)?;
        let (name, value) = (name.trim(), rest[sign.len()..].trim());
        if name.is_empty() || value.is_empty() || value.starts_with(['<', '>', '=', '!']) {
            return Err(expected());
        }
        let is_order = !matches!(operator, Operator::Is | Operator::IsNot);
        if is_order && !value.parse::<f64>().is_ok_and(|value| !value.is_nan()) {
            return Err(format!("`{sign}` takes a number, found `{value}`"));
        }
        Ok(Filter { name: name.to_owned(), operator: *operator, value: value.to_owned() })
    }
}

impl Filter {
    /// Returns whether a group matches. The name is a metric (mean over trials), a text value of a trial such as its
    /// status, or a setting. A group
    /// without the named value never matches. `unfinished` says that the run is unfinished.
    pub fn holds(&self, group: &Group, unfinished: bool) -> bool {
        let wanted = self.value.parse::<f64>().ok();
        let values = self.numbers(group);
        if let (false, Some(wanted)) = (values.is_empty(), wanted) {
            return self.compare_numbers(mean(&values), wanted);
        }
        let words = self.words(group, unfinished);
        if words.is_empty() {
            return false;
        }
        let holds = |word: &String| match (word.parse::<f64>(), wanted) {
            (Ok(found), Some(wanted)) => self.compare_numbers(found, wanted),
            _ => match self.operator {
                Operator::Is => canonical(word) == canonical(&self.value),
                Operator::IsNot => canonical(word) != canonical(&self.value),
                Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => false,
            },
        };
        match self.operator {
            Operator::IsNot => words.iter().all(holds),
            Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast | Operator::Is => {
                words.iter().any(holds)
            }
        }
    }

    /// Returns the numbers that the trials have for this name; empty if it names words.
    fn numbers(&self, group: &Group) -> Vec<f64> {
        match self.name.as_str() {
            "seconds" => group.values(|trial| trial.history().map(|history| history.seconds)),
            "epochs" => group.values(|trial| Some(trial.epochs() as f64)),
            "seed" => group.values(|trial| trial.seed().map(|seed| seed as f64)),
            name => group.values(|trial| trial.metric_value(name)),
        }
    }

    /// Returns whether a group has the named metric or setting.
    pub fn is_known(&self, group: &Group) -> bool {
        !self.numbers(group).is_empty()
            || group.trials.iter().any(|trial| trial.metric_value(&self.name).is_some())
            || !self.words(group, false).is_empty()
    }

    /// Returns the words that the trials have for this name, or the setting.
    fn words(&self, group: &Group, unfinished: bool) -> Vec<String> {
        match self.name.as_str() {
            "experiment" => group.experiment().map(str::to_owned).into_iter().collect(),
            "variant" => group.variant().map(str::to_owned).into_iter().collect(),
            "device" => {
                group.trials.iter().filter_map(|trial| Some(trial.history()?.environment.device.clone())).collect()
            }
            "status" => {
                let histories = group.trials.iter().filter_map(|trial| trial.history());
                histories.flat_map(|history| status_words(history.status, unfinished)).collect()
            }
            name => {
                let words = group.trials.iter().filter_map(|trial| lookup(trial.history()?, name));
                let words: Vec<String> = words
                    .filter_map(|found| match found {
                        MetricValue::Word(word) => Some(word),
                        MetricValue::Number(_) => None,
                    })
                    .collect();
                match words.is_empty() {
                    true => group
                        .config()
                        .and_then(|config| settings::flatten(config).get(name).cloned())
                        .into_iter()
                        .collect(),
                    false => words,
                }
            }
        }
    }

    fn compare_numbers(&self, found: f64, wanted: f64) -> bool {
        match self.operator {
            Operator::Less => found < wanted,
            Operator::AtMost => found <= wanted,
            Operator::Greater => found > wanted,
            Operator::AtLeast => found >= wanted,
            Operator::Is => found == wanted,
            Operator::IsNot => found != wanted,
        }
    }
}

/// Words for a trial's status: as shown by `runner runs`, and as stored in the history.
fn status_words(status: Status, unfinished: bool) -> Vec<String> {
    let shown = match status {
        Status::Completed if unfinished => "unfinished",
        Status::Completed => "done",
        Status::EarlyStopped => "stopped",
        Status::Diverged | Status::Interrupted => status.word(),
    };
    [shown.to_owned(), status.word().to_owned(), status.word().replace(' ', "_")].into()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::compare::trial::Trial;
    use crate::history::{History, trial_for_tests};
    use serde_json::json;

    fn group() -> Group {
        let trial = |seed, loss| {
            let config = json!({ "train": { "batch": 128, "optimizer": { "adam": { "lr": 0.001 } } } });
            Trial::from_history(History { config, ..trial_for_tests("wide", seed, loss) }, PathBuf::new())
        };
        Group { label: "wide".to_owned(), trials: vec![trial(0, 1.0), trial(1, 2.0)] }
    }

    #[test]
    fn figures_words_and_settings_are_held_against() {
        for (text, holds) in [
            ("last.loss>1.4", true),
            ("last.loss >= 1.6", false),
            ("last.loss<2", true),
            ("status=completed", true),
            ("status!=completed", false),
            ("status=done", true), // as `runner runs` shows it
            ("status!=done", false),
            ("status=stopped", false),
            ("status!=stopped", true),
            ("variant=wide", true),
            ("train.batch=128", true),
            ("train.batch>200", false),
            ("train.optimizer.adam.lr=1e-3", true),
            ("last.acc>0", false),
        ] {
            assert_eq!(text.parse::<Filter>().unwrap().holds(&group(), false), holds, "{text}");
        }
    }

    #[test]
    fn a_trial_of_an_unfinished_run_is_not_done() {
        let holds = |text: &str| text.parse::<Filter>().unwrap().holds(&group(), true);
        assert!(holds("status=unfinished") && holds("status=completed") && !holds("status=done"));
    }

    #[test]
    fn what_is_no_condition_is_told() {
        for text in ["best.val_acc", ">0.9", "loss>", "loss!0.5", "loss=>0.5"] {
            assert!(text.parse::<Filter>().unwrap_err().starts_with("expected METRIC OP VALUE"), "{text}");
        }
        assert!("loss>much".parse::<Filter>().unwrap_err().contains("takes a number"));
    }
}
