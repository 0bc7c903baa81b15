//! Decision trees are scikit-learn's, where rows can be split in one best way.

use runner::classical::decision_tree::TreeSpec;
use runner::data::cache::Cache;
use runner::data::scale::Scale;
use runner::data::source::DataSpec;
use runner::data::split::Split;
use runner::data::{Prepared, Rows};
use runner::predictor::Predictor;
use serde_json::Value;

use super::fixture::{assert_near, floats, golden, values};

/// The data of a case, split as the script splits them.
fn prepared(name: &str) -> Prepared {
    let loaded = DataSpec::by_name(name).unwrap().load(&Cache::of_user(), &mut ()).unwrap();
    let split = Split { test: Some(0.2), random_state: 42, stratify: true, ..Split::default() };
    Prepared::new(&loaded, &split, Scale::None).unwrap()
}

fn accuracy(tree: &impl Predictor, rows: &Rows) -> f64 {
    let right = tree.outputs(&rows.features).argmax(-1, false).eq_tensor(&rows.targets);
    values(&right).iter().sum::<f64>() / rows.len() as f64
}

/// Whether a figure lies where scikit-learn's ten do, or so far beside.
#[track_caller]
fn assert_among(found: f64, case: &Value, key: &str, beside: f64) {
    let [least, most] = floats(&case[key])[..] else { panic!("{key}: {}", case[key]) };
    let what = format!("{} {}", case["data"], case["options"]);
    assert!((least - beside..=most + beside).contains(&found), "{what}, {key}: {found}, wanted {least} to {most}");
}

#[test]
fn trees_are_scikit_learns_where_splits_are_not_tied() {
    let fixture = golden("trees");
    let (mut importances, mut probabilities) = (0, 0);
    for name in ["breast_cancer", "digits"] {
        let Prepared { training, test, classes, .. } = prepared(name);
        let test = test.unwrap().open();
        for case in fixture["cases"].as_array().unwrap().iter().filter(|case| case["data"] == name) {
            let what = format!("{name} {}", case["options"]);
            let spec: TreeSpec = serde_json::from_value(case["options"].clone()).unwrap();
            for seed in [0, 1, 42] {
                let tree = spec.fit(&training, classes.len(), seed).unwrap();
                eprintln!(
                    "{what} {seed}: depth {} leaves {} train {} test {}",
                    tree.depth(),
                    tree.leaves(),
                    accuracy(&tree, training.rows()),
                    accuracy(&tree, &test)
                );
                if let Some(wanted) = case.get("importances") {
                    let d =
                        tree.importances().iter().zip(floats(wanted)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                    eprintln!("   importances {d}");
                    importances += 1;
                }
                if let Some(wanted) = case.get("probabilities") {
                    let d = values(&tree.outputs(&test.features))
                        .iter()
                        .zip(floats(wanted))
                        .map(|(a, b)| (a - b).abs())
                        .fold(0.0, f64::max);
                    eprintln!("   probabilities {d}");
                    probabilities += 1;
                }
            }
        }
    }
    let _ = (
        assert_among as fn(f64, &Value, &str, f64),
        assert_near as fn(&[f64], &[f64], f64, &str),
        importances,
        probabilities,
    );
    panic!();
}
