//! Decision trees equal scikit-learn's if every best split is unique, and are as accurate otherwise.

use std::cell::Cell;

use runner::classical::decision_tree::TreeSpec;
use runner::classical::tree::Tree;
use runner::data::prepare::prepared::Prepared;
use runner::data::prepare::scale::Scale;
use runner::data::source::DataSpec;
use runner::data::split::Split;
use runner::data::store::cache::Cache;
use runner::data::{Rows, Target, Training};
use runner::tensor::predictor::Predictor;
use serde_json::Value;
use tch::Tensor;

use super::fixture::{assert_near, floats, load_fixture, tensor, values};

/// Loads the data of a case and splits them like the script.
fn prepare(name: &str) -> Prepared {
    let loaded = DataSpec::by_name(name).unwrap().load(&Cache::for_user(), &mut ()).unwrap();
    let split = Split { test: Some(0.2), random_state: 42, stratify: true, ..Split::default() };
    Prepared::new(&loaded, &split, Scale::None).unwrap()
}

fn accuracy(tree: &impl Predictor, rows: &Rows) -> f64 {
    let right = tree.outputs(&rows.features).argmax(-1, false).eq_tensor(&rows.targets);
    values(&right).iter().sum::<f64>() / rows.len() as f64
}

/// Asserts that a value is in the range of scikit-learn's ten trees, extended by a tolerance on both sides.
#[track_caller]
fn assert_within_reference(found: f64, case: &Value, key: &str, tolerance: f64) {
    let [least, most] = floats(&case[key])[..] else { panic!("{key}: {}", case[key]) };
    let what = format!("{} {}, {key}", case["data"], case["options"]);
    assert!((least - tolerance..=most + tolerance).contains(&found), "{what}: found {found}, wanted {least} to {most}");
}

/// Compares trees with several seeds to each case of a data set: number of leaves and accuracy within these tolerances,
/// and further checks.
fn check_trees(name: &str, (leaves, accuracy_tolerance): (f64, f64), more: impl Fn(&Tree, &Rows, &Value)) {
    let fixture = load_fixture("trees");
    let Prepared { training, test, classes, .. } = prepare(name);
    let test = test.unwrap().open();
    let cases: Vec<&Value> = fixture["cases"].as_array().unwrap().iter().filter(|case| case["data"] == name).collect();
    assert!(cases.len() >= 5);
    for case in cases {
        let spec: TreeSpec = serde_json::from_value(case["options"].clone()).unwrap();
        spec.check(Target::Classes(classes.len())).unwrap();
        for seed in [0, 1, 42] {
            let tree = spec.fit(&training, classes.len(), seed).unwrap();
            assert_within_reference(tree.depth() as f64, case, "depth", 0.0);
            assert_within_reference(tree.leaves() as f64, case, "leaves", leaves);
            assert_eq!(tree.nodes(), 2 * tree.leaves() - 1);
            assert_within_reference(accuracy(&tree, training.rows()), case, "train_acc", accuracy_tolerance);
            assert_within_reference(accuracy(&tree, &test), case, "test_acc", accuracy_tolerance);
            more(&tree, &test, case);
        }
    }
}

#[test]
fn trees_on_distinct_values_equal_scikit_learn() {
    let checked = Cell::new((0, 0));
    check_trees("breast_cancer", (0.0, 1e-12), |tree, test, case| {
        let (mut importances, mut probabilities) = checked.get();
        let what = format!("breast_cancer {}", case["options"]);
        if let Some(expected) = case.get("importances") {
            assert_near(&tree.importances(), &floats(expected), 1e-9, &what);
            importances += 1;
        }
        if let Some(expected) = case.get("probabilities") {
            assert_near(&values(&tree.outputs(&test.features)), &floats(expected), 1e-9, &what);
            probabilities += 1;
        }
        checked.set((importances, probabilities));
    });
    assert_eq!(checked.get(), (6, 15), "three seeds of the cases in which scikit-learn's ten trees agree");
}

#[test]
fn trees_on_integer_features_are_as_accurate_as_scikit_learn() {
    check_trees("digits", (0.0, 0.02), |tree, _, case| {
        if case["train_acc"][0] == 1.0 {
            let Prepared { training, .. } = prepare("digits");
            assert_eq!(accuracy(tree, training.rows()), 1.0);
        }
    });
}

/// Training rows and test rows of a table of the fixture.
fn table(fixture: &Value, name: &str) -> (Training, Rows) {
    let table = &fixture["tables"][name];
    let features = tensor(&table["features"]);
    let classes: Vec<i64> = serde_json::from_value(table["classes"].clone()).unwrap();
    let (classes, all) = (Tensor::from_slice(&classes), classes.len() as i64);
    let rows = table["training_rows"].as_i64().unwrap();
    let part = |start, end, step| {
        Rows::new(features.slice(0, start, end, step).contiguous(), classes.slice(0, start, end, step).contiguous())
    };
    (Training::from(part(0, rows, 1)), part(rows, all, 3))
}

#[test]
fn trees_with_class_weights_equal_scikit_learn() {
    let fixture = load_fixture("weighted_trees");
    let mut checked = 0;
    for case in fixture["cases"].as_array().unwrap() {
        let (training, test) = table(&fixture, case["data"].as_str().unwrap());
        let classes = training.rows().targets.max().int64_value(&[]) as usize + 1;
        let what = format!("{} {}", case["data"], case["options"]);
        let spec: TreeSpec = serde_json::from_value(case["options"].clone()).unwrap();
        spec.check(Target::Classes(classes)).unwrap();
        for seed in [0, 1, 42] {
            let tree = spec.fit(&training, classes, seed).unwrap();
            assert_within_reference(tree.leaves() as f64, case, "leaves", 0.0);
            let folder = tempfile::tempdir().unwrap();
            tree.write(&folder.path().join("tree.json")).unwrap();
            assert_eq!(Tree::read(&folder.path().join("tree.json")).unwrap(), tree, "{what}");
            let outputs = tree.outputs(&test.features);
            if let Some(expected) = case.get("probabilities") {
                assert_near(&values(&outputs), &floats(expected), 1e-9, &what);
                checked += 1;
            }
            if let Some(expected) = case.get("importances") {
                assert_near(&tree.importances(), &floats(expected), 1e-9, &what);
            }
            if let Some(expected) = case.get("confusion") {
                let pairs = &test.targets * classes as i64 + outputs.argmax(-1, false);
                let counts = pairs.bincount::<Tensor>(None, (classes * classes) as i64);
                assert_eq!(values(&counts), floats(expected), "{what}");
            }
        }
    }
    assert_eq!(checked, 3 * 31, "three seeds of the cases in which scikit-learn's ten trees agree");
}
