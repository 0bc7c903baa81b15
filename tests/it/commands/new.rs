//! `new`, `data describe --toml`, missing keys and `exp --dry-run`: the way to an experiment of one's own.

use std::fmt::Write;

use serde_json::Value;

use crate::support::{IDEA, TestDir, assert_says, idea_with, stderr, stdout};

/// Number of rows of [`customers`].
const ROWS: usize = 600;

/// Customers with an id, dates, texts of few and of many values, missing values of two kinds, and 5 % positives.
fn customers() -> String {
    let mut text = "customer_id,signup,plan,comment,age,visits,churn\n".to_owned();
    for row in 0..ROWS {
        let positive = row % 20 == 0;
        let (plan, age) = (["basic", "plus", "pro", ""][row % 4], if row % 30 == 7 { "?" } else { "41" });
        let (visits, answer) = if positive { (row % 7, "yes") } else { (20 + row % 11, "no") };
        let age = if row % 3 == 0 { "38" } else { age };
        let (month, day) = (1 + row % 12, 1 + row % 28);
        writeln!(text, "C{row},2023-{month:02}-{day:02},{plan},note {},{age},{visits},{answer}", row % 300).unwrap();
    }
    text
}

#[test]
fn a_table_becomes_an_experiment_that_runs_as_it_is() {
    let dir = TestDir::new();
    dir.write("data/customers.csv", customers());
    std::fs::create_dir(dir.path("experiments")).unwrap();
    let new = ["new", "churn", "--csv", "data/customers.csv", "--target", "churn"];
    let printed = stdout(&dir.run(&new).code(0));
    assert_says(
        &printed,
        &["wrote experiments/churn.toml", "the rarest is `yes` with 30 rows (5.0 %)", "\n  runner exp churn\n"],
    );
    let text = std::fs::read_to_string(dir.path("experiments/churn.toml")).unwrap();
    for setting in [
        "path = \"../data/customers.csv\"",
        "to use one, remove its line, and name it in\n# `categories` if it has many different texts\ndrop = [",
        "\"customer_id\",",
        "\"comment\",",
        "dates = [\"signup\"]",
        "na_values = [\"?\"]",
        "missing = \"mean\"",
        "encode = \"one_hot\"",
        "stratify = true",
        "positive = \"yes\"",
        "threshold = \"f1\"",
        "monitor = \"val_ap\"",
    ] {
        assert!(text.contains(setting), "no `{setting}` in:\n{text}");
    }
    let history = dir.history(&["churn", "--epochs", "30"]);
    assert_eq!(history["data"]["rows"]["test"], 120);
    assert!(history["test"]["ap"].as_f64().unwrap() > 0.5, "the constant baseline has 0.05: {}", history["test"]);
    // new rows are read with the same missing values
    dir.write("new.csv", "signup,plan,age,visits\n2023-05-01,plus,?,3\n");
    assert_eq!(
        stdout(&dir.run(&["predict", "churn", "--csv", "new.csv", "--format", "csv"]).code(0)).lines().count(),
        2
    );

    let message = dir.error_message(&new);
    assert_says(&message, &["`experiments/churn.toml` already exists", "`--force`"]);
    dir.run(&[&new[..], &["--force"]].concat()).code(0);
}

#[test]
fn the_part_of_the_table_is_that_of_a_new_experiment_and_can_be_appended_to_a_file() {
    let dir = TestDir::new();
    dir.write("customers.csv", customers());
    let part = stdout(&dir.run(&["data", "describe", "customers.csv", "--target", "churn", "--toml"]).code(0));
    dir.run(&["new", "my", "--csv", "customers.csv", "--target", "churn"]).code(0);
    let text = std::fs::read_to_string(dir.path("my.toml")).unwrap();
    assert!(text.contains(part.trim_end()), "{part}\nis not in\n{text}");
    let without_data = idea_with("[data.digits]\n", "").replace("{ linear = 10 }", "{ linear = 2 }");
    dir.write("idea.toml", without_data + &part);
    dir.history(&["idea.toml"]);
}

#[test]
fn regressions_and_classes_written_as_numbers_are_told_apart() {
    let dir = TestDir::new();
    let mut houses = "id;area;price\n".to_owned();
    (0..200)
        .for_each(|row| writeln!(houses, "{};{},5;{}", row + 1, 40 + row % 90, 200_000 + row % 90 * 3_111).unwrap());
    dir.write("houses.csv", houses);
    dir.run(&["new", "houses", "--csv", "houses.csv", "--target", "price"]).code(0);
    let text = std::fs::read_to_string(dir.path("houses.toml")).unwrap();
    assert_says(&text, &["separator = \";\"", "decimal = \",\"", "loss = \"mse\"", "init = { constant ="]);
    let history = dir.history(&["houses.toml"]);
    assert!(history["test"]["r2"].as_f64().unwrap() > 0.8, "{}", history["test"]);

    let digits: String = (0..400).map(|row| format!("{}.5,{}\n", row * 7 % 13, row % 10)).collect();
    dir.write("digits.csv", format!("x,digit\n{digits}"));
    dir.run(&["new", "numbers", "--csv", "digits.csv", "--target", "digit"]).code(0);
    let text = std::fs::read_to_string(dir.path("numbers.toml")).unwrap();
    assert_says(&text, &["task = \"classes\"", "{ linear = 10 }", "loss = \"cross_entropy\""]);
    dir.history(&["numbers.toml", "--epochs", "1"]);
}

#[test]
fn a_stated_separator_is_used_and_dropped_rows_are_counted() {
    let dir = TestDir::new();
    dir.write("t.csv", "x;y\n1;2\n3;4\n");
    let new = ["new", "a", "--csv", "t.csv", "--target", "y"];
    assert_says(&dir.error_message(&[&new[..], &["--separator", ","]].concat()), &["`t.csv` has one column, `x;y`"]);
    // 30 of 300 rows have no target, and of the others 10 or 90 no value
    let table = |every: usize| -> String {
        let row = |row: usize| {
            let x = if row % every == 1 { String::new() } else { format!("{}.5", row % 17) };
            format!("{x},{},{}\n", row % 5, if row.is_multiple_of(10) { "" } else { ["no", "yes"][row % 2] })
        };
        "x,z,y\n".to_owned() + &(0..300).map(row).collect::<String>()
    };
    for (every, policy, warning, comment) in [
        (
            30,
            "drop",
            "drops 40 of 300 rows, which have missing values",
            "drops 40 of 300 rows, 30 of them without a target",
        ),
        (3, "mean", "drops 30 of 300 rows, which have no target", "fills in 90 missing values"),
    ] {
        dir.write("t.csv", table(every));
        let run = dir.run(&[&new[..], &["--force"]].concat()).code(0);
        assert_says(&stderr(&run), &[warning]);
        let text = std::fs::read_to_string(dir.path("a.toml")).unwrap();
        assert_says(&text, &[comment, &format!("missing = \"{policy}\"")]);
        dir.history(&["a.toml", "--epochs", "1"]);
    }
    assert_says(
        &stderr(&dir.run(&["exp", "a.toml", "--epochs", "1", "--device", "cpu"]).code(0)),
        &["30 of 300 rows are dropped"],
    );
}

#[test]
fn mistakes_in_a_new_experiment_are_named_with_a_proposal() {
    let dir = TestDir::new();
    dir.write("t.csv", customers());
    dir.write("empty.csv", "");
    dir.write("t.parquet", b"PAR1\x15\x04PAR1");
    dir.write("pandas.csv", ",x,y\n0,1,a\n1,2,b\n");
    dir.write("mine.pt", b"PK\x03\x04");
    for (arguments, words) in [
        (&["--csv", "t.csv"][..], &["`--target` is missing", "`customer_id`", "likely: `churn`", "--target churn"][..]),
        (&["--csv", "t.csv", "--target", "chrun"], &["`t.csv` has no column `chrun`", "did you mean `churn`?"]),
        (&["--csv", "t.csv", "--target", "comment"], &["too many for classes"]),
        (&["--csv", "empty.csv", "--target", "y"], &["`empty.csv` is empty"]),
        (&["--csv", "t.parquet", "--target", "y"], &["is a Parquet file", "CSV text in UTF-8"]),
        (&["--csv", "no.xlsx", "--target", "y"], &["an Excel workbook", "CSV text in UTF-8"]),
        (&["--csv", "pandas.csv", "--target", "y"], &["has no name for column 1", "index=False"]),
        (&["--data", "digit"], &["there is no data set `digit`", "did you mean `digits`?"]),
        (&["--data", "dogs"], &["there is no data set, file or directory `dogs`", "a directory of images"]),
        (&["--data", "t.csv"], &["`t.csv` is not a file of arrays", "`runner new idea --csv t.csv --target COLUMN`"]),
        (&["--data", "mine.pt"], &["`mine.pt` is not a file of arrays", "numpy.savez", "tensor.numpy()"]),
        (&["-o", "runner.toml"], &["is the file of the project's defaults"]),
        (&["-o", "new.txt"], &["`new.txt` is not the name of an experiment file", "`.toml`"]),
    ] {
        assert_says(&dir.error_message(&[&["new", "idea"], arguments].concat()), words);
    }
    assert_says(&dir.error_message(&["new", ""]), &["the name of the experiment is empty", "`runner new first`"]);
    let message = dir.error_message(&["new", "x", "--target", "churn"]);
    assert_says(&message, &["`--csv FILE`", "write `runner new NAME --csv FILE --target COLUMN`"]);
}

#[test]
fn missing_keys_are_all_named_with_the_text_to_add() {
    let dir = TestDir::new();
    dir.write("idea.toml", "title = \"An idea\"\n");
    let message = dir.error_message(&["exp", "idea.toml"]);
    let keys = "`network.layers`, `train.epochs`, `train.batch`, `train.loss`, `train.optimizer`, `data`";
    assert_says(&message, &[keys, "[data.digits]", "optimizer = { adam = { lr = 1e-3 } }", "`runner new NAME`"]);
    dir.write("idea.toml", "title = \"An idea\"\n[data.digits]\n");
    let message = dir.error_message(&["exp", "idea.toml"]);
    assert_says(&message, &["`network` and `train` are missing", "{ linear = 10 }", "loss = \"cross_entropy\""]);
}

#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let dir = TestDir::new();
    dir.write("idea.toml", IDEA.replace("[data.digits]", "[data.digits]\nsplit = { test = 0.2, validation = 0.2 }"));
    let before = dir.files();
    let dry = ["exp", "idea.toml", "--seeds", "0..2", "--dry-run", "--device", "cpu"];
    let shown = stdout(&dir.run(&dry).code(0));
    assert_says(&shown, &["3 trials (3 seeds)", "1,149 training, 288 validation, 360 test", "1,210 parameters"]);
    assert_says(&shown, &["2 epochs of 18 steps", "1 stack of 3 models, about ", "runs/idea", "nothing was trained"]);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let printed: Value = serde_json::from_str(&stdout(&dir.run(&[&dry[..], &["--json"]].concat()).code(0))).unwrap();
    assert_eq!((&printed["groups"][0]["steps_per_epoch"], &printed["trials"]), (&18.into(), &3.into()));
    assert_eq!(dir.files(), before);
    assert_eq!(
        dir.history(&["idea.toml"])["data"]["rows"],
        printed["groups"][0]["rows"],
        "the run has the rows that were shown"
    );

    // a data set that is not downloaded is not downloaded by a dry run, and mistakes are found as in a run
    let mnist = dir.run(&["exp", "overfit_mnist", "--dry-run", "--device", "cpu"]).code(0);
    assert_says(&stderr(&mnist), &["`mnist` is not downloaded yet"]);
    assert_says(&dir.error_message(&["exp", "idea.toml", "--dry-run", "--set", "train.batch=0"]), &["`train.batch`"]);
}

#[test]
fn texts_beside_other_features_are_left_out_with_a_note() {
    let dir = TestDir::new();
    let row = |row: usize| format!("the film number {row} was long,{},{}\n", row * 7 % 50, ["yes", "no"][row % 2]);
    dir.write("both.csv", format!("review,age,liked\n{}", (0..300).map(row).collect::<String>()));
    for arguments in [&[][..], &["--toml"], &["--target", "liked"]] {
        let shown = dir.run(&[&["data", "describe", "both.csv"][..], arguments].concat()).code(0);
        let (text, message) = (stdout(&shown), stderr(&shown));
        assert_says(&text, &["[data.csv]", "target = \"liked\"", "drop = [", "\"review\""]);
        assert!(!text.contains("[data.text]"), "{text}");
        assert_says(&message, &["note: the texts in `review` are left out; to train on them, use `[data.text]`"]);
        assert_eq!((text + &message).contains("is a guess"), arguments != ["--target", "liked"]);
    }
}

#[test]
fn a_table_of_texts_is_sent_to_its_own_section() {
    let dir = TestDir::new();
    let rows: String =
        (0..300).map(|row| format!("the film number {row} was long and good,{}\n", ["yes", "no"][row % 2])).collect();
    dir.write("texts.csv", format!("review,label\n{rows}"));
    let message = dir.error_message(&["new", "texts", "--csv", "texts.csv", "--target", "label"]);
    assert_says(&message, &["no column to predict `label` from", "`runner data describe texts.csv --toml` prints it"]);
    let printed = dir.run(&["data", "describe", "texts.csv", "--toml"]).code(0);
    assert_says(&stdout(&printed), &["[data.text]"]);
    assert_says(&stderr(&printed), &["the target `label` is a guess"]);
    let described = |arguments: &[&str]| stdout(&dir.run(&[&["data", "describe"][..], arguments].concat()).code(0));
    assert_says(&described(&["texts.csv"]), &["settings for the texts in `review` (the target is a guess):"]);
    assert_says(&described(&["texts.csv", "--target", "label"]), &["settings for the texts in `review`:"]);
    // the texts come last: they are not the target
    let rows: String = (0..300).map(|row| format!("{},the film number {row} was long\n", row * 7 % 5)).collect();
    dir.write("stars.csv", format!("stars,review\n{rows}"));
    assert_says(&described(&["stars.csv"]), &["[data.text]", "text = \"review\"", "target = \"stars\""]);
    let rows: String = (0..300).map(|row| format!("C{row},{}\n", ["yes", "no"][row % 2])).collect();
    dir.write("ids.csv", format!("id,label\n{rows}"));
    let message = dir.error_message(&["new", "ids", "--csv", "ids.csv", "--target", "label"]);
    assert_says(&message, &["hint: add a column with numbers or few categories; left out: `id` ("]);
}
