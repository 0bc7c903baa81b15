//! Statistics over seeds.

use runner::compare::statistics::sample::Sample;
use runner::compare::statistics::{Design, Interval, Test, bootstrap, effect, holm};
use serde_json::Value;

use super::fixture::{assert_near, floats, load_fixture};

/// Tolerance for values that differ only in the order of summation.
const EXACT: f64 = 1e-12;
/// Tolerance for quantiles and tails of the t distribution, which use other algorithms.
const TAILS: f64 = 1e-8;

#[test]
fn means_and_confidence_intervals_equal_scipy() {
    for case in load_fixture("seeds")["cases"].as_array().unwrap() {
        for (values, expected) in ["one", "other"].iter().zip(case["samples"].as_array().unwrap()) {
            let sample = Sample::from_values(&floats(&case[values])).unwrap();
            assert_near(
                &[sample.mean, sample.std.unwrap()],
                &[expected["mean"].as_f64().unwrap(), expected["std"].as_f64().unwrap()],
                EXACT,
                name(case),
            );
            if sample.std != Some(0.0) {
                assert_near(&interval_ends(sample.interval), &floats(&expected["interval"]), TAILS, name(case));
            }
        }
    }
}

#[test]
fn paired_tests_equal_scipy() {
    let mut count = 0;
    for case in load_fixture("seeds")["cases"].as_array().unwrap().iter().filter(|case| !case["paired"].is_null()) {
        let (one, other) = (floats(&case["one"]), floats(&case["other"]));
        let differences: Vec<f64> = one.iter().zip(&other).map(|(a, b)| a - b).collect();
        let expected = &case["paired"];
        assert_near(
            &interval_ends(bootstrap::paired(&differences)),
            &floats(&expected["bootstrap"]),
            EXACT,
            name(case),
        );
        for (test, key) in TESTS {
            assert_p_value(test.p_paired(&differences), &expected[key], case, key);
        }
        assert!(
            Test::Permutation.p_paired(&differences).unwrap() >= Test::Permutation.smallest_p(Design::Pairs(one.len()))
        );
        count += 1;
    }
    assert!(count >= 6);
}

#[test]
fn two_sample_tests_equal_scipy() {
    for case in load_fixture("seeds")["cases"].as_array().unwrap() {
        let (one, other) = (floats(&case["one"]), floats(&case["other"]));
        let expected = &case["independent"];
        assert_near(
            &interval_ends(bootstrap::independent(&one, &other)),
            &floats(&expected["bootstrap"]),
            EXACT,
            name(case),
        );
        for (test, key) in TESTS {
            assert_p_value(test.p_independent(&one, &other), &expected[key], case, key);
        }
        let least = Test::Permutation.smallest_p(Design::Groups(one.len(), other.len()));
        assert!(Test::Permutation.p_independent(&one, &other).unwrap() >= least - EXACT);
        assert_near(
            &[effect::superiority(&one, &other).unwrap()],
            &floats(&expected["superiority"]),
            EXACT,
            name(case),
        );
        match expected["hedges_g"].as_f64() {
            Some(g) => assert_near(&[effect::hedges_g(&one, &other).unwrap()], &[g], 1e-10, name(case)),
            None => assert_eq!(effect::hedges_g(&one, &other), None),
        }
    }
}

#[test]
fn holm_correction_equals_statsmodels() {
    for case in load_fixture("seeds")["holm"].as_array().unwrap() {
        assert_near(&holm::correct(&floats(&case["p"])), &floats(&case["corrected"]), EXACT, "holm");
    }
}

const TESTS: [(Test, &str); 3] = [(Test::Permutation, "permutation"), (Test::Ranks, "ranks"), (Test::T, "t")];

fn name(case: &Value) -> &str {
    case["name"].as_str().unwrap()
}

fn interval_ends(interval: Option<Interval>) -> [f64; 2] {
    let Interval { low, high } = interval.unwrap();
    [low, high]
}

/// SciPy has no t statistic without variance. Here, p is 1 if the means are equal, too.
fn assert_p_value(found: Option<f64>, expected: &Value, case: &Value, test: &str) {
    let what = format!("{}, {test}", name(case));
    match expected.as_f64() {
        Some(p) => assert_near(&[found.unwrap()], &[p], TAILS, &what),
        None => assert_eq!(found, Some(1.0), "{what}"),
    }
}
