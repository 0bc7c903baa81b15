//! Whether a sweep meets its expectations.

use serde::Serialize;
use serde_json::Value;

use crate::config::values::is_same;
use crate::history::metric_path::MetricValue;
use crate::history::number::Number;
use crate::sweep::expectation::{BEST, DIVERGED, IMPORTANCE, MOST_IMPORTANT, SweepExpectation};
use crate::sweep::labels::format_value;
use crate::sweep::results::configuration_result::{ConfigurationResult, Outcome};
use crate::sweep::results::overview::Overview;

/// An expectation and what the sweep has found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SweepExpectationResult {
    /// The claim that it supports.
    pub claim: Option<String>,
    /// What it is about: `best.train.optimizer.adam.lr`.
    pub metric: String,
    /// The condition: `≥ 0.001`.
    pub expected: String,
    /// The value that was found; `None` if there is none.
    pub found: Option<MetricValue>,
    /// Whether the expectation is met.
    pub met: bool,
}

impl SweepExpectationResult {
    /// Returns the metric and the condition.
    pub fn statement(&self) -> String {
        format!("{} {}", self.metric, self.expected)
    }

    /// Returns the value that was found as text.
    pub fn found_text(&self) -> String {
        match &self.found {
            None => "not available".to_owned(),
            Some(MetricValue::Word(word)) => word.clone(),
            Some(MetricValue::Number(Number(value))) => match value.abs() {
                1e-3..1e6 => format!("{value:.7}").trim_end_matches('0').trim_end_matches('.').to_owned(),
                _ => format!("{value}"),
            },
        }
    }
}

/// Checks the expectations of a sweep that has ended, ranked by its own metric.
pub fn verify(overview: &Overview) -> Vec<SweepExpectationResult> {
    let mut claim = None;
    let check = |expectation: &SweepExpectation| {
        claim = expectation.claim.clone().or_else(|| claim.clone());
        let found = lookup(expectation, overview);
        let met = expectation.holds_for(found.as_ref());
        let (metric, expected) = (expectation.subject(), expectation.condition());
        SweepExpectationResult { claim: claim.clone(), metric, expected, found, met }
    };
    overview.record.expectations.iter().map(check).collect()
}

/// Returns the value of the metric of an expectation.
fn lookup(expectation: &SweepExpectation, overview: &Overview) -> Option<MetricValue> {
    let number = |value: f64| Some(MetricValue::Number(Number(value)));
    let metric = expectation.metric.as_str();
    if metric == overview.metric {
        return number(best(expectation, overview)?.mean()?);
    }
    let importance = || overview.importance.as_ref();
    match metric {
        MOST_IMPORTANT => importance()?.first().map(|(key, _)| MetricValue::Word((*key).to_owned())),
        DIVERGED => number(overview.failed().count() as f64 / overview.ranking.results.len().max(1) as f64),
        _ => match (metric.strip_prefix(BEST), metric.strip_prefix(IMPORTANCE)) {
            (Some(key), _) => match best(expectation, overview)?.configuration.set.get(key)? {
                Value::Number(value) => number(value.as_f64()?),
                value => Some(MetricValue::Word(format_value(value))),
            },
            (None, Some(key)) => number(importance()?.iter().find(|(known, _)| *known == key)?.1),
            (None, None) => None,
        },
    }
}

/// Returns the best configuration of those with the settings of the expectation.
fn best<'a>(expectation: &SweepExpectation, overview: &'a Overview) -> Option<&'a ConfigurationResult<'a>> {
    let has = |result: &&ConfigurationResult, key: &String, value: &Value| {
        result.configuration.set.get(key).is_some_and(|other| is_same(other, value))
    };
    let fits = |result: &&ConfigurationResult| expectation.among.iter().all(|(key, value)| has(result, key, value));
    let mut done = overview.ranking.results.iter().filter(|result| result.outcome == Outcome::Done);
    done.find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::results::Ranking;
    use crate::sweep::results::overview::fixtures;

    fn verified(text: &str) -> Vec<SweepExpectationResult> {
        #[derive(serde::Deserialize)]
        struct File {
            expect: Vec<SweepExpectation>,
        }
        let (mut record, ended) = fixtures::sweep(12);
        record.expectations = toml_edit::de::from_str::<File>(text).unwrap().expect;
        verify(&Overview::new(&record, Ranking::new(&record, &ended, false), "best.val_loss", false))
    }

    #[test]
    fn settings_of_the_best_its_metric_and_shares_are_found() {
        let found = verified(
            r#"
            [[expect]]
            claim = "A rate of about 0.01 is best"
            metric = "best.train.optimizer.adam.lr"
            at_least = 0.003
            at_most = 0.03
            [[expect]]
            metric = "best.train.optimizer"
            is = "sgd"
            [[expect]]
            claim = "It learns"
            metric = "best.val_loss"
            at_most = 0.5
            [[expect]]
            metric = "diverged"
            at_most = 0.05
            [[expect]]
            metric = "best.train.optimizer.sgd.momentum"
            at_least = 0.0
            "#,
        );
        let met: Vec<bool> = found.iter().map(|result| result.met).collect();
        assert_eq!(met, [true, false, true, false, false], "{found:?}");
        assert_eq!(found[1].found, Some(MetricValue::Word("adam".to_owned())));
        assert_eq!(found[1].claim.as_deref(), Some("A rate of about 0.01 is best"));
        assert_eq!(found[3].found_text(), "0.0833333");
        assert_eq!((&found[4].found, found[4].found_text().as_str()), (&None, "not available"));
    }

    #[test]
    fn the_best_of_some_configurations_has_their_settings() {
        let found = verified(
            r#"
            [[expect]]
            metric = "best.train.optimizer.sgd.momentum"
            where = { "train.optimizer" = "sgd" }
            at_least = 0.9
            at_most = 0.9
            [[expect]]
            metric = "best.val_loss"
            where = { "train.optimizer" = "sgd" }
            at_least = 0.2
            [[expect]]
            metric = "best.val_loss"
            where = { "train.optimizer" = "rmsprop" }
            at_least = 0.2
            "#,
        );
        assert_eq!(found[0].statement(), "best.train.optimizer.sgd.momentum with train.optimizer = sgd ≥ 0.9, ≤ 0.9");
        let met: Vec<bool> = found.iter().map(|result| result.met).collect();
        assert_eq!(met, [true, true, false], "{found:?}");
    }
}
