//! A copy of the credit-card frauds: stated features and classes, and what can be wrong with it.

use serde_json::Value;

use super::place::{FRAUDS, Place};
use crate::support::metric;

const FRAUD_COLUMNS: [&str; 4] = ["Time", "V1", "Amount", "Class"];

/// Their table with the columns in this order; one that it does not have is all 7s.
fn frauds(columns: &[&str]) -> String {
    let rows: Vec<Vec<&str>> = FRAUDS.lines().map(|line| line.split(',').collect()).collect();
    let cell = |number: usize, row: &[&str], name: &&str| match FRAUD_COLUMNS.iter().position(|known| known == name) {
        Some(place) => row[place].to_owned(),
        None if number == 0 => (*name).to_owned(),
        None => "7".to_owned(),
    };
    let line = |(number, row): (usize, &Vec<&str>)| {
        columns.iter().map(|name| cell(number, row, name)).collect::<Vec<_>>().join(",")
    };
    rows.iter().enumerate().map(|pair| line(pair) + "\n").collect()
}

const OF_FRAUDS: &str =
    "[data.csv]\npath = \"table.csv\"\ntarget = \"Class\"\nclasses = [\"0\", \"1\"]\nscale = \"standard\"\n";

fn with_features() -> String {
    format!("{OF_FRAUDS}features = [\"Time\", \"V1\", \"Amount\"]\n")
}

#[test]
fn columns_in_another_order_and_others_among_them_change_nothing_where_the_features_are_named() {
    let losses = |columns: &[&str]| {
        let history = Place::with(frauds(columns)).history(&with_features(), "cross_entropy", 2);
        assert_eq!(history["data"]["classes"], serde_json::json!(["0", "1"]));
        metric(&history, "loss")
    };
    let as_published = losses(&FRAUD_COLUMNS);
    assert_eq!(losses(&["Class", "Amount", "V1", "Time"]), as_published);
    assert_eq!(losses(&["id", "Class", "Time", "note", "V1", "Amount"]), as_published);
}

#[test]
fn a_further_column_is_a_feature_where_the_features_are_not_named() {
    let parameters = |columns: &[&str]| {
        let history = Place::with(frauds(columns)).history(OF_FRAUDS, "cross_entropy", 2);
        history["network"]["parameters"].as_u64().unwrap()
    };
    assert_eq!(parameters(&FRAUD_COLUMNS), 2 * 3 + 2);
    assert_eq!(parameters(&["Time", "V1", "id", "Amount", "Class"]), 2 * 4 + 2);
}

#[test]
fn a_column_that_is_not_there_is_told_with_those_that_are() {
    let place = Place::with(frauds(&["Time", "V1", "Class"]));
    let words = ["`data.csv.features` lists a column that the table does not have: `Amount`"];
    place.refused(&with_features(), &words);
    place.refused(&with_features(), &["hint: its columns are `Time`, `V1`, `Class`"]);
    place.write("table.csv", frauds(&["Time", "V1", "Amount"]));
    place.refused(OF_FRAUDS, &["`data.csv.target` lists a column that the table does not have: `Class`"]);
}

#[test]
fn text_in_a_number_is_told_with_its_row_line_and_column() {
    for (written, found) in [("149.62", "149.62 EUR"), ("378.66", "\"378,66\"")] {
        let place = Place::with(FRAUDS.replace(written, found));
        let row = if written == "149.62" { "row 1 (line 2)" } else { "row 5 (line 6)" };
        let words = format!("column `Amount` has numbers, but also `{}` in {row}", found.replace('"', ""));
        place.refused(OF_FRAUDS, &[&words]);
        place.refused(&with_features(), &[&words]);
    }
}

#[test]
fn a_file_without_rows_is_told_as_that() {
    for (text, words) in [("", "table.csv` is empty"), ("\"Time\",\"V1\",\"Class\"\n", "has column names, but no rows")]
    {
        Place::with(text).refused(OF_FRAUDS, &["`data.csv.path` cannot be used", words]);
    }
}

#[test]
fn a_class_that_is_not_stated_is_told_with_its_place_and_what_is_allowed() {
    for found in ["2", "-1", "0.5", "fraud"] {
        let place = Place::with(FRAUDS.replacen("529,\"1\"", &format!("529,\"{found}\""), 1));
        let words =
            format!("`data.csv.target` has `{found}` in row 4 (line 5), column `Class`, where `0` or `1` was expected");
        place.refused(OF_FRAUDS, &[&words, "hint: correct the value, or add it to `classes`"]);
    }
    let place = Place::with(FRAUDS.replacen("529,\"1\"", "529,", 1));
    place.refused(OF_FRAUDS, &["row 4 (line 5), target `Class`, has no value"]);
}

#[test]
fn stated_classes_are_in_their_order_and_may_be_numbers() {
    let place = Place::with(FRAUDS);
    let data = OF_FRAUDS.replace("[\"0\", \"1\"]", "[1, 0]");
    let history = place.history(&data, "cross_entropy", 2);
    assert_eq!(history["data"]["classes"], serde_json::json!(["1", "0"]));
    let written = std::fs::read_to_string(place.path().join("runs/idea/latest/experiment.toml")).unwrap();
    assert!(written.contains("classes = [\"1\", \"0\"]"), "{written}");
    let again = place.runner(&["exp", "runs/idea/latest/experiment.toml", "--device", "cpu"]).assert();
    again.success();
}

#[test]
fn classes_that_cannot_be_stated_are_refused() {
    let place = Place::with(FRAUDS);
    let stated = |classes: &str| OF_FRAUDS.replace("[\"0\", \"1\"]", classes);
    place.refused(&stated("[\"0\"]"), &["`data.csv.classes` must list at least two classes, found 1"]);
    place.refused(&stated("[0, 1, \"1.0\"]"), &["`data.csv.classes` lists class `1.0` twice"]);
    place.refused(&stated("[0.5, 1]"), &["expected the name of a class, or its number"]);
    let values = format!("{OF_FRAUDS}task = \"values\"\n");
    place.refused(&values, &["`data.csv.classes` lists classes, but `task` is `values`"]);
}

#[test]
fn a_given_table_is_read_by_the_names_of_its_columns_and_held_against_the_stated_classes() {
    let place = Place::with(FRAUDS);
    place.history(&with_features(), "cross_entropy", 2);
    let evaluated = |columns: &[&str]| {
        place.write("given.csv", frauds(columns));
        let run =
            place.runner(&["eval", "idea", "--data", "given.csv", "--json", "--device", "cpu"]).assert().success();
        let evaluated = serde_json::from_slice::<Value>(&run.get_output().stdout).unwrap();
        let run = place.runner(&["predict", "idea", "--csv", "given.csv", "--format", "csv"]).assert().success();
        (evaluated["trials"][0]["figures"].clone(), String::from_utf8(run.get_output().stdout.clone()).unwrap())
    };
    let (figures, predicted) = evaluated(&FRAUD_COLUMNS);
    assert!(figures["loss"].is_number() && figures["acc"].is_number(), "{figures}");
    assert_eq!(predicted.lines().count(), 1 + 6, "{predicted}");
    assert_eq!(evaluated(&["note", "Class", "Amount", "id", "V1", "Time"]), (figures, predicted));

    for (text, words) in [
        (frauds(&["Time", "Amount", "Class"]), "`given.csv` has no column `V1`"),
        (
            FRAUDS.replace("529,\"1\"", "529,\"2\""),
            "has `2` in row 4 (line 5), column `Class`, where a class of the run",
        ),
        (FRAUDS.replace("-1.16", "oops"), "has `oops` in row 6 (line 7), column `V1`, where a number was expected"),
        (String::new(), "`given.csv` is empty"),
        ("Time,V1,Amount,Class\n".to_owned(), "has column names, but no rows"),
    ] {
        place.write("given.csv", text);
        for arguments in [["eval", "idea", "--data", "given.csv"], ["predict", "idea", "--csv", "given.csv"]] {
            let run = place.runner(&arguments).assert().code(2);
            let said = String::from_utf8(run.get_output().stderr.clone()).unwrap();
            assert!(said.contains(words), "`{words}` is not in:\n{said}");
        }
    }
}
