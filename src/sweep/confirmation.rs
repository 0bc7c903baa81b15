//! Results of the newest confirmation of a sweep: its best configurations on seeds that were not used for the selection.

use std::collections::HashMap;

use anyhow::Context;

use crate::compare::metric_name::metric_of;
use crate::compare::statistics::difference::pairs_needed;
use crate::compare::statistics::sample::Sample;
use crate::compare::statistics::{ALPHA, Test, holm};
use crate::config::suggest;
use crate::history::metric_path::lookup_number;
use crate::history::number::count;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::ended::{EndedStack, EndedTrial};
use crate::sweep::record::{ConfirmationPlan, Extension, StackPlan, SweepRecord};
use crate::sweep::results::{ConfigurationResult, Outcome, Ranking};

/// The metric that ranks configurations.
#[derive(Clone, Copy, Debug)]
pub struct RankedBy<'a> {
    /// Its path.
    pub metric: &'a str,
    /// Whether a higher value is better.
    pub higher_is_better: bool,
}

impl<'a> RankedBy<'a> {
    /// Returns the metric of a sweep.
    pub fn new(record: &'a SweepRecord) -> RankedBy<'a> {
        RankedBy { metric: &record.metric, higher_is_better: record.higher_is_better }
    }
}

/// Results of a confirmation.
#[derive(Debug)]
pub struct Confirmation<'a> {
    /// Its plan.
    pub plan: &'a ConfirmationPlan,
    /// The metric that ranks its configurations.
    pub by: RankedBy<'a>,
    /// The smallest seed above all that the sweep has used.
    unused_seed: i64,
    /// Its configurations, best first on the fresh seeds.
    pub results: Vec<Confirmed<'a>>,
    /// Path of the test metric, such as `test.loss`; `None` if there are no test rows.
    pub test_metric: Option<String>,
    /// Whether all of its stacks have ended.
    pub is_over: bool,
}

/// Result of one configuration on fresh seeds.
#[derive(Debug)]
pub struct Confirmed<'a> {
    /// Its metric on the fresh seeds.
    pub result: ConfigurationResult<'a>,
    /// Mean of the metric on the seeds of the search; `None` if it does not have all of them.
    pub in_search: Option<f64>,
    /// The test metric on the fresh seeds.
    pub test: Option<Sample>,
    /// Number of parameters of its network; `None` for a tree.
    pub parameters: Option<usize>,
    /// The p of the difference to the best configuration, corrected for all pairs of configurations (Holm). `None` for the best
    /// one, and if the difference cannot be tested.
    pub p: Option<f64>,
    /// Conclusion.
    pub standing: Standing,
}

/// Conclusion about a configuration on fresh seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has the best mean.
    Best,
    /// Its difference to the best one is not significant.
    NotSeparable,
    /// Its difference to the best one cannot be tested: there is only one trial of each.
    Untested,
    /// It is significantly worse than the best one.
    Worse,
    /// Some of its trials diverged or failed, or are not done yet.
    Incomplete,
}

impl Standing {
    /// Returns the conclusion as text.
    pub fn words(self) -> &'static str {
        match self {
            Standing::Best => "best",
            Standing::NotSeparable => "not significantly worse",
            Standing::Untested => "not tested",
            Standing::Worse => "worse",
            Standing::Incomplete => "incomplete",
        }
    }
}

impl<'a> Confirmation<'a> {
    /// Reads the newest confirmation of a sweep with these ends of stacks, which have the values of the metric; `None` if it
    /// has none.
    ///
    /// # Errors
    /// When a history cannot be read.
    pub fn read(
        dir: &SweepDir,
        record: &'a SweepRecord,
        ended: &HashMap<String, EndedStack>,
        by: RankedBy<'a>,
    ) -> anyhow::Result<Option<Confirmation<'a>>> {
        let with_stacks = |extension: &'a Extension| Some((extension.confirmation.as_ref()?, &extension.stacks));
        let Some((plan, stacks)) = record.extensions.iter().rev().find_map(with_stacks) else { return Ok(None) };
        let ends: Vec<&EndedStack> = stacks.iter().filter_map(|stack| ended.get(&stack.name)).collect();
        let test_metric = format!("test.{}", metric_of(by.metric).trim_start_matches("val_"));
        let search = Ranking::new(record, ended, by.higher_is_better);
        let mut tests: HashMap<&str, Vec<f64>> = HashMap::new();
        let mut parameters: HashMap<&str, usize> = HashMap::new();
        for end in &ends {
            for trial in &end.trials {
                let history = trial.history(dir, &end.stack)?;
                tests.entry(&trial.configuration).or_default().extend(lookup_number(&history, &test_metric));
                parameters.extend(history.network.map(|network| (trial.configuration.as_str(), network.parameters)));
            }
        }
        let mut results = Vec::new();
        for chosen in &plan.configurations {
            let name = chosen.name.as_str();
            let own: Vec<&StackPlan> =
                stacks.iter().filter(|stack| stack.configurations.contains(&chosen.name)).collect();
            let is_ended = own.iter().all(|stack| ended.contains_key(&stack.name));
            let own: Vec<&EndedStack> = own.iter().filter_map(|stack| ended.get(&stack.name)).collect();
            let trials: Vec<&EndedTrial> =
                own.iter().flat_map(|end| &end.trials).filter(|trial| trial.configuration == name).collect();
            let failure = own.iter().find_map(|end| end.failure.as_ref());
            let configuration = record.configuration(name).context("a confirmation names an unknown configuration")?;
            let values = trials.iter().filter_map(|trial| Some(((trial.seed, trial.fold), trial.value?.0))).collect();
            let result = ConfigurationResult::new(configuration, &trials, is_ended, failure);
            let confirmed = Confirmed {
                result,
                in_search: match by.metric == record.metric {
                    true => Some(chosen.mean.0),
                    false => {
                        search.results.iter().find(|one| one.configuration.name == name).and_then(|one| one.mean())
                    }
                },
                test: tests.get(name).and_then(|values| Sample::from_values(values)),
                parameters: parameters.get(name).copied(),
                p: None,
                standing: Standing::Incomplete,
            };
            results.push((confirmed, values));
        }
        let has_test = results.iter().any(|(confirmed, _)| confirmed.test.is_some());
        Ok(Some(Confirmation {
            plan,
            by,
            unused_seed: record.used_seeds().max().map_or(0, |seed| seed.saturating_add(1)),
            results: judged(results, by.higher_is_better),
            test_metric: has_test.then_some(test_metric),
            is_over: ends.len() == stacks.len(),
        }))
    }

    /// Returns the best configuration, then those that are not significantly worse or cannot be tested.
    pub fn best_set(&self) -> impl Iterator<Item = &Confirmed<'a>> {
        self.results.iter().filter(|one| !matches!(one.standing, Standing::Worse | Standing::Incomplete))
    }

    /// Returns the cheapest configuration of the best set: the one with the fewest parameters; if there are several, the one
    /// that trains the fewest epochs.
    pub fn cheapest(&self) -> Option<&Confirmed<'a>> {
        self.best_set().min_by_key(|one| one.cost())
    }

    /// Returns the conclusion in one or two sentences.
    pub fn conclusion(&self) -> String {
        let set: Vec<&str> = self.best_set().map(Confirmed::name).collect();
        let Some((best, equals)) = set.split_first() else {
            return "no configuration has all of its trials on fresh seeds".to_owned();
        };
        let compared = self.results.iter().filter(|one| one.standing != Standing::Incomplete).count();
        if self.results.len() == 1 {
            return "only one configuration was confirmed, so there is nothing to compare".to_owned();
        }
        if compared == 1 {
            return format!("`{best}` is the only configuration with all of its trials on fresh seeds");
        }
        let trials = self.results[0].result.done;
        let needed = pairs_needed(compared * (compared - 1) / 2);
        if trials < needed && self.results.iter().all(|one| one.standing != Standing::Worse) {
            let trials = of_trials(trials);
            return format!(
                "with {trials} of each, no difference between {compared} configurations can be significant: use at least \
                 {needed} seeds, such as `--seeds {}..{}`",
                self.unused_seed,
                self.unused_seed + needed as i64 - 1
            );
        }
        let about_test = format!("paired permutation test with Holm's correction, {} of each", of_trials(trials));
        let cheapest = self.cheapest().filter(|cheapest| self.best_set().any(|one| one.cost() != cheapest.cost()));
        let cheapest = cheapest.map_or_else(String::new, |one| format!("; the cheapest of them is {}", one.price()));
        match equals {
            equals if equals.len() + 1 == self.results.len() => {
                format!("no configuration is significantly better than the others ({about_test}){cheapest}")
            }
            [] => format!("`{best}` is significantly better than all others ({about_test})"),
            equals => {
                format!(
                    "`{best}` is the best; not significantly worse: {} ({about_test}){cheapest}",
                    suggest::list(equals)
                )
            }
        }
    }

    /// Returns the best configuration of the search, with its metric on fresh seeds and in the search. `None` if it has not all
    /// of its trials.
    pub fn best_of_search(&self) -> Option<(&str, f64, f64)> {
        let best = self.plan.configurations.first()?;
        let found = self.results.iter().find(|one| one.name() == best.name && one.standing != Standing::Incomplete)?;
        Some((found.name(), found.result.mean()?, found.in_search?))
    }

    /// Returns how much worse the metric of the best configuration of the search is on fresh seeds; negative if it is better.
    pub fn shrinkage(&self) -> Option<f64> {
        let (_, fresh, in_search) = self.best_of_search()?;
        Some(if self.by.higher_is_better { in_search - fresh } else { fresh - in_search })
    }
}

impl Confirmed<'_> {
    /// Name of the configuration.
    pub fn name(&self) -> &str {
        &self.result.configuration.name
    }

    /// Number of parameters, then epochs of all trials.
    fn cost(&self) -> (Option<usize>, usize) {
        (self.parameters, self.result.epochs)
    }

    /// Returns its name with its number of parameters and its mean number of epochs, if it has any.
    fn price(&self) -> String {
        let Some(parameters) = self.parameters else { return format!("`{}`", self.name()) };
        let epochs = (self.result.epochs as f64 / self.result.done.max(1) as f64).round() as usize;
        let s = if epochs == 1 { "" } else { "s" };
        format!("`{}` ({} parameters, {} epoch{s})", self.name(), count(parameters), count(epochs))
    }
}

fn of_trials(trials: usize) -> String {
    format!("{} trial{}", count(trials), if trials == 1 { "" } else { "s" })
}

/// Orders the results, best first, and compares all pairs of complete ones.
fn judged<'a>(results: Vec<(Confirmed<'a>, HashMap<Key, f64>)>, higher_is_better: bool) -> Vec<Confirmed<'a>> {
    let mut results = results;
    let sign = if higher_is_better { -1.0 } else { 1.0 };
    let is_complete = |one: &Confirmed| one.result.outcome == Outcome::Done;
    results.sort_by(|(a, _), (b, _)| {
        let key = |one: &Confirmed| one.result.mean().map_or(f64::INFINITY, |mean| sign * mean);
        is_complete(b).cmp(&is_complete(a)).then(key(a).total_cmp(&key(b)))
    });
    let complete = results.iter().take_while(|(one, _)| is_complete(one)).count();
    let values: Vec<&HashMap<Key, f64>> = results[..complete].iter().map(|(_, values)| values).collect();
    let p = corrected_p(&values);
    for (place, (confirmed, _)) in results[..complete].iter_mut().enumerate() {
        confirmed.p = if place == 0 { None } else { p.get(&(0, place)).copied() };
        confirmed.standing = match confirmed.p {
            _ if place == 0 => Standing::Best,
            Some(p) if p < ALPHA => Standing::Worse,
            Some(_) => Standing::NotSeparable,
            None => Standing::Untested,
        };
    }
    results.into_iter().map(|(confirmed, _)| confirmed).collect()
}

/// Seed and fold of a trial.
type Key = (i64, Option<usize>);

/// Returns the p of a paired permutation test for each pair of configurations, by their places, corrected for all pairs (Holm).
/// The best configuration is chosen by the same values, so the comparisons with it alone would be too few to correct for.
fn corrected_p(values: &[&HashMap<Key, f64>]) -> HashMap<(usize, usize), f64> {
    let places = (0..values.len()).flat_map(|one| (one + 1..values.len()).map(move |other| (one, other)));
    let p_of = |(one, other): (usize, usize)| {
        let mut keys: Vec<&Key> = values[one].keys().filter(|key| values[other].contains_key(*key)).collect();
        keys.sort(); // a sum must not depend on the order of a hash map
        let differences: Vec<f64> = keys.iter().map(|key| values[other][*key] - values[one][*key]).collect();
        let p = Test::Permutation.p_paired(&differences).filter(|_| differences.len() > 1)?;
        Some(((one, other), p))
    };
    let (places, p): (Vec<(usize, usize)>, Vec<f64>) = places.filter_map(p_of).unzip();
    places.into_iter().zip(holm::correct(&p)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(by: f64, seeds: i64) -> HashMap<Key, f64> {
        (0..seeds).map(|seed| ((seed, None), by + 0.01 * ((seed * 7) % 5) as f64)).collect()
    }

    #[test]
    fn p_values_are_corrected_for_all_pairs() {
        let [a, b, c] = [values(0.0, 10), values(0.5, 10), values(0.5, 10)];
        let p = corrected_p(&[&a, &b, &c]);
        // the smallest p of ten pairs is 2 / 1024; three pairs are compared
        assert!((p[&(0, 1)] - 3.0 * 2.0 / 1024.0).abs() < 1e-12, "{p:?}");
        assert!((p[&(0, 2)] - 3.0 * 2.0 / 1024.0).abs() < 1e-12, "{p:?}");
        assert_eq!(p[&(1, 2)], 1.0);
        assert_eq!(corrected_p(&[&a]).len(), 0);
        assert_eq!(corrected_p(&[&values(0.0, 1), &values(1.0, 1)]).len(), 0, "one pair cannot be tested");
    }
}
