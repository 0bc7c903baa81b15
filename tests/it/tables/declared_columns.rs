//! A copy of the credit-card fraud data: declared features and classes, and possible errors in it.

use serde_json::Value;

use super::table_dir::{FRAUDS, TableDir};
use crate::support::metric;

const FRAUD_COLUMNS: [&str; 4] = ["Time", "V1", "Amount", "Class"];

/// The fraud table with the columns in this order. An unknown column contains only 7s.
fn fraud_table(columns: &[&str]) -> String {
    let rows: Vec<Vec<&str>> = FRAUDS.lines().map(|line| line.split(',').collect()).collect();
    let cell = |number: usize, row: &[&str], name: &&str| match FRAUD_COLUMNS.iter().position(|known| known == name) {
        Some(dir) => row[dir].to_owned(),
        None if number == 0 => (*name).to_owned(),
        None => "7".to_owned(),
    };
    let line = |(number, row): (usize, &Vec<&str>)| {
        columns.iter().map(|name| cell(number, row, name)).collect::<Vec<_>>().join(",")
    };
    rows.iter().enumerate().map(|pair| line(pair) + "\n").collect()
}

const FRAUD_DATA: &str =
    "[data.csv]\npath = \"table.csv\"\ntarget = \"Class\"\nclasses = [\"0\", \"1\"]\nscale = \"standard\"\n";

fn with_features() -> String {
    format!("{FRAUD_DATA}features = [\"Time\", \"V1\", \"Amount\"]\n")
}

#[test]
fn column_order_and_extra_columns_do_not_matter_if_features_are_listed() {
    let losses = |columns: &[&str]| {
        let history = TableDir::new(fraud_table(columns)).history(&with_features(), "cross_entropy", 2);
        assert_eq!(history["data"]["classes"], serde_json::json!(["0", "1"]));
        metric(&history, "loss")
    };
    let as_published = losses(&FRAUD_COLUMNS);
    assert_eq!(losses(&["Class", "Amount", "V1", "Time"]), as_published);
    assert_eq!(losses(&["id", "Class", "Time", "note", "V1", "Amount"]), as_published);
}

#[test]
fn extra_columns_are_features_if_features_are_not_listed() {
    let parameters = |columns: &[&str]| {
        let history = TableDir::new(fraud_table(columns)).history(FRAUD_DATA, "cross_entropy", 2);
        history["network"]["parameters"].as_u64().unwrap()
    };
    assert_eq!(parameters(&FRAUD_COLUMNS), 2 * 3 + 2);
    assert_eq!(parameters(&["Time", "V1", "id", "Amount", "Class"]), 2 * 4 + 2);
}

#[test]
fn a_missing_column_is_reported_with_the_existing_columns() {
    let dir = TableDir::new(fraud_table(&["Time", "V1", "Class"]));
    let words = ["`data.csv.features` names a column that the table does not have: `Amount`"];
    dir.assert_rejected(&with_features(), &words);
    dir.assert_rejected(&with_features(), &["hint: its columns are `Time`, `V1`, `Class`"]);
    dir.write("table.csv", fraud_table(&["Time", "V1", "Amount"]));
    dir.assert_rejected(FRAUD_DATA, &["`data.csv.target` names a column that the table does not have: `Class`"]);
}

#[test]
fn text_in_a_numeric_column_is_reported_with_row_line_and_column() {
    for (written, found) in [("149.62", "149.62 EUR"), ("378.66", "\"378,66\"")] {
        let dir = TableDir::new(FRAUDS.replace(written, found));
        let row = if written == "149.62" { "row 1 (line 2)" } else { "row 5 (line 6)" };
        let words = format!("column `Amount` is numeric, but has `{}` in {row}", found.replace('"', ""));
        dir.assert_rejected(FRAUD_DATA, &[&words]);
        dir.assert_rejected(&with_features(), &[&words]);
    }
}

#[test]
fn a_file_without_rows_is_reported() {
    for (text, words) in [("", "table.csv` is empty"), ("\"Time\",\"V1\",\"Class\"\n", "has column names, but no rows")]
    {
        TableDir::new(text).assert_rejected(FRAUD_DATA, &["`data.csv.path` cannot be used", words]);
    }
}

#[test]
fn an_undeclared_class_is_reported_with_its_position_and_the_allowed_classes() {
    for found in ["2", "-1", "0.5", "fraud"] {
        let dir = TableDir::new(FRAUDS.replacen("529,\"1\"", &format!("529,\"{found}\""), 1));
        let words =
            format!("`data.csv.target` has `{found}` in row 4 (line 5), column `Class`, where `0` or `1` was expected");
        dir.assert_rejected(FRAUD_DATA, &[&words, "hint: correct the value or, if it is a class, add it to `classes`"]);
    }
    let dir = TableDir::new(FRAUDS.replacen("529,\"1\"", "529,", 1));
    dir.assert_rejected(FRAUD_DATA, &["row 4 (line 5), target `Class`, has no value"]);
}

#[test]
fn declared_classes_keep_their_order_and_can_be_numbers() {
    let dir = TableDir::new(FRAUDS);
    let data = FRAUD_DATA.replace("[\"0\", \"1\"]", "[1, 0]");
    let history = dir.history(&data, "cross_entropy", 2);
    assert_eq!(history["data"]["classes"], serde_json::json!(["1", "0"]));
    let written = std::fs::read_to_string(dir.path().join("runs/idea/latest/experiment.toml")).unwrap();
    assert!(written.contains("classes = [\"1\", \"0\"]"), "{written}");
    let again = dir.runner(&["exp", "runs/idea/latest/experiment.toml", "--device", "cpu"]).assert();
    again.success();
}

#[test]
fn invalid_class_lists_are_rejected() {
    let dir = TableDir::new(FRAUDS);
    let stated = |classes: &str| FRAUD_DATA.replace("[\"0\", \"1\"]", classes);
    dir.assert_rejected(&stated("[\"0\"]"), &["`data.csv.classes` must list at least two classes, found 1"]);
    dir.assert_rejected(&stated("[0, 1, \"1.0\"]"), &["`data.csv.classes` lists class `1.0` twice"]);
    dir.assert_rejected(&stated("[0.5, 1]"), &["expected a text or a whole number"]);
    let values = format!("{FRAUD_DATA}task = \"values\"\n");
    dir.assert_rejected(&values, &["`data.csv.classes` lists classes, but `task` is `values`"]);
}

#[test]
fn a_new_table_is_read_by_column_names_and_checked_against_the_classes() {
    let dir = TableDir::new(FRAUDS);
    dir.history(&with_features(), "cross_entropy", 2);
    let evaluated = |columns: &[&str]| {
        dir.write("given.csv", fraud_table(columns));
        let run = dir.runner(&["eval", "idea", "--data", "given.csv", "--json", "--device", "cpu"]).assert().success();
        let evaluated = serde_json::from_slice::<Value>(&run.get_output().stdout).unwrap();
        let run = dir.runner(&["predict", "idea", "--csv", "given.csv", "--format", "csv"]).assert().success();
        (evaluated["trials"][0]["metrics"].clone(), String::from_utf8(run.get_output().stdout.clone()).unwrap())
    };
    let (figures, predicted) = evaluated(&FRAUD_COLUMNS);
    assert!(figures["loss"].is_number() && figures["acc"].is_number(), "{figures}");
    assert_eq!(predicted.lines().count(), 1 + 6, "{predicted}");
    assert_eq!(evaluated(&["note", "Class", "Amount", "id", "V1", "Time"]), (figures, predicted));

    for (text, words) in [
        (fraud_table(&["Time", "Amount", "Class"]), "`given.csv` has no column `V1`"),
        (
            FRAUDS.replace("529,\"1\"", "529,\"2\""),
            "has `2` in row 4 (line 5), column `Class`, where a class of the run",
        ),
        (FRAUDS.replace("-1.16", "oops"), "has `oops` in row 6 (line 7), column `V1`, where a number was expected"),
        (String::new(), "`given.csv` is empty"),
        ("Time,V1,Amount,Class\n".to_owned(), "has column names, but no rows"),
    ] {
        dir.write("given.csv", text);
        for arguments in [["eval", "idea", "--data", "given.csv"], ["predict", "idea", "--csv", "given.csv"]] {
            let run = dir.runner(&arguments).assert().code(2);
            let message = String::from_utf8(run.get_output().stderr.clone()).unwrap();
            assert!(message.contains(words), "`{words}` is not in:\n{message}");
        }
    }
}
