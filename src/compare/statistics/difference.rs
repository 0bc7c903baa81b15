//! The difference between two groups in one metric, with its significance.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::compare::group::Group;
use crate::compare::statistics::{ALPHA, Design, Interval, Test, bootstrap, effect, holm, mean};
use crate::compare::trial::Trial;

/// Difference between a group and the baseline: the group's metric minus the baseline's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Paired or independent samples, and their sizes.
    pub design: Design,
    /// Difference of the means.
    pub difference: f64,
    /// 95 % bootstrap interval; requires two pairs, or two trials in each group.
    pub interval: Option<Interval>,
    /// Significance test.
    pub test: Test,
    /// Two-sided p; requires two pairs, or two trials in each group.
    pub p: Option<f64>,
    /// The p, corrected for all comparisons (Holm).
    pub corrected: Option<f64>,
    /// The smallest p that the test can reach with this number of trials, corrected for all comparisons.
    pub least_p: f64,
    /// The p of a t test, which assumes normally distributed metrics, corrected for all comparisons.
    pub p_if_normal: Option<f64>,
    /// Hedges' g: the difference in pooled standard deviations.
    pub hedges_g: Option<f64>,
    /// Probability that a trial of the group has a higher value than a trial of the baseline; 0.5 is no difference.
    pub superiority: Option<f64>,
    /// Conclusion.
    pub significance: Significance,
}

/// Conclusion about a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Significance {
    /// A group has one trial: significance cannot be tested.
    OneTrial,
    /// All values are equal.
    Same,
    /// With this number of trials, the test cannot reach significance.
    TooFew,
    /// Not significant.
    NotSignificant,
    /// Significant.
    Significant,
}

impl Significance {
    /// Returns the conclusion as text.
    pub fn words(self) -> &'static str {
        match self {
            Significance::OneTrial => "one trial, not testable",
            Significance::Same => "equal",
            Significance::TooFew => "too few trials",
            Significance::NotSignificant => "not significant",
            Significance::Significant => "significant",
        }
    }
}

impl Difference {
    /// Computes the difference between a group and the baseline in a metric, without correction for other comparisons;
    /// `None` if one of them lacks the metric.
    pub fn new(
        baseline: &Group,
        group: &Group,
        metric: &impl Fn(&Trial) -> Option<f64>,
        test: Test,
    ) -> Option<Difference> {
        let (a, b) = (baseline.values(metric), group.values(metric));
        if a.is_empty() || b.is_empty() {
            return None;
        }
        let pairs = pairs(baseline, group, metric);
        let (design, difference, interval, p, p_if_normal) = match &pairs {
            Some(pairs) => (
                Design::Pairs(pairs.len()),
                mean(pairs),
                bootstrap::paired(pairs),
                test.p_paired(pairs).filter(|_| pairs.len() > 1),
                Test::T.p_paired(pairs),
            ),
            None => (
                Design::Groups(b.len(), a.len()),
                mean(&b) - mean(&a),
                bootstrap::independent(&b, &a),
                test.p_independent(&b, &a).filter(|_| a.len() > 1 && b.len() > 1),
                Test::T.p_independent(&b, &a),
            ),
        };
        let is_same = match &pairs {
            Some(pairs) => pairs.iter().all(|difference| *difference == 0.0),
            None => a.iter().chain(&b).all(|value| *value == a[0]),
        };
        Some(Difference {
            design,
            difference,
            interval,
            test,
            p,
            corrected: None,
            least_p: test.smallest_p(design),
            p_if_normal,
            hedges_g: effect::hedges_g(&b, &a),
            superiority: effect::superiority(&b, &a),
            significance: if is_same { Significance::Same } else { Significance::OneTrial },
        })
    }
}

/// Corrects the p values for the number of comparisons (Holm), and sets the verdict of each difference.
pub fn correct_and_judge(differences: &mut [&mut Difference]) {
    let family = |p: fn(&Difference) -> Option<f64>, differences: &[&mut Difference]| -> (Vec<usize>, Vec<f64>) {
        differences.iter().enumerate().filter_map(|(place, difference)| Some((place, p(difference)?))).unzip()
    };
    let (places, all) = family(|difference| difference.p, differences);
    let corrected = holm::correct(&all);
    for (rank, &place) in places.iter().enumerate() {
        // corrected p if this test gave its smallest possible p
        let mut at_least = all.clone();
        at_least[rank] = differences[place].least_p;
        let difference = &mut *differences[place];
        difference.least_p = holm::correct(&at_least)[rank];
        difference.corrected = Some(corrected[rank]);
        difference.significance = match corrected[rank] {
            _ if difference.significance == Significance::Same => Significance::Same,
            p if p < ALPHA => Significance::Significant,
            _ if difference.least_p >= ALPHA => Significance::TooFew,
            _ => Significance::NotSignificant,
        };
    }
    let (places, normal) = family(|difference| difference.p_if_normal, differences);
    for (place, p) in places.into_iter().zip(holm::correct(&normal)) {
        differences[place].p_if_normal = Some(p);
    }
}

/// Returns the number of pairs that a permutation or rank test needs to reach significance, with this number of
/// comparisons.
pub fn pairs_needed(comparisons: usize) -> usize {
    (2..).find(|&n| Test::Permutation.smallest_p(Design::Pairs(n)) * (comparisons as f64) < ALPHA).unwrap_or(usize::MAX)
}

/// Returns the paired differences of trials with the same seed and fold. `None` unless all trials of both groups have
/// a partner, there are at least two pairs, and no seed occurs twice in a group.
fn pairs(baseline: &Group, group: &Group, metric: &impl Fn(&Trial) -> Option<f64>) -> Option<Vec<f64>> {
    let by_seed = |group: &Group| -> Option<BTreeMap<(i64, Option<usize>), f64>> {
        let mut values = BTreeMap::new();
        for trial in group.not_diverged() {
            if let Some(value) = metric(trial).filter(|value| value.is_finite()) {
                let repeated = values.insert((trial.seed()?, trial.fold()), value).is_some();
                if repeated {
                    return None;
                }
            }
        }
        Some(values)
    };
    let data = |group: &Group| group.trials.iter().find_map(|trial| Some(trial.history()?.data.sha256.clone()));
    if data(baseline) != data(group) {
        return None; // a seed makes nothing alike then
    }
    let (a, b) = (by_seed(baseline)?, by_seed(group)?);
    let differences: Vec<f64> = b.iter().filter_map(|(key, value)| Some(value - a.get(key)?)).collect();
    (differences.len() >= 2 && differences.len() == a.len().max(b.len())).then_some(differences)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::history::trial_for_tests;

    fn group(values: &[(i64, f64)]) -> Group {
        let trials = values
            .iter()
            .map(|&(seed, value)| Trial::from_history(trial_for_tests("base", seed, value), PathBuf::new()));
        Group { label: String::new(), trials: trials.collect() }
    }

    fn of(baseline: &[(i64, f64)], other: &[(i64, f64)]) -> Difference {
        let loss = |trial: &Trial| trial.last("loss");
        let mut difference = Difference::new(&group(baseline), &group(other), &loss, Test::Permutation).unwrap();
        correct_and_judge(&mut [&mut difference]);
        difference
    }

    #[test]
    fn the_same_seeds_are_pairs_and_others_are_not() {
        let a = [(0, 1.0), (1, 2.0), (2, 3.0)];
        assert_eq!(of(&a, &[(2, 4.0), (1, 2.5), (0, 1.5)]).design, Design::Pairs(3));
        assert_eq!(of(&a, &[(0, 4.0), (1, 2.5)]).design, Design::Groups(2, 3));
        assert_eq!(of(&a, &[(0, 4.0), (7, 2.5)]).design, Design::Groups(2, 3));
        assert_eq!(of(&a, &[(0, 4.0), (0, 2.5)]).design, Design::Groups(2, 3));
    }

    #[test]
    fn few_trials_are_said_to_be_few_and_one_to_be_one() {
        let seeds = |n: i64, by: f64| (0..n).map(|seed| (seed, by + 0.01 * seed as f64)).collect::<Vec<_>>();
        assert_eq!(of(&seeds(5, 0.0), &seeds(5, 1.0)).significance, Significance::TooFew);
        assert_eq!(of(&seeds(6, 0.0), &seeds(6, 1.0)).significance, Significance::Significant);
        assert_eq!(of(&seeds(1, 0.0), &seeds(1, 1.0)).significance, Significance::OneTrial);
        assert_eq!(of(&seeds(4, 0.0), &seeds(4, 0.0)).significance, Significance::Same);
        assert_eq!(of(&[(0, 0.75)], &[(0, 0.5), (1, 1.0)]).significance, Significance::OneTrial);
        assert_eq!(pairs_needed(1), 6);
        assert_eq!(pairs_needed(10), 9);
    }

    #[test]
    fn one_of_many_comparisons_has_to_be_surer() {
        let a: Vec<(i64, f64)> = (0..6).map(|seed| (seed, 0.0)).collect();
        let b: Vec<(i64, f64)> = (0..6).map(|seed| (seed, 1.0 + 0.1 * seed as f64)).collect();
        assert_eq!(of(&a, &b).significance, Significance::Significant);
        let mut ten = vec![of(&a, &b); 10];
        correct_and_judge(&mut ten.iter_mut().collect::<Vec<_>>());
        assert!(
            ten.iter().all(|difference| difference.significance == Significance::TooFew && difference.least_p <= 1.0)
        );
        // beside one that is surer than that, it takes less
        let many: Vec<(i64, f64)> = (0..12).map(|seed| (seed, 1.0 + 0.1 * seed as f64)).collect();
        let none: Vec<(i64, f64)> = (0..12).map(|seed| (seed, 0.0)).collect();
        let mut two = [of(&none, &many), of(&a, &b)];
        correct_and_judge(&mut two.iter_mut().collect::<Vec<_>>());
        assert_eq!(
            two.map(|difference| difference.significance),
            [Significance::Significant, Significance::Significant]
        );
    }
}
