//! Two groups by one figure: the difference, how sure it is, and whether there are enough trials to tell.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::compare::group::Group;
use crate::compare::statistics::{ALPHA, Design, Interval, Test, bootstrap, effect, holm, mean};
use crate::compare::trial::Trial;

/// A group beside the baseline. Differences are the group's figure minus the baseline's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// What was set against what.
    pub design: Design,
    /// The difference of the means.
    pub difference: f64,
    /// Its 95 % bootstrap interval; of two pairs, or of two trials on either side, or more.
    pub interval: Option<Interval>,
    /// The test.
    pub test: Test,
    /// Its two-sided p; of two pairs, or of two trials on either side, or more.
    pub p: Option<f64>,
    /// The p as it counts among all comparisons that were made (Holm).
    pub corrected: Option<f64>,
    /// The smallest p that the test can give of so many trials, as it would count among all comparisons.
    pub least_p: f64,
    /// The p of a t test, which takes figures to be distributed normally, as it counts among as many.
    pub p_if_normal: Option<f64>,
    /// Hedges' g: the difference in pooled standard deviations.
    pub hedges_g: Option<f64>,
    /// How likely a trial of the group has a higher figure than one of the baseline; 0.5 is no difference.
    pub superiority: Option<f64>,
    /// What can be said.
    pub verdict: Verdict,
}

/// What can be said of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is one trial on a side: luck cannot be told from anything.
    OneTrial,
    /// The figures are the same.
    Same,
    /// There are so few trials that the test could not call any difference more than luck.
    TooFew,
    /// Chance alone makes such a difference now and then.
    MayBeLuck,
    /// The difference is more than luck.
    Differs,
}

impl Verdict {
    /// In a few words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::OneTrial => "one trial, no telling",
            Verdict::Same => "the same",
            Verdict::TooFew => "too few trials to tell",
            Verdict::MayBeLuck => "may be luck",
            Verdict::Differs => "more than luck",
        }
    }
}

impl Difference {
    /// The difference of a group from the baseline by a figure, without regard to other comparisons; `None` where one
    /// of them does not have the figure.
    pub fn of(
        baseline: &Group,
        group: &Group,
        figure: &impl Fn(&Trial) -> Option<f64>,
        test: Test,
    ) -> Option<Difference> {
        let (a, b) = (baseline.values(figure), group.values(figure));
        if a.is_empty() || b.is_empty() {
            return None;
        }
        let pairs = pairs(baseline, group, figure);
        let (design, difference, interval, p, p_if_normal) = match &pairs {
            Some(pairs) => (
                Design::Pairs(pairs.len()),
                mean(pairs),
                bootstrap::of_pairs(pairs),
                test.of_pairs(pairs).filter(|_| pairs.len() > 1),
                Test::T.of_pairs(pairs),
            ),
            None => (
                Design::Groups(b.len(), a.len()),
                mean(&b) - mean(&a),
                bootstrap::of_groups(&b, &a),
                test.of_groups(&b, &a).filter(|_| a.len() > 1 && b.len() > 1),
                Test::T.of_groups(&b, &a),
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
            least_p: test.least(design),
            p_if_normal,
            hedges_g: effect::hedges_g(&b, &a),
            superiority: effect::superiority(&b, &a),
            verdict: if is_same { Verdict::Same } else { Verdict::OneTrial },
        })
    }
}

/// Corrects the p values of differences for how many there are (Holm), and says what can be said of each.
pub fn judge(differences: &mut [&mut Difference]) {
    let family = |p: fn(&Difference) -> Option<f64>, differences: &[&mut Difference]| -> (Vec<usize>, Vec<f64>) {
        differences.iter().enumerate().filter_map(|(place, difference)| Some((place, p(difference)?))).unzip()
    };
    let (places, all) = family(|difference| difference.p, differences);
    let corrected = holm::corrected(&all);
    for (rank, &place) in places.iter().enumerate() {
        // what its p would count as, were it the smallest that the test can give
        let mut at_least = all.clone();
        at_least[rank] = differences[place].least_p;
        let difference = &mut *differences[place];
        difference.least_p = holm::corrected(&at_least)[rank];
        difference.corrected = Some(corrected[rank]);
        difference.verdict = match corrected[rank] {
            _ if difference.verdict == Verdict::Same => Verdict::Same,
            p if p < ALPHA => Verdict::Differs,
            _ if difference.least_p >= ALPHA => Verdict::TooFew,
            _ => Verdict::MayBeLuck,
        };
    }
    let (places, normal) = family(|difference| difference.p_if_normal, differences);
    for (place, p) in places.into_iter().zip(holm::corrected(&normal)) {
        differences[place].p_if_normal = Some(p);
    }
}

/// How many pairs a test by permutation or ranks needs before it can call a difference more than luck, among so many
/// comparisons.
pub fn pairs_needed(comparisons: usize) -> usize {
    (2..).find(|&n| Test::Permutation.least(Design::Pairs(n)) * (comparisons as f64) < ALPHA).unwrap_or(usize::MAX)
}

/// The differences of trials with the same seed and fold, if all trials of both groups have their like in the other, and
/// there are two or more; each seed stands once in a group.
fn pairs(baseline: &Group, group: &Group, figure: &impl Fn(&Trial) -> Option<f64>) -> Option<Vec<f64>> {
    let by_seed = |group: &Group| -> Option<BTreeMap<(i64, Option<usize>), f64>> {
        let mut values = BTreeMap::new();
        for trial in group.sound() {
            if let Some(value) = figure(trial).filter(|value| value.is_finite()) {
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
        let trials =
            values.iter().map(|&(seed, value)| Trial::ours(trial_for_tests("base", seed, value), PathBuf::new()));
        Group { label: String::new(), trials: trials.collect() }
    }

    fn of(baseline: &[(i64, f64)], other: &[(i64, f64)]) -> Difference {
        let loss = |trial: &Trial| trial.last("loss");
        let mut difference = Difference::of(&group(baseline), &group(other), &loss, Test::Permutation).unwrap();
        judge(&mut [&mut difference]);
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
        assert_eq!(of(&seeds(5, 0.0), &seeds(5, 1.0)).verdict, Verdict::TooFew);
        assert_eq!(of(&seeds(6, 0.0), &seeds(6, 1.0)).verdict, Verdict::Differs);
        assert_eq!(of(&seeds(1, 0.0), &seeds(1, 1.0)).verdict, Verdict::OneTrial);
        assert_eq!(of(&seeds(4, 0.0), &seeds(4, 0.0)).verdict, Verdict::Same);
        assert_eq!(of(&[(0, 0.75)], &[(0, 0.5), (1, 1.0)]).verdict, Verdict::OneTrial);
        assert_eq!(pairs_needed(1), 6);
        assert_eq!(pairs_needed(10), 9);
    }

    #[test]
    fn one_of_many_comparisons_has_to_be_surer() {
        let a: Vec<(i64, f64)> = (0..6).map(|seed| (seed, 0.0)).collect();
        let b: Vec<(i64, f64)> = (0..6).map(|seed| (seed, 1.0 + 0.1 * seed as f64)).collect();
        assert_eq!(of(&a, &b).verdict, Verdict::Differs);
        let mut ten = vec![of(&a, &b); 10];
        judge(&mut ten.iter_mut().collect::<Vec<_>>());
        assert!(ten.iter().all(|difference| difference.verdict == Verdict::TooFew && difference.least_p <= 1.0));
        // beside one that is surer than that, it takes less
        let many: Vec<(i64, f64)> = (0..12).map(|seed| (seed, 1.0 + 0.1 * seed as f64)).collect();
        let none: Vec<(i64, f64)> = (0..12).map(|seed| (seed, 0.0)).collect();
        let mut two = [of(&none, &many), of(&a, &b)];
        judge(&mut two.iter_mut().collect::<Vec<_>>());
        assert_eq!(two.map(|difference| difference.verdict), [Verdict::Differs, Verdict::Differs]);
    }
}
