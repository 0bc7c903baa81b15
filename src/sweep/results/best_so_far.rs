//! The best configuration so far over the epochs of a sweep, in the order in which the configurations were chosen.

use crate::sweep::results::configuration_result::Outcome;
use crate::sweep::results::ranking::Ranking;

/// A configuration in the course of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Its place in the ranking.
    pub place: usize,
    /// Number of epochs of all trials up to and including its own.
    pub epochs: usize,
    /// Best mean of the metric so far; `None` before the first configuration with all of its trials.
    pub best: Option<f64>,
}

/// Returns the configurations that have ended, in the order in which they were chosen. It does not depend on the workers,
/// which may train them in another order.
pub fn best_so_far(ranking: &Ranking, higher_is_better: bool) -> Vec<Step> {
    let mut order: Vec<usize> = (0..ranking.results.len()).collect();
    // names are numbers of at least four digits
    order.sort_by_key(|place| {
        let name = &ranking.results[*place].configuration.name;
        (name.len(), name)
    });
    let (mut epochs, mut best) = (0, None::<f64>);
    let mut steps = Vec::new();
    for place in order {
        let result = &ranking.results[place];
        if result.outcome == Outcome::Unfinished {
            continue;
        }
        epochs += result.epochs;
        if let Some(mean) = result.mean().filter(|_| result.outcome == Outcome::Done) {
            let better = |best: f64| if higher_is_better { best.max(mean) } else { best.min(mean) };
            best = Some(best.map_or(mean, better));
        }
        steps.push(Step { place, epochs, best });
    }
    steps
}
