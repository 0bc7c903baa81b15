//! Checks the trials of a study against the expectations of the experiment.

use std::collections::BTreeSet;

use crate::history::diagnosis::verdict::canonical;
use crate::history::expectation::definition::{Expectation, Over};
use crate::history::expectation::result::ExpectationResult;
use crate::history::metric_path::{MetricValue, VARIANT_SEPARATOR, lookup, lookup_number};
use crate::history::number::Number;
use crate::history::trial_history::History;

/// Checks each trial of a study, and records the results in its history.
pub fn verify(expectations: &[Expectation], histories: &mut [History]) {
    for index in 0..histories.len() {
        let (trial, mut claim) = (&histories[index], None);
        let mut verified = Vec::new();
        for (number, expectation) in expectations.iter().enumerate() {
            claim = expectation.claim.as_ref().or(claim);
            if expectation.applies_to(trial, histories) {
                let result = expectation.check(trial, histories);
                verified.push(ExpectationResult { number, claim: claim.cloned(), ..result });
            }
        }
        histories[index].expectations = verified;
    }
}

impl Expectation {
    /// Returns whether the trial is checked. A standard deviation needs two trials.
    fn applies_to(&self, trial: &History, all: &[History]) -> bool {
        let lone = || all.iter().filter(|other| other.variant == trial.variant).count() < 2;
        self.seed.is_none_or(|only| only == trial.seed)
            && self.variant.as_ref().is_none_or(|only| *only == trial.variant)
            && !(self.over == Some(Over::Std) && lone())
            && self.has_enough_seeds(all)
            && self.missing_variant(all.iter()).is_none()
    }

    /// Returns the variant that the expectation is about, or compares with, if it has none of these trials.
    pub fn missing_variant<'a>(&self, trials: impl Iterator<Item = &'a History> + Clone) -> Option<&str> {
        let other = self.above.as_ref().and_then(|name| Some(name.split_once(VARIANT_SEPARATOR)?.0));
        let mut named = [self.variant.as_deref(), other].into_iter().flatten();
        named.find(|name| trials.clone().all(|trial| trial.variant != *name))
    }

    /// Returns whether the trials have at least `min_seeds` seeds.
    pub fn has_enough_seeds(&self, all: &[History]) -> bool {
        let seeds: BTreeSet<i64> = all.iter().map(|trial| trial.seed).collect();
        self.min_seeds.is_none_or(|needed| seeds.len() >= needed)
    }

    /// Returns the result for one trial, or for the variant of the trial; `all` are the trials of the study.
    fn check(&self, trial: &History, all: &[History]) -> ExpectationResult {
        let found = match self.over {
            None => lookup(trial, &self.value),
            Some(Over::Share) => self.share(&trial.variant, all),
            Some(over) => over.metric(&self.value, &trial.variant, all),
        };
        let against = self.above.as_ref().and_then(|other| self.other(other, trial, all));
        let met = match &found {
            Some(MetricValue::Number(Number(value))) => {
                self.is.is_some() == (self.over == Some(Over::Share)) && self.holds_for(*value, against.as_ref())
            }
            Some(MetricValue::Word(word)) => self.is_the_word(word),
            None => false,
        };
        let (expected, Expectation { value, over, variant, .. }) = (self.describe(), self.clone());
        ExpectationResult { number: 0, claim: None, value, over, expected, variant, found, against, met }
    }

    /// Returns whether the word is the one in `is`, by its current or former name.
    fn is_the_word(&self, word: &str) -> bool {
        self.is.as_deref().map(canonical) == Some(canonical(word))
    }

    /// Returns the share of a variant's trials whose word is `is`, or `None` if one of them has no word.
    fn share(&self, variant: &str, all: &[History]) -> Option<MetricValue> {
        let trials = all.iter().filter(|trial| trial.variant == variant);
        let is: Vec<f64> = trials
            .map(|trial| match lookup(trial, &self.value)? {
                MetricValue::Word(word) => Some(f64::from(u8::from(self.is_the_word(&word)))),
                MetricValue::Number(_) => None,
            })
            .collect::<Option<_>>()?;
        Over::Mean.compute(&is).map(|share| MetricValue::Number(Number(share)))
    }

    /// Returns the value of the metric in `above`.
    fn other(&self, name: &str, trial: &History, all: &[History]) -> Option<MetricValue> {
        let (variant, name) = name.split_once(VARIANT_SEPARATOR).unwrap_or((&trial.variant, name));
        match self.over {
            Some(over) => over.metric(name, variant, all),
            None => {
                let same = |other: &&History| other.seed == trial.seed && other.fold == trial.fold;
                lookup(all.iter().filter(|other| other.variant == variant).find(same)?, name)
            }
        }
    }

    fn holds_for(&self, value: f64, against: Option<&MetricValue>) -> bool {
        let above = |_| matches!(against, Some(MetricValue::Number(Number(other))) if value > self.times.unwrap_or(1.0) * other);
        // comparisons with NaN are false, so NaN meets no condition
        self.at_least.is_none_or(|bound| value >= bound)
            && self.at_most.is_none_or(|bound| value <= bound)
            && self.near.is_none_or(|near| (value - near).abs() <= self.within.unwrap_or_default())
            && self.above.as_ref().is_none_or(above)
    }
}

impl Over {
    /// Returns the statistic of a metric over a variant's trials, or `None` if one of them has no such metric.
    fn metric(self, name: &str, variant: &str, all: &[History]) -> Option<MetricValue> {
        let trials = all.iter().filter(|trial| trial.variant == variant);
        let values: Vec<f64> = trials.map(|trial| lookup_number(trial, name)).collect::<Option<_>>()?;
        self.compute(&values).map(|value| MetricValue::Number(Number(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::trial_fields::Status;
    use crate::history::trial_history::trial_for_tests as trial;

    /// Parses an expectation from TOML.
    fn read(text: &str) -> Expectation {
        toml_edit::de::from_str(text).unwrap()
    }

    fn verified(expectations: &[Expectation], mut trials: Vec<History>) -> Vec<Vec<ExpectationResult>> {
        verify(expectations, &mut trials);
        trials.into_iter().map(|trial| trial.expectations).collect()
    }

    #[test]
    fn former_names_of_labels_and_metrics_are_understood() {
        let expectations = [
            read("value = \"diagnosis.verdict\"\nis = \"jumping_about\""),
            read("metric = \"diagnosis.label\"\nis = \"unstable\""),
            read("value = \"diagnosis.gap\"\nnear = 0.5\nwithin = 0.001"),
            read("metric = \"diagnosis.val_loss_rise\"\nnear = 0.5\nwithin = 0.001"),
        ];
        let mut trial = trial("a", 0, 0.1);
        let mut curves = crate::history::curves::Curves::default();
        let jumps = [(0.9, 0.5), (0.2, 1.5), (0.8, 0.5), (0.1, 1.4), (0.7, 0.6), (0.2, 1.5), (0.9, 1.0)];
        for (row, (loss, val_loss)) in jumps.into_iter().enumerate() {
            curves.push(row + 1, &[("loss", loss), ("val_loss", val_loss)]);
        }
        trial.diagnosis = crate::history::diagnosis::diagnose(&curves, 1.0);
        let held = verified(&expectations, vec![trial]);
        assert!(held[0].iter().all(|verified| verified.met), "{held:?}");
    }

    #[test]
    fn a_statistic_is_taken_over_all_seeds_and_folds_of_a_variant() {
        let values = [1.0, 2.0, 6.0];
        assert_eq!(Over::Mean.compute(&values), Some(3.0));
        assert_eq!(Over::Std.compute(&values), Some(7.0_f64.sqrt())); // numpy.std([1, 2, 6], ddof=1)
        assert_eq!((Over::Min.compute(&values), Over::Max.compute(&values)), (Some(1.0), Some(6.0)));
        let trials = || vec![trial("a", 0, 0.2), trial("a", 1, 0.6), trial("b", 0, 0.1), trial("b", 1, 0.5)];
        let mean =
            read("metric = \"last.loss\"\nover = \"mean\"\nvariant = \"a\"\nabove = \"b/last.loss\"\ntimes = 1.3");
        let held = verified(&[mean], trials());
        assert!(held[2].is_empty() && held[3].is_empty(), "another variant is not checked");
        assert_eq!(held[0], held[1]);
        assert_eq!((&held[0][0].found, held[0][0].met), (&Some(MetricValue::Number(Number(0.4))), true));
        assert_eq!(held[0][0].against, Some(MetricValue::Number(Number(0.3))));
        assert_eq!(held[0][0].statement(), "mean of a/last.loss > 1.3 × b/last.loss");
        let missed = read("metric = \"last.loss\"\nover = \"max\"\nvariant = \"a\"\nat_most = 0.5");
        assert!(!verified(&[missed], trials())[0][0].met);
    }

    #[test]
    fn a_share_counts_the_trials_with_the_word() {
        let share = [read("metric = \"status\"\nover = \"share\"\nis = \"diverged\"\nat_least = 0.6")];
        let trials = |diverged: usize| {
            let status = |seed| if seed < diverged { Status::Diverged } else { Status::Completed };
            (0..5).map(|seed| History { status: status(seed), ..trial("a", seed as i64, 0.5) }).collect::<Vec<_>>()
        };
        let held = verified(&share, trials(3));
        assert_eq!(held[0][0].found, Some(MetricValue::Number(Number(0.6))));
        assert!(held.iter().all(|held| held[0].met));
        assert_eq!(held[0][0].statement(), "status is diverged in ≥ 0.6 of the trials");
        assert!(!verified(&share, trials(2))[0][0].met);
        let no_word = [read("metric = \"diagnosis.verdict\"\nover = \"share\"\nis = \"good\"\nat_least = 0.6")];
        let held = verified(&no_word, trials(0));
        assert_eq!((&held[0][0].found, held[0][0].met), (&None, false));
    }

    #[test]
    fn a_trial_without_a_number_makes_the_statistic_nan_or_missing() {
        assert_eq!(Over::Mean.compute(&[]), None);
        for over in [Over::Mean, Over::Std, Over::Min, Over::Max] {
            assert!(over.compute(&[0.1, f64::NAN]).unwrap().is_nan(), "{over:?}");
        }
        let gone = read("metric = \"last.f1\"\nover = \"mean\"\nat_least = 0");
        let held = verified(&[gone], vec![trial("a", 0, 0.1)]);
        assert_eq!((&held[0][0].found, held[0][0].met), (&None, false));
    }

    #[test]
    fn a_standard_deviation_needs_two_trials() {
        let deviation = [read("metric = \"last.loss\"\nover = \"std\"\nat_most = 0.1")];
        assert!(verified(&deviation, vec![trial("a", 0, 0.1)])[0].is_empty());
        assert!(!verified(&deviation, vec![trial("a", 0, 0.1), trial("a", 1, 0.5)])[0][0].met);
    }

    #[test]
    fn a_statistic_that_needs_five_seeds_is_not_checked_with_fewer() {
        let mean = [read("metric = \"last.loss\"\nover = \"mean\"\nat_most = 0.5\nmin_seeds = 3")];
        let losses = [0.9, 0.2, 0.1];
        let trials = |n| (0..n).map(|seed| trial("a", seed as i64, losses[seed])).collect::<Vec<_>>();
        assert!(verified(&mean, trials(1))[0].is_empty() && verified(&mean, trials(2))[1].is_empty());
        assert!(verified(&mean, trials(3)).iter().all(|held| held.len() == 1 && held[0].met));
        // two variants of one seed are two trials, and one seed
        assert!(verified(&mean, vec![trial("a", 0, 0.1), trial("b", 0, 0.1), trial("c", 0, 0.1)])[0].is_empty());
    }

    #[test]
    fn the_other_metric_is_that_of_the_same_seed() {
        let above = read("metric = \"last.loss\"\nvariant = \"a\"\nabove = \"b/last.loss\"");
        let trials = vec![trial("a", 0, 0.2), trial("a", 1, 0.6), trial("b", 1, 0.7), trial("b", 0, 0.1)];
        let held = verified(&[above], trials);
        assert_eq!((&held[0][0].against, held[0][0].met), (&Some(MetricValue::Number(Number(0.1))), true));
        assert_eq!((&held[1][0].against, held[1][0].met), (&Some(MetricValue::Number(Number(0.7))), false));
    }

    #[test]
    fn an_expectation_about_a_variant_without_trials_is_not_checked() {
        let of_b = read("metric = \"last.loss\"\nvariant = \"b\"\nat_most = 0.5");
        let above = read("metric = \"last.loss\"\nvariant = \"a\"\nabove = \"b/last.loss\"");
        let only_a = [trial("a", 0, 0.2)];
        assert_eq!((of_b.missing_variant(only_a.iter()), above.missing_variant(only_a.iter())), (Some("b"), Some("b")));
        assert!(verified(&[of_b.clone(), above.clone()], only_a.to_vec())[0].is_empty());
        let both = vec![trial("a", 0, 0.2), trial("b", 0, 0.1)];
        assert_eq!(verified(&[of_b, above], both).concat().len(), 2);
    }

    #[test]
    fn a_claim_holds_for_the_expectations_below_it() {
        let expectations = [
            read("metric = \"last.loss\"\nat_most = 1"),
            read("metric = \"last.loss\"\nat_most = 1\nclaim = \"It learns\"\nvariant = \"a\""),
            read("metric = \"last.loss\"\nat_most = 2"),
            read("metric = \"status\"\nis = \"completed\"\nclaim = \"It ends\""),
        ];
        let claims =
            |held: &[ExpectationResult]| held.iter().map(|verified| verified.claim.clone()).collect::<Vec<_>>();
        let held = verified(&expectations, vec![trial("a", 0, 0.1), trial("b", 0, 0.1)]);
        let (learns, ends) = (Some("It learns".to_owned()), Some("It ends".to_owned()));
        assert_eq!(claims(&held[0]), [None, learns.clone(), learns.clone(), ends.clone()]);
        assert_eq!(claims(&held[1]), [None, learns, ends]);
        assert!(held.iter().flatten().all(|verified| verified.met));
    }
}
