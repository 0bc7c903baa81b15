//! `runner compare` and `runner runs`: the runs of a directory and the differences between them.

use std::path::Path;

use assert_cmd::assert::Assert;
use serde_json::Value;

use crate::support::{IDEA, TestDir, assert_says, idea_with, stderr, stdout};

/// A directory with an experiment that ran with these seeds, and a copy under another name with more seeds.
fn dir_with_runs(of: &[(&str, &str, &[&str])]) -> TestDir {
    let dir = TestDir::new();
    for (name, seeds, changes) in of {
        dir.write(&format!("{name}.toml"), IDEA);
        let file = format!("{name}.toml");
        let mut arguments = vec!["exp", file.as_str(), "--quiet", "--seeds", seeds];
        changes.iter().for_each(|change| arguments.extend(["--set", change]));
        dir.run(&arguments).success();
    }
    dir
}

/// The text in one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn json_of(outcome: Assert) -> Value {
    serde_json::from_str(&stdout(&outcome)).unwrap()
}

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/foreign").join(name).to_string_lossy().into_owned()
}

#[test]
fn equal_settings_are_not_reported_as_different() {
    let dir = dir_with_runs(&[("one", "0..7", &["train.epochs=5"]), ("other", "8..15", &["train.epochs=5"])]);
    let found = json_of(dir.run(&["compare", "one", "other", "--metric", "last.acc", "--json"]).success());
    let difference = &found["tests"][0]["groups"][1];
    assert_eq!(difference["design"]["groups"], serde_json::json!([8, 8]));
    assert!(difference["p"].as_f64().unwrap() > 0.05, "{difference}");
    assert_eq!(difference["significance"], "not_significant");
    assert_eq!(found["settings"].as_array().unwrap().len(), 1, "seeds alone differ: {}", found["settings"]);
    let text = one_line(&stdout(&dir.run(&["compare", "one", "other", "--metric", "last.acc"]).success()));
    assert!(text.contains("B no significant difference"), "{text}");
    assert!(!text.contains("(significant)"), "{text}");
}

#[test]
fn different_groups_are_compared_pairwise_with_their_differences() {
    let slow = ["train.optimizer.adam.lr=1e-4", "train.epochs=5"];
    let dir = dir_with_runs(&[("fast", "0..6", &["train.epochs=5"]), ("slow", "0..6", &slow)]);
    let text =
        stdout(&dir.run(&["compare", "fast", "slow", "--metric", "last.loss", "--metric", "last.acc"]).success());
    for words in [
        "A  fast   B  slow",
        "lr",
        "loss last compared with A (named first), 7 pairs by seed",
        "B  worse",
        "corrected for 2 comparisons (Holm)",
    ] {
        assert!(text.contains(words), "no `{words}` in:\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let all = stdout(&dir.run(&["compare", "fast", "slow", "--metric", "last.loss", "--all"]).success());
    for words in ["train.optimizer.adam.lr  0.001", "overfits from", "p of a t test", "loss first", "└──"] {
        assert!(all.contains(words) && !text.contains(words), "`{words}` is not only in:\n{all}");
    }
    let found = json_of(dir.run(&["compare", "fast", "slow", "--metric", "last.loss", "--json"]).success());
    let difference = &found["tests"][0]["groups"][1];
    assert_eq!(difference["design"]["pairs"], 7);
    assert_eq!(difference["p"], 2.0 / 128.0);
    assert_eq!(difference["significance"], "significant");
    assert!(difference["interval"]["low"].as_f64().unwrap() > 0.0);
    let reversed = json_of(
        dir.run(&["compare", "fast", "slow", "--metric", "last.loss", "--json", "--baseline", "slow"]).success(),
    );
    assert_eq!(reversed["baseline"], 1);
    let reversed_difference = reversed["tests"][0]["groups"][0]["difference"].as_f64().unwrap();
    assert_eq!(reversed_difference, -difference["difference"].as_f64().unwrap());
}

#[test]
fn the_optimizer_is_one_setting_and_optimizers_share_the_learning_rate() {
    let sgd = ["train.optimizer={ sgd = { lr = 0.1, momentum = 0.9 } }"];
    let dir = dir_with_runs(&[("one", "0", &[]), ("other", "0", &sgd)]);
    let text = stdout(&dir.run(&["compare", "one", "other", "--metric", "accuracy"]).success());
    for words in ["optimizer     lr", "A  adam", "B  sgd", "acc best compared with A"] {
        assert!(text.contains(words), "no `{words}` in:\n{text}");
    }
    assert!(!text.contains("betas") && !text.contains("momentum"), "only one optimizer has it:\n{text}");
    let all = stdout(&dir.run(&["compare", "one", "other", "--all"]).success());
    for words in ["train.optimizer.*.lr", "train.optimizer.*.momentum", "train.loss.cross_entropy.label_smoothing"] {
        assert!(all.contains(words), "no `{words}` in:\n{all}");
    }
    let settings = all.lines().filter(|line| line.starts_with("train.") || line.starts_with("network."));
    assert!(settings.clone().count() > 10 && settings.clone().all(|line| !line.contains('…')), "{all}");
    dir.run(&["plot", "setting", "one", "other", "--x", "optimizer", "-o", "a.svg"]).success();
    let svg = std::fs::read_to_string(dir.path("a.svg")).unwrap();
    for words in [">train.optimizer<", ">adam<", ">sgd<", "effect of optimizer"] {
        assert!(svg.contains(words), "no `{words}` in:\n{svg}");
    }
    dir.run(&["plot", "one", "other", "--metric", "accuracy", "-o", "b.svg"]).success();
}

#[test]
fn too_few_seeds_cannot_show_significance() {
    let slow = ["train.optimizer.adam.lr=1e-5"];
    let dir =
        dir_with_runs(&[("few", "0..4", &[]), ("slow", "0..4", &slow), ("lone", "7", &[]), ("other", "8", &slow)]);
    for (runs, reason) in [
        (
            ["few", "slow"],
            "not significant: with 5 paired seeds the smallest possible p is 0.0625; use at least 6 seeds: `--seeds 0..5`",
        ),
        (["lone", "other"], "significance cannot be tested with only one seed each; train more seeds"),
        (["few", "lone"], "significance cannot be tested with only one seed; train more seeds"),
        (["lone", "few"], "significance cannot be tested with only one seed of A; train more seeds"),
    ] {
        let text = stdout(&dir.run(&["compare", runs[0], runs[1]]).success());
        assert!(one_line(&text).contains(reason), "no `{reason}` in:\n{text}");
        assert_eq!(text.contains("B  no significant difference"), runs == ["few", "slow"], "{text}");
        assert!(one_line(&text).matches("cannot be tested").count() <= 1, "once:\n{text}");
    }
}

#[test]
fn compare_accepts_histories_of_other_programs() {
    let dir = dir_with_runs(&[("ours", "0..1", &[])]);
    let files = ["keras.json", "skorch.json", "lightning.csv", "torch_tensorboard"].map(fixture);
    let mut arguments = vec!["compare", "ours"];
    arguments.extend(files.iter().map(String::as_str));
    let text = stdout(&dir.run(&arguments).success());
    for words in ["Keras history", "skorch history", "CSV log", "TensorBoard events", "settings are known only for A"] {
        assert!(text.contains(words), "no `{words}` in:\n{text}");
    }
    arguments.push("--csv");
    let csv = stdout(&dir.run(&arguments).success());
    for run in ["ours", "keras", "skorch", "lightning", "torch_tensorboard"] {
        assert!(csv.lines().any(|line| line.starts_with(&format!("{run},last.loss,"))), "no {run} in:\n{csv}");
    }
    let columns = csv.lines().next().unwrap().matches(',').count();
    assert!(csv.lines().all(|line| line.matches(',').count() == columns), "{csv}");
}

#[test]
fn patterns_group_trials_with_equal_settings_across_runs() {
    let dir = dir_with_runs(&[("one", "0..1", &[]), ("one", "2", &[]), ("one", "0", &[]), ("other", "0..2", &[])]);
    let outcome = dir.run(&["compare", "runs/one/2*/*.json", "other", "--json"]).success();
    assert!(stderr(&outcome).contains("skipped 1 trial of `one`"), "{}", stderr(&outcome));
    let found = json_of(outcome);
    let seeds: Vec<i64> =
        found["groups"][0]["trials"].as_array().unwrap().iter().map(|trial| trial["seed"].as_i64().unwrap()).collect();
    assert_eq!(seeds.len(), 3);
    assert!((0..3).all(|seed| seeds.contains(&seed)), "{seeds:?}");
}

#[test]
fn one_variant_is_selected_after_a_slash() {
    let dir = TestDir::new();
    let variants = "[[variants]]\nname = \"narrow\"\n[[variants]]\nname = \"wide\"\nset = { \"network.layers.0.linear.units\" = 64 }\n";
    dir.write("pair.toml", format!("{IDEA}\n{variants}"));
    dir.run(&["exp", "pair.toml", "--quiet"]).success();
    let found = json_of(dir.run(&["compare", "pair/wide", "pair/narrow", "--json"]).success());
    assert_eq!([&found["groups"][0]["label"], &found["groups"][1]["label"]], ["wide", "narrow"]);
    assert_eq!(found["settings"][0]["key"], "network.layers");
    assert_eq!(found["settings"][0]["values"], serde_json::json!(["64, relu, 10", "16, relu, 10"]));
    let original = json_of(dir.run(&["compare", "pair", "--json"]).success());
    assert_eq!(original["groups"].as_array().unwrap().len(), 2);
    assert_says(
        &stderr(&dir.run(&["compare", "pair/wid", "pair/narrow"]).code(2)),
        &["no variant `wid`", "did you mean `wide`?"],
    );
}

#[test]
fn compare_reports_unreadable_runs_and_compares_the_rest() {
    let dir = dir_with_runs(&[("one", "0..1", &[]), ("other", "0..1", &[])]);
    let original = std::fs::read_to_string(dir.path("runs/one/latest/base-seed0.json")).unwrap();
    dir.write("cut.json", &original[..original.len() / 2]);
    dir.write("future.json", original.replace("runner.history/2", "runner.history/9"));
    dir.write("nothing.json", "{\"a\": 1}");
    dir.write("empty.csv", "");
    std::fs::create_dir_all(dir.path("runs/written/2026-01-01T000000Z-abcdef")).unwrap();
    dir.write("runs/written/2026-01-01T000000Z-abcdef/experiment.toml", IDEA);
    for (bad, words) in [
        ("cut.json", "damaged, incomplete"),
        ("future.json", "has the schema `runner.history/9`"),
        ("nothing.json", "contains no value of any metric"),
        ("empty.csv", "empty"),
        ("written", "still training"),
        ("nope", "no run `nope`"),
    ] {
        let outcome = dir.run(&["compare", "one", bad, "other"]).code(2);
        assert!(stderr(&outcome).contains(words), "{bad}: {}", stderr(&outcome));
        let text = stdout(&outcome);
        assert!(["A  one", "B  other", "acc best"].iter().all(|words| text.contains(words)), "{bad}:\n{text}");
    }
    assert_says(&stderr(&dir.run(&["compare", "cut.json"]).code(2)), &["cut.json", "incomplete"]);
    assert_says(
        &stderr(&dir.run(&["compare", "one", "other", "--metric", "val_acc"]).code(2)),
        &["no run has a metric `val_acc`"],
    );
    assert_says(
        &stderr(&dir.run(&["compare", "one", "other", "--baseline", "oter"]).code(2)),
        &["did you mean `other`?"],
    );
    assert_says(&stderr(&dir.run(&["compare", "runs/zzz*", "one"]).code(2)), &["nothing matches `runs/zzz*`"]);
}

#[test]
fn curves_with_different_lengths_or_gaps_or_no_values_are_compared() {
    let dir = dir_with_runs(&[("one", "0", &[]), ("long", "0", &["train.epochs=4"])]);
    dir.write("nan.json", "{\"loss\": [2.5, NaN, Infinity], \"val_loss\": [2.0]}");
    dir.write("lone.json", "{\"loss\": [2.5], \"accuracy\": [0.5]}");
    let text = stdout(&dir.run(&["compare", "one", "long", "nan.json", "lone.json"]).success());
    assert!(text.contains("diverged"), "{text}");
    for axis in ["step", "seconds"] {
        stdout(&dir.run(&["compare", "one", "long", "nan.json", "--x", axis]).success());
    }
    let history = std::fs::read_to_string(dir.path("runs/one/latest/base-seed0.json")).unwrap();
    let mut history: Value = serde_json::from_str(&history).unwrap();
    history["history"].as_object_mut().unwrap().values_mut().for_each(|series| *series = Value::Array(Vec::new()));
    (history["best"], history["diagnosis"]) = (Value::Null, Value::Null);
    dir.write("zero.json", history.to_string());
    let text = stdout(&dir.run(&["compare", "one", "zero.json", "long", "--all"]).success());
    assert!(text.contains("zero.json") && text.contains("loss last"), "{text}");
    let found = json_of(dir.run(&["compare", "nan.json", "lone.json", "--json"]).success());
    let figure =
        |name: &str| found["metrics"].as_array().unwrap().iter().find(|figure| figure["name"] == name).cloned();
    assert_eq!(figure("last.loss").unwrap()["groups"][0], Value::Null, "infinite losses have no mean");
    assert_eq!(figure("first.loss").unwrap()["groups"][0], Value::Null, "diverged trials are not part of a mean");
    assert_eq!(figure("first.loss").unwrap()["groups"][1]["mean"], 2.5);
    assert_eq!(figure("last.acc").unwrap()["groups"][0], Value::Null);
}

#[test]
fn runs_are_listed_newest_first_and_can_be_filtered_and_sorted() {
    let dir = dir_with_runs(&[("one", "0..1", &[]), ("slow", "0", &["train.optimizer.adam.lr=1e-5"])]);
    let list = |arguments: &[&str]| -> Vec<Value> {
        let all: Vec<&str> = ["runs", "--json"].iter().chain(arguments).copied().collect();
        json_of(dir.run(&all).success()).as_array().unwrap().clone()
    };
    let names =
        |runs: Vec<Value>| runs.iter().map(|run| run["experiment"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let all = list(&[]);
    assert_eq!(
        (all.len(), all.iter().find(|run| run["experiment"] == "one").unwrap()["trials"].clone()),
        (2, 2.into())
    );
    assert_eq!(names(list(&["--sort", "last.loss"])), ["one", "slow"]);
    assert_eq!(names(list(&["--sort", "last.loss", "--reverse", "--top", "1"])), ["slow"]);
    assert_eq!(names(list(&["--filter", "train.optimizer.adam.lr<1e-4"])), ["slow"]);
    assert_eq!(names(list(&["one"])), ["one"]);
    assert_eq!(list(&["--filter", "status=diverged"]), [] as [Value; 0]);
    assert_eq!(list(&["--sort", "last.loss"])[0]["metrics"]["last.loss"], all_means(&dir, "one"));
    let csv = stdout(&dir.run(&["runs", "--csv"]).success());
    assert_eq!(csv.lines().count(), 3);
    let text = stdout(&dir.run(&["runs"]).success());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(stdout(&dir.run(&["runs", "--md"]).success()).starts_with("| id | experiment |"));
    assert_says(&stderr(&dir.run(&["runs", "onne"]).code(2)), &["no run `onne`", "did you mean `one`?"]);
    assert_says(
        &stderr(&dir.run(&["runs", "--sort", "test.zzz"]).code(2)),
        &["no run has a metric or setting `test.zzz`"],
    );
    assert_says(&stderr(&dir.run(&["runs", "--filter", "last.loss"]).code(2)), &["found `last.loss`"]);
}

/// Mean of the last losses over the trials of an experiment's newest run.
fn all_means(dir: &TestDir, experiment: &str) -> Value {
    let losses: Vec<f64> = (0..2)
        .map(|seed| {
            let path = dir.path(&format!("runs/{experiment}/latest/base-seed{seed}.json"));
            let history: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            history["history"]["loss"].as_array().unwrap().last().unwrap().as_f64().unwrap()
        })
        .collect();
    ((losses[0] + losses[1]) / 2.0).into()
}

#[test]
fn damaged_or_unfinished_runs_do_not_hide_the_others() {
    let dir = dir_with_runs(&[("one", "0..1", &[])]);
    dir.write("runs/one/2026-01-01T000000Z-abcdef/experiment.toml", IDEA);
    dir.write("runs/one/2026-01-02T000000Z-abcdef/base-seed0.json", "{\"schema\": \"runner.hist");
    let outcome = dir.run(&["runs"]).code(2);
    let message = stderr(&outcome);
    assert!(message.contains("2026-01-02T000000Z-abcdef/base-seed0.json` as JSON"), "{message}");
    let listed = stdout(&outcome);
    assert!(listed.contains(" one ") && listed.contains("complete") && listed.contains("interrupted"), "{listed}");
    let empty = TestDir::new();
    std::fs::create_dir(empty.path("runs")).unwrap();
    assert!(stderr(&empty.run(&["runs"]).success()).contains("no runs in `runs`"));
    assert_says(&stderr(&TestDir::new().run(&["runs"]).code(2)), &["no directory `runs`", "runner exp NAME"]);
}

#[test]
fn runs_with_data_leakage_are_never_the_best() {
    let dir = TestDir::new();
    let rare = idea_with("[data.digits]", "[data.breast_cancer]\nsplit = { test = 0.3, random_state = 0 }");
    dir.write("honest.toml", rare.replace("{ linear = 10 }", "{ linear = 2 }"));
    let leaky = "resample = { over = { random_state = 0 } }\nresample_before_split = true\n";
    dir.write("leaky.toml", format!("{leaky}{}", rare.replace("{ linear = 10 }", "{ linear = 2 }")));
    for name in ["honest.toml", "leaky.toml"] {
        dir.run(&["exp", name, "--quiet"]).success();
    }
    let found = json_of(dir.run(&["compare", "honest", "leaky", "--json"]).success());
    for figure in found["metrics"].as_array().unwrap() {
        assert_eq!(figure["best"][1], false, "{figure}");
    }
    let cautions = found["cautions"].to_string();
    assert!(cautions.contains("leaky: data leakage") && cautions.contains("other test rows"), "{cautions}");
}

#[test]
fn a_run_without_test_rows_is_named() {
    let dir = TestDir::with_idea();
    dir.write("tested.toml", idea_with("[data.digits]", "[data.digits]\nsplit = { test = 0.2, random_state = 0 }"));
    for name in ["idea.toml", "tested.toml"] {
        dir.run(&["exp", name, "--quiet"]).success();
    }
    let found = json_of(dir.run(&["compare", "idea", "tested", "--json"]).success());
    assert_says(&found["cautions"].to_string(), &["idea has no test rows, but tested has"]);
}
