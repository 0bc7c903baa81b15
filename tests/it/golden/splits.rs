//! Splits and folds contain the same rows as in scikit-learn, from NumPy's random numbers.

use runner::data::split::folds::{Fold, k_fold, stratified_k_fold};
use runner::data::split::groups::{group_k_fold, group_shuffle_split};
use runner::data::split::numpy_random::RandomState;
use runner::data::split::{train_test_split, train_test_split_stratified};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::fixture::{cases, load_fixture, rows};

#[test]
fn random_numbers_equal_numpy() {
    let fixture = &load_fixture("splits")["numpy"];
    for case in fixture["permutation"].as_array().unwrap() {
        let n = case["n"].as_u64().unwrap() as usize;
        let found = RandomState::new(case["seed"].as_u64().unwrap() as u32).permutation(n);
        assert_eq!(found, rows(&case["values"]));
    }
    for case in fixture["choice_without_replacement"].as_array().unwrap() {
        let numbers: Vec<usize> = (0..case["n"].as_u64().unwrap() as usize).collect();
        let size = case["size"].as_u64().unwrap() as usize;
        let found = RandomState::new(case["seed"].as_u64().unwrap() as u32).choose(&numbers, size);
        assert_eq!(found, rows(&case["values"]));
    }
}

#[test]
fn splits_equal_scikit_learn() {
    let fixture = load_fixture("splits");
    for case in fixture["shuffled"].as_array().unwrap() {
        let (share, state) = (case["test_size"].as_f64().unwrap(), case["random_state"].as_u64().unwrap() as u32);
        let (train, test) = train_test_split(case["n"].as_u64().unwrap() as usize, share, state);
        assert_eq!((train, test), (rows(&case["train"]), rows(&case["test"])), "{case}");
    }
    for case in fixture["stratified"].as_array().unwrap() {
        let (share, state) = (case["test_size"].as_f64().unwrap(), case["random_state"].as_u64().unwrap() as u32);
        let labels: Vec<i64> = serde_json::from_value(case["labels"].clone()).unwrap();
        let (train, test) = train_test_split_stratified(&labels, share, state);
        assert_eq!((train, test), (rows(&case["train"]), rows(&case["test"])), "{case}");
    }
}

#[test]
fn splits_of_mnist_size_equal_scikit_learn() {
    let check = |part: &[usize], expected: &Value, what: &str| {
        let bytes: Vec<u8> = part.iter().flat_map(|&row| (row as i64).to_le_bytes()).collect();
        let sum: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(part.len(), expected["size"].as_u64().unwrap() as usize, "{what}");
        assert_eq!(part[..20], rows(&expected["first"])[..20], "{what}");
        assert_eq!(json!(sum), expected["sha256"], "{what}");
    };
    let fixture = load_fixture("splits");
    for case in fixture["large"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (share, state) = (case["test_size"].as_f64().unwrap(), case["random_state"].as_u64().unwrap() as u32);
        let (train, test) = match name {
            "mnist" => train_test_split(60_000, share, state),
            "made_stratified" => {
                let labels: Vec<i64> = (0..60_000_i64).map(|i| (i * i * 31 + i / 7) % 10).collect();
                train_test_split_stratified(&labels, share, state)
            }
            "digits_stratified" => {
                let spec = runner::data::source::DataSpec::by_name("digits").unwrap();
                let cache = runner::data::store::cache::Cache::at("unused: digits are in the binary");
                let labels = spec.load(&cache, &mut ()).unwrap().rows.targets;
                train_test_split_stratified(&Vec::<i64>::try_from(labels).unwrap(), share, state)
            }
            other => panic!("an unknown case: {other}"),
        };
        check(&train, &case["train"], name);
        check(&test, &case["test"], name);
    }
}

#[test]
fn folds_equal_scikit_learn() {
    let fixture = &load_fixture("splits")["folds"];
    let labels: Vec<i64> = serde_json::from_value(fixture["labels"].clone()).unwrap();
    let folds = fixture["splits"].as_u64().unwrap() as usize;
    let state = Some(fixture["random_state"].as_u64().unwrap() as u32);
    let names = ["KFold", "KFold_unshuffled", "StratifiedKFold", "StratifiedKFold_unshuffled"];
    for case in cases(fixture, &names) {
        let found = match case["name"].as_str().unwrap() {
            "KFold" => k_fold(labels.len(), folds, state),
            "KFold_unshuffled" => k_fold(labels.len(), folds, None),
            "StratifiedKFold" => stratified_k_fold(&labels, folds, state),
            _ => stratified_k_fold(&labels, folds, None),
        };
        let expected = case["folds"].as_array().unwrap();
        let expected = expected.iter().map(|fold| Fold { train: rows(&fold["train"]), test: rows(&fold["test"]) });
        assert_eq!(found.unwrap(), expected.collect::<Vec<_>>(), "{}", case["name"]);
    }
}

#[test]
fn groups_are_split_as_by_scikit_learn() {
    let fixture = &load_fixture("splits")["groups"];
    let groups: Vec<i64> = serde_json::from_value(fixture["groups"].clone()).unwrap();
    let state = |case: &Value| case["random_state"].as_u64().unwrap() as u32;
    for case in fixture["shuffled"].as_array().unwrap() {
        let found = group_shuffle_split(&groups, case["test_size"].as_f64().unwrap(), state(case));
        assert_eq!(found, (rows(&case["train"]), rows(&case["test"])), "{case}");
    }
    for case in fixture["folds"].as_array().unwrap() {
        let found = group_k_fold(&groups, case["folds"].as_u64().unwrap() as usize, Some(state(case))).unwrap();
        let expected = case["parts"].as_array().unwrap();
        let expected = expected.iter().map(|fold| Fold { train: rows(&fold["train"]), test: rows(&fold["test"]) });
        assert_eq!(found, expected.collect::<Vec<_>>(), "{}", case["folds"]);
    }
}
