//! Minimizes a function in rounds, to test the methods of the search.

use crate::sweep::sampler::observation::{Observation, Score};
use crate::sweep::sampler::parameter::{Parameter, Range};

/// A continuous parameter.
pub(super) fn number(low: f64, high: f64) -> Parameter {
    Parameter::Number(Range { low, high, step: None, log: false })
}

/// Minimizes `of` in this number of rounds of a size. `propose` returns values of all parameters from the observations and the pending
/// configurations. Returns the best value; infinity if there is none.
pub(super) fn minimized(
    rounds: usize,
    size: usize,
    mut propose: impl FnMut(&[Observation], &[Vec<Option<f64>>]) -> Vec<f64>,
    of: impl Fn(&[f64]) -> Score,
) -> f64 {
    let mut observations: Vec<Observation> = Vec::new();
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let mut pending: Vec<Vec<Option<f64>>> = Vec::new();
        let mut scores = Vec::new();
        for _ in 0..size {
            let values = propose(&observations, &pending);
            let score = of(&values);
            if let Score::Finished(value) = score {
                best = best.min(value);
            }
            scores.push(score);
            pending.push(values.into_iter().map(Some).collect());
        }
        let observed = pending.into_iter().zip(scores);
        observations.extend(observed.map(|(values, score)| Observation { values, score, error: 0.0 }));
    }
    best
}
