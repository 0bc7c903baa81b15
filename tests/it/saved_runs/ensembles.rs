//! `predict`: which trials predict, tables from stdin, unknown categories, and columns that are carried through.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::saved_run::{CLASSIFY, assert_near, dir_with, experiment, json_output, predictions};
use crate::support::{TestDir, assert_says, stderr, stdout};

const PENGUINS: &str = include_str!("../../../src/data/embedded/penguins.csv");

/// Penguins with three seeds.
fn dir_with_seeds(missing: &str) -> TestDir {
    let data = format!(
        "[data.csv]\npath = \"table.csv\"\ntarget = \"species\"\nencode = \"one_hot\"\nmissing = \"{missing}\"\n\
         scale = \"standard\"\nsplit = {{ test = 0.25, validation = 0.2, random_state = 3 }}"
    );
    let dir = TestDir::new();
    dir.write("table.csv", PENGUINS);
    dir.write("idea.toml", experiment(&data, "[{ linear = 8 }, \"relu\", { linear = 3 }]", CLASSIFY));
    dir.exp(&["idea.toml", "--seeds", "0..2"]);
    dir
}

/// Three penguins with an id; the second one is from an island that the run does not know.
fn new_rows(separator: &str) -> String {
    let header = "tag,species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year";
    let rows = [
        "007,Adelie,Biscoe,39.1,18.7,181,3750,male,2007",
        "008,Gentoo,Atlantis,46.1,13.2,211,4500,female,2007",
        "010,Chinstrap,Dream,46.5,17.9,192,3500,female,2007",
    ];
    format!("{header}\n{}\n", rows.join("\n")).replace(',', separator)
}

#[test]
fn the_best_trial_predicts_by_default_and_an_ensemble_is_the_mean() {
    let dir = dir_with_seeds("most_frequent");
    let history = |seed: usize| -> Value {
        let file = dir.path(&format!("runs/idea/latest/base-seed{seed}.json"));
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    };
    let loss = |seed: &usize| history(*seed)["best"]["val_loss"].as_f64().unwrap();
    let best = (0..3).min_by(|a, b| loss(a).total_cmp(&loss(b))).unwrap();
    let chosen = json_output(&dir, &["predict", "idea", "--index", "0", "--json"]);
    assert_eq!(chosen["trial"], format!("base-seed{best}"));

    dir.write("new.csv", new_rows(",").replace("Atlantis", "Dream"));
    let each: Vec<Vec<Value>> = (0..3)
        .map(|seed| predictions(&dir, &["idea", "--csv", "new.csv", "--trial", &format!("base-seed{seed}")]))
        .collect();
    let together = json_output(&dir, &["predict", "idea", "--csv", "new.csv", "--ensemble", "--json"]);
    assert_eq!(together["ensemble"], json!(["base-seed0", "base-seed1", "base-seed2"]));
    for (row, found) in together["predictions"].as_array().unwrap().iter().enumerate() {
        let mut likeliest = (f64::MIN, "");
        for class in ["Adelie", "Chinstrap", "Gentoo"] {
            let mean = each.iter().map(|rows| rows[row]["probabilities"][class].as_f64().unwrap()).sum::<f64>() / 3.0;
            assert_near(&found["probabilities"][class], &json!(mean));
            likeliest = if mean > likeliest.0 { (mean, class) } else { likeliest };
        }
        assert_eq!(found["prediction"], likeliest.1);
    }
    let text = stdout(&dir.run(&["predict", "idea", "--csv", "new.csv", "--ensemble"]).code(0));
    assert_says(&text, &["idea, ensemble\nmean of the 3 trials of `base`"]);
    let one = dir_with(
        &std::fs::read_to_string(dir.path("idea.toml"))
            .unwrap()
            .replace("table.csv", dir.path("table.csv").to_str().unwrap()),
        &[],
    );
    assert_says(&one.error_message(&["predict", "idea", "--index", "0", "--ensemble"]), &["needs at least two trials"]);
}

#[test]
fn ids_are_carried_through_from_stdin_with_another_separator_to_a_file() {
    let dir = dir_with_seeds("most_frequent");
    let rows = new_rows(";").replace("Atlantis", "Dream");
    let arguments = ["predict", "idea", "--csv", "-", "--separator", ";", "--keep", "tag", "-o", "out.csv"];
    let mut child =
        dir.command(&arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(rows.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let written = std::fs::read_to_string(dir.path("out.csv")).unwrap();
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines[0], "row,tag,prediction,p_Adelie,p_Chinstrap,p_Gentoo,truth");
    let tags: Vec<&str> = lines[1..].iter().map(|line| line.split(',').nth(1).unwrap()).collect();
    assert_eq!(tags, ["007", "008", "010"]);
    dir.write("new.csv", new_rows(",").replace("Atlantis", "Dream"));
    // a kept column that has the name of a column of the output
    dir.write("named.csv", new_rows(",").replace("Atlantis", "Dream").replacen("tag", "row", 1));
    let keep = ["predict", "idea", "--csv", "named.csv", "--keep", "row,island", "--keep", "row", "--format", "csv"];
    assert!(stdout(&dir.run(&keep).code(0)).starts_with("row,input_row,island,prediction,"));
    assert_says(&stdout(&dir.run(&["predict", "idea", "new.csv", "--keep", "tag"]).code(0)), &["010  "]);
    let message = dir.error_message(&["predict", "idea", "--csv", "new.csv", "--keep", "tagg"]);
    assert_says(&message, &["`new.csv` has no column `tagg` (`--keep`)", "did you mean `tag`?"]);
}

#[test]
fn unknown_categories_are_errors_missing_or_ignored_as_asked() {
    let dir = dir_with_seeds("most_frequent");
    dir.write("new.csv", new_rows(","));
    let message = dir.error_message(&["predict", "idea", "--csv", "new.csv"]);
    assert_says(&message, &["`Atlantis` in row 2 (line 3), column `island`"]);
    let of = |policy: &str| predictions(&dir, &["idea", "--csv", "new.csv", "--unknown", policy]);
    let (missing, ignored) = (of("missing"), of("ignore"));
    dir.write("new.csv", new_rows(",").replace("Atlantis", ""));
    assert_eq!(missing, predictions(&dir, &["idea", "--csv", "new.csv"]), "it is filled in as a missing value");
    assert_ne!(missing[1]["probabilities"], ignored[1]["probabilities"]);
    assert_eq!((&missing[0], &missing[2]), (&ignored[0], &ignored[2]));

    let dir = dir_with_seeds("drop");
    dir.write("new.csv", new_rows(","));
    let rows = predictions(&dir, &["idea", "--csv", "new.csv", "--unknown", "missing"]);
    assert_eq!(rows.iter().map(|row| &row["row"]).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn a_later_table_is_evaluated_with_its_unknown_categories_and_training_rows_are_named() {
    let dir = dir_with_seeds("most_frequent");
    dir.write("later.csv", new_rows(",").replace("46.5,", "46.57,")); // else it is a row of the table
    let message = dir.error_message(&["eval", "idea", "--data", "later.csv"]);
    assert_says(&message, &["`Atlantis` in row 2 (line 3), column `island`", "`--unknown ignore`"]);
    let run = dir.run(&["eval", "idea", "--data", "later.csv", "--unknown", "ignore"]).code(0);
    assert_says(&stdout(&run), &["3 rows of `later.csv`"]);
    assert!(!stderr(&run).contains("training rows"), "{}", stderr(&run));
    assert_says(
        &dir.error_message(&["eval", "idea", "--unknown", "ignore"]),
        &["`--unknown` is for the rows of a file", "runner eval idea FILE"],
    );

    let run = dir.run(&["eval", "idea", "--data", "table.csv"]).code(0);
    assert_says(&stderr(&run), &["rows of `table.csv` are training rows of the run"]);
    assert_eq!(stderr(&run).matches("are training rows").count(), 1, "once for all trials");
}
