//! Holds the trials of a study against what the experiment expects of them.

use std::collections::BTreeSet;

use crate::history::diagnosis::verdict::canonical;
use crate::history::expectation::expected::{Expectation, Over};
use crate::history::expectation::verified::Verified;
use crate::history::figure::{Found, VARIANT_SEPARATOR, figure, number};
use crate::history::number::Number;
use crate::history::trial_history::History;

/// Holds each trial of a study against what the experiment expects of it.
pub fn verify(expectations: &[Expectation], histories: &mut [History]) {
    for place in 0..histories.len() {
        let (trial, mut claim) = (&histories[place], None);
        let mut verified = Vec::new();
        for (number, expectation) in expectations.iter().enumerate() {
            claim = expectation.claim.as_ref().or(claim);
            if expectation.concerns(trial, histories) {
                let held = expectation.held_against(trial, histories);
                verified.push(Verified { number, claim: claim.cloned(), ..held });
            }
        }
        histories[place].expectations = verified;
    }
}

impl Expectation {
    /// Whether it speaks of this trial; a standard deviation of a lone trial is none.
    fn concerns(&self, trial: &History, all: &[History]) -> bool {
        let lone = || all.iter().filter(|other| other.variant == trial.variant).count() < 2;
        self.seed.is_none_or(|only| only == trial.seed)
            && self.variant.as_ref().is_none_or(|only| *only == trial.variant)
            && !(self.over == Some(Over::Std) && lone())
            && self.has_enough_seeds(all)
    }

    /// Whether the trials have the `min_seeds` that it needs.
    pub fn has_enough_seeds(&self, all: &[History]) -> bool {
        let seeds: BTreeSet<i64> = all.iter().map(|trial| trial.seed).collect();
        self.min_seeds.is_none_or(|needed| seeds.len() >= needed)
    }

    /// The figure of the trial, or of its variant, beside what is expected; `all` are the trials of the whole study.
    fn held_against(&self, trial: &History, all: &[History]) -> Verified {
        let found = match self.over {
            None => figure(trial, &self.value),
            Some(Over::Share) => self.share(&trial.variant, all),
            Some(over) => over.figure(&self.value, &trial.variant, all),
        };
        let against = self.above.as_ref().and_then(|other| self.other(other, trial, all));
        let met = match &found {
            Some(Found::Number(Number(value))) => {
                self.is.is_some() == (self.over == Some(Over::Share)) && self.holds_for(*value, against.as_ref())
            }
            Some(Found::Word(word)) => self.is_the_word(word),
            None => false,
        };
        let Expectation { value, over, variant, .. } = self.clone();
        Verified { number: 0, claim: None, value, over, expected: self.in_words(), variant, found, against, met }
    }

    /// Whether `is` is this word.
    fn is_the_word(&self, word: &str) -> bool {
        self.is.as_deref().map(canonical) == Some(canonical(word))
    }

    /// The share of a variant's trials whose word is `is`; absent where one of them lacks the word.
    fn share(&self, variant: &str, all: &[History]) -> Option<Found> {
        let trials = all.iter().filter(|trial| trial.variant == variant);
        let is: Vec<f64> = trials
            .map(|trial| match figure(trial, &self.value)? {
                Found::Word(word) => Some(f64::from(u8::from(self.is_the_word(&word)))),
                Found::Number(_) => None,
            })
            .collect::<Option<_>>()?;
        Over::Mean.of(&is).map(|share| Found::Number(Number(share)))
    }

    /// The figure that it is to be above.
    fn other(&self, name: &str, trial: &History, all: &[History]) -> Option<Found> {
        let (variant, name) = name.split_once(VARIANT_SEPARATOR).unwrap_or((&trial.variant, name));
        match self.over {
            Some(over) => over.figure(name, variant, all),
            None => {
                let same = |other: &&History| other.seed == trial.seed && other.fold == trial.fold;
                figure(all.iter().filter(|other| other.variant == variant).find(same)?, name)
            }
        }
    }

    fn holds_for(&self, value: f64, against: Option<&Found>) -> bool {
        let above =
            |_| matches!(against, Some(Found::Number(Number(other))) if value > self.times.unwrap_or(1.0) * other);
        // comparisons with NaN are false, so a figure that is not a number meets nothing
        self.at_least.is_none_or(|bound| value >= bound)
            && self.at_most.is_none_or(|bound| value <= bound)
            && self.near.is_none_or(|near| (value - near).abs() <= self.within.unwrap_or_default())
            && self.above.as_ref().is_none_or(above)
    }
}

impl Over {
    /// The statistic of a figure over a variant's trials; absent where one of them lacks the figure.
    fn figure(self, name: &str, variant: &str, all: &[History]) -> Option<Found> {
        let trials = all.iter().filter(|trial| trial.variant == variant);
        let values: Vec<f64> = trials.map(|trial| number(trial, name)).collect::<Option<_>>()?;
        self.of(&values).map(|value| Found::Number(Number(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::records::Status;
    use crate::history::trial_history::trial_for_tests as trial;

    /// Reads an expectation as a file writes it.
    fn read(text: &str) -> Expectation {
        toml_edit::de::from_str(text).unwrap()
    }

    fn verified(expectations: &[Expectation], mut trials: Vec<History>) -> Vec<Vec<Verified>> {
        verify(expectations, &mut trials);
        trials.into_iter().map(|trial| trial.expectations).collect()
    }

    #[test]
    fn former_names_of_a_verdict_and_of_the_rise_are_understood() {
        let expectations = [
            read("value = \"diagnosis.verdict\"\nis = \"jumping_about\""),
            read("value = \"diagnosis.verdict\"\nis = \"unstable\""),
            read("value = \"diagnosis.gap\"\nnear = 0.5\nwithin = 0.001"),
            read("value = \"diagnosis.val_loss_rise\"\nnear = 0.5\nwithin = 0.001"),
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
        assert_eq!(Over::Mean.of(&values), Some(3.0));
        assert_eq!(Over::Std.of(&values), Some(7.0_f64.sqrt())); // numpy.std([1, 2, 6], ddof=1)
        assert_eq!((Over::Min.of(&values), Over::Max.of(&values)), (Some(1.0), Some(6.0)));
        let trials = || vec![trial("a", 0, 0.2), trial("a", 1, 0.6), trial("b", 0, 0.1), trial("b", 1, 0.5)];
        let mean =
            read("value = \"last.loss\"\nover = \"mean\"\nvariant = \"a\"\nabove = \"b/last.loss\"\ntimes = 1.3");
        let held = verified(&[mean], trials());
        assert!(held[2].is_empty() && held[3].is_empty(), "another variant is not spoken of");
        assert_eq!(held[0], held[1]);
        assert_eq!((&held[0][0].found, held[0][0].met), (&Some(Found::Number(Number(0.4))), true));
        assert_eq!(held[0][0].against, Some(Found::Number(Number(0.3))));
        assert_eq!(held[0][0].statement(), "mean of a/last.loss > 1.3 × b/last.loss");
        let missed = read("value = \"last.loss\"\nover = \"max\"\nvariant = \"a\"\nat_most = 0.5");
        assert!(!verified(&[missed], trials())[0][0].met);
    }

    #[test]
    fn a_share_counts_the_trials_with_the_word() {
        let share = [read("value = \"status\"\nover = \"share\"\nis = \"diverged\"\nat_least = 0.6")];
        let trials = |diverged: usize| {
            let status = |seed| if seed < diverged { Status::Diverged } else { Status::Completed };
            (0..5).map(|seed| History { status: status(seed), ..trial("a", seed as i64, 0.5) }).collect::<Vec<_>>()
        };
        let held = verified(&share, trials(3));
        assert_eq!(held[0][0].found, Some(Found::Number(Number(0.6))));
        assert!(held.iter().all(|held| held[0].met));
        assert_eq!(held[0][0].statement(), "status is diverged in ≥ 0.6 of the trials");
        assert!(!verified(&share, trials(2))[0][0].met);
        let no_word = [read("value = \"diagnosis.verdict\"\nover = \"share\"\nis = \"good\"\nat_least = 0.6")];
        let held = verified(&no_word, trials(0));
        assert_eq!((&held[0][0].found, held[0][0].met), (&None, false));
    }

    #[test]
    fn a_trial_without_a_number_spoils_the_statistic() {
        assert_eq!(Over::Mean.of(&[]), None);
        for over in [Over::Mean, Over::Std, Over::Min, Over::Max] {
            assert!(over.of(&[0.1, f64::NAN]).unwrap().is_nan(), "{over:?}");
        }
        let gone = read("value = \"last.f1\"\nover = \"mean\"\nat_least = 0");
        let held = verified(&[gone], vec![trial("a", 0, 0.1)]);
        assert_eq!((&held[0][0].found, held[0][0].met), (&None, false));
    }

    #[test]
    fn a_lone_trial_has_no_deviation_to_be_held_against() {
        let deviation = [read("value = \"last.loss\"\nover = \"std\"\nat_most = 0.1")];
        assert!(verified(&deviation, vec![trial("a", 0, 0.1)])[0].is_empty());
        assert!(!verified(&deviation, vec![trial("a", 0, 0.1), trial("a", 1, 0.5)])[0][0].met);
    }

    #[test]
    fn a_statistic_that_needs_five_seeds_is_not_checked_with_fewer() {
        let mean = [read("value = \"last.loss\"\nover = \"mean\"\nat_most = 0.5\nmin_seeds = 3")];
        let losses = [0.9, 0.2, 0.1];
        let trials = |n| (0..n).map(|seed| trial("a", seed as i64, losses[seed])).collect::<Vec<_>>();
        assert!(verified(&mean, trials(1))[0].is_empty() && verified(&mean, trials(2))[1].is_empty());
        assert!(verified(&mean, trials(3)).iter().all(|held| held.len() == 1 && held[0].met));
        // two variants of one seed are two trials, and one seed
        assert!(verified(&mean, vec![trial("a", 0, 0.1), trial("b", 0, 0.1), trial("c", 0, 0.1)])[0].is_empty());
    }

    #[test]
    fn the_other_figure_is_that_of_the_same_seed() {
        let above = read("value = \"last.loss\"\nvariant = \"a\"\nabove = \"b/last.loss\"");
        let trials = vec![trial("a", 0, 0.2), trial("a", 1, 0.6), trial("b", 1, 0.7), trial("b", 0, 0.1)];
        let held = verified(&[above], trials);
        assert_eq!((&held[0][0].against, held[0][0].met), (&Some(Found::Number(Number(0.1))), true));
        assert_eq!((&held[1][0].against, held[1][0].met), (&Some(Found::Number(Number(0.7))), false));
    }

    #[test]
    fn a_claim_holds_for_the_expectations_below_it() {
        let expectations = [
            read("value = \"last.loss\"\nat_most = 1"),
            read("value = \"last.loss\"\nat_most = 1\nclaim = \"It learns\"\nvariant = \"a\""),
            read("value = \"last.loss\"\nat_most = 2"),
            read("value = \"status\"\nis = \"completed\"\nclaim = \"It ends\""),
        ];
        let claims = |held: &[Verified]| held.iter().map(|verified| verified.claim.clone()).collect::<Vec<_>>();
        let held = verified(&expectations, vec![trial("a", 0, 0.1), trial("b", 0, 0.1)]);
        let (learns, ends) = (Some("It learns".to_owned()), Some("It ends".to_owned()));
        assert_eq!(claims(&held[0]), [None, learns.clone(), learns.clone(), ends.clone()]);
        assert_eq!(claims(&held[1]), [None, learns, ends]);
        assert!(held.iter().flatten().all(|verified| verified.met));
    }
}
