//! Which observations are the best ones, and how much each observation counts.

use crate::sweep::sampler::normal::share_below;
use crate::sweep::sampler::observation::Score;

/// Maximum number of the best observations.
const MOST_BEST: usize = 25;

/// Probability below which an observation is taken for impossible among the best ones or the others.
const SURE: f64 = 0.02;

/// Number of the last observations that all have the weight 1.
const RECENT: usize = 25;

/// Returns the number of the best observations of all: a tenth, rounded up, at most 25.
pub(super) fn number_of_best(all: usize) -> usize {
    ((0.1 * all as f64).ceil() as usize).min(MOST_BEST)
}

/// Returns the share of each observation that belongs to the best ones; the rest of it belongs to the others. It is 1 or 0 if the
/// values are exact. With standard errors it is the probability that the value is on the better side of the cut, the middle
/// between the last of the best values and the next one. One that failed is never among the best.
pub(super) fn shares_of_best(observations: &[(Score, f64)]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..observations.len()).collect();
    // equal ones stay in their order
    order.sort_by(|a, b| observations[*a].0.compare(&observations[*b].0));
    let best = number_of_best(observations.len());
    let mut shares = vec![0.0; observations.len()];
    for place in order.iter().take(best).filter(|place| observations[**place].0 != Score::Failed) {
        shares[*place] = 1.0;
    }
    let finished: Vec<(usize, f64, f64)> = order
        .iter()
        .filter_map(|place| match observations[*place] {
            (Score::Finished(value), error) => Some((*place, value, error)),
            (Score::Dropped { .. } | Score::Failed, _) => None,
        })
        .collect();
    // two or three seeds estimate a standard error badly: it is that of all good ones together
    let good = &finished[..finished.len().div_ceil(2)];
    let error = (good.iter().map(|(_, _, error)| error * error).sum::<f64>() / good.len() as f64).sqrt();
    if let Some([(_, last, _), (_, next, _)]) = best.checked_sub(1).and_then(|last| finished.get(last..=last + 1))
        && error > 0.0
    {
        let cut = 0.5 * (last + next);
        for (place, value, _) in &finished {
            shares[*place] = match share_below((cut - value) / error) {
                share if share < SURE => 0.0,
                share if share > 1.0 - SURE => 1.0,
                share => share,
            };
        }
    }
    shares
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
        let exact = |scores: &[Score]| shares_of_best(&scores.iter().map(|score| (*score, 0.0)).collect::<Vec<_>>());
        assert_eq!(exact(&scores), [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        let twelve: Vec<Score> = scores.iter().chain(&scores).copied().collect();
        assert_eq!(exact(&twelve).iter().sum::<f64>(), 2.0, "a tenth, rounded up");
        assert_eq!(exact(&[Score::Failed; 20]), [0.0; 20]);
        assert!(exact(&[]).is_empty());
    }

    #[test]
    fn close_values_are_partly_among_the_best_if_they_have_errors() {
        let values = [1.0, 1.1, 1.2, 5.0, 9.0];
        let shares = |error: f64| {
            let of_error = values.map(|value| (Score::Finished(value), error));
            shares_of_best(
                &[&of_error[..], &[(Score::Failed, 0.0), (Score::Dropped { epoch: 1, value: 0.0 }, 0.0)]].concat(),
            )
        };
        assert_eq!(shares(0.0), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let found = shares(0.1);
        // the cut is 1.05: half an error above the first, and half an error below the second
        let half = 0.6914624612740131;
        assert!((found[0] - half).abs() < 1e-12 && (found[1] - (1.0 - half)).abs() < 1e-12, "{found:?}");
        assert!(found[2] > 0.02 && found[2] < found[1]);
        assert_eq!(found[3..], [0.0; 4]);
    }
}
