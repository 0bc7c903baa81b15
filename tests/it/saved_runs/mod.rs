//! `eval` and `predict`: what a run left is enough to have its networks again, with their figures.

use std::path::PathBuf;

use runner::data::Loaded;
use runner::data::prepare::prepared::Prepared;
use runner::data::source::{DataSpec, idx};
use runner::data::split::Split;
use serde_json::{Value, json};
use tch::Kind;

use crate::support::{Place, assert_says, stderr, stdout};

/// What a command prints as JSON.
#[track_caller]
fn printed(place: &Place, arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&place.run(arguments).code(0))).unwrap()
}

/// The trials of an evaluation.
#[track_caller]
fn evaluated(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let all = [&["eval", "--json", "--device", "cpu"], arguments].concat();
    printed(place, &all)["trials"].as_array().unwrap().clone()
}

/// The predictions of a network.
#[track_caller]
fn predicted(place: &Place, arguments: &[&str]) -> Vec<Value> {
    printed(place, &[&["predict", "--json"], arguments].concat())["predictions"].as_array().unwrap().clone()
}

/// Two numbers are the same but for rounding.
#[track_caller]
fn assert_near(found: &Value, wanted: &Value) {
    let (a, b) = (found.as_f64().unwrap(), wanted.as_f64().unwrap());
    assert!((a - b).abs() <= 1e-6 + 1e-5 * b.abs(), "{found} is not {wanted}");
}

/// Each figure that was taken anew is that of the history.
#[track_caller]
fn assert_as_in_the_history(trial: &Value) {
    assert_eq!(trial["same"], true, "{trial}");
    for (name, stated) in trial["history"].as_object().unwrap() {
        assert_near(&trial["figures"][name], stated);
    }
}

/// A file in the newest run of an experiment.
fn file(place: &Place, experiment: &str, name: &str) -> PathBuf {
    place.path(&format!("runs/{experiment}/latest/{name}"))
}

fn experiment(data: &str, layers: &str, train: &str) -> String {
    format!(
        "title = \"An idea\"\n{data}\n[network]\nlayers = {layers}\n[train]\nbatch = 64\noptimizer = \"adam\"\n{train}\n"
    )
}

const DIGITS: &str =
    "[data.digits]\nscale = \"unit\"\nsplit = { test = 0.2, validation = 0.2, random_state = 1, stratify = true }";
const CLASSIFY: &str = "epochs = 3\nloss = \"cross_entropy\"";

/// A place with a run of `idea` in it.
fn place_with(text: &str, arguments: &[&str]) -> Place {
    let place = Place::new();
    place.write("idea.toml", text);
    place.exp(&[&["idea.toml"], arguments].concat());
    place
}

fn place_with_digits() -> Place {
    place_with(&experiment(DIGITS, "[{ linear = 16 }, \"relu\", { linear = 10 }]", CLASSIFY), &[])
}

// eval

#[test]
fn a_fresh_network_with_the_saved_weights_has_the_test_figures_of_the_history() {
    let images = DIGITS.replace("scale", "flatten = false\nscale");
    let convolutions = r#"[{ conv2d = { channels = 4, kernel = 3, padding = 1 } }, { batch_norm = {} }, "relu",
        { max_pool2d = 2 }, "flatten", { dropout = 0.2 }, { linear = 10 }]"#;
    let normalized = r#"[{ linear = 16 }, { layer_norm = {} }, "tanh", { linear = 10 }]"#;
    for (data, layers) in
        [(DIGITS, "[{ linear = 16 }, \"relu\", { linear = 10 }]"), (&images, convolutions), (DIGITS, normalized)]
    {
        for keep in ["best", "last"] {
            let train = format!("{CLASSIFY}\nkeep = \"{keep}\"\nmetrics = [\"acc\", \"f1\", {{ top_k = 3 }}]");
            let place = place_with(&experiment(data, layers, &train), &["--seeds", "0..1"]);
            let trials = evaluated(&place, &["idea"]);
            assert_eq!(trials.iter().map(|trial| &trial["trial"]).collect::<Vec<_>>(), ["base-seed0", "base-seed1"]);
            trials.iter().for_each(assert_as_in_the_history);
            let names: Vec<&String> = trials[0]["figures"].as_object().unwrap().keys().collect();
            assert_eq!(names, ["loss", "acc", "f1", "top_3", "mcc", "balanced_acc"]);
            assert_ne!(trials[0]["figures"]["loss"], trials[1]["figures"]["loss"]);
            evaluated(&place, &["idea", "--data", "validation"]).iter().for_each(assert_as_in_the_history);
        }
    }
}

#[test]
fn what_is_evaluated_is_told_beside_the_history_in_80_columns() {
    let place = place_with_digits();
    let told = stdout(&place.run(&["eval", "idea", "--device", "cpu"]).code(0));
    assert_says(
        &told,
        &["idea, trial base-seed0: 1,210 parameters", "digits: 360 test rows", "figure        evaluated  history"],
    );
    assert_says(&told, &["test figures as in the history"]);
    let told = stdout(&place.run(&["eval", "idea", "--data", "train"]).code(0));
    assert_says(&told, &["digits: 1,149 training rows", "nothing to compare with"]);
    place.exp(&["idea.toml", "--seeds", "0..1"]);
    let told = stdout(&place.run(&["eval", "idea"]).code(0));
    assert_says(&told, &["idea: 2 trials", "the same", "mean of 2", "± std", "test figures as in the histories"]);
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
}

#[test]
fn two_classes_have_a_report_curves_and_areas_in_the_history_and_when_evaluated() {
    let data = DIGITS.replace("digits", "breast_cancer").replace("unit", "standard");
    let train = "epochs = 3\nloss = \"bce_with_logits\"\nmetrics = [\"ap\", \"acc\"]\nmonitor = \"val_ap\"";
    let expected = "[[expect]]\nvalue = \"test.report.classes.1.recall\"\nat_least = 0.01\n\
                    [[expect]]\nvalue = \"test.confusion.0.1\"\nat_least = 1000";
    let text = format!("{}{expected}\n", experiment(&data, "[{ linear = 8 }, \"relu\", { linear = 1 }]", train));
    let place = Place::new();
    place.write("idea.toml", text);
    let told = stdout(&place.run(&["exp", "idea.toml", "--device", "cpu"]).code(0));
    let report = ["precision    recall  f1-score   support", "   macro avg  ", "share of the true class"];
    assert_says(&told, &report);
    assert_says(
        &told,
        &["test mcc ", "test roc_auc ", "✓ test.report.classes.1.recall", "✗ test.confusion.0.1 ≥ 1000"],
    );
    assert_eq!(told.matches("test ap ").count(), 1, "{told}");
    let fits = |text: &str| text.lines().filter(|line| !line.starts_with(['✓', '✗'])).all(|l| l.chars().count() <= 80);
    assert!(fits(&told), "{told}");
    let history: Value =
        serde_json::from_str(&std::fs::read_to_string(file(&place, "idea", "base-seed0.json")).unwrap()).unwrap();
    let test = &history["test"];
    let rows = history["data"]["rows"]["test"].as_f64().unwrap();
    let support = |class: usize| test["report"]["classes"][class]["support"].as_f64().unwrap();
    assert_eq!((support(0) + support(1), test["positives"].as_f64()), (rows, Some(support(1) / rows)));
    assert_eq!(history["best"]["monitor"], "val_ap");
    let curve = |name: &str, list: &str| -> Vec<f64> {
        let list = test[name][list].as_array().unwrap();
        list.iter().map(|number| number.as_f64().unwrap_or(f64::INFINITY)).collect()
    };
    let (fpr, tpr) = (curve("roc", "fpr"), curve("roc", "tpr"));
    let area: f64 = (1..fpr.len()).map(|at| (fpr[at] - fpr[at - 1]) * (tpr[at] + tpr[at - 1]) / 2.0).sum();
    assert!((area - test["roc_auc"].as_f64().unwrap()).abs() < 1e-12);
    let (precision, recall) = (curve("precision_recall", "precision"), curve("precision_recall", "recall"));
    let steps: f64 = (1..recall.len()).map(|at| (recall[at - 1] - recall[at]) * precision[at - 1]).sum();
    assert!((steps - test["ap"].as_f64().unwrap()).abs() < 1e-12);
    let thresholds = curve("precision_recall", "threshold");
    assert!(thresholds[..thresholds.len() - 1].iter().all(|p| (0.0..=1.0).contains(p)), "they are probabilities");

    let trials = evaluated(&place, &["idea", "--strict"]);
    trials.iter().for_each(assert_as_in_the_history);
    for part in ["confusion", "report", "positives", "roc", "precision_recall"] {
        assert_eq!(trials[0][part], test[part], "{part}");
    }
    assert_eq!(trials[0]["threshold"], Value::Null);
    let told = stdout(&place.run(&["eval", "idea", "--device", "cpu"]).code(0));
    assert_says(&told, &report);
    assert!(fits(&told), "{told}");
}

#[test]
fn a_history_without_a_report_still_reads() {
    let place = place_with_digits();
    let path = file(&place, "idea", "base-seed0.json");
    let mut history: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for later in ["report", "mcc", "balanced_acc"] {
        assert!(history["test"].as_object_mut().unwrap().remove(later).is_some(), "{later}");
    }
    std::fs::write(&path, history.to_string()).unwrap();
    assert_says(&stdout(&place.run(&["eval", "idea", "--strict"]).code(0)), &["test figures as in the history"]);
}

#[test]
fn weights_of_another_trial_are_seen_by_their_figures() {
    let place = place_with(&experiment(DIGITS, "[{ linear = 10 }]", CLASSIFY), &["--seeds", "0..1"]);
    let weights = |seed: u8| file(&place, "idea", &format!("base-seed{seed}.safetensors"));
    std::fs::copy(weights(1), weights(0)).unwrap();
    let trials = evaluated(&place, &["idea"]);
    assert_eq!((&trials[0]["same"], &trials[1]["same"]), (&json!(false), &json!(true)));
    let told = stdout(&place.run(&["eval", "idea"]).code(0));
    assert_says(&told, &["differs", "the same", "test figures differ from the histories in base-seed0"]);
    let lone = stdout(&place.run(&["eval", weights(0).to_str().unwrap()]).code(0));
    assert_says(&lone, &["test figures differ from the history: loss by"]);
    assert!(!lone.contains("were taken on"), "{lone}");
    let history = file(&place, "idea", "base-seed0.json");
    let text = std::fs::read_to_string(&history).unwrap();
    std::fs::write(&history, text.replace("\"device\": \"cpu\"", "\"device\": \"cuda:0\"")).unwrap();
    let lone = stdout(&place.run(&["eval", weights(0).to_str().unwrap(), "--device", "cpu"]).code(0));
    assert_says(&lone.replace('\n', " "), &["these were taken on cpu, and", "on cuda:0)"]);
}

#[test]
fn variants_are_rebuilt_with_their_own_settings_and_in_their_order() {
    let text = experiment(DIGITS, "[{ linear = 16 }, \"relu\", { linear = 10 }]", CLASSIFY)
        + "[[variants]]\nname = \"wide\"\nset = { \"network.layers.0.linear.units\" = 32 }\n[[variants]]\nname = \"narrow\"\nset = { \"data.digits.scale\" = \"standard\" }\n";
    let place = place_with(&text, &["--seeds", "3,1"]);
    let trials = evaluated(&place, &["idea"]);
    let stems: Vec<&Value> = trials.iter().map(|trial| &trial["trial"]).collect();
    assert_eq!(stems, ["wide-seed3", "wide-seed1", "narrow-seed3", "narrow-seed1"]);
    trials.iter().for_each(assert_as_in_the_history);
    let first = stdout(&place.run(&["predict", "idea", "--index", "0"]).code(0));
    assert_says(&first, &["idea, trial wide-seed3\nthe first of 4 trials: `--trial NAME` takes another"]);
    let chosen = printed(&place, &["predict", "idea", "--index", "0", "--trial", "narrow-seed1", "--json"]);
    assert_eq!(chosen["trial"], "narrow-seed1");
}

#[test]
fn each_fold_is_evaluated_on_its_own_validation_rows() {
    let data = "[data.digits]\nscale = \"standard\"\nsplit = { folds = 3, random_state = 5 }";
    let place = place_with(&experiment(data, "[{ linear = 10 }]", CLASSIFY), &[]);
    let trials = evaluated(&place, &["idea", "--data", "validation"]);
    assert_eq!(trials.iter().map(|trial| &trial["fold"]).collect::<Vec<_>>(), [&json!(0), &json!(1), &json!(2)]);
    trials.iter().for_each(assert_as_in_the_history);
    let truths = |fold: usize| -> Vec<i64> {
        let (loaded, split) = loaded(json!({ "digits": { "split": { "folds": 3, "random_state": 5 } } }));
        let (_, parts) = &split.fold_parts(loaded.rows.len(), None, &[]).unwrap()[fold];
        let numbers = &parts.validation.as_ref().unwrap()[..4];
        numbers.iter().map(|&number| loaded.rows.targets.int64_value(&[number as i64])).collect()
    };
    for fold in [0, 2] {
        let stem = format!("base-seed0-fold{fold}");
        let of_row = |row: usize| {
            predicted(&place, &["idea", "--trial", &stem, "--rows", "validation", "--index", &row.to_string()])
        };
        let found: Vec<String> = (0..4).map(|row| of_row(row)[0]["truth"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found, truths(fold).iter().map(i64::to_string).collect::<Vec<_>>());
    }
    let refused = place.refusal(&["eval", "idea", "--data", "test"]);
    assert_says(&refused, &["the run has no test rows", "`--data train`, `--data validation`"]);
    assert_eq!(refused.matches("no test rows").count(), 1, "{refused}");
    assert_eq!(printed(&place, &["eval", "idea", "--json"])["data"], "validation");
    let told = stdout(&place.run(&["eval", "idea"]).code(0));
    assert_says(&told, &["idea: 3 trials\ndigits: 599 validation rows, since the run has no test rows\n"]);
    assert_says(&told, &["validation figures as in the histories"]);
    let refused = place.refusal(&["predict", "idea", "--index", "0"]);
    assert_says(&refused, &["the run has no test rows", "`--rows validation`"]);
}

/// A data set by its settings, and how it is split.
fn loaded(spec: Value) -> (Loaded, Split) {
    let spec: DataSpec = serde_json::from_value(spec).unwrap();
    let cache = runner::data::store::cache::Cache::at("/nowhere");
    let loaded = spec.load(&cache, &mut ()).unwrap();
    (loaded, spec.split())
}

#[test]
fn a_run_is_found_by_its_experiment_its_folder_and_each_of_its_files() {
    let place = place_with_digits();
    let older = std::fs::read_link(place.path("runs/idea/latest")).unwrap();
    // two runs of the same second would be told apart by their settings alone
    std::fs::rename(place.path("runs/idea").join(older), place.path("runs/idea/2020-01-01T000000Z-aaaaaa")).unwrap();
    let older = "runs/idea/2020-01-01T000000Z-aaaaaa";
    place.exp(&["idea.toml", "--seed", "5"]);
    let seed = |named: &str| evaluated(&place, &[named])[0]["seed"].clone();
    for (named, wanted) in [
        ("idea", 5),
        ("runs/idea", 5),
        ("runs/idea/latest", 5),
        ("runs/idea/latest/", 5),
        ("runs/idea/latest/base-seed5.json", 5),
        ("runs/idea/latest/base-seed5.safetensors", 5),
        (older, 0),
    ] {
        assert_eq!(seed(named), wanted, "{named}");
    }
    std::fs::remove_file(place.path("runs/idea/latest")).unwrap(); // as where links cannot be made
    assert_eq!(seed("idea"), 5);
    std::fs::rename(place.path("runs"), place.path("elsewhere")).unwrap();
    assert_says(&place.refusal(&["eval", "idea"]), &["there is no run of `idea` in `runs`", "runner exp"]);
    assert_eq!(evaluated(&place, &["idea", "--out", "elsewhere"]).len(), 1);
    place.write("elsewhere/notes/other.json", "{}");
    assert_says(&place.refusal(&["eval", "elsewhere"]), &["there is no history in `elsewhere`", "`idea`"]);
    assert_says(&place.refusal(&["eval", "ideas", "--out", "elsewhere"]), &["did you mean `idea`?"]);
}

#[test]
fn other_json_beside_the_histories_is_passed_over_and_a_damaged_history_is_not() {
    let place = place_with_digits();
    std::fs::write(file(&place, "idea", "notes.json"), "{ \"schema\": \"mine\" }").unwrap();
    std::fs::write(file(&place, "idea", "list.json"), "[1, 2]").unwrap();
    assert_eq!(evaluated(&place, &["idea"]).len(), 1);
    let refused = place.refusal(&["eval", file(&place, "idea", "notes.json").to_str().unwrap()]);
    assert_says(&refused, &["is a `mine`, and this version reads `runner.history/1`"]);
    let refused = place.refusal(&["eval", file(&place, "idea", "list.json").to_str().unwrap()]);
    assert_says(&refused, &["is no history: it names no `schema`"]);
    let history = std::fs::read_to_string(file(&place, "idea", "base-seed0.json")).unwrap();
    let start = history.find("\"best\": {").unwrap();
    let best = start + history[start..].find("\"epoch\": ").unwrap() + 9;
    let beyond = format!("{}77{}", &history[..best], &history[best..]);
    for (text, words) in [
        ("{ \"schema\": \"runner.history/2\" }", ["`runner.history/2`", "another version of runner"]),
        ("{ \"schema\": \"runner.hist", ["base-seed1.json` as JSON", "damaged or cut short"]),
        ("", ["base-seed1.json` as JSON", "damaged or cut short"]),
        ("{ \"schema\": \"runner.history/1\" }", ["base-seed1.json` as a history", "missing field"]),
        (&beyond, ["base-seed1.json` names epoch 77", "none of its epochs"]),
    ] {
        let damaged = file(&place, "idea", "base-seed1.json");
        std::fs::write(&damaged, text).unwrap();
        let others = place.run(&["eval", "idea"]).code(2);
        assert_says(&stderr(&others), &words);
        assert_says(&stdout(&others), &["trial base-seed0", "test figures as in the history"]);
        assert_says(&place.refusal(&["eval", damaged.to_str().unwrap()]), &words);
        let predicted = place.run(&["predict", "idea", "--index", "0"]).code(0);
        assert_says(&stderr(&predicted), &["warning: a trial was passed over: ", words[0]]);
        let chosen = place.refusal(&["predict", "idea", "--index", "0", "--trial", "base-seed1"]);
        assert_says(&chosen, &[words[0], "`--trial NAME`"]);
    }
    std::fs::remove_file(file(&place, "idea", "base-seed0.json")).unwrap();
    assert_says(&place.refusal(&["eval", "idea"]), &["names epoch 77"]);
}

#[test]
fn a_trial_that_cannot_be_evaluated_keeps_no_other_from_it() {
    let place = place_with(&experiment(DIGITS, "[{ linear = 10 }]", CLASSIFY), &["--seeds", "0..3"]);
    let weights = |seed: u8| file(&place, "idea", &format!("base-seed{seed}.safetensors"));
    std::fs::remove_file(weights(0)).unwrap();
    std::fs::write(weights(1), "").unwrap();
    let run = place.run(&["eval", "idea"]).code(2);
    let (told, said) = (stdout(&run), stderr(&run));
    for (stem, end) in
        [("base-seed0", "failed"), ("base-seed1", "failed"), ("base-seed2", "the same"), ("base-seed3", "the same")]
    {
        assert!(told.lines().any(|line| line.starts_with(stem) && line.ends_with(end)), "{told}");
    }
    assert_says(&told, &["mean of 2", "test figures as in the histories"]);
    assert_says(&said, &["error: failed to evaluate `base-seed0`\n", "the weights of `base-seed0` are missing"]);
    assert_says(&said, &["error: failed to evaluate `base-seed1`\n", "failed to load the weights of `base-seed1`"]);
    let json: Value = serde_json::from_str(&stdout(&place.run(&["eval", "idea", "--json"]).code(2))).unwrap();
    assert!(json["trials"][0]["error"].as_str().unwrap().contains("are missing"), "{json}");
    assert_as_in_the_history(&json["trials"][3]);
    assert_says(&place.refusal(&["eval", "idea", "--data", "tset.csv"]), &["`tset.csv`"]);
    [2, 3].iter().for_each(|&seed| std::fs::remove_file(weights(seed)).unwrap());
    assert_says(&place.refusal(&["eval", "idea"]), &["`base-seed0` are missing", "`base-seed3` are missing"]);
}

#[test]
fn strict_exits_with_1_when_figures_differ_from_the_history() {
    let place = place_with(&experiment(DIGITS, "[{ linear = 10 }]", CLASSIFY), &["--seeds", "0..2"]);
    let weights = |seed: u8| file(&place, "idea", &format!("base-seed{seed}.safetensors"));
    place.run(&["eval", "idea", "--strict"]).code(0);
    std::fs::copy(weights(1), weights(0)).unwrap();
    place.run(&["eval", "idea"]).code(0);
    for arguments in [&["--strict"][..], &["--strict", "--json"], &["--strict", "--data", "validation"]] {
        place.run(&[&["eval", "idea"], arguments].concat()).code(1);
    }
    place.run(&["eval", weights(1).to_str().unwrap(), "--strict"]).code(0);
    std::fs::remove_file(weights(2)).unwrap();
    place.run(&["eval", "idea", "--strict"]).code(2);
    for rows in ["train", "more.csv"] {
        let refused = place.refusal(&["eval", "idea", "--strict", "--data", rows]);
        assert_says(&refused, &["`--strict` has nothing to compare with", "test and validation rows"]);
    }
}

#[test]
fn a_history_without_test_figures_is_told_and_only_an_interruption_is_a_reason() {
    let place = place_with_digits();
    let path = file(&place, "idea", "base-seed0.json");
    let mut history: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    history["test"] = Value::Null;
    for (status, words) in [
        ("early_stopped", "the history has no figures on test rows\n"),
        ("interrupted", "the history has no figures on test rows: the trial was interrupted\n"),
    ] {
        history["status"] = json!(status);
        std::fs::write(&path, history.to_string()).unwrap();
        assert_says(&stdout(&place.run(&["eval", "idea"]).code(0)), &[words]);
    }
}

#[test]
fn a_history_of_a_fold_that_is_not_made_is_refused_by_its_name() {
    let place = place_with_digits();
    let path = file(&place, "idea", "base-seed0.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"fold\": null"));
    std::fs::write(&path, text.replace("\"fold\": null", "\"fold\": 3")).unwrap();
    for command in [&["eval", "idea"][..], &["predict", "idea", "--index", "0"]] {
        assert_says(&place.refusal(command), &["base-seed0.json`", "there is no fold 3: the split makes none"]);
    }
}

#[test]
fn a_folder_that_is_no_run_is_not_said_to_go_on() {
    let place = Place::with_idea();
    let refused = place.refusal(&["eval", "."]);
    assert_says(&refused, &["there is no history in `.`", "a run is named by its folder"]);
    assert!(!refused.contains("go on"), "{refused}");
    place.write("begun/experiment.toml", "");
    assert_says(&place.refusal(&["eval", "begun"]), &["the run may still go on"]);
}

#[test]
fn weights_that_are_missing_cut_short_or_of_another_network_are_refused() {
    let place = place_with_digits();
    let (weights, history) = (file(&place, "idea", "base-seed0.safetensors"), file(&place, "idea", "base-seed0.json"));
    let whole = std::fs::read(&weights).unwrap();
    for bytes in [&whole[..whole.len() / 2], &whole[..4], b"", b"no weights at all"] {
        std::fs::write(&weights, bytes).unwrap();
        let refused = place.refusal(&["eval", "idea"]);
        assert_says(&refused, &["failed to load the weights of `base-seed0`", "base-seed0.safetensors", "damaged"]);
    }
    std::fs::remove_file(&weights).unwrap();
    for command in [&["eval", "idea"][..], &["predict", "idea", "--index", "0"]] {
        assert_says(
            &place.refusal(command),
            &["the weights of `base-seed0` are missing", "keep it beside its history"],
        );
    }
    assert_says(&place.refusal(&["eval", weights.to_str().unwrap()]), &["there is no file"]);
    place.write("wider.toml", experiment(DIGITS, "[{ linear = 17 }, \"relu\", { linear = 10 }]", CLASSIFY));
    place.exp(&["wider.toml"]);
    std::fs::copy(file(&place, "wider", "base-seed0.safetensors"), &weights).unwrap();
    assert_says(&place.refusal(&["eval", "idea"]), &["`0.weight`", "[17, 64]", "[16, 64]", "another network"]);
    std::fs::remove_file(&history).unwrap();
    let refused = place.refusal(&["eval", weights.to_str().unwrap()]);
    assert_says(&refused, &["has no history beside it", "keep both files together"]);
    assert_says(&place.refusal(&["eval", "idea"]), &["the history of trial `base-seed0` is missing"]);
}

#[test]
fn a_diverged_trial_is_refused_alone_and_marked_among_others() {
    let text = experiment(
        "[data.diabetes]\nsplit = { test = 0.2 }",
        "[{ linear = 1 }]",
        "epochs = 5\nloss = \"mse\"\nkeep = \"last\"",
    )
    .replace("optimizer = \"adam\"", "optimizer = { sgd = { lr = 1e-7 } }")
        + "[[variants]]\nname = \"sound\"\n[[variants]]\nname = \"wild\"\nset = { \"train.optimizer.sgd.lr\" = 1e6 }\n";
    let place = place_with(&text, &[]);
    let told = stdout(&place.run(&["eval", "idea"]).code(0));
    assert!(told.lines().any(|line| line.starts_with("wild-seed0") && line.ends_with("diverged")), "{told}");
    assert!(told.lines().any(|line| line.starts_with("sound-seed0") && line.ends_with("the same")), "{told}");
    let wild = file(&place, "idea", "wild-seed0.json");
    assert_says(
        &place.refusal(&["eval", wild.to_str().unwrap()]),
        &["trial `wild-seed0` diverged", "smaller learning rate"],
    );
    assert_says(
        &place.refusal(&["predict", "idea", "--trial", "wild-seed0", "--index", "0"]),
        &["trial `wild-seed0` diverged", "`--trial sound-seed0`"],
    );
}

#[test]
fn the_first_trial_that_did_not_diverge_predicts() {
    let text = experiment("[data.diabetes]\nsplit = { test = 0.2 }", "[{ linear = 1 }]", "epochs = 5\nloss = \"mse\"")
        .replace("optimizer = \"adam\"", "optimizer = { sgd = { lr = 1e6 } }")
        + "[[variants]]\nname = \"wild\"\n[[variants]]\nname = \"sound\"\nset = { \"train.optimizer.sgd.lr\" = 1e-7 }\n";
    let place = place_with(&text, &[]);
    let told = stdout(&place.run(&["predict", "idea", "--index", "0"]).code(0));
    let first = "the first that did not diverge, of 2 trials: `--trial NAME` takes another";
    assert_says(&told, &["idea, trial sound-seed0\n", first]);
    std::fs::remove_file(file(&place, "idea", "sound-seed0.json")).unwrap();
    assert_says(&place.refusal(&["predict", "idea", "--index", "0"]), &["trial `wild-seed0` diverged"]);
}

#[test]
fn settings_that_this_version_does_not_know_are_told() {
    let place = place_with_digits();
    let path = file(&place, "idea", "base-seed0.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"shuffle\": true"));
    std::fs::write(&path, text.replace("\"shuffle\": true", "\"shuffle\": true, \"shake\": 1")).unwrap();
    assert_says(&place.refusal(&["eval", "idea"]), &["failed to rebuild the network of `base-seed0`", "`shake`"]);
    assert!(text.contains("\"relu\""));
    let at = text.rfind("\"relu\"").unwrap(); // in the settings, which come after the layers' table
    std::fs::write(&path, format!("{}\"zzzzzz\"{}", &text[..at], &text[at + 6..])).unwrap();
    let refused = place.refusal(&["eval", "idea"]);
    assert_says(&refused, &["unknown layer `zzzzzz`", "`batch_norm`"]);
    assert_eq!(refused.matches("`batch_norm`").count(), 1, "{refused}");
}

// predict and eval on tables

const PENGUINS: &str = include_str!("../../../src/data/embedded/penguins.csv");

/// Penguins with missing values filled in, categories one-hot and numbers scaled.
const TABLE: &str = "[data.csv]\npath = \"table.csv\"\ntarget = \"species\"\nencode = \"one_hot\"\nmissing = \"most_frequent\"\n\
    scale = \"standard\"\nsplit = { test = 0.25, validation = 0.2, random_state = 3, stratify = true }";

fn place_with_table() -> Place {
    let place = Place::new();
    place.write("table.csv", PENGUINS);
    place.write("idea.toml", experiment(TABLE, "[{ linear = 8 }, \"relu\", { linear = 3 }]", CLASSIFY));
    place.exp(&["idea.toml"]);
    place
}

/// The rows of the table that [`TABLE`] holds out for testing, with columns in another order and one more.
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
fn a_table_with_shuffled_columns_gives_what_the_same_test_rows_give() {
    let place = place_with_table();
    place.write("given.csv", shuffled_test_rows());
    let (own, given) = (evaluated(&place, &["idea"]), evaluated(&place, &["idea", "--data", "given.csv"]));
    assert_as_in_the_history(&own[0]);
    assert_eq!((&own[0]["rows"], &own[0]["confusion"]), (&given[0]["rows"], &given[0]["confusion"]));
    for name in ["loss", "acc"] {
        assert_near(&given[0]["figures"][name], &own[0]["figures"][name]);
    }
    assert_eq!((&given[0]["history"], &given[0]["same"]), (&Value::Null, &Value::Null));

    let rows = predicted(&place, &["idea", "--csv", "given.csv"]);
    assert_eq!(rows.len() as u64, own[0]["rows"].as_u64().unwrap());
    let right = rows.iter().filter(|row| row["right"] == true).count();
    assert_near(&json!(right as f64 / rows.len() as f64), &own[0]["figures"]["acc"]);
    for index in [0, 7, 41, rows.len() - 1] {
        let row = &predicted(&place, &["idea", "--index", &index.to_string()])[0];
        assert_eq!((&rows[index]["row"], &rows[index]["truth"]), (&json!(index + 1), &row["truth"]));
        for species in ["Adelie", "Chinstrap", "Gentoo"] {
            assert_near(&rows[index]["probabilities"][species], &row["probabilities"][species]);
        }
    }
}

#[test]
fn predictions_of_a_table_are_a_table_or_csv_with_a_line_for_each_row() {
    let place = place_with_table();
    let (header, rows) = PENGUINS.split_once('\n').unwrap();
    let without_target = |line: &str| line.split_once(',').unwrap().1.to_owned();
    let given: Vec<String> = std::iter::once(header).chain(rows.lines().take(3)).map(without_target).collect();
    place.write("given.csv", given.join("\n"));
    let told = stdout(&place.run(&["predict", "idea", "--csv", "given.csv"]).code(0));
    assert_says(&told, &["`given.csv`: 3 rows", "row  prediction  probability"]);
    assert!(!told.contains("true"), "{told}");
    let csv = stdout(&place.run(&["predict", "idea", "--csv", "given.csv", "--format", "csv"]).code(0));
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (4, "row,prediction,p_Adelie,p_Chinstrap,p_Gentoo"));
    let fields: Vec<&str> = lines[2].split(',').collect();
    let sum: f64 = fields[2..].iter().map(|field| field.parse::<f64>().unwrap()).sum();
    assert!(fields[0] == "2" && (sum - 1.0).abs() < 1e-9, "{csv}");
    let top = stdout(&place.run(&["predict", "idea", "--csv", "given.csv", "--top", "2"]).code(0));
    assert_says(&top, &["next"]);
    assert_says(
        &place.refusal(&["predict", "idea", "--csv", "given.csv", "--top", "2", "--format", "csv"]),
        &["--top"],
    );
}

#[test]
fn a_table_that_does_not_fit_is_refused_with_the_place() {
    let place = place_with_table();
    let header = PENGUINS.lines().next().unwrap();
    let good = "Adelie,Biscoe,39.1,18.7,181,3750,male,2007";
    assert_eq!(header, "species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year");
    let cases = [
        (header.replace("island", "isle"), good.to_owned(), &["`given.csv` lacks the column `island`", "`isle`"][..]),
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
        (header.to_owned(), String::new(), &["holds no row"]),
    ];
    for (header, row, words) in cases {
        place.write("given.csv", format!("{header}\n{row}\n"));
        assert_says(&place.refusal(&["predict", "idea", "--csv", "given.csv"]), words);
        assert_says(&place.refusal(&["eval", "idea", "--data", "given.csv"]), words);
    }
    place.write("given.csv", format!("{}\n{}\n", header.replace("species,", ""), good.replace("Adelie,", "")));
    assert_says(&place.refusal(&["eval", "idea", "--data", "given.csv"]), &["lacks the column `species`"]);
    assert_says(
        &place.refusal(&["predict", "idea", "--csv", "gvien.csv"]),
        &["`gvien.csv` does not exist", "did you mean `given.csv`?"],
    );
    assert_says(
        &place.refusal(&["predict", "idea", "--image", "given.csv"]),
        &["`csv` holds no images", "`--csv` takes a table"],
    );
}

#[test]
fn labels_and_numbers_are_predicted_with_what_is_true_of_them() {
    let place = Place::new();
    let labels = "[data.digits]\nscale = \"unit\"\nlabels = [\"even\", \"prime\"]\nsplit = { test = 0.1 }";
    place.write("labels.toml", experiment(labels, "[{ linear = 2 }]", "epochs = 2\nloss = \"bce_with_logits\""));
    let numbers = "[data.diabetes]\nscale = \"standard\"\nsplit = { test = 0.2 }";
    place.write(
        "numbers.toml",
        experiment(numbers, "[{ linear = 1 }]", "epochs = 2\nloss = \"mae\"\nmetrics = [\"me\", \"mae\", \"r2\"]"),
    );
    for name in ["labels", "numbers"] {
        place.exp(&[&format!("{name}.toml")]);
        assert_as_in_the_history(&evaluated(&place, &[name])[0]);
    }
    let label = &predicted(&place, &["labels", "--index", "3"])[0]["labels"]["prime"];
    assert_eq!(label["prediction"], label["probability"].as_f64().unwrap() >= 0.5);
    assert!(label["truth"].is_boolean(), "{label}");
    assert_says(
        &stdout(&place.run(&["predict", "labels", "--index", "3"]).code(0)),
        &["label", "probability", "predicted  true"],
    );
    let value = &predicted(&place, &["numbers", "--index", "3"])[0]["values"]["progression"];
    let error = value["prediction"].as_f64().unwrap() - value["truth"].as_f64().unwrap();
    assert_near(&value["error"], &json!(error));
    let csv = stdout(&place.run(&["predict", "numbers", "--index", "3", "--format", "csv"]).code(0));
    assert!(csv.starts_with("row,progression,truth_progression,error_progression\n3,"), "{csv}");
}

#[test]
fn scores_are_not_called_probabilities() {
    let place = Place::new();
    place.exp(&["perceptron_and"]);
    let told = stdout(&place.run(&["predict", "perceptron_and", "--index", "3", "--rows", "train"]).code(0));
    assert_says(&told, &["1, 1", "class   score", "predicted 1, true class 1: right", "no probabilities"]);
    let row = &predicted(&place, &["perceptron_and", "--index", "3", "--rows", "train"])[0];
    assert!(row.get("probability").is_none() && row["score"].is_number(), "{row}");
    assert_says(
        &place.refusal(&["predict", "perceptron_and", "--csv", "x.csv"]),
        &["`logic` takes no rows from a file"],
    );
}

#[test]
fn data_that_have_changed_are_told() {
    let place = place_with_table();
    place.write("table.csv", PENGUINS.replacen("39.1", "39.2", 1));
    let evaluated = place.run(&["eval", "idea"]).code(0);
    assert_says(&stderr(&evaluated), &["warning: the data of `csv` have changed since the run: their checksum is"]);
    assert_says(&stderr(&place.run(&["predict", "idea", "--index", "0"]).code(0)), &["warning: the data of `csv`"]);
    place.write("table.csv", PENGUINS.replace("Gentoo", "Emperor"));
    assert_says(
        &place.refusal(&["eval", "idea"]),
        &["Adelie, Chinstrap, Gentoo", "Adelie, Chinstrap, Emperor", "restore the data"],
    );
    std::fs::remove_file(place.path("table.csv")).unwrap();
    assert_says(&place.refusal(&["eval", "idea"]), &["`data.csv.path`", "/table.csv` does not exist"]);
}

#[test]
fn rows_with_missing_values_are_left_out_where_the_run_left_them_out() {
    let place = Place::new();
    let data = "[data.penguins]\nscale = \"standard\"\nsplit = { test = 0.2 }";
    place.write("idea.toml", experiment(data, "[{ linear = 3 }]", CLASSIFY));
    place.exp(&["idea.toml"]);
    place.write("given.csv", PENGUINS.lines().take(6).collect::<Vec<_>>().join("\n"));
    let run = place.run(&["predict", "idea", "--csv", "given.csv", "--json"]).code(0);
    assert_says(&stderr(&run), &["warning: 1 row of `given.csv` left out, as in training: values are missing"]);
    let rows = &serde_json::from_str::<Value>(&stdout(&run)).unwrap()["predictions"];
    let numbers: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["row"]).collect();
    assert_eq!(numbers, [1, 2, 3, 5]);
}

// images

#[test]
fn a_row_of_images_is_drawn_with_a_bar_for_each_class_in_80_columns() {
    let place = place_with_digits();
    let told = stdout(&place.run(&["predict", "idea", "--index", "5"]).code(0));
    assert_says(&told, &["digits: test row 5 (of 0 to 359)", "┌────────────────┐", "class  probability", "predicted "]);
    assert_eq!(told.lines().filter(|line| line.starts_with('│')).count(), 8);
    assert!(told.lines().all(|line| line.chars().count() <= 80) && !told.contains('\x1b'), "{told}");
    let top = stdout(&place.run(&["predict", "idea", "--index", "5", "--top", "2"]).code(0));
    assert_eq!(top.lines().count() + 8, told.lines().count());
    let refused = place.refusal(&["predict", "idea", "--index", "360"]);
    assert_says(&refused, &["there is no test row 360: the run has 360 rows", "`--index 359`"]);
    for (arguments, words) in [
        (&["--index", "-1"][..], "at least 0"),
        (&["--index", "1", "--top", "0"], "at least 1"),
        (&["--index", "1", "--csv", "x.csv"], "cannot be used with"),
        (&["--index", "1", "--rows", "tset"], "allowed are `test`, `validation` and `train`"),
        (&["--index", "1", "--trial", "base-seed1"], "did you mean `base-seed0`?"),
        (&["--index", "1", "--invert", "yes"], "cannot be used with"),
        (&["--csv", "x.csv"], "holds images of 8×8 pixels, and no table"),
        (&[], "required"),
    ] {
        assert_says(&place.refusal(&[&["predict", "idea"], arguments].concat()), &[words]);
    }
}

/// An image of the digits as a picture, each pixel so many times as large, and turned to dark on light or not.
fn picture(place: &Place, name: &str, values: &[u8], times: u32, dark_on_light: bool) -> String {
    let grey = image::GrayImage::from_fn(8 * times, 8 * times, |x, y| {
        let value = u32::from(values[(y / times * 8 + x / times) as usize]) * 255 / 16;
        image::Luma([if dark_on_light { 255 - value as u8 } else { value as u8 }])
    });
    grey.save(place.path(name)).unwrap();
    name.to_owned()
}

#[test]
fn a_picture_of_a_row_gives_what_the_row_gives() {
    let place = place_with_digits();
    let (loaded, split) = loaded(
        json!({ "digits": { "split": { "test": 0.2, "validation": 0.2, "random_state": 1, "stratify": true } } }),
    );
    let prepared = Prepared::new(&loaded, &split, runner::data::prepare::scale::Scale::None).unwrap();
    let row = prepared.test.unwrap().open().features.get(11).to_kind(Kind::Uint8);
    let values = Vec::<u8>::try_from(&row).unwrap();
    let wanted = &predicted(&place, &["idea", "--index", "11"])[0]["probabilities"];
    let same =
        |found: &Value| (0..10).for_each(|digit| assert_near(&found[digit.to_string()], &wanted[digit.to_string()]));

    let exact = picture(&place, "exact.png", &values, 1, false);
    same(&predicted(&place, &["idea", "--image", &exact])[0]["probabilities"]);
    let turned = picture(&place, "turned.png", &values, 1, true);
    let printed = printed(&place, &["predict", "idea", "--json", "--image", &turned]);
    assert_eq!(printed["input"]["inverted"], true);
    same(&printed["predictions"][0]["probabilities"]);
    let told = stdout(&place.run(&["predict", "idea", "--image", &turned]).code(0));
    assert_says(&told, &["`turned.png`: 8×8 pixels, inverted (dark on light, and `digits` is light on\ndark)\n"]);
    assert!(!told.contains("true class"), "{told}");
    let large = picture(&place, "large.png", &values, 5, true);
    let told = stdout(&place.run(&["predict", "idea", "--image", &large, "--invert", "no"]).code(0));
    assert_says(&told, &["resized from 40×40 to 8×8\n"]);
    same(&predicted(&place, &["idea", "--image", &large])[0]["probabilities"]);

    place.write("text.png", "no picture");
    assert_says(&place.refusal(&["predict", "idea", "--image", "text.png"]), &["`text.png` is no PNG or JPEG picture"]);
    assert_says(&place.refusal(&["predict", "idea", "--image", "trned.png"]), &["did you mean `turned.png`?"]);
}

#[test]
fn images_of_ones_own_are_evaluated_in_pairs_of_idx_files() {
    let place = Place::new();
    let pixels: Vec<u8> = (0..12_u8).flat_map(|row| (0..6).map(move |pixel| row * 20 + pixel)).collect();
    let labels: Vec<u8> = (0..12).map(|row| row % 3).collect();
    place.write("images", idx::write(&[12, 2, 3], &pixels));
    place.write("labels", idx::write(&[12], &labels));
    place.write("smaller", idx::write(&[12, 2, 2], &pixels[..48]));
    place.write("beyond", idx::write(&[12], &[9; 12]));
    let data = "[data.idx]\nimages = \"images\"\nlabels = \"labels\"\ntest_images = \"images\"\ntest_labels = \"labels\"\nscale = \"unit\"";
    place.write("idea.toml", experiment(data, "[{ linear = 3 }]", CLASSIFY));
    place.exp(&["idea.toml"]);
    let (own, given) = (evaluated(&place, &["idea"]), evaluated(&place, &["idea", "--data", "images,labels"]));
    assert_eq!(own[0]["figures"], given[0]["figures"]);
    for (written, words) in [
        ("images.gz", "images need labels"),
        ("images,missing", "`missing` does not exist"),
        ("labels,images", "is not an IDX file of 3 dimensions"),
        ("smaller,labels", "holds images of 2×2 pixels, and the network takes 3×2 pixels"),
        ("images,beyond", "holds the label 9, which is no class of the run"),
        ("tset", "there are no rows `tset`"),
    ] {
        assert_says(&place.refusal(&["eval", "idea", "--data", written]), &[words]);
    }
}

#[test]
fn overfit_mnist_takes_row_4523_for_an_8() {
    let place = Place::with_users_data();
    place.exp(&["overfit_mnist"]);
    assert_as_in_the_history(&evaluated(&place, &["overfit_mnist"])[0]);
    let told = stdout(&place.run(&["predict", "overfit_mnist", "--index", "4523"]).code(0));
    assert_says(&told, &["mnist: test row 4,523 (of 0 to 9,999)", "predicted 8, true class 8: right"]);
    assert_eq!(told.lines().filter(|line| line.starts_with('│')).count(), 28);
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
}
