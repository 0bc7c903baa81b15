//! `eval` and `predict` on tables: the run's own table and others.

use runner::data::split::Split;
use serde_json::{Value, json};

use super::saved_run::{CLASSIFY, assert_equals_history, assert_near, evaluations, experiment, predictions};
use crate::support::{TestDir, assert_says, stderr, stdout};

const PENGUINS: &str = include_str!("../../../src/data/embedded/penguins.csv");

/// Penguins with imputed missing values, one-hot categories and scaled numbers.
const TABLE: &str = "[data.csv]\npath = \"table.csv\"\ntarget = \"species\"\nencode = \"one_hot\"\nmissing = \"most_frequent\"\n\
    scale = \"standard\"\nsplit = { test = 0.25, validation = 0.2, random_state = 3, stratify = true }";

fn dir_with_table_run() -> TestDir {
    let dir = TestDir::new();
    dir.write("table.csv", PENGUINS);
    dir.write("idea.toml", experiment(TABLE, "[{ linear = 8 }, \"relu\", { linear = 3 }]", CLASSIFY));
    dir.exp(&["idea.toml"]);
    dir
}

/// Test rows of [`TABLE`], with shuffled columns and one extra column.
fn shuffled_test_rows() -> String {
    let rows: Vec<Vec<&str>> = PENGUINS.lines().map(|line| line.split(',').collect()).collect();
    let species: Vec<&str> = rows[1..].iter().map(|row| row[0]).collect();
    let names = ["Adelie", "Chinstrap", "Gentoo"];
    let classes: Vec<i64> = species.iter().map(|s| names.iter().position(|name| name == s).unwrap() as i64).collect();
    let split = Split { test: Some(0.25), validation: Some(0.2), random_state: 3, stratify: true, ..Split::default() };
    let parts = split.parts(classes.len(), Some(&classes), &names.map(str::to_owned)).unwrap();
    let shuffled = |row: &[&str], more: &str| -> String {
        let order = [4, 6, 0, 2, 7, 1, 3, 5];
        format!("{more},{}\n", order.map(|column| row[column]).join(","))
    };
    let mut text = shuffled(&rows[0], "remark");
    parts.test.unwrap().iter().for_each(|&row| text.push_str(&shuffled(&rows[1 + row], "none")));
    text
}

#[test]
fn a_table_with_shuffled_columns_gives_the_same_predictions() {
    let dir = dir_with_table_run();
    dir.write("given.csv", shuffled_test_rows());
    let (own, given) = (evaluations(&dir, &["idea"]), evaluations(&dir, &["idea", "--data", "given.csv"]));
    assert_equals_history(&own[0]);
    assert_eq!((&own[0]["rows"], &own[0]["confusion"]), (&given[0]["rows"], &given[0]["confusion"]));
    for name in ["loss", "acc"] {
        assert_near(&given[0]["metrics"][name], &own[0]["metrics"][name]);
    }
    assert_eq!((&given[0]["history"], &given[0]["same"]), (&Value::Null, &Value::Null));

    let rows = predictions(&dir, &["idea", "--csv", "given.csv"]);
    assert_eq!(rows.len() as u64, own[0]["rows"].as_u64().unwrap());
    let right = rows.iter().filter(|row| row["right"] == true).count();
    assert_near(&json!(right as f64 / rows.len() as f64), &own[0]["metrics"]["acc"]);
    for index in [0, 7, 41, rows.len() - 1] {
        let row = &predictions(&dir, &["idea", "--index", &index.to_string()])[0];
        assert_eq!((&rows[index]["row"], &rows[index]["truth"]), (&json!(index + 1), &row["truth"]));
        for species in ["Adelie", "Chinstrap", "Gentoo"] {
            assert_near(&rows[index]["probabilities"][species], &row["probabilities"][species]);
        }
    }
}

#[test]
fn all_rows_of_a_part_or_a_file_are_predicted_by_its_name() {
    let dir = dir_with_table_run();
    let own = evaluations(&dir, &["idea"]);
    let rows = predictions(&dir, &["idea"]);
    assert_eq!(rows.len() as u64, own[0]["rows"].as_u64().unwrap());
    let right = rows.iter().filter(|row| row["right"] == true).count();
    assert_near(&json!(right as f64 / rows.len() as f64), &own[0]["metrics"]["acc"]);
    let same = |row: &Value, other: &Value| ["row", "truth", "prediction"].iter().all(|key| row[key] == other[key]);
    assert!(same(&rows[7], &predictions(&dir, &["idea", "--index", "7"])[0]));
    let validation = predictions(&dir, &["idea", "validation"]);
    assert_eq!(validation.len() as u64, evaluations(&dir, &["idea", "validation"])[0]["rows"].as_u64().unwrap());
    assert!(same(&validation[3], &predictions(&dir, &["idea", "validation", "--index", "3"])[0]));

    let text = stdout(&dir.run(&["predict", "idea"]).code(0));
    let hidden = format!("{} more rows: write all with `-o FILE.csv`", rows.len() - 50);
    assert_says(&text, &[&format!("{} test rows", rows.len()), &hidden, &format!("{right} of {} right", rows.len())]);
    dir.run(&["predict", "idea", "-o", "all.csv"]).code(0);
    let written = std::fs::read_to_string(dir.path("all.csv")).unwrap();
    assert_eq!(written.lines().count(), 1 + rows.len());

    dir.write("given.csv", shuffled_test_rows());
    assert_eq!(predictions(&dir, &["idea", "given.csv"]), predictions(&dir, &["idea", "--csv", "given.csv"]));
    assert_eq!(evaluations(&dir, &["idea", "given.csv"]), evaluations(&dir, &["idea", "--data", "given.csv"]));
    dir.write("new.csv", PENGUINS.lines().map(|line| line.split_once(',').unwrap().1).collect::<Vec<_>>().join("\n"));
    for (arguments, words) in [
        (
            &["eval", "idea", "new.csv"][..],
            &["no column `species`", "predict without them: `runner predict RUN FILE`"][..],
        ),
        (&["predict", "idea", "tset"], &["`tset` is neither a part of the data nor a file", "`test`"]),
        (&["predict", "idea", "given.csv", "--index", "1"], &["`--index` is for a row of the run's data"]),
        (&["predict", "idea", "test", "--keep", "year"], &["`--keep` is for columns of a table"]),
        (&["predict", "idea", "given.csv", "--csv", "given.csv"], &["cannot be used with"]),
        (&["eval", "idea", "test", "--data", "test"], &["cannot be used with"]),
    ] {
        assert_says(&dir.error_message(arguments), words);
    }
}

#[test]
fn predictions_of_a_table_are_printed_as_a_table_or_csv() {
    let dir = dir_with_table_run();
    let (header, rows) = PENGUINS.split_once('\n').unwrap();
    let without_target = |line: &str| line.split_once(',').unwrap().1.to_owned();
    let given: Vec<String> = std::iter::once(header).chain(rows.lines().take(3)).map(without_target).collect();
    dir.write("given.csv", given.join("\n"));
    let message = stdout(&dir.run(&["predict", "idea", "--csv", "given.csv"]).code(0));
    assert_says(&message, &["`given.csv`: 3 rows", "row  prediction  probability"]);
    assert!(!message.contains("true"), "{message}");
    let csv = stdout(&dir.run(&["predict", "idea", "--csv", "given.csv", "--format", "csv"]).code(0));
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (4, "row,prediction,p_Adelie,p_Chinstrap,p_Gentoo"));
    let fields: Vec<&str> = lines[2].split(',').collect();
    let sum: f64 = fields[2..].iter().map(|field| field.parse::<f64>().unwrap()).sum();
    assert!(fields[0] == "2" && (sum - 1.0).abs() < 1e-9, "{csv}");
    let top = stdout(&dir.run(&["predict", "idea", "--csv", "given.csv", "--top", "2"]).code(0));
    assert_says(&top, &["next"]);
    assert_says(
        &dir.error_message(&["predict", "idea", "--csv", "given.csv", "--top", "2", "--format", "csv"]),
        &["--top"],
    );
}

#[test]
fn a_table_that_does_not_fit_is_rejected_with_the_position() {
    let dir = dir_with_table_run();
    let header = PENGUINS.lines().next().unwrap();
    let good = "Adelie,Biscoe,39.1,18.7,181,3750,male,2007";
    assert_eq!(header, "species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year");
    let cases = [
        (header.replace("island", "isle"), good.to_owned(), &["`given.csv` has no column `island`", "`isle`"][..]),
        (
            header.to_owned(),
            good.replace("Biscoe", "Biscou"),
            &["has `Biscou` in row 1 (line 2), column `island`", "did you mean `Biscoe`?"],
        ),
        (
            header.to_owned(),
            good.replace("18.7", "deep"),
            &["has `deep` in row 1 (line 2), column `bill_depth_mm`", "a number was expected"],
        ),
        (
            header.to_owned(),
            good.replace("Adelie", "Emperor"),
            &["has `Emperor` in row 1 (line 2), column `species`", "`Gentoo`"],
        ),
        (header.replace(',', ";"), good.replace(',', ";"), &["has one column", "separated by `,`"]),
        (header.to_owned(), String::new(), &["but no rows"]),
    ];
    for (header, row, words) in cases {
        dir.write("given.csv", format!("{header}\n{row}\n"));
        assert_says(&dir.error_message(&["predict", "idea", "--csv", "given.csv"]), words);
        assert_says(&dir.error_message(&["eval", "idea", "--data", "given.csv"]), words);
    }
    dir.write("given.csv", format!("{}\n{}\n", header.replace("species,", ""), good.replace("Adelie,", "")));
    assert_says(&dir.error_message(&["eval", "idea", "--data", "given.csv"]), &["has no column `species`"]);
    assert_says(
        &dir.error_message(&["predict", "idea", "--csv", "gvien.csv"]),
        &["`gvien.csv` does not exist", "did you mean `given.csv`?"],
    );
    assert_says(
        &dir.error_message(&["predict", "idea", "--image", "given.csv"]),
        &["the run was trained on a table, so it cannot predict an image", "use `--csv FILE`, or `--index N`"],
    );
}

#[test]
fn predictions_of_labels_and_numbers_show_the_true_values() {
    let dir = TestDir::new();
    let labels = "[data.digits]\nscale = \"unit\"\nlabels = [\"even\", \"prime\"]\nsplit = { test = 0.1 }";
    dir.write("labels.toml", experiment(labels, "[{ linear = 2 }]", "epochs = 2\nloss = \"bce_with_logits\""));
    let numbers = "[data.diabetes]\nscale = \"standard\"\nsplit = { test = 0.2 }";
    dir.write(
        "numbers.toml",
        experiment(numbers, "[{ linear = 1 }]", "epochs = 2\nloss = \"mae\"\nmetrics = [\"me\", \"mae\", \"r2\"]"),
    );
    for name in ["labels", "numbers"] {
        dir.exp(&[&format!("{name}.toml")]);
        assert_equals_history(&evaluations(&dir, &[name])[0]);
    }
    let label = &predictions(&dir, &["labels", "--index", "3"])[0]["labels"]["prime"];
    assert_eq!(label["prediction"], label["probability"].as_f64().unwrap() >= 0.5);
    assert!(label["truth"].is_boolean(), "{label}");
    assert_says(
        &stdout(&dir.run(&["predict", "labels", "--index", "3"]).code(0)),
        &["label", "probability", "predicted  true"],
    );
    let value = &predictions(&dir, &["numbers", "--index", "3"])[0]["values"]["progression"];
    let error = value["prediction"].as_f64().unwrap() - value["truth"].as_f64().unwrap();
    assert_near(&value["error"], &json!(error));
    let csv = stdout(&dir.run(&["predict", "numbers", "--index", "3", "--format", "csv"]).code(0));
    assert!(csv.starts_with("row,progression,truth_progression,error_progression\n3,"), "{csv}");
}

#[test]
fn scores_are_not_called_probabilities() {
    let dir = TestDir::new();
    dir.exp(&["perceptron_and"]);
    let message = stdout(&dir.run(&["predict", "perceptron_and", "--index", "3", "--rows", "train"]).code(0));
    assert_says(&message, &["1, 1", "class   score", "predicted 1, true class 1: right", "not probabilities"]);
    let row = &predictions(&dir, &["perceptron_and", "--index", "3", "--rows", "train"])[0];
    assert!(row.get("probability").is_none() && row["score"].is_number(), "{row}");
    assert_says(
        &dir.error_message(&["predict", "perceptron_and", "--csv", "x.csv"]),
        &[
            "the run was trained on the data set `logic`, so it cannot predict a table",
            "use a file of arrays",
            "`--index N`",
        ],
    );
}

#[test]
fn changed_data_are_reported() {
    let dir = dir_with_table_run();
    dir.write("table.csv", PENGUINS.replacen("39.1", "39.2", 1));
    let evaluated = dir.run(&["eval", "idea"]).code(0);
    assert_says(&stderr(&evaluated), &["warning: the data of `csv` have changed since the run: their checksum is"]);
    assert_says(&stderr(&dir.run(&["predict", "idea", "--index", "0"]).code(0)), &["warning: the data of `csv`"]);
    dir.write("table.csv", PENGUINS.replace("Gentoo", "Emperor"));
    assert_says(
        &dir.error_message(&["eval", "idea"]),
        &["Adelie, Chinstrap, Gentoo", "Adelie, Chinstrap, Emperor", "restore the data"],
    );
    std::fs::remove_file(dir.path("table.csv")).unwrap();
    assert_says(&dir.error_message(&["eval", "idea"]), &["`data.csv.path`", "/table.csv` does not exist"]);
}

#[test]
fn evaluated_rows_without_a_target_are_skipped_with_a_note_that_says_so() {
    let dir = dir_with_table_run();
    let lines: Vec<&str> = PENGUINS.lines().collect();
    let (_, without_target) = lines[1].split_once(',').unwrap();
    dir.write("given.csv", format!("{}\n,{without_target}\n", lines[..9].join("\n")));
    let message = stderr(&dir.run(&["eval", "idea", "given.csv"]).code(0));
    assert_says(&message, &["skipped 1 of 9 rows of `given.csv`: they have no value in `species`; only features"]);
    let dropped = experiment("[data.penguins]\nsplit = { test = 0.2 }", "[{ linear = 3 }]", CLASSIFY);
    dir.write("dropped.toml", dropped);
    dir.exp(&["dropped.toml"]);
    dir.write("given.csv", lines[..6].join("\n"));
    let message = stderr(&dir.run(&["eval", "dropped", "given.csv"]).code(0));
    assert_says(&message, &["skipped 1 of 5 rows of `given.csv` because of missing values, as in training"]);
}

#[test]
fn rows_with_missing_values_are_dropped_if_the_run_dropped_them() {
    let dir = TestDir::new();
    let data = "[data.penguins]\nscale = \"standard\"\nsplit = { test = 0.2 }";
    dir.write("idea.toml", experiment(data, "[{ linear = 3 }]", CLASSIFY));
    dir.exp(&["idea.toml"]);
    dir.write("given.csv", PENGUINS.lines().take(6).collect::<Vec<_>>().join("\n"));
    let run = dir.run(&["predict", "idea", "--csv", "given.csv", "--json"]).code(0);
    assert_says(&stderr(&run), &["warning: 1 row of `given.csv` skipped because of missing values, as in training"]);
    let rows = &serde_json::from_str::<Value>(&stdout(&run)).unwrap()["predictions"];
    let numbers: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["row"]).collect();
    assert_eq!(numbers, [1, 2, 3, 5]);
}
