//! Splits by the columns of a table: parts, groups and times, their leaks and their errors.

use std::fmt::Write;
use std::ops::Range;

use runner::data::prepare::prepared::Prepared;
use runner::data::prepare::scale::Scale;
use runner::data::source::DataSpec;
use runner::data::store::cache::Cache;
use serde_json::{Value, json};
use tch::Tensor;

use super::table_dir::{TableDir, classes_with};
use crate::support::assert_says;

/// 60 rows of 12 patients: 5 rows each, on one site, with a date for each row.
fn patients() -> TableDir {
    let mut text = "patient,day,part,site,x,y\n".to_owned();
    for row in 0..60 {
        let patient = row * 7 % 12;
        let part = ["train", "train", "train", "val", "test"][patient % 5];
        let site = ["Rome", "Oslo", "Bonn"][patient % 3];
        let (day, class) = (row * 11 % 60, ["a", "b"][row % 2]);
        writeln!(text, "p{patient:02},2024-{:02}-{:02},{part},{site},{row},{class}", 1 + day / 28, 1 + day % 28)
            .unwrap();
    }
    TableDir::new(text)
}

fn split(by: &str) -> String {
    classes_with(&format!("drop = [\"patient\", \"day\", \"part\", \"site\"]\nsplit = {{ {by} }}"))
}

fn history(dir: &TableDir, by: &str) -> Value {
    dir.history(&split(by), "cross_entropy", 2)
}

#[test]
fn the_values_of_a_column_name_the_part_of_each_row() {
    let dir = patients();
    let rows = |history: &Value| history["data"]["rows"].clone();
    let parts = history(&dir, "column = \"part\", group = \"patient\"");
    assert_eq!(rows(&parts), json!({ "train": 40, "validation": 10, "test": 10 }));
    assert_eq!(parts["network"]["parameters"], 2 * 2, "only `x` is a feature");
    let evaluated = dir.runner(&["eval", "idea", "--strict"]).assert().success();
    assert_says(&String::from_utf8(evaluated.get_output().stdout.clone()).unwrap(), &["10 test rows"]);
    let stated = "column = { name = \"site\", test = [\"Rome\"], validation = [\"Oslo\"] }";
    assert_eq!(rows(&history(&dir, stated)), json!({ "train": 20, "validation": 20, "test": 20 }));
    let rest = "column = { name = \"site\", test = [\"Rome\"] }, validation = 0.25, stratify = true";
    assert_eq!(rows(&history(&dir, rest)), json!({ "train": 30, "validation": 10, "test": 20 }));
}

#[test]
fn groups_and_times_are_split_without_a_leak() {
    let dir = patients();
    let rows = |by: &str| history(&dir, by)["data"]["rows"].clone();
    let by_group = rows("group = \"patient\", test = 0.2, validation = 0.25, random_state = 42");
    assert_eq!(by_group, json!({ "train": 30, "validation": 15, "test": 15 }), "3 of 12 groups, 3 of 9 groups");
    let dated = "order_by = \"day\", test = 0.2, validation = 0.25";
    assert_eq!(rows(dated), json!({ "train": 36, "validation": 12, "test": 12 }));
    let by_day = json!({ "order_by": "day", "test": 0.2, "validation": 0.25 });
    let csv = json!({ "path": dir.path().join("table.csv"), "target": "y", "features": ["x"], "split": by_day });
    let data: DataSpec = serde_json::from_value(json!({ "csv": csv })).unwrap();
    let loaded = data.load(&Cache::at("/nowhere"), &mut ()).unwrap();
    let prepared = Prepared::new(&loaded, &data.split(), Scale::None).unwrap();
    let numbers = |features: &Tensor| Vec::<f32>::try_from(features.flatten(0, -1)).unwrap();
    let of_days = |days: Range<usize>| days.map(|day| (day * 11 % 60) as f32).collect::<Vec<_>>(); // 11 · 11 = 1 mod 60
    assert_eq!(numbers(&prepared.training.rows().features), of_days(0..36));
    assert_eq!(numbers(&prepared.validation.unwrap().rows().features), of_days(36..48));
    assert_eq!(numbers(&prepared.test.unwrap().open().features), of_days(48..60));
    dir.write_experiment(&split("group = \"patient\", folds = 4, test = 0.2"), "cross_entropy", 2);
    let run = dir.runner(&["exp", "idea.toml", "--json", "--device", "cpu"]).assert().success();
    let all: Value = serde_json::from_slice(&run.get_output().stdout).unwrap();
    let folds = all["histories"].as_array().unwrap();
    let held_out: u64 = folds.iter().map(|fold| fold["data"]["rows"]["validation"].as_u64().unwrap()).sum();
    assert_eq!((folds.len(), held_out), (4, 45), "each of the 9 other groups is held out once");
}

#[test]
fn rows_and_times_on_both_sides_are_counted() {
    let dir = TableDir::new("x,t,part,y\n1,1,train,a\n2,2,train,b\n3,3,train,a\n1,3,test,a\n9,3,test,b\n2,9,test,a\n");
    let warned = |by: &str| {
        dir.write_experiment(
            &classes_with(&format!("drop = [\"t\", \"part\"]\nsplit = {{ {by} }}")),
            "cross_entropy",
            2,
        );
        let run = dir.runner(&["exp", "idea.toml", "--device", "cpu"]).assert().success();
        String::from_utf8(run.get_output().stderr.clone()).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let by_part = warned("column = \"part\"");
    assert_says(&by_part, &["1 of 3 test rows equals a training row in features and target"]);
    let by_time = warned("order_by = \"t\", test = 0.5");
    assert_says(&by_time, &["2 of 3 test rows are not later in `t` than the last training row"]);
}

#[test]
fn columns_that_cannot_split_the_rows_are_rejected_in_words() {
    let dir = patients();
    for (by, words) in [
        (
            "column = \"prat\"",
            &["`data.csv.split.column` names a column that the table does not have: `prat`", "`part`?"][..],
        ),
        ("column = \"site\"", &["has `Rome` in row 1 (line 2), column `site`, which names no part", "train = […]"]),
        (
            "column = { name = \"site\", test = [\"Berlin\"] }",
            &["split.column.test` has `Berlin`, but no row", "`Bonn`"],
        ),
        (
            "column = { name = \"site\", train = [\"Bonn\"], test = [\"Rome\"] }",
            &["has `Oslo` in row 2", "names no part"],
        ),
        ("column = { name = \"site\", test = [\"Rome\", \"Oslo\", \"Bonn\"] }", &["leaves no training rows"]),
        ("column = { nam = \"site\" }", &["expected a column's name, or `{ name = "]),
        ("column = \"part\", test = 0.2", &["split.test` cannot be set: this data set has its own 10 test rows"]),
        (
            "column = { name = \"site\", test = [\"Rome\"] }, group = \"part\"",
            &[
                "`data.csv.split.group` has `",
                "on two sides: in the training rows, row",
                "3 of 3 groups are on two sides",
            ],
        ),
        ("group = \"patient\"", &["needs fractions of the groups, or folds"]),
        ("group = \"patient\", folds = 13", &["must be between 2 and 12, the number of groups to divide, found 13"]),
        (
            "group = \"site\", test = 0.9",
            &["leaves no group for training: of 3 groups in `site`, `test = 0.9` takes all"],
        ),
        ("group = \"patient\", test = 0.2, stratify = true", &["cannot have both `group` and `stratify`"]),
        ("group = \"y\", test = 0.2", &["`data.csv.split.group` is `y`, which is also in `target`"]),
        ("order_by = \"day\", folds = 3", &["cannot have both `order_by` and `folds`"]),
        (
            "order_by = \"site\", test = 0.2",
            &[
                "`data.csv.split.order_by` must be a column of numbers or dates, but `site` has `Rome` in row 1 (line 2)",
            ],
        ),
    ] {
        dir.assert_rejected(&split(by), words);
    }
    dir.write("table.csv", "g,x,y\na,1,a\n,2,b\nb,3,a\n");
    let missing = classes_with("split = { group = \"g\", test = 0.5 }");
    dir.assert_rejected(&missing, &["`data.csv.split.group` has no value in row 2 (line 3), column `g`"]);
    let named = "[data.breast_cancer]\nsplit = { group = \"g\", test = 0.5 }\n";
    let only = "`data.breast_cancer.split.group` names the column `g`, which only `[data.csv]`, `[data.text]` and (as an array) \
                `[data.arrays]` can have";
    dir.assert_rejected(named, &[only]);
    let named = "[data.breast_cancer]\nsplit = { column = \"g\" }\n";
    dir.assert_rejected(named, &["names the column `g`, which only `[data.csv]` and `[data.text]` can have"]);
}
