//! `data`: the data sets, their descriptions and their cache.

use super::printed::{all, json};
use crate::support::{Place, assert_says, stderr, stdout};

#[test]
fn data_list_tells_what_is_at_hand() {
    let place = Place::new();
    let listed = json(&place, &["data", "list", "--json"]);
    assert_eq!(
        all(&listed, "name"),
        ["logic", "digits", "breast_cancer", "diabetes", "penguins", "mnist", "creditcard"]
    );
    assert_eq!(all(&listed, "state")[..5], ["in the binary"; 5]);
    assert_eq!(all(&listed, "state")[5..], ["not fetched"; 2]);
    assert!(all(&listed, "license").iter().chain(&all(&listed, "citation")).all(|text| !text.is_empty()));
    let table = stdout(&place.run(&["data", "list"]).code(0));
    assert_says(&table, &["data set", "license", "1,797", "60,000 + 10,000", "not fetched"]);
}

#[test]
fn data_describe_tells_rows_and_classes() {
    let place = Place::new();
    let digits = json(&place, &["data", "describe", "digits", "--json"]);
    let part = &digits["parts"][0];
    assert_eq!((&part["rows"], &part["min"], &part["max"]), (&1797.into(), &0.0.into(), &16.0.into()));
    let rows: Vec<i64> = part["classes"].as_array().unwrap().iter().map(|c| c["rows"].as_i64().unwrap()).collect();
    assert_eq!(rows, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]); // scikit-learn's load_digits
    assert_says(&stdout(&place.run(&["data", "describe", "digits"]).code(0)), &["1,797 rows", "license", "178"]);
    assert_says(&stdout(&place.run(&["data", "describe", "logic"]).code(0)), &["4 rows of 2 values", "50.0000 %"]);
}

#[test]
fn data_path_names_the_folder_of_the_cache() {
    let place = Place::new();
    let printed = stdout(&place.run(&["data", "path", "mnist"]).code(0));
    assert_eq!(printed.trim_end(), place.data_path("mnist").display().to_string());
    assert_says(&place.refusal(&["data", "path", "digits"]), &["`digits` is in the binary"]);
}

#[test]
fn data_verify_takes_what_was_never_fetched_for_a_fault_only_when_asked_by_name() {
    let place = Place::new();
    assert_says(
        &stdout(&place.run(&["data", "verify"]).code(0)),
        &["mnist/train-images-idx3-ubyte", "not been fetched"],
    );
    let asked = place.run(&["data", "verify", "mnist"]).code(2);
    assert_says(&stderr(&asked), &["missing or damaged", "`runner data fetch mnist`"]);
    assert_says(&stdout(&place.run(&["data", "verify", "digits"]).code(0)), &["in the binary"]);
    let printed = stdout(&place.run(&["data", "verify", "--json"]).code(0));
    assert_eq!(all(&serde_json::from_str(&printed).unwrap(), "file").len(), 4 + 1); // of mnist and creditcard
}

#[test]
fn data_fetch_of_what_is_in_the_binary_is_nothing_to_do() {
    assert_says(&stderr(&Place::new().run(&["data", "fetch", "digits"]).code(0)), &["nothing to fetch"]);
}
