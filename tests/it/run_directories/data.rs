//! Predictions without the training data, and changed data.

use std::path::Path;

use super::table_run::{NETWORK, NEW_ROWS, TABLE, copy, folder, run_in, table_experiment};
use crate::support::{TestDir, assert_says, stderr, stdout};

// Predictions without the training data

#[test]
fn copied_runs_predict_new_rows_without_the_training_table() {
    let tree = "[tree]\nmax_depth = 3\n";
    let folds = NETWORK.to_owned();
    for (text, trial) in [
        (table_experiment(NETWORK), "base-seed0"),
        (table_experiment(tree), "base-seed0"),
        (table_experiment(&folds).replace("test = 0.3", "folds = 2"), "base-seed0-fold1"),
        (table_experiment(NETWORK).replace("one_hot", "label").replace("standard", "min_max"), "base-seed0"),
        (
            format!(
                "{}[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = {{ \"data.csv.scale\" = \"min_max\" }}\n",
                table_experiment(NETWORK)
            ),
            "b-seed0",
        ),
    ] {
        let dir = TestDir::new();
        dir.write("table.csv", TABLE);
        dir.write("t.toml", &text);
        dir.write("new.csv", NEW_ROWS);
        let run = folder(&dir, &dir.exp(&["t.toml"]));
        let predict = |folder: &Path, run: &Path| {
            let rows = dir.path("new.csv");
            let arguments = [
                "predict",
                run.to_str().unwrap(),
                "--csv",
                rows.to_str().unwrap(),
                "--trial",
                trial,
                "--format",
                "csv",
            ];
            stdout(&run_in(&dir, folder, &arguments).code(0))
        };
        let there = predict(&dir.path(""), &run);
        // the same predictions as for the rows of the run's own table
        std::fs::rename(run.join("preprocessing.json"), dir.path("kept.json")).unwrap();
        assert_eq!(predict(&dir.path(""), &run), there);
        std::fs::rename(dir.path("kept.json"), run.join("preprocessing.json")).unwrap();

        let other = tempfile::tempdir().unwrap();
        copy(&run, &other.path().join("copied"));
        std::fs::remove_file(dir.path("table.csv")).unwrap();
        std::fs::remove_dir_all(dir.path("runs")).unwrap();
        assert_eq!(predict(other.path(), &other.path().join("copied")), there, "{text}");
        assert_eq!(there.lines().count(), 4, "{there}");
    }
}

#[test]
fn stored_preprocessing_is_checked_when_it_is_read() {
    let dir = TestDir::new();
    dir.write("table.csv", TABLE);
    dir.write("t.toml", table_experiment(NETWORK));
    dir.write("new.csv", NEW_ROWS);
    let run = folder(&dir, &dir.exp(&["t.toml"]));
    let file = run.join("preprocessing.json");
    let original = std::fs::read_to_string(&file).unwrap();
    assert!(original.len() < 5000 && original.contains("runner.preprocessing/1"), "{original}");
    let divisor = original.find("\"divisor\": [").unwrap() + "\"divisor\": [".len();
    let end = divisor + original[divisor..].find(',').unwrap();
    let zero = format!("{}0.0{}", &original[..divisor], &original[end..]);
    let other_sum = original.replacen("\"sha256\": \"", "\"sha256\": \"0", 1);
    for (text, words) in [
        (&original[..original.len() / 2], "it is damaged"),
        (&original.replace("preprocessing/1", "preprocessing/9"), "`runner.preprocessing/9`"),
        (&other_sum, "other data than trial `base-seed0`"),
        (&zero, "divides by zero"),
    ] {
        std::fs::write(&file, text).unwrap();
        let refused = dir.error_message(&["predict", "t", "--csv", "new.csv"]);
        assert_says(&refused, &["preprocessing.json", words, "hint: "]);
    }
    std::fs::remove_file(&file).unwrap();
    dir.run(&["predict", "t", "--csv", "new.csv"]).code(0);
}

// Data that changed after the run

#[test]
fn finished_runs_on_other_data_are_not_reused() {
    let dir = TestDir::new();
    dir.write("table.csv", TABLE);
    dir.write("t.toml", table_experiment(NETWORK));
    dir.write("other/table.csv", TABLE.replace("1.25", "1.5"));
    dir.write("other/t.toml", table_experiment(NETWORK));
    dir.exp(&["t.toml"]);
    let resumed = ["exp", "t.toml", "--resume", "--device", "cpu"];
    assert_says(&stderr(&dir.run(&resumed).code(0)), &["is already complete"]);
    // the same path in another directory
    let arguments = ["exp", "t.toml", "--resume", "--device", "cpu", "--out", "../runs"];
    let refused = run_in(&dir, &dir.path("other"), &arguments).code(2);
    assert_says(&stderr(&refused), &["the data of `csv` have changed since the run started", "hint: "]);
    // the same file with other contents
    dir.write("table.csv", format!("{TABLE}9.9,red,1,large\n"));
    assert_says(&dir.error_message(&resumed), &["the data of `csv` have changed since the run started", "hint: "]);
    dir.write("table.csv", TABLE);
    dir.run(&resumed).code(0);
}
