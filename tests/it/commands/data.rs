//! `data`: data sets, their descriptions and their cache.

use super::json_output::{json, values_of};
use crate::support::{TestDir, assert_says, idea_with, stderr, stdout};

#[test]
fn data_list_shows_which_data_sets_are_available() {
    let dir = TestDir::new();
    let listed = json(&dir, &["data", "list", "--json"]);
    assert_eq!(
        values_of(&listed, "name"),
        ["logic", "digits", "breast_cancer", "diabetes", "penguins", "mnist", "creditcard"]
    );
    assert_eq!(values_of(&listed, "state")[..5], ["built in"; 5]);
    assert_eq!(values_of(&listed, "state")[5..], ["not fetched"; 2]);
    assert!(values_of(&listed, "license").iter().chain(&values_of(&listed, "citation")).all(|text| !text.is_empty()));
    let table = stdout(&dir.run(&["data", "list"]).code(0));
    assert_says(&table, &["data set", "license", "1,797", "60,000 + 10,000", "not fetched"]);
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn codes_with_a_leading_zero_are_warned_of_in_training_too() {
    let dir = TestDir::new();
    dir.write("t.csv", "zip,x,y\n02139,1,a\n94105,2,b\n10001,3,a\n60601,4,b\n");
    let network = idea_with("{ linear = 10 }", "{ linear = 2 }");
    dir.write("idea.toml", network.replace("[data.digits]", "[data.csv]\npath = \"t.csv\"\ntarget = \"y\""));
    let ran = dir.run(&["exp", "idea.toml", "--device", "cpu"]).code(0);
    assert_says(&stderr(&ran).replace("\n  ", " "), &["`zip` has numbers with a leading zero, such as 02139"]);
}

#[test]
fn data_describe_prints_rows_and_classes() {
    let dir = TestDir::new();
    let digits = json(&dir, &["data", "describe", "digits", "--json"]);
    let part = &digits["parts"][0];
    assert_eq!((&part["rows"], &part["min"], &part["max"]), (&1797.into(), &0.0.into(), &16.0.into()));
    let rows: Vec<i64> = part["classes"].as_array().unwrap().iter().map(|c| c["rows"].as_i64().unwrap()).collect();
    assert_eq!(rows, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]); // scikit-learn's load_digits
    assert_says(&stdout(&dir.run(&["data", "describe", "digits"]).code(0)), &["1,797 rows", "license", "178"]);
    assert_says(&stdout(&dir.run(&["data", "describe", "logic"]).code(0)), &["4 rows of 2 values", "50.00 %"]);
}

#[test]
fn data_path_prints_the_cache_directory() {
    let dir = TestDir::new();
    let printed = stdout(&dir.run(&["data", "path", "mnist"]).code(0));
    assert_eq!(printed.trim_end(), dir.data_path("mnist").display().to_string());
    assert_says(&dir.error_message(&["data", "path", "digits"]), &["`digits` is built in"]);
}

#[test]
fn data_verify_fails_for_missing_files_only_if_the_data_set_is_named() {
    let dir = TestDir::new();
    assert_says(&stdout(&dir.run(&["data", "verify"]).code(0)), &["mnist/train-images-idx3-ubyte", "not been fetched"]);
    let asked = dir.run(&["data", "verify", "mnist"]).code(2);
    assert_says(&stderr(&asked), &["missing or damaged", "`runner data fetch mnist`"]);
    assert_says(&stdout(&dir.run(&["data", "verify", "digits"]).code(0)), &["built in"]);
    let printed = stdout(&dir.run(&["data", "verify", "--json"]).code(0));
    assert_eq!(values_of(&serde_json::from_str(&printed).unwrap(), "file").len(), 4 + 1); // of mnist and creditcard
}

#[test]
fn data_fetch_does_nothing_for_built_in_data_sets() {
    assert_says(&stderr(&TestDir::new().run(&["data", "fetch", "digits"]).code(0)), &["nothing to fetch"]);
}
