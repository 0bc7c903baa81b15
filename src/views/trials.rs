//! Trials of one or several runs, as views take them.

use std::collections::BTreeSet;

use crate::compare::group::Group;
use crate::history::History;

/// The name of the only variant of an experiment without variants.
const BASE: &str = "base";

/// The trials of one or several runs.
#[derive(Clone, Debug)]
pub struct Runs<'a> {
    /// The label of each run: `seeds 0 to 4`.
    pub labels: Vec<String>,
    trials: Vec<Vec<&'a History>>,
    has_several_experiments: bool,
}

impl<'a> Runs<'a> {
    /// Returns runs with these labels and trials.
    pub fn of(runs: Vec<(String, Vec<&'a History>)>) -> Runs<'a> {
        let (labels, trials): (Vec<String>, Vec<Vec<&History>>) = runs.into_iter().unzip();
        let experiments: BTreeSet<&str> = trials.iter().flatten().map(|trial| trial.experiment.as_str()).collect();
        Runs { labels, has_several_experiments: experiments.len() > 1, trials }
    }

    /// Returns all trials as those of one run.
    pub fn together(trials: impl IntoIterator<Item = &'a History>) -> Runs<'a> {
        Runs::of(vec![(String::new(), trials.into_iter().collect())])
    }

    /// Returns all trials of groups as those of one run.
    pub fn of_groups(groups: &'a [Group]) -> Runs<'a> {
        Runs::together(groups.iter().flat_map(|group| &group.trials).filter_map(|trial| trial.history()))
    }

    /// Returns each trial with the index of its run.
    pub fn trials(&self) -> impl Iterator<Item = (usize, &'a History)> {
        self.trials.iter().enumerate().flat_map(|(place, trials)| trials.iter().map(move |trial| (place, *trial)))
    }

    /// Returns the variant of a trial; `None` if its experiment has no variants.
    pub fn variant<'h>(&self, history: &'h History) -> Option<&'h str> {
        Some(history.variant.as_str()).filter(|variant| *variant != BASE)
    }

    /// Returns the name of a trial's experiment before a colon if there are several experiments, otherwise nothing.
    pub fn prefix(&self, history: &History) -> String {
        if self.has_several_experiments { format!("{}: ", history.experiment) } else { String::new() }
    }
}

/// Returns the label of trials by their seeds: `seed 0`, `seeds 0 to 4`, `seeds 1, 5 and 7`.
pub fn label(seeds: &BTreeSet<i64>) -> String {
    let seeds: Vec<i64> = seeds.iter().copied().collect();
    let words: Vec<String> = seeds.iter().map(ToString::to_string).collect();
    match (&seeds[..], &words[..]) {
        ([], _) | (_, []) => "run".to_owned(),
        ([one], _) => format!("seed {one}"),
        ([first, _, .., last], _) if last.checked_sub(*first) == Some(seeds.len() as i64 - 1) => {
            format!("seeds {first} to {last}")
        }
        (_, [others @ .., last]) => format!("seeds {} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_labeled_by_its_seeds() {
        let label = |seeds: &[i64]| label(&seeds.iter().copied().collect());
        assert_eq!(label(&[7]), "seed 7");
        assert_eq!(label(&[0, 1, 2]), "seeds 0 to 2");
        assert_eq!(label(&[4, 5]), "seeds 4 and 5");
        assert_eq!(label(&[1, 5, 7]), "seeds 1, 5 and 7");
        assert_eq!(label(&[i64::MIN, 0, i64::MAX]), format!("seeds {}, 0 and {}", i64::MIN, i64::MAX));
    }
}
