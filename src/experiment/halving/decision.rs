//! The decision at a rung: which configurations continue, from the values of their trials alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::compare::statistics::sample::Sample;
use crate::experiment::halving::rule::HalvingRule;
use crate::history::number::Number;

/// A trial at a rung.
#[derive(Clone, Debug, PartialEq)]
pub struct RungTrial<'a> {
    /// Name of its configuration.
    pub configuration: &'a str,
    /// Its seed; trials of two configurations with the same seed are compared.
    pub seed: i64,
    /// Its metric so far; `None` if it diverged or has no finite value.
    pub value: Option<f64>,
}

/// A rung of a stack: what was known, and what was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// The epoch at whose end it was decided.
    pub epoch: usize,
    /// The configurations that were not dropped before, best first.
    pub configurations: Vec<Judged>,
}

/// A configuration at a rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// Mean of the metric so far; `None` if a trial has none, which is worst.
    pub mean: Option<Number>,
    /// Whether it continues.
    pub verdict: Verdict,
}

/// Whether a configuration continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is one of the best.
    Kept,
    /// It continues, because its difference to the worst of them is smaller than the noise of the seeds.
    Close,
    /// It ends here.
    Dropped,
}

impl Rung {
    /// Decides which configurations continue. `trials` are all trials of the configurations that were not dropped before.
    ///
    /// The best `keep` of them continue, rounded up. A configuration with a trial without a value is worst, and never continues.
    /// One that is close to the worst of these continues, too, if there are at least two seeds: if the mean of the
    /// seed-by-seed differences is smaller than its standard error. At most twice the share `keep` continues. A
    /// configuration that is alone continues.
    pub fn decide(rule: &HalvingRule, epoch: usize, trials: &[RungTrial]) -> Rung {
        let names: BTreeSet<&str> = trials.iter().map(|trial| trial.configuration).collect();
        let all = names.len();
        let mut candidates: Vec<Candidate> = names.into_iter().map(|name| Candidate::new(name, trials)).collect();
        let sign = if rule.higher_is_better { -1.0 } else { 1.0 };
        let key = |candidate: &Candidate| candidate.mean.map_or(f64::INFINITY, |mean| sign * mean);
        candidates.sort_by(|a, b| key(a).total_cmp(&key(b))); // equal ones stay in the order of their names
        let sound = candidates.iter().filter(|candidate| candidate.mean.is_some()).count();
        let quota = rule.halving().quota(all);
        let cut = &candidates[quota.min(sound).saturating_sub(1)];
        let mut left = quota.min(sound); // further ones that may continue
        let verdict = |(place, candidate): (usize, &Candidate)| match candidate.mean {
            _ if all == 1 => Verdict::Kept,
            None => Verdict::Dropped,
            Some(_) if place < quota => Verdict::Kept,
            Some(_) if left > 0 && candidate.is_close_to(cut, sign) => {
                left -= 1;
                Verdict::Close
            }
            Some(_) => Verdict::Dropped,
        };
        let verdicts: Vec<Verdict> = candidates.iter().enumerate().map(verdict).collect();
        let judged = |(candidate, verdict): (&Candidate, Verdict)| Judged {
            name: candidate.name.to_owned(),
            mean: candidate.mean.map(Number),
            verdict,
        };
        Rung { epoch, configurations: candidates.iter().zip(verdicts).map(judged).collect() }
    }

    /// Returns whether a configuration continues.
    pub fn keeps(&self, configuration: &str) -> bool {
        let found = self.configurations.iter().find(|judged| judged.name == configuration);
        found.is_some_and(|judged| judged.verdict != Verdict::Dropped)
    }
}

/// A configuration with the values of its trials.
struct Candidate<'a> {
    name: &'a str,
    values: Vec<(i64, f64)>, // by seed, of the trials that have one
    mean: Option<f64>,       // if all have
}

impl<'a> Candidate<'a> {
    fn new(name: &'a str, trials: &[RungTrial]) -> Candidate<'a> {
        let own = trials.iter().filter(|trial| trial.configuration == name);
        let mut values: Vec<(i64, Option<f64>)> = own.map(|trial| (trial.seed, trial.value)).collect();
        values.sort_by_key(|(seed, _)| *seed); // the mean must not depend on the order of the replicas
        let all: Option<Vec<f64>> = values.iter().map(|(_, value)| *value).collect();
        let mean = all.and_then(|all| Sample::from_values(&all)).map(|sample| sample.mean);
        let values = values.into_iter().filter_map(|(seed, value)| Some((seed, value?))).collect();
        Candidate { name, values, mean }
    }

    /// Whether its difference to a better configuration is within the noise of the seeds: the mean difference over their common
    /// seeds is smaller than its standard error. With `sign` 1 lower values are better, with −1 higher ones.
    fn is_close_to(&self, better: &Candidate, sign: f64) -> bool {
        let of_seed = |seed: i64| better.values.iter().find(|(other, _)| *other == seed).map(|(_, value)| *value);
        let differences: Vec<f64> =
            self.values.iter().filter_map(|(seed, value)| Some(sign * (value - of_seed(*seed)?))).collect();
        let Some(sample) = Sample::from_values(&differences) else { return false };
        sample.std.is_some_and(|std| sample.mean < std / (sample.n as f64).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the verdicts by name, best first; configurations `a`, `b`, … have these values by seed.
    fn decided(keep: f64, higher_is_better: bool, values: &[&[f64]]) -> Vec<(String, Verdict)> {
        let names: Vec<String> = (b'a'..).take(values.len()).map(|letter| char::from(letter).to_string()).collect();
        let trials: Vec<RungTrial> = names
            .iter()
            .zip(values)
            .flat_map(|(name, values)| {
                let trial = |(seed, value): (usize, &f64)| RungTrial {
                    configuration: name,
                    seed: seed as i64,
                    value: Some(*value).filter(|value| value.is_finite()),
                };
                values.iter().enumerate().map(trial).collect::<Vec<_>>()
            })
            .collect();
        let rule = HalvingRule { first: 1, keep, metric: "best.val_loss".to_owned(), higher_is_better };
        let rung = Rung::decide(&rule, 1, &trials);
        rung.configurations.into_iter().map(|judged| (judged.name, judged.verdict)).collect()
    }

    fn text(decided: &[(String, Verdict)]) -> String {
        let letter = |verdict| match verdict {
            Verdict::Kept => '+',
            Verdict::Close => '~',
            Verdict::Dropped => '-',
        };
        decided.iter().map(|(name, verdict)| format!("{name}{}", letter(*verdict))).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_best_go_on_and_equal_ones_stay_in_their_order() {
        let values: [&[f64]; 6] = [&[0.5], &[0.1], &[0.4], &[0.2], &[0.1], &[0.3]];
        assert_eq!(text(&decided(0.33, false, &values)), "b+ e+ d- f- c- a-");
        assert_eq!(text(&decided(0.5, true, &values)), "a+ c+ f+ d- b- e-");
        assert_eq!(text(&decided(0.01, false, &values)), "b+ e- d- f- c- a-", "one at least");
    }

    #[test]
    fn a_diverged_trial_is_worst_and_a_lone_configuration_goes_on() {
        const NAN: f64 = f64::NAN;
        assert_eq!(text(&decided(0.9, false, &[&[0.1, NAN], &[0.5, 0.6], &[0.9, 0.9]])), "b+ c+ a-");
        assert_eq!(text(&decided(0.5, false, &[&[NAN], &[NAN]])), "a- b-");
        assert_eq!(text(&decided(0.5, false, &[&[NAN]])), "a+");
    }

    #[test]
    fn configurations_that_the_seeds_cannot_tell_apart_go_on_up_to_twice_the_quota() {
        // b − a: 0.1 and −0.08, mean 0.01, standard error 0.09; c − a: 0.5 in both seeds
        assert_eq!(text(&decided(0.33, false, &[&[0.2, 0.4], &[0.3, 0.32], &[0.7, 0.9]])), "a+ b~ c-");
        assert_eq!(text(&decided(0.33, true, &[&[-0.2, -0.4], &[-0.3, -0.32], &[-0.7, -0.9]])), "a+ b~ c-");
        // paired: a difference of 0.01 in both seeds is certain, although the seeds differ by 0.4
        assert_eq!(text(&decided(0.33, false, &[&[0.2, 0.6], &[0.21, 0.61], &[0.7, 0.9]])), "a+ b- c-");
        let noisy: [&[f64]; 6] = [&[0.2, 0.4], &[0.41, 0.2], &[0.2, 0.42], &[0.2, 0.43], &[0.2, 0.44], &[0.2, 0.45]];
        let verdicts = decided(0.33, false, &noisy);
        assert_eq!(verdicts.iter().filter(|(_, verdict)| *verdict != Verdict::Dropped).count(), 4, "{verdicts:?}");
        assert_eq!(text(&decided(0.33, false, &[&[0.2], &[0.2001], &[0.7]])), "a+ b- c-", "one seed has no noise");
    }
}
