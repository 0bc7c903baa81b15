//! Filters that select runs: `best.val_acc>0.96`, `status=completed`, `train.batch=128`.

use std::str::FromStr;

use crate::compare::group::Group;
use crate::compare::runs::run_field::{FieldValue, lookup, metric_or_field, status_words};
use crate::compare::runs::run_info::RunInfo;
use crate::history::diagnosis;
use crate::history::metric_path::canonical;

/// A condition on a metric or a setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Metric path, key of a setting, or another field.
    pub name: String,
    operator: &'static str,
    value: String,
}

/// Operators; one that begins with another comes before it.
const OPERATORS: [&str; 7] = ["<=", ">=", "!=", "==", "<", ">", "="];

impl FromStr for Filter {
    type Err = String;

    /// Parses `NAME OP VALUE`. OP is one of `<`, `<=`, `>`, `>=`, `=`, `!=`.
    fn from_str(text: &str) -> Result<Filter, String> {
        let expected = || {
            format!(
                "expected METRIC OP VALUE or SETTING OP VALUE with OP one of `<` `<=` `>` `>=` `=` `!=`, such as \
                 `best.val_acc>0.96` or `status=complete`, found `{text}`"
            )
        };
        let at = text.find(['<', '>', '=', '!']).ok_or_else(expected)?;
        let (name, rest) = text.split_at(at);
        let operator = OPERATORS.into_iter().find(|operator| rest.starts_with(operator)).ok_or_else(expected)?;
        let (name, value) = (name.trim(), rest[operator.len()..].trim());
        if name.is_empty() || value.is_empty() || value.starts_with(['<', '>', '=', '!']) {
            return Err(expected());
        }
        let is_order = operator.starts_with(['<', '>']);
        if is_order && !value.parse::<f64>().is_ok_and(|value| !value.is_nan()) {
            return Err(format!("`{operator}` takes a number, found `{value}`"));
        }
        let name = match value.parse::<f64>() {
            Ok(_) => metric_or_field(name),
            Err(_) => canonical(name),
        };
        Ok(Filter { name, operator, value: value.to_owned() })
    }
}

impl Filter {
    /// Returns whether a group of trials of a run matches; `group` is `None` if the run has no history yet. A metric is its
    /// mean over the trials. A run without the named field never matches.
    pub fn holds(&self, group: Option<&Group>, info: &RunInfo) -> bool {
        let wanted = self.value.parse::<f64>().ok();
        let words = match self.name.as_str() {
            "status" => status_words(group, info),
            "tags" | "tag" => info.about.tags.clone(),
            "device" => {
                let histories = group.iter().flat_map(|group| &group.trials).filter_map(|trial| trial.history());
                histories.map(|history| history.environment.device.clone()).collect()
            }
            name => match lookup(name, group, info) {
                Some(FieldValue::Word(word)) => vec![word],
                Some(value) => match (value.number(), wanted) {
                    (Some(found), Some(wanted)) => return self.compare_numbers(found, wanted),
                    _ => return false,
                },
                None => return false,
            },
        };
        let holds = |word: &String| match (word.parse::<f64>(), wanted) {
            (Ok(found), Some(wanted)) => self.compare_numbers(found, wanted),
            _ => match self.operator {
                "=" | "==" => diagnosis::canonical(word) == diagnosis::canonical(&self.value),
                "!=" => diagnosis::canonical(word) != diagnosis::canonical(&self.value),
                _ => false,
            },
        };
        if self.operator == "!=" { words.iter().all(holds) } else { words.iter().any(holds) }
    }

    fn compare_numbers(&self, found: f64, wanted: f64) -> bool {
        match self.operator {
            "<" => found < wanted,
            "<=" => found <= wanted,
            ">" => found > wanted,
            ">=" => found >= wanted,
            "!=" => found != wanted,
            "=" | "==" => found == wanted,
            other => unreachable!("there is no operator `{other}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::compare::runs::run_info::RunState;
    use crate::compare::trial::Trial;
    use crate::experiment::store::about::About;
    use crate::experiment::store::run_id::RunEntry;
    use crate::history::{History, trial_for_tests};
    use serde_json::json;

    fn group() -> Group {
        let trial = |seed, loss| {
            let config = json!({ "train": { "batch": 128, "optimizer": { "adam": { "lr": 0.001 } } } });
            Trial::from_history(History { config, ..trial_for_tests("wide", seed, loss) }, PathBuf::new())
        };
        Group { label: "wide".to_owned(), trials: vec![trial(0, 1.0), trial(1, 2.0)] }
    }

    fn info(state: RunState) -> RunInfo {
        let entry = RunEntry {
            experiment: "test".to_owned(),
            name: String::new(),
            folder: PathBuf::new(),
            id: "0123456789ab".to_owned(),
        };
        let about = About { tags: vec!["a".to_owned(), "b".to_owned()], ..About::default() };
        let short_id = "0123".to_owned();
        RunInfo {
            entry,
            short_id,
            about,
            changes: Vec::new(),
            missing: 0,
            state,
            started: String::new(),
            host: None,
            job: None,
            seconds: None,
        }
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
            ("status=early stopped", false),
            ("status!=stopped", true),
            ("variant=wide", true),
            ("train.batch=128", true),
            ("optimizer=adam", true),
            ("optimizer=sgd", false),
            ("train.batch>200", false),
            ("train.optimizer.adam.lr=1e-3", true),
            ("lr<0.01", true),
            ("tag=b", true),
            ("tag=c", false),
            ("tags!=a", false),
            ("last.acc>0", false),
        ] {
            assert_eq!(
                text.parse::<Filter>().unwrap().holds(Some(&group()), &info(RunState::Finished)),
                holds,
                "{text}"
            );
        }
    }

    #[test]
    fn a_trial_of_an_unfinished_run_is_not_done() {
        let holds = |text: &str| text.parse::<Filter>().unwrap().holds(Some(&group()), &info(RunState::Failed));
        assert!(
            holds("status=unfinished") && holds("status=failed") && holds("status=completed") && !holds("status=done")
        );
    }

    #[test]
    fn what_is_no_condition_is_told() {
        for text in ["best.val_acc", ">0.9", "loss>", "loss!0.5", "loss=>0.5"] {
            assert!(text.parse::<Filter>().unwrap_err().starts_with("expected METRIC OP VALUE"), "{text}");
        }
        assert!("loss>much".parse::<Filter>().unwrap_err().contains("takes a number"));
    }
}
