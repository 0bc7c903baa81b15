//! Decision threshold for two classes: from this score on, the positive class is predicted. It is fixed, or chosen on
//! the validation rows by F1 or by the cost of misses and false alarms.
//!
//! Test rows cannot influence the choice: [`ValidationScores::new`] takes [`Validation`] rows and no others.
//!
//! The search tries every threshold that splits the rows differently. Among equally good thresholds it takes the
//! highest, which raises the fewest false alarms. The value lies halfway to the next lower score: it splits the
//! validation rows as that score would, and rounding differences between devices move no row across it.

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;
use tch::{Device, Kind, Tensor};

use crate::config::check::{Invalid, positive, require};
use crate::config::shorthand::named;
use crate::data::subsets::Validation;
use crate::history::classification_report::Scores;
use crate::history::test_record::AtThreshold;
use crate::metrics::curves::ranking::Ranking;
use crate::metrics::score::Score;

/// Rule that sets the threshold; written `0.3`, `"f1"` or `{ cost = { miss = 10, false_alarm = 1 } }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(into = "WrittenThreshold")]
#[schemars(with = "WrittenThreshold")]
pub enum ThresholdRule {
    /// A fixed threshold: a probability, or a score if the outputs are not probabilities.
    Fixed(f64),
    /// The threshold with the highest F1 of the positive class on the validation rows.
    F1,
    /// The threshold with the lowest cost on the validation rows.
    Cost(Cost),
}

/// Cost of each kind of mistake, in any unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Cost of a row of the positive class that is not predicted as positive.
    pub miss: f64,
    /// Cost of a row of the other class that is predicted as positive.
    pub false_alarm: f64,
}

/// The threshold as it is written in a file.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum WrittenThreshold {
    Number(f64),
    NamedRule(NamedRule),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum NamedRule {
    F1,
    Cost(Cost),
}

impl From<ThresholdRule> for WrittenThreshold {
    fn from(by: ThresholdRule) -> WrittenThreshold {
        match by {
            ThresholdRule::Fixed(value) => WrittenThreshold::Number(value),
            ThresholdRule::F1 => WrittenThreshold::NamedRule(NamedRule::F1),
            ThresholdRule::Cost(cost) => WrittenThreshold::NamedRule(NamedRule::Cost(cost)),
        }
    }
}

impl<'de> Deserialize<'de> for ThresholdRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByVisitor;
        let of = |named: NamedRule| match named {
            NamedRule::F1 => ThresholdRule::F1,
            NamedRule::Cost(cost) => ThresholdRule::Cost(cost),
        };
        impl<'de> Visitor<'de> for ByVisitor {
            type Value = Result<f64, NamedRule>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number, `\"f1\"`, or `{ cost = { miss = 10, false_alarm = 1 } }`")
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Ok(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Ok(value as f64))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Ok(value as f64))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
                let rule = named(IntoDeserializer::<E>::into_deserializer(name));
                rule.map(Err).map_err(|error| match error.to_string().starts_with("unknown variant") {
                    true => E::custom(format!("unknown value `{name}`, expected a number, `f1` or `cost`")),
                    false => error,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                named(MapAccessDeserializer::new(map)).map(Err)
            }
        }
        Ok(deserializer.deserialize_any(ByVisitor)?.map_or_else(of, ThresholdRule::Fixed))
    }
}

impl ThresholdRule {
    /// Checks the settings against the kind of score.
    ///
    /// # Errors
    /// When a probability is outside 0–1, a score is not finite, or a cost is not above 0. Keys are relative to
    /// `threshold`.
    pub fn check(self, score: Score) -> Result<(), Invalid> {
        match self {
            ThresholdRule::Fixed(value) if score.is_probability() => {
                require((0.0..=1.0).contains(&value), "", "must be a probability, from 0 to 1", value)
            }
            ThresholdRule::Fixed(value) => require(value.is_finite(), "", "must be finite", value),
            ThresholdRule::F1 => Ok(()),
            ThresholdRule::Cost(Cost { miss, false_alarm }) => {
                positive("cost.miss", miss)?;
                positive("cost.false_alarm", false_alarm)
            }
        }
    }

    /// Returns whether the rule needs validation rows.
    pub fn needs_validation(self) -> bool {
        !matches!(self, ThresholdRule::Fixed(_))
    }

    /// Returns the metrics of the positive class for a confusion matrix of two classes, with the cost if it sets the
    /// threshold.
    pub fn evaluate(self, confusion: &[Vec<u64>], positive: usize) -> AtThreshold {
        let other = 1 - positive;
        let right = confusion[positive][positive];
        let (miss, false_alarm) = (confusion[positive][other], confusion[other][positive]);
        AtThreshold {
            scores: Scores::from_counts(right, right + false_alarm, right + miss),
            cost: match self {
                ThresholdRule::Cost(cost) => Some(cost.total(miss, false_alarm)),
                ThresholdRule::Fixed(_) | ThresholdRule::F1 => None,
            },
            confusion: confusion.to_vec(),
        }
    }
}

impl Cost {
    fn total(self, misses: u64, false_alarms: u64) -> f64 {
        self.miss * misses as f64 + self.false_alarm * false_alarms as f64
    }
}

/// A threshold, the rule that set it, and its metrics on the validation rows.
#[derive(Clone, Debug, PartialEq)]
pub struct ChosenThreshold {
    /// The rule that set it.
    pub by: ThresholdRule,
    /// The threshold.
    pub value: f64,
    /// Metrics on the validation rows; `None` for a fixed threshold without validation rows.
    pub validation: Option<AtThreshold>,
}

impl ChosenThreshold {
    /// Returns a fixed threshold without validation rows.
    pub fn fixed(value: f64) -> ChosenThreshold {
        ChosenThreshold { by: ThresholdRule::Fixed(value), value, validation: None }
    }
}

/// Ranked scores of validation rows.
#[derive(Debug)]
pub struct ValidationScores {
    ranking: Option<Ranking>,
    positive: usize,
}

impl ValidationScores {
    /// Ranks the validation rows by the scores of the positive class from [`crate::metrics::score::ClassScore::of`]:
    /// `[rows]`, in the order of the rows.
    ///
    /// Test rows are rejected at compile time:
    ///
    /// ```compile_fail,E0308
    /// # use runner::{data::Test, metrics::threshold::ValidationScores};
    /// # use tch::Tensor;
    /// fn peek(rows: &Test, scores: &Tensor) -> ValidationScores {
    ///     ValidationScores::new(rows, scores, 1)
    /// }
    /// ```
    ///
    /// Training rows are rejected, too:
    ///
    /// ```compile_fail,E0308
    /// # use runner::{data::Training, metrics::threshold::ValidationScores};
    /// # use tch::Tensor;
    /// fn overfit(rows: &Training, scores: &Tensor) -> ValidationScores {
    ///     ValidationScores::new(rows, scores, 1)
    /// }
    /// ```
    ///
    /// Validation rows are accepted:
    ///
    /// ```
    /// # use runner::{data::Validation, metrics::threshold::ValidationScores};
    /// # use tch::Tensor;
    /// fn choose(rows: &Validation, scores: &Tensor) -> ValidationScores {
    ///     ValidationScores::new(rows, scores, 1)
    /// }
    /// ```
    ///
    /// # Panics
    /// When the targets are not classes, or the number of scores differs from that of the rows.
    pub fn new(rows: &Validation, scores: &Tensor, positive: usize) -> ValidationScores {
        let truth = rows.rows().targets.to_device(Device::Cpu);
        assert_eq!(truth.kind(), Kind::Int64, "the targets are classes");
        let is_positive: Vec<bool> = Vec::try_from(truth.eq(positive as i64)).expect("one class for each row");
        let scores = scores.detach().to_device(Device::Cpu).to_kind(Kind::Double).contiguous();
        let scores = Vec::<f64>::try_from(scores).expect("one score for each row");
        ValidationScores { ranking: Ranking::new(&scores, &is_positive), positive }
    }

    /// Returns the best threshold; `None` if one class has no rows or a score is NaN. A fixed threshold needs only one
    /// class.
    pub fn choose(&self, by: ThresholdRule) -> Option<ChosenThreshold> {
        let ranking = self.ranking.as_ref()?;
        let (value, predicted) = match by {
            ThresholdRule::Fixed(value) => (value, ranking.scores.iter().filter(|score| **score >= value).count()),
            _ if !ranking.has_both() => return None,
            ThresholdRule::F1 => {
                let positives = ranking.positives();
                let predicted = best(ranking, |right, wrong, best_right, best_wrong| {
                    // Compares r / (r + w + P) of both without division, so that ties are exact.
                    let scaled = |right: u64, predicted: u64| u128::from(right) * u128::from(predicted + positives);
                    scaled(right, best_right + best_wrong) > scaled(best_right, right + wrong)
                });
                (between(&ranking.scores, predicted), predicted)
            }
            ThresholdRule::Cost(cost) => {
                let of = |right: u64, wrong: u64| cost.total(ranking.positives() - right, wrong);
                let predicted =
                    best(ranking, |right, wrong, best_right, best_wrong| of(right, wrong) < of(best_right, best_wrong));
                (between(&ranking.scores, predicted), predicted)
            }
        };
        let (right, wrong) = counts(ranking, predicted);
        let mut confusion = vec![vec![ranking.negatives() - wrong, wrong], vec![ranking.positives() - right, right]];
        if self.positive == 0 {
            confusion.reverse();
            confusion.iter_mut().for_each(|row| row.reverse());
        }
        Some(ChosenThreshold { by, value, validation: Some(by.evaluate(&confusion, self.positive)) })
    }
}

/// Returns the number of true and false positives when the `predicted` highest distinct scores are predicted as
/// positive.
fn counts(ranking: &Ranking, predicted: usize) -> (u64, u64) {
    match predicted.checked_sub(1) {
        Some(last) => (ranking.right[last], ranking.wrong[last]),
        None => (0, 0),
    }
}

/// Returns how many of the highest distinct scores to predict as positive, which may be 0. Among equally good numbers
/// it returns the smallest.
fn best(ranking: &Ranking, is_better: impl Fn(u64, u64, u64, u64) -> bool) -> usize {
    (1..=ranking.scores.len()).fold(0, |best, predicted| {
        let ((right, wrong), (best_right, best_wrong)) = (counts(ranking, predicted), counts(ranking, best));
        if is_better(right, wrong, best_right, best_wrong) { predicted } else { best }
    })
}

/// Returns the threshold at which the `predicted` highest distinct scores are predicted as positive: halfway to the
/// next lower score. Returns the lowest score if all are predicted, and the next number above all scores if none is.
fn between(scores: &[f64], predicted: usize) -> f64 {
    let Some(last) = predicted.checked_sub(1) else { return scores[0].next_up() };
    let lowest = scores[last];
    let Some(next) = scores.get(predicted) else { return lowest };
    let halfway = next + (lowest - next) / 2.0;
    if halfway > *next && halfway <= lowest { halfway } else { lowest } // for adjacent floats
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::rows::Rows;
    use proptest::prelude::*;

    fn scores(scores: &[f64], truth: &[i64]) -> ValidationScores {
        let features = Tensor::zeros([truth.len() as i64, 1], (Kind::Float, Device::Cpu));
        let rows = Validation(Rows::new(features, Tensor::from_slice(truth)));
        ValidationScores::new(&rows, &Tensor::from_slice(scores), 1)
    }

    const COST: ThresholdRule = ThresholdRule::Cost(Cost { miss: 10.0, false_alarm: 1.0 });

    proptest! {
        #[test]
        fn no_other_threshold_is_better_and_the_value_gives_what_it_says(
            rows in prop::collection::vec((0_u8..=20, 0_i64..2), 2..80),
        ) {
            let values: Vec<f64> = rows.iter().map(|(score, _)| f64::from(*score) / 20.0).collect();
            let truth: Vec<i64> = rows.iter().map(|(_, class)| *class).collect();
            let confusion = |threshold: f64| {
                let mut counts = vec![vec![0_u64; 2]; 2];
                for (score, class) in values.iter().zip(&truth) {
                    counts[*class as usize][usize::from(*score >= threshold)] += 1;
                }
                counts
            };
            let validation = scores(&values, &truth);
            for by in [ThresholdRule::F1, COST, ThresholdRule::Fixed(0.35)] {
                let Some(choice) = validation.choose(by) else {
                    prop_assert!(!truth.contains(&0) || !truth.contains(&1));
                    continue;
                };
                let found = choice.validation.unwrap();
                prop_assert_eq!(&found.confusion, &confusion(choice.value));
                prop_assert_eq!(&found, &by.evaluate(&confusion(choice.value), 1));
                for other in values.iter().copied().chain([2.0]).filter(|_| by.needs_validation()) {
                    let rival = by.evaluate(&confusion(other), 1);
                    match by {
                        ThresholdRule::F1 => prop_assert!(rival.scores.f1 <= found.scores.f1),
                        _ => prop_assert!(rival.cost >= found.cost),
                    }
                    if (rival.scores.f1, rival.cost) == (found.scores.f1, found.cost) {
                        let alarms = |counts: &[Vec<u64>]| counts[0][1] + counts[1][1];
                        prop_assert!(alarms(&rival.confusion) >= alarms(&found.confusion), "of equal ones the highest");
                    }
                }
            }
        }
    }

    #[test]
    fn the_threshold_lies_halfway_between_two_scores_and_parts_neighboring_numbers() {
        let at = |values: &[f64], truth: &[i64], by| scores(values, truth).choose(by).unwrap().value;
        assert_eq!(at(&[0.75, 0.5, 0.25], &[1, 1, 0], ThresholdRule::F1), 0.375);
        assert_eq!(at(&[0.9, 0.5, 0.1], &[1, 0, 1], COST), 0.1, "all are predicted");
        assert_eq!(
            at(&[1.0, 0.5], &[0, 1], ThresholdRule::Cost(Cost { miss: 1.0, false_alarm: 10.0 })),
            1.0_f64.next_up()
        );
        let low = 0.7_f64;
        assert_eq!(at(&[low.next_up(), low], &[1, 0], ThresholdRule::F1), low.next_up());
    }

    #[test]
    fn of_one_class_or_of_what_is_no_number_nothing_is_chosen_and_a_given_threshold_stays() {
        for (values, truth) in [([0.2, 0.8], [1, 1]), ([0.2, 0.8], [0, 0]), ([0.2, f64::NAN], [0, 1])] {
            assert_eq!(scores(&values, &truth).choose(ThresholdRule::F1), None);
            assert_eq!(scores(&values, &truth).choose(COST), None);
        }
        let given = scores(&[0.2, 0.8], &[1, 1]).choose(ThresholdRule::Fixed(0.5)).unwrap();
        assert_eq!((given.value, given.validation.unwrap().scores.recall), (0.5, Some(0.5)));
        assert_eq!(ChosenThreshold::fixed(0.5).validation, None);
    }

    #[test]
    fn it_is_written_as_a_number_a_name_or_a_table() {
        #[derive(Serialize, Deserialize)]
        struct File {
            threshold: ThresholdRule,
        }
        let read = |text: &str| toml_edit::de::from_str::<File>(text).map(|file| file.threshold);
        for (text, wanted) in [
            ("threshold = 0.3", ThresholdRule::Fixed(0.3)),
            ("threshold = 1", ThresholdRule::Fixed(1.0)),
            ("threshold = \"f1\"", ThresholdRule::F1),
            ("threshold = { cost = { miss = 10, false_alarm = 1 } }", COST),
        ] {
            let found = read(text).unwrap();
            assert_eq!(found, wanted, "{text}");
            let written = toml_edit::ser::to_string(&File { threshold: found }).unwrap();
            assert_eq!(read(&written).unwrap(), wanted, "{written}");
            let json = serde_json::to_value(found).unwrap();
            assert_eq!(serde_json::from_value::<ThresholdRule>(json).unwrap(), wanted);
        }
        let refused = |text: &str| read(text).unwrap_err().to_string();
        assert!(refused("threshold = \"f2\"").contains("unknown value `f2`, expected a number, `f1` or `cost`"));
        assert!(refused("threshold = \"cost\"").contains("missing field `miss`"));
        assert!(refused("threshold = { cost = { miss = 1, alarm = 2 } }").contains("unknown field `alarm`"));
        assert!(refused("threshold = true").contains("a number, `\"f1\"`, or `{ cost = "));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let key = |by: ThresholdRule, score| by.check(score).map_err(|fault| fault.under("threshold").to_string());
        assert_eq!(key(ThresholdRule::Fixed(0.0), Score::Logit), Ok(()));
        assert_eq!(key(ThresholdRule::Fixed(1.5), Score::Output), Ok(()));
        let fault = key(ThresholdRule::Fixed(1.5), Score::Logit).unwrap_err();
        assert_eq!(fault, "`threshold` must be a probability, from 0 to 1, found 1.5");
        assert!(key(ThresholdRule::Fixed(f64::INFINITY), Score::Output).is_err());
        let free = ThresholdRule::Cost(Cost { miss: 0.0, false_alarm: 1.0 });
        assert!(key(free, Score::Logit).unwrap_err().starts_with("`threshold.cost.miss` must be"));
        assert_eq!(key(COST, Score::Logit), Ok(()));
    }
}
