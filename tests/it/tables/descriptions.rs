//! `data describe` of a table.

use serde_json::Value;

use super::table_dir::{FRAUDS, TableDir};

#[test]
fn tables_are_described_by_path_or_by_name() {
    let dir = TableDir::new("x,c,y\n1,5,a\n1,5,a\n,5,b\n");
    let run = dir.runner(&["data", "describe", "table.csv", "--json"]).assert().success();
    let part = serde_json::from_slice::<Value>(&run.get_output().stdout).unwrap()["parts"][0].clone();
    assert_eq!((&part["rows"], &part["duplicate_rows"]), (&3.into(), &1.into()));
    assert_eq!(part["constant"], serde_json::json!(["x", "c"]));
    assert_eq!(part["columns"][0]["missing"], 1);
    assert_eq!(part["columns"][2]["values"][0]["rows"], 2);
    for name in ["table.csv", "penguins", "breast_cancer", "diabetes", "digits", "logic"] {
        dir.runner(&["data", "describe", name]).assert().success();
    }
    let run = dir.runner(&["data", "describe", "penguin"]).assert().code(2);
    assert!(String::from_utf8_lossy(&run.get_output().stderr).contains("did you mean `penguins`?"));
    dir.runner(&["data", "describe", "nowhere.csv"]).assert().code(2);
}

#[test]
fn descriptions_fit_80_columns_and_contain_warnings() {
    let dir = TableDir::new(format!("{FRAUDS}0,1.19,2.69,\"0\"\n472,-3.04,529,\"1\"\n472,-3.04,529,\"0\"\n"));
    let described = |arguments: &[&str]| {
        let run = dir.runner(&[&["data", "describe"][..], arguments].concat()).assert().success();
        let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        text
    };
    let text = described(&["table.csv", "--target", "Class"]);
    for words in [
        "table: 9 rows of 4 columns, all numeric; no missing values",
        "Class (target)\n  0        6   66.67 %  ████████████████████████████████████████\n  1  ",
        "2 rows are duplicates of earlier rows",
        "of the 3 rows of the rarest class, `1`, 2 are distinct",
        "3 rows have the same features as a row of another class",
    ] {
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
    }
    assert!(!described(&["table.csv"]).contains("another class"));
    for name in ["logic", "digits", "breast_cancer", "diabetes", "penguins"] {
        described(&[name]);
    }
    dir.write(
        "table.csv",
        "none,one,a column with a name that is far longer than any name should be\n,7,a\n,7,b\nNA,,c\n",
    );
    let text = described(&["table.csv"]);
    assert!(text.contains("no value in any row: `none`"), "{text}");
    assert!(text.contains("missing values in `one`") && text.contains("constant columns: `one`"), "{text}");
    let run = dir.runner(&["data", "describe", "table.csv", "--target", "non"]).assert().code(2);
    let message = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(
        message.contains("`table.csv` has no column `non`") && message.contains("did you mean `none`?"),
        "{message}"
    );
}

#[test]
fn missing_targets_are_dropped_and_unknown_date_columns_are_errors() {
    let dir = TableDir::new("x,day,y\n1,2024-01-02,a\n2,2024-01-03,\n,2024-01-04,b\n");
    let text = |arguments: &[&str]| {
        let run = dir.runner(&[&["data", "describe", "table.csv"][..], arguments].concat()).assert().success();
        String::from_utf8(run.get_output().stdout.clone()).unwrap()
    };
    let found = text(&["--target", "y", "--dates", "day"]);
    assert!(found.contains("missing values in `x`; write:"), "{found}");
    assert!(found.contains("missing values in the target `y`") && found.contains("rows without a target"), "{found}");
    for more in [&[][..], &["--toml"]] {
        let arguments = [&["data", "describe", "table.csv", "--dates", "dya"][..], more].concat();
        let run = dir.runner(&arguments).assert().code(2);
        let message = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(message.contains("has no column `dya`") && message.contains("did you mean `day`?"), "{message}");
    }
}

#[test]
fn a_table_without_features_gets_no_settings_and_a_note_says_why() {
    let dir = TableDir::new("y\na\nb\na\nb\n");
    let run = dir.runner(&["data", "describe", "table.csv", "--target", "y"]).assert().success();
    let message = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(message.contains("note: no settings are proposed: `table.csv` has no column"), "{message}");
}
