//! `reproduce`: a run trained again comes out the same to the last bit, and what does not is found, with its cause.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Place, assert_says, idea_with, stdout};

/// What is found of a run that is made again, with this exit code.
#[track_caller]
fn reproduced(place: &Place, arguments: &[&str], code: i32) -> Value {
    let all = [&["reproduce", "--json", "--quiet"], arguments].concat();
    serde_json::from_str(&stdout(&place.run(&all).code(code))).unwrap()
}

/// A run of this experiment comes out the same, all of it, and leaves nothing behind.
#[track_caller]
fn assert_reproduces(place: &Place, experiment: &str, kept: &str) -> Value {
    let before = place.files();
    let found = reproduced(place, &[experiment], 0);
    assert_eq!(found["identical"], true, "{found}");
    for trial in found["trials"].as_array().unwrap() {
        assert_eq!(
            (&trial["identical"], &trial["weights"]["are"]),
            (&Value::from(true), &Value::from(kept)),
            "{trial}"
        );
        assert!(trial["epochs"].as_u64().unwrap() > 0, "{trial}");
    }
    assert_eq!(found["otherwise"], serde_json::json!([]));
    assert_eq!(place.files(), before, "the new run is not kept");
    found
}

const DROPOUT: &str = r#"title = "Dropout and batch normalization"
seeds = [3, 1, 2]

[data.digits]
split = { test = 0.2, validation = 0.2 }

[network]
layers = [{ linear = 16 }, { batch_norm = {} }, "relu", { dropout = 0.5 }, { linear = 10 }]

[train]
epochs = 3
batch = 64
loss = "cross_entropy"
optimizer = "adam"

[[variants]]
name = "slow"

[[variants]]
name = "fast"
set = { "train.optimizer" = { adam = { lr = 0.01 } } }
"#;

#[test]
fn a_small_network_and_one_with_dropout_and_variants_come_out_the_same() {
    let place = Place::with_idea();
    place.exp(&["idea.toml"]);
    assert_eq!(assert_reproduces(&place, "idea", "identical")["trials"].as_array().unwrap().len(), 1);
    place.write("dropout.toml", DROPOUT);
    place.exp(&["dropout.toml", "--stack", "2"]);
    let found = assert_reproduces(&place, "dropout", "identical");
    assert_eq!(found["trials"].as_array().unwrap().len(), 6);
}

#[test]
fn a_lone_trial_of_a_run_comes_out_as_in_its_stack() {
    let place = Place::new();
    place.write("dropout.toml", DROPOUT);
    place.exp(&["dropout.toml", "--stack", "2"]);
    let found = assert_reproduces(&place, "runs/dropout/latest/fast-seed1.json", "identical");
    assert_eq!(found["trials"][0]["trial"], "fast-seed1");
    assert_eq!(found["trials"].as_array().unwrap().len(), 1);
}

#[test]
fn folds_and_trees_come_out_the_same() {
    let place = Place::new();
    let folds = "[data.digits]\nsplit = { folds = 5, stratify = true, random_state = 0 }";
    place.write("folds.toml", idea_with("[data.digits]", folds));
    place.exp(&["folds.toml"]);
    let found = assert_reproduces(&place, "folds", "identical");
    assert_eq!(found["trials"].as_array().unwrap().len(), 5);
    place.write("tree.toml", "title = \"t\"\nseeds = [0, 1]\n[data.digits]\nsplit = { test = 0.2 }\n[tree]\n");
    place.exp(&["tree.toml"]);
    assert_reproduces(&place, "tree", "identical");
}

#[test]
fn a_run_of_an_earlier_version_is_made_again_by_its_histories() {
    let place = Place::new();
    place.write("dropout.toml", DROPOUT);
    place.exp(&["dropout.toml", "--stack", "2"]);
    for file in ["run.json", "experiment.toml"] {
        std::fs::remove_file(place.path(&format!("runs/dropout/latest/{file}"))).unwrap();
    }
    let found = reproduced(&place, &["runs/dropout/latest"], 0);
    assert_eq!((&found["identical"], found["trials"].as_array().unwrap().len()), (&Value::from(true), 6), "{found}");
}

#[test]
fn threads_that_share_a_batch_are_named_where_they_make_a_difference() {
    let place = Place::new();
    let wide = idea_with("{ linear = 16 }", "{ linear = 512 }, \"relu\", { linear = 512 }");
    place.write("wide.toml", wide.replace("epochs = 2", "epochs = 1"));
    place.exp(&["wide.toml", "--threads", "1"]);
    assert_reproduces(&place, "wide", "identical");
    let found = reproduced(&place, &["wide", "--threads", "2"], 1);
    assert_eq!(found["otherwise"], serde_json::json!([{ "what": "threads", "then": "1", "now": "2" }]));
    let trial = &found["trials"][0];
    assert_eq!((&trial["first"]["epoch"], &trial["weights"]["are"]), (&Value::from(1), &Value::from("different")));
    assert!(trial["largest"]["relative"].as_f64().unwrap() < 1e-5, "it is rounding: {trial}");

    let said = stdout(&place.run(&["reproduce", "wide", "--threads", "2"]).code(1));
    assert_says(&said, &["base-seed0: different from epoch 1 of 1", "may be the cause:\n  threads 1 then, 2 now"]);
}

#[test]
fn threads_that_make_no_difference_are_told_as_well() {
    let place = Place::with_idea();
    place.exp(&["idea.toml", "--threads", "1"]);
    let said = stdout(&place.run(&["reproduce", "idea", "--threads", "2"]).code(0));
    assert_says(&said, &["base-seed0: identical, 2 epochs", "the same, although", "threads 1 then, 2 now"]);
}

#[test]
fn a_figure_that_was_edited_is_found_in_its_epoch() {
    let place = Place::with_idea();
    let run = place.exp(&["idea.toml", "--epochs", "5", "--seeds", "0..1"]);
    let file = place.path("runs/idea/latest/base-seed1.json");
    let loss = &run["histories"][1]["history"]["loss"];
    let edited = loss[3].as_f64().unwrap().next_up();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(&loss[3].to_string()), "{text}");
    std::fs::write(&file, text.replacen(&loss[3].to_string(), &edited.to_string(), 1)).unwrap();

    let found = reproduced(&place, &["idea"], 1);
    let (first, second) = (&found["trials"][0], &found["trials"][1]);
    assert_eq!((&first["identical"], &second["identical"]), (&Value::from(true), &Value::from(false)));
    assert_eq!((&second["first"]["epoch"], &second["first"]["metric"]), (&Value::from(4), &Value::from("loss")));
    assert_eq!((&second["first"]["then"], &second["first"]["now"]), (&Value::from(edited), &loss[3]));
    assert_eq!(second["weights"]["are"], "identical");
    assert_eq!(found["otherwise"], serde_json::json!([]));
    let said = stdout(&place.run(&["reproduce", "idea"]).code(1));
    assert_says(
        &said,
        &["base-seed0: identical", "base-seed1: different from epoch 4 of 5", "nothing that the histories"],
    );
}

#[test]
fn other_data_are_named() {
    let table = |last: &str| format!("x,y\n1,0\n2,1\n3,0\n4,1\n5,0\n{last},1\n");
    let place = Place::new();
    place.write("table.csv", table("6"));
    let csv = "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\ntask = \"classes\"";
    place.write("table.toml", idea_with("[data.digits]", csv).replace("linear = 10", "linear = 2"));
    place.exp(&["table.toml"]);
    assert_reproduces(&place, "table", "identical");
    place.write("table.csv", table("7"));
    let found = reproduced(&place, &["table"], 1);
    assert_eq!(found["otherwise"].as_array().unwrap().len(), 1, "{found}");
    assert!(found["otherwise"][0]["what"].as_str().unwrap().contains("checksum of the data"), "{found}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_made_again_as_far_as_it_went() {
    let place = Place::new();
    place.write("idea.toml", idea_with("epochs = 2", "epochs = 100000\nschedule = { cosine = {} }"));
    let mut child = place
        .command(&["exp", "idea.toml", "--device", "cpu"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(talk.any(|line| line.trim_start_matches("epoch").trim_start().starts_with("4/")));
    crate::support::send(&child, libc::SIGINT);
    talk.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let found = assert_reproduces(&place, "idea", "identical");
    let text = std::fs::read(place.path("runs/idea/latest/base-seed0.json")).unwrap();
    let history: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(found["trials"][0]["epochs"], history["history"]["epoch"].as_array().unwrap().len());
}

#[test]
fn weights_that_are_gone_are_said_and_a_kept_run_is_one_like_others() {
    let place = Place::with_idea();
    place.exp(&["idea.toml"]);
    std::fs::remove_file(place.path("runs/idea/latest/base-seed0.safetensors")).unwrap();
    let found = reproduced(&place, &["idea"], 2);
    let trial = &found["trials"][0];
    assert_eq!((&found["identical"], &trial["identical"]), (&Value::Null, &Value::Null), "{found}");
    assert_eq!((&trial["weights"]["are"], &trial["first"]), (&Value::from("missing"), &Value::Null));
    let said = stdout(&place.run(&["reproduce", "idea", "--keep", "again"]).code(2));
    let words = ["base-seed0: metrics identical, 2 epochs", "its weights were not compared", "the new run is kept in"];
    assert_says(&said.replace('\n', " ").replace("  ", " "), &words);
    place.run(&["eval", "idea", "--out", "again", "--data", "train"]).code(0);
    assert_eq!(stdout(&place.run(&["reproduce", "idea", "--quiet"]).code(2)), "");
}

#[test]
fn what_cannot_be_made_again_is_refused() {
    let place = Place::with_idea();
    assert_says(&place.refusal(&["reproduce", "idea"]), &["no run of `idea`", "hint: "]);
    place.exp(&["idea.toml"]);
    assert_says(&place.refusal(&["reproduce", "idea", "--threads", "0"]), &["--threads"]);
    let record = place.path("runs/idea/latest/run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, &text[..text.len() / 2]).unwrap();
    assert_says(&place.refusal(&["reproduce", "idea"]), &["run.json", "damaged"]);
    std::fs::write(&record, text.replace("\"device\": \"cpu\"", "\"device\": \"cuda:7\"")).unwrap();
    assert_says(&place.refusal(&["reproduce", "idea"]), &["cuda:7", "`--device cpu`"]);
    let found = reproduced(&place, &["idea", "--device", "cpu"], 0);
    assert_eq!(found["identical"], true);
}
