//! Predictions without the training data, and data that have changed.

use std::path::Path;

use super::table_run::{NETWORK, NEW_ROWS, TABLE, copy, folder, on_table, run_in};
use crate::support::{Place, assert_says, stderr, stdout};

// Prediction without the data

#[test]
fn a_copy_of_a_run_predicts_new_rows_without_the_training_table() {
    let tree = "[tree]\nmax_depth = 3\n";
    let folds = NETWORK.to_owned();
    for (text, trial) in [
        (on_table(NETWORK), "base-seed0"),
        (on_table(tree), "base-seed0"),
        (on_table(&folds).replace("test = 0.3", "folds = 2"), "base-seed0-fold1"),
        (on_table(NETWORK).replace("one_hot", "label").replace("standard", "min_max"), "base-seed0"),
        (
            format!(
                "{}[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = {{ \"data.csv.scale\" = \"min_max\" }}\n",
                on_table(NETWORK)
            ),
            "b-seed0",
        ),
    ] {
        let place = Place::new();
        place.write("table.csv", TABLE);
        place.write("t.toml", &text);
        place.write("new.csv", NEW_ROWS);
        let run = folder(&place, &place.exp(&["t.toml"]));
        let predict = |folder: &Path, run: &Path| {
            let rows = place.path("new.csv");
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
            stdout(&run_in(&place, folder, &arguments).code(0))
        };
        let there = predict(&place.path(""), &run);
        // the same as by the run's own data
        std::fs::rename(run.join("preprocessing.json"), place.path("kept.json")).unwrap();
        assert_eq!(predict(&place.path(""), &run), there);
        std::fs::rename(place.path("kept.json"), run.join("preprocessing.json")).unwrap();

        let other = tempfile::tempdir().unwrap();
        copy(&run, &other.path().join("copied"));
        std::fs::remove_file(place.path("table.csv")).unwrap();
        std::fs::remove_dir_all(place.path("runs")).unwrap();
        assert_eq!(predict(other.path(), &other.path().join("copied")), there, "{text}");
        assert_eq!(there.lines().count(), 4, "{there}");
    }
}

#[test]
fn what_is_stored_is_checked_when_it_is_read() {
    let place = Place::new();
    place.write("table.csv", TABLE);
    place.write("t.toml", on_table(NETWORK));
    place.write("new.csv", NEW_ROWS);
    let run = folder(&place, &place.exp(&["t.toml"]));
    let file = run.join("preprocessing.json");
    let whole = std::fs::read_to_string(&file).unwrap();
    assert!(whole.len() < 5000 && whole.contains("runner.preprocessing/1"), "{whole}");
    let divisor = whole.find("\"divisor\": [").unwrap() + "\"divisor\": [".len();
    let end = divisor + whole[divisor..].find(',').unwrap();
    let zero = format!("{}0.0{}", &whole[..divisor], &whole[end..]);
    let other_sum = whole.replacen("\"sha256\": \"", "\"sha256\": \"0", 1);
    for (text, words) in [
        (&whole[..whole.len() / 2], "it is damaged"),
        (&whole.replace("preprocessing/1", "preprocessing/9"), "`runner.preprocessing/9`"),
        (&other_sum, "other data than those of `base-seed0`"),
        (&zero, "divides by zero"),
    ] {
        std::fs::write(&file, text).unwrap();
        let refused = place.refusal(&["predict", "t", "--csv", "new.csv"]);
        assert_says(&refused, &["preprocessing.json", words, "hint: "]);
    }
    std::fs::remove_file(&file).unwrap();
    place.run(&["predict", "t", "--csv", "new.csv"]).code(0);
}

// Data that have changed since

#[test]
fn a_finished_run_on_other_data_is_not_taken_for_this_one() {
    let place = Place::new();
    place.write("table.csv", TABLE);
    place.write("t.toml", on_table(NETWORK));
    place.write("other/table.csv", TABLE.replace("1.25", "1.5"));
    place.write("other/t.toml", on_table(NETWORK));
    place.exp(&["t.toml"]);
    let resumed = ["exp", "t.toml", "--resume", "--device", "cpu"];
    assert_says(&stderr(&place.run(&resumed).code(0)), &["is already complete"]);
    // the same path from another folder
    let arguments = ["exp", "t.toml", "--resume", "--device", "cpu", "--out", "../runs"];
    let refused = run_in(&place, &place.path("other"), &arguments).code(2);
    assert_says(&stderr(&refused), &["the data of `csv` have changed since the run began", "hint: "]);
    // the same file, changed
    place.write("table.csv", format!("{TABLE}9.9,red,1,large\n"));
    assert_says(&place.refusal(&resumed), &["the data of `csv` have changed since the run began", "hint: "]);
    place.write("table.csv", TABLE);
    place.run(&resumed).code(0);
}
