//! Which observations are the best ones, and how much each observation counts.

use crate::sweep::sampler::tpe::observation::Score;

/// Maximum number of the best observations.
const MOST_BEST: usize = 25;

/// Number of the last observations that all have the weight 1.
const RECENT: usize = 25;

/// Returns the number of the best observations of all: a tenth, rounded up, at most 25.
pub(super) fn number_of_best(all: usize) -> usize {
    ((0.1 * all as f64).ceil() as usize).min(MOST_BEST)
}

/// Returns the places of the best observations and those of all others, both in their order. One that failed is never among the
/// best.
pub(super) fn split(scores: &[Score]) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].compare(&scores[*b])); // equal ones stay in their order
    let best = number_of_best(scores.len());
    let is_best = |(place, index): (usize, &usize)| place < best && scores[*index] != Score::Failed;
    let best: Vec<usize> = order.iter().enumerate().filter(|entry| is_best(*entry)).map(|(_, index)| *index).collect();
    (0..scores.len()).partition(|place| best.contains(place))
}

/// Returns the weight of each of this number of observations, oldest first: the last 25 have 1, and the weights of the others
/// decrease evenly to the oldest.
pub(super) fn weights(all: usize) -> Vec<f64> {
    let old = all.saturating_sub(RECENT);
    let of_old = |place: usize| {
        let first = 1.0 / all as f64;
        if old == 1 { first } else { first + (1.0 - first) * place as f64 / (old - 1) as f64 }
    };
    (0..all).map(|place| if place < old { of_old(place) } else { 1.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finished_ones_are_better_than_dropped_ones_and_failed_ones_are_never_best() {
        let scores = [
            Score::Failed,
            Score::Dropped { epoch: 2, value: 0.1 },
            Score::Dropped { epoch: 6, value: 0.9 },
            Score::Finished(5.0),
            Score::Finished(3.0),
            Score::Failed,
        ];
        let mut order: Vec<usize> = (0..6).collect();
        order.sort_by(|a, b| scores[*a].compare(&scores[*b]));
        assert_eq!(order, [4, 3, 2, 1, 0, 5]);
        assert_eq!(split(&scores), (vec![4], vec![0, 1, 2, 3, 5]));
        let twelve: Vec<Score> = scores.iter().chain(&scores).copied().collect();
        assert_eq!(split(&twelve).0, [4, 10], "a tenth, rounded up");
        assert_eq!(split(&[Score::Failed; 20]), (vec![], (0..20).collect()));
        assert_eq!(split(&[]), (vec![], vec![]));
    }
}
