//! A variant with its trials: means over them, and which variant is the best by a figure.

use crate::cli::figures;
use crate::experiment::plan::Plan;
use crate::experiment::study::Study;
use crate::history::{History, Status};

/// A variant and what came of it.
#[derive(Debug)]
pub struct Compared<'a> {
    /// What was planned.
    pub plan: &'a Plan,
    /// Its trials; none where the run was interrupted before them.
    pub trials: Vec<&'a History>,
}

impl<'a> Compared<'a> {
    /// The variants of a study in order, the baseline first.
    pub fn of(study: &'a Study, histories: &'a [History]) -> Vec<Compared<'a>> {
        let variant = |plan: &'a Plan| Compared {
            plan,
            trials: histories.iter().filter(|history| history.variant == plan.variant).collect(),
        };
        study.plans.iter().map(variant).collect()
    }

    /// The variant's name.
    pub fn variant(&self) -> &'a str {
        &self.plan.variant
    }

    /// A figure of each trial that has not diverged, where it is a finite number.
    pub fn values(&self, figure: impl Fn(&History) -> Option<f64>) -> Vec<f64> {
        let sound = self.trials.iter().filter(|history| history.status != Status::Diverged);
        sound.filter_map(|history| figure(history)).filter(|value| value.is_finite()).collect()
    }

    /// The mean of a figure.
    pub fn mean(&self, figure: impl Fn(&History) -> Option<f64>) -> Option<f64> {
        figures::mean(&self.values(figure))
    }

    /// Whether all trials went as planned, so that the variant can be called the best.
    pub fn is_whole(&self) -> bool {
        let ended = |history: &&History| matches!(history.status, Status::Completed | Status::EarlyStopped);
        !self.trials.is_empty() && self.trials.iter().all(ended)
    }
}

/// Which of the variants is the best by a figure, several where they show the same; none where more than half do, since
/// then none stands out.
///
/// `values` holds each variant's figure, `None` for one that cannot be the best; `shown` is how a figure is shown.
pub fn best(values: &[Option<f64>], higher_is_better: bool, shown: impl Fn(f64) -> String) -> Vec<bool> {
    let none = vec![false; values.len()];
    let contenders = || values.iter().flatten().copied();
    let better = |a: f64, b: f64| if (a > b) == higher_is_better { a } else { b };
    let Some(best) = contenders().reduce(better).map(&shown) else { return none };
    if 2 * contenders().filter(|value| shown(*value) == best).count() > contenders().count() {
        return none;
    }
    values.iter().map(|value| value.is_some_and(|value| shown(value) == best)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::number::brief;

    #[test]
    fn the_best_are_those_that_show_the_best_figure() {
        let values = [Some(0.91), Some(0.95), None, Some(0.950_000_1), Some(0.92)];
        assert_eq!(best(&values, true, brief), [false, true, false, true, false]);
        assert_eq!(best(&values, false, brief), [true, false, false, false, false]);
    }

    #[test]
    fn none_is_the_best_of_equals_alone_or_among_many_that_share_it() {
        assert_eq!(best(&[Some(0.0), Some(0.0), Some(1.0)], false, brief), [false; 3]);
        assert_eq!(best(&[Some(1.0), Some(1.0)], true, brief), [false, false]);
        assert_eq!(best(&[Some(1.0), None], true, brief), [false, false]);
        assert_eq!(best(&[None, None], true, brief), [false, false]);
    }
}
