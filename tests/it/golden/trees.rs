//! Decision trees are scikit-learn's where one split is the best, and as good where several are.

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

use super::fixture::{assert_near, floats, golden, tensor, values};

/// The data of a case, split as the script splits them.
fn prepared(name: &str) -> Prepared {
    let loaded = DataSpec::by_name(name).unwrap().load(&Cache::for_user(), &mut ()).unwrap();
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
    let what = format!("{} {}, {key}", case["data"], case["options"]);
    assert!((least - beside..=most + beside).contains(&found), "{what}: found {found}, wanted {least} to {most}");
}

/// Holds trees of some seeds against each case of a data set, with the leaves and the accuracy that may be between them,
/// and what more there is to hold.
fn hold(name: &str, (leaves, share): (f64, f64), more: impl Fn(&Tree, &Rows, &Value)) {
    let fixture = golden("trees");
    let Prepared { training, test, classes, .. } = prepared(name);
    let test = test.unwrap().open();
    let cases: Vec<&Value> = fixture["cases"].as_array().unwrap().iter().filter(|case| case["data"] == name).collect();
    assert!(cases.len() >= 5);
    for case in cases {
        let spec: TreeSpec = serde_json::from_value(case["options"].clone()).unwrap();
        spec.check(Target::Classes(classes.len())).unwrap();
        for seed in [0, 1, 42] {
            let tree = spec.fit(&training, classes.len(), seed).unwrap();
            assert_among(tree.depth() as f64, case, "depth", 0.0);
            assert_among(tree.leaves() as f64, case, "leaves", leaves);
            assert_eq!(tree.nodes(), 2 * tree.leaves() - 1);
            assert_among(accuracy(&tree, training.rows()), case, "train_acc", share);
            assert_among(accuracy(&tree, &test), case, "test_acc", share);
            more(&tree, &test, case);
        }
    }
}

#[test]
fn trees_of_values_that_are_hardly_ever_equal_are_scikit_learns() {
    let held = Cell::new((0, 0));
    hold("breast_cancer", (0.0, 1e-12), |tree, test, case| {
        let (mut importances, mut probabilities) = held.get();
        let what = format!("breast_cancer {}", case["options"]);
        if let Some(wanted) = case.get("importances") {
            assert_near(&tree.importances(), &floats(wanted), 1e-9, &what);
            importances += 1;
        }
        if let Some(wanted) = case.get("probabilities") {
            assert_near(&values(&tree.outputs(&test.features)), &floats(wanted), 1e-9, &what);
            probabilities += 1;
        }
        held.set((importances, probabilities));
    });
    assert_eq!(held.get(), (6, 15), "three seeds of the cases in which scikit-learn's ten trees agree");
}

#[test]
fn trees_of_whole_numbers_are_as_good_as_scikit_learns() {
    hold("digits", (0.0, 0.02), |tree, _, case| {
        if case["train_acc"][0] == 1.0 {
            let Prepared { training, .. } = prepared("digits");
            assert_eq!(accuracy(tree, training.rows()), 1.0);
        }
    });
}

/// A table of the fixture: its training rows, and its test rows.
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
fn trees_with_class_weights_are_scikit_learns() {
    let fixture = golden("weighted_trees");
    let mut held = 0;
    for case in fixture["cases"].as_array().unwrap() {
        let (training, test) = table(&fixture, case["data"].as_str().unwrap());
        let classes = training.rows().targets.max().int64_value(&[]) as usize + 1;
        let what = format!("{} {}", case["data"], case["options"]);
        let spec: TreeSpec = serde_json::from_value(case["options"].clone()).unwrap();
        spec.check(Target::Classes(classes)).unwrap();
        for seed in [0, 1, 42] {
            let tree = spec.fit(&training, classes, seed).unwrap();
            assert_among(tree.leaves() as f64, case, "leaves", 0.0);
            let folder = tempfile::tempdir().unwrap();
            tree.write(&folder.path().join("tree.json")).unwrap();
            assert_eq!(Tree::read(&folder.path().join("tree.json")).unwrap(), tree, "{what}");
            let outputs = tree.outputs(&test.features);
            if let Some(wanted) = case.get("probabilities") {
                assert_near(&values(&outputs), &floats(wanted), 1e-9, &what);
                held += 1;
            }
            if let Some(wanted) = case.get("importances") {
                assert_near(&tree.importances(), &floats(wanted), 1e-9, &what);
            }
            if let Some(wanted) = case.get("confusion") {
                let pairs = &test.targets * classes as i64 + outputs.argmax(-1, false);
                let counts = pairs.bincount::<Tensor>(None, (classes * classes) as i64);
                assert_eq!(values(&counts), floats(wanted), "{what}");
            }
        }
    }
    assert_eq!(held, 3 * 31, "three seeds of the cases in which scikit-learn's ten trees agree");
}
