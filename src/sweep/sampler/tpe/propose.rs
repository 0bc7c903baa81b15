//! Proposes values of all parameters from observations.

use rand_mt::Mt64;

use crate::sweep::sampler::observation::{Observation, Score};
use crate::sweep::sampler::parameter::Parameter;
use crate::sweep::sampler::tpe::parzen::ParzenEstimator;
use crate::sweep::sampler::tpe::split::{shares_of_best, weights};

/// Number of candidates of which the best one is proposed.
const CANDIDATES: usize = 24;

/// Returns proposed values of all parameters. `observations` are in the order in which they were proposed. `pending` are
/// configurations without a result: they count as bad ones, so that the next proposal is not near them.
pub fn propose(
    parameters: &[Parameter],
    observations: &[Observation],
    pending: &[Vec<Option<f64>>],
    generator: &mut Mt64,
) -> Vec<f64> {
    let scores: Vec<(Score, f64)> = observations.iter().map(|one| (one.score, one.error)).collect();
    let shares = shares_of_best(&scores);
    let all: Vec<&[Option<f64>]> = observations.iter().map(|observation| &observation.values[..]).collect();
    let best: Vec<Weighted> = all.iter().copied().zip(shares.iter().copied()).collect();
    let mut others: Vec<Weighted> = all.iter().copied().zip(shares.iter().map(|share| 1.0 - share)).collect();
    others.extend(pending.iter().map(|values| (&values[..], 1.0)));
    let mut proposed = vec![0.0; parameters.len()];
    for group in groups(parameters.len(), &all) {
        let own: Vec<Parameter> = group.iter().map(|parameter| parameters[*parameter]).collect();
        let [good, bad] = [&best, &others].map(|observed| estimator(&group, &own, observed));
        let candidates: Vec<Vec<f64>> = (0..CANDIDATES).map(|_| good.draw(generator)).collect();
        let chosen = &candidates[best_candidate(&candidates, &good, &bad)];
        group.iter().zip(chosen).for_each(|(parameter, value)| proposed[*parameter] = *value);
    }
    proposed
}

/// Returns the groups of `parameters` parameters, each in the order of the parameters: the parameters of a group are in the same
/// observations, so that their joint density can be estimated. A parameter that no observation has is a group of its own.
fn groups(parameters: usize, observed: &[&[Option<f64>]]) -> Vec<Vec<usize>> {
    let pattern = |parameter: usize| observed.iter().map(|values| values[parameter].is_some()).collect::<Vec<bool>>();
    let mut groups: Vec<(Vec<bool>, Vec<usize>)> = Vec::new();
    for parameter in 0..parameters {
        let own = pattern(parameter);
        let same = groups.iter_mut().find(|(other, _)| *other == own && own.contains(&true));
        match same {
            Some((_, group)) => group.push(parameter),
            None => groups.push((own, vec![parameter])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Values of an observation, and the share of it that counts.
type Weighted<'a> = (&'a [Option<f64>], f64);

/// Returns the density of the observations that have all parameters of a group.
fn estimator(group: &[usize], parameters: &[Parameter], observed: &[Weighted]) -> ParzenEstimator {
    let of_group = |(values, share): &Weighted| {
        let row = group.iter().map(|parameter| values[*parameter]).collect::<Option<Vec<f64>>>()?;
        (*share > 0.0).then_some((row, *share))
    };
    let (rows, shares): (Vec<Vec<f64>>, Vec<f64>) = observed.iter().filter_map(of_group).unzip();
    let weights: Vec<f64> = weights(rows.len()).iter().zip(&shares).map(|(weight, share)| weight * share).collect();
    ParzenEstimator::new(parameters, &rows, &weights)
}

/// Returns the place of the candidate with the largest ratio of both densities; of equal ones the first.
fn best_candidate(candidates: &[Vec<f64>], good: &ParzenEstimator, bad: &ParzenEstimator) -> usize {
    let ratios = candidates.iter().map(|candidate| good.ln_density(candidate) - bad.ln_density(candidate));
    let mut best = (0, f64::NEG_INFINITY);
    for (place, ratio) in ratios.enumerate() {
        if ratio > best.1 {
            best = (place, ratio);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::sweep::sampler::minimize::{minimized, number};
    use crate::sweep::sampler::parameter::Range;
    use crate::sweep::sampler::tpe::kernels::Kernels;
    use crate::sweep::sampler::tpe::split::number_of_best;

    #[test]
    fn a_valley_is_found_in_rounds_and_a_region_that_fails_is_left() {
        let parameters = [number(-5.0, 5.0), number(-5.0, 5.0), Parameter::Choice(3)];
        let bowl = |values: &[f64]| {
            let value = (values[0] - 2.0).powi(2) + (values[1] + 1.0).powi(2) + 3.0 * values[2];
            if values[0] < -1.0 { Score::Failed } else { Score::Finished(value) }
        };
        let best_of = |rounds: usize, size: usize, of: &dyn Fn(&[f64]) -> Score| {
            let mut generator = Mt64::new(5);
            minimized(rounds, size, |seen, pending| propose(&parameters, seen, pending, &mut generator), of)
        };
        for (rounds, size) in [(60, 1), (8, 8)] {
            let best = best_of(rounds, size, &bowl);
            assert!(best < 0.4, "{rounds} × {size}: {best}");
        }
        let none = best_of(4, 4, &|_| Score::Failed);
        assert_eq!(none, f64::INFINITY);
    }

    #[test]
    fn pending_configurations_keep_the_next_one_away() {
        let parameters = [number(0.0, 1.0)];
        let observations: Vec<Observation> = (0..20)
            .map(|place| {
                let value = f64::from(place) / 19.0;
                Observation { values: vec![Some(value)], score: Score::Finished((value - 0.5).abs()), error: 0.0 }
            })
            .collect();
        let near = |pending: &[Vec<Option<f64>>]| {
            let mut generator = Mt64::new(1);
            let found: Vec<f64> =
                (0..50).map(|_| propose(&parameters, &observations, pending, &mut generator)[0]).collect();
            found.iter().filter(|value| (**value - 0.5).abs() < 0.05).count()
        };
        let (alone, beside) = (near(&[]), near(&vec![vec![Some(0.5)]; 10]));
        assert!(alone > 25 && beside < alone / 2, "{alone} {beside}");
    }

    fn floats(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap_or(f64::NEG_INFINITY)).collect()
    }

    #[track_caller]
    fn assert_near(found: &[f64], expected: &[f64], what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{what}: {found} {expected}");
        }
    }

    fn parameter(value: &Value) -> Parameter {
        match value["choices"].as_u64() {
            Some(count) => Parameter::Choice(count as usize),
            None => Parameter::Number(Range {
                low: value["low"].as_f64().unwrap(),
                high: value["high"].as_f64().unwrap(),
                step: value["step"].as_f64(),
                log: value["log"].as_bool().unwrap(),
            }),
        }
    }

    #[test]
    fn estimators_split_and_choice_are_those_of_optuna() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/tpe.json");
        let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let of_counts = |key: &str, own: &dyn Fn(usize) -> Vec<f64>| {
            for (all, expected) in golden[key].as_object().unwrap() {
                assert_near(&own(all.parse().unwrap()), &floats(expected), &format!("{key} of {all}"));
            }
        };
        of_counts("number_of_best", &|all| vec![number_of_best(all) as f64]);
        of_counts("weights", &weights);
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.len() >= 8);
        for case in cases {
            let name = case["name"].as_str().unwrap();
            let parameters: Vec<Parameter> = case["parameters"].as_array().unwrap().iter().map(parameter).collect();
            let rows = |key: &str| case[key].as_array().unwrap().iter().map(floats).collect::<Vec<Vec<f64>>>();
            let scores: Vec<Score> = case["trials"]
                .as_array()
                .unwrap()
                .iter()
                .map(|trial| match trial["epoch"].as_u64() {
                    Some(epoch) => Score::Dropped { epoch: epoch as usize, value: trial["value"].as_f64().unwrap() },
                    None => Score::Finished(trial["value"].as_f64().unwrap()),
                })
                .collect();
            let observed = rows("observed");
            let shares = shares_of_best(&scores.iter().map(|score| (*score, 0.0)).collect::<Vec<_>>());
            let (best, mut others): (Vec<usize>, Vec<usize>) =
                (0..scores.len()).partition(|place| shares[*place] == 1.0);
            // the last ones are pending
            others.extend(scores.len()..observed.len());
            let group: Vec<usize> = (0..parameters.len()).collect();
            let of_places = |places: &[usize]| {
                let rows: Vec<Vec<Option<f64>>> =
                    places.iter().map(|place| observed[*place].iter().copied().map(Some).collect()).collect();
                let weighted: Vec<Weighted> = rows.iter().map(|row| (&row[..], 1.0)).collect();
                estimator(&group, &parameters, &weighted)
            };
            let (good, bad) = (of_places(&best), of_places(&others));
            let candidates = rows("candidates");
            for (key, places, own) in [("best", &best, &good), ("others", &others, &bad)] {
                let golden = &case[key];
                let places: Vec<f64> = places.iter().map(|place| *place as f64).collect();
                assert_near(&places, &floats(&golden["places"]), &format!("{name}, places of the {key}"));
                assert_near(&own.weights, &floats(&golden["weights"]), &format!("{name}, weights of the {key}"));
                for (kernels, golden) in own.kernels.iter().zip(golden["kernels"].as_array().unwrap()) {
                    let what = format!("{name}, kernels of the {key}");
                    match kernels {
                        Kernels::Normal { means, stds, .. } => {
                            assert_near(means, &floats(&golden["means"]), &what);
                            assert_near(stds, &floats(&golden["stds"]), &what);
                        }
                        Kernels::Choice(shares) => {
                            let golden = golden["shares"].as_array().unwrap();
                            assert_eq!(shares.len(), golden.len(), "{what}");
                            shares.iter().zip(golden).for_each(|(own, other)| assert_near(own, &floats(other), &what));
                        }
                    }
                }
                let densities: Vec<f64> = candidates.iter().map(|candidate| own.ln_density(candidate)).collect();
                assert_near(&densities, &floats(&golden["ln_density"]), &format!("{name}, density of the {key}"));
            }
            let chosen = best_candidate(&candidates, &good, &bad);
            assert_eq!(chosen as u64, case["chosen"].as_u64().unwrap(), "{name}");
        }
    }

    #[test]
    fn parameters_of_the_same_observations_are_together() {
        let (yes, no) = (Some(1.0), None);
        let observed = [&[yes, no, yes, no, yes, no][..], &[yes, yes, no, no, yes, no], &[yes, no, yes, no, yes, no]];
        assert_eq!(groups(6, &observed), [vec![0, 4], vec![1], vec![2], vec![3], vec![5]]);
        assert_eq!(groups(2, &[]), [[0], [1]]);
    }
}
