//! Statistics over seeds.

use runner::compare::statistics::sample::Sample;
use runner::compare::statistics::{Design, Interval, Test, bootstrap, effect, holm};
use serde_json::Value;

use super::fixture::{assert_near, floats, golden};

/// Values are about as exact as sums in another order are.
const EXACT: f64 = 1e-12;
/// Quantiles and tails of t are computed in other ways.
const TAILS: f64 = 1e-8;

#[test]
fn means_and_their_intervals_are_scipys() {
    for case in golden("seeds")["cases"].as_array().unwrap() {
        for (values, wanted) in ["one", "other"].iter().zip(case["samples"].as_array().unwrap()) {
            let sample = Sample::from_values(&floats(&case[values])).unwrap();
            assert_near(
                &[sample.mean, sample.std.unwrap()],
                &[wanted["mean"].as_f64().unwrap(), wanted["std"].as_f64().unwrap()],
                EXACT,
                name(case),
            );
            if sample.std != Some(0.0) {
                assert_near(&ends(sample.interval), &floats(&wanted["interval"]), TAILS, name(case));
            }
        }
    }
}

#[test]
fn tests_of_pairs_are_scipys() {
    let mut count = 0;
    for case in golden("seeds")["cases"].as_array().unwrap().iter().filter(|case| !case["paired"].is_null()) {
        let (one, other) = (floats(&case["one"]), floats(&case["other"]));
        let differences: Vec<f64> = one.iter().zip(&other).map(|(a, b)| a - b).collect();
        let wanted = &case["paired"];
        assert_near(&ends(bootstrap::paired(&differences)), &floats(&wanted["bootstrap"]), EXACT, name(case));
        for (test, key) in TESTS {
            assert_p(test.p_paired(&differences), &wanted[key], case, key);
        }
        assert!(
            Test::Permutation.p_paired(&differences).unwrap() >= Test::Permutation.smallest_p(Design::Pairs(one.len()))
        );
        count += 1;
    }
    assert!(count >= 6);
}

#[test]
fn tests_of_two_groups_are_scipys() {
    for case in golden("seeds")["cases"].as_array().unwrap() {
        let (one, other) = (floats(&case["one"]), floats(&case["other"]));
        let wanted = &case["independent"];
        assert_near(&ends(bootstrap::independent(&one, &other)), &floats(&wanted["bootstrap"]), EXACT, name(case));
        for (test, key) in TESTS {
            assert_p(test.p_independent(&one, &other), &wanted[key], case, key);
        }
        let least = Test::Permutation.smallest_p(Design::Groups(one.len(), other.len()));
        assert!(Test::Permutation.p_independent(&one, &other).unwrap() >= least - EXACT);
        assert_near(&[effect::superiority(&one, &other).unwrap()], &floats(&wanted["superiority"]), EXACT, name(case));
        match wanted["hedges_g"].as_f64() {
            Some(g) => assert_near(&[effect::hedges_g(&one, &other).unwrap()], &[g], 1e-10, name(case)),
            None => assert_eq!(effect::hedges_g(&one, &other), None),
        }
    }
}

#[test]
fn holms_correction_is_statsmodels() {
    for case in golden("seeds")["holm"].as_array().unwrap() {
        assert_near(&holm::correct(&floats(&case["p"])), &floats(&case["corrected"]), EXACT, "holm");
    }
}

const TESTS: [(Test, &str); 3] = [(Test::Permutation, "permutation"), (Test::Ranks, "ranks"), (Test::T, "t")];

fn name(case: &Value) -> &str {
    case["name"].as_str().unwrap()
}

fn ends(interval: Option<Interval>) -> [f64; 2] {
    let Interval { low, high } = interval.unwrap();
    [low, high]
}

/// Where nothing varies SciPy has no t; ours is 1 where nothing differs either.
fn assert_p(found: Option<f64>, wanted: &Value, case: &Value, test: &str) {
    let what = format!("{}, {test}", name(case));
    match wanted.as_f64() {
        Some(p) => assert_near(&[found.unwrap()], &[p], TAILS, &what),
        None => assert_eq!(found, Some(1.0), "{what}"),
    }
}
