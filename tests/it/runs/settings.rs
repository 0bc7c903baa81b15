//! Settings on the command line: aliases of keys, removed settings, seeds, and variants as runs.

use serde_json::{Value, json};

use crate::support::{IDEA, TestDir, assert_says, idea_with, stderr, stdout};

fn shown(dir: &TestDir, arguments: &[&str]) -> Value {
    let arguments = [&["show", "idea.toml", "--json"], arguments].concat();
    serde_json::from_str::<Value>(&stdout(&dir.run(&arguments).code(0))).unwrap()["config"].take()
}

#[test]
fn aliases_of_keys_are_understood_in_overrides_and_variants_and_shown_resolved() {
    let dir = TestDir::new();
    let layers = "layers = [{ dense = 16 }, \"relu\", { dropout = 0.5 }, { linear = 10 }]";
    let written = "layers = [{ linear = 16 }, \"relu\", { linear = 10 }]";
    dir.write("idea.toml", idea_with(written, layers));
    let keys = [
        ("train.batch_size", "train.batch"),
        ("train.optimizer.adam.learning_rate", "train.optimizer.adam.lr"),
        ("network.layers.0.dense.out_features", "network.layers.0.linear.units"),
        ("network.layers.2.dropout.rate", "network.layers.2.dropout.p"),
    ];
    for ((alias, key), value) in keys.into_iter().zip(["5", "0.25", "7", "0.125"]) {
        let pointer = format!("/{}", key.replace('.', "/"));
        let config = shown(&dir, &["--set", &format!("{alias}={value}")]);
        assert_eq!(config.pointer(&pointer).unwrap().to_string(), value, "{alias}");
    }
    dir.write("idea.toml", format!("{IDEA}\n[[variants]]\nname = \"a\"\nset = {{ \"train.batch_size\" = 9 }}\n"));
    let history = dir.history(&["idea.toml", "--set", "train.optimizer.adam.learning_rate=0.5"]);
    assert_eq!(history["config"]["train"]["batch"], 9);
    let asked = &history["provenance"];
    assert_eq!(asked["set_by_variant"], json!(["train.batch"]));
    assert_eq!(asked["set_by_command_line"], json!(["train.optimizer.adam.lr"]));
    let wrong = dir.error_message(&["exp", "idea.toml", "--set", "train.batch_size=0"]);
    assert_says(&wrong, &["`train.batch` must be at least 1, found 0 (`--set train.batch=0`)"]);
}

#[test]
fn a_removed_setting_is_absent_or_has_its_default_and_the_command_records_it() {
    let dir = TestDir::new();
    let clip = "epochs = 2\nclip = { norm = 1.0 }\nshuffle = false";
    dir.write("idea.toml", idea_with("epochs = 2", clip));
    let history = dir.history(&["idea.toml", "--unset", "train.clip", "--unset", "train.shuffle"]);
    assert_eq!(
        (&history["config"]["train"]["clip"], &history["config"]["train"]["shuffle"]),
        (&Value::Null, &json!(true))
    );
    let command = history["provenance"]["command"].as_str().unwrap();
    assert_says(command, &["--unset train.clip --unset train.shuffle"]);
    dir.run(&["reproduce", "idea", "--quiet"]).code(0);
    for (key, words) in [
        ("train.augment", "`train.augment` is not set"),
        ("train.clp", "did you mean `clip`?"),
        ("train.epochs", "`train.epochs` is required"),
        ("network.layers.1", "`network.layers.1` is an item of a list"),
    ] {
        let message = dir.error_message(&["exp", "idea.toml", "--unset", key]);
        assert_says(&message, &[&format!("failed to apply `--unset {key}`"), words]);
    }
}

#[test]
fn none_turns_an_optional_part_off() {
    let dir = TestDir::new();
    let parts = "clip = { norm = 1.0 }\npenalty = { l2 = 0.1 }\nearly_stopping = 3\nschedule = \"cosine\"";
    let idea = idea_with("epochs = 2", &format!("epochs = 2\n{parts}"));
    dir.write("idea.toml", idea.replace("[data.digits]", "resample = \"over\"\n[data.digits]"));
    let keys = ["resample", "train.clip", "train.penalty", "train.early_stopping"];
    let sets: Vec<String> = keys.iter().chain(&["train.schedule"]).map(|key| format!("--set={key}=none")).collect();
    let config = shown(&dir, &sets.iter().map(String::as_str).collect::<Vec<_>>());
    for key in keys {
        assert_eq!(config.pointer(&format!("/{}", key.replace('.', "/"))), Some(&Value::Null), "{key}");
    }
    assert_eq!(config["train"]["schedule"], "constant");
    dir.write("idea.toml", idea_with("epochs = 2", "epochs = 2\nclip = \"none\"\nearly_stopping = \"none\""));
    assert_eq!(shown(&dir, &[])["train"]["clip"], Value::Null);
}

#[test]
fn seeds_are_a_list_a_number_or_a_range() {
    let dir = TestDir::new();
    for (written, seeds) in [("3", json!([3])), ("\"0..2\"", json!([0, 1, 2])), ("\"1,5\"", json!([1, 5]))] {
        dir.write("idea.toml", format!("seeds = {written}\n{IDEA}"));
        assert_eq!(shown(&dir, &[])["seeds"], seeds);
        dir.write("idea.toml", IDEA);
        assert_eq!(shown(&dir, &["--set", &format!("seeds={}", written.trim_matches('"'))])["seeds"], seeds);
    }
    let message = dir.error_message(&["exp", "idea.toml", "--seed", "0..4"]);
    assert_says(&message, &["`--seed`: expected one seed", "use `--seeds 0..4` for several"]);
    dir.write("idea.toml", format!("seeds = \"4..0\"\n{IDEA}"));
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["line 1", "`4..0` is an empty range"]);
    dir.write("idea.toml", IDEA);
    let run = dir.run(&["train", "idea.toml", "--seeds", "5", "--device", "cpu"]).code(0);
    assert_says(&stderr(&run), &["note: `--seeds 5` is the one seed 5; for 5 seeds write `--seeds 0..4`"]);
}

#[test]
fn one_variant_of_a_run_is_named_in_every_command() {
    let dir = TestDir::new();
    let variants = "\n[[variants]]\nname = \"a\"\n\n[[variants]]\nname = \"b\"\nset = { \"train.batch\" = 9 }\n";
    let idea = idea_with("[data.digits]", "[data.digits]\nsplit = { test = 0.2 }");
    dir.write("idea.toml", format!("{idea}{variants}"));
    dir.run(&["run", "idea.toml", "--quiet", "--device", "cpu"]).code(0);
    for named in ["idea/b", "runs/idea/latest/b"] {
        for command in [
            &["eval", named][..],
            &["predict", named, "--index", "3"],
            &["export", named, "--csv", "-o", "tables"],
            &["export", named, "--csv", "--to", "tables"],
            &["report", named, "-o", "report.md"],
            &["plot", named, "-o", "plot.svg"],
            &["compare", "idea/a", named],
        ] {
            dir.run(command).code(0);
        }
        let trials = std::fs::read_to_string(dir.path("tables/trials.csv")).unwrap();
        assert_eq!(trials.lines().count(), 2, "{trials}");
        for command in ["resume", "reproduce"] {
            let message = dir.error_message(&[command, named]);
            assert_says(&message, &["names the variant `b`", &format!("name the run: `runner {command} ")]);
        }
    }
    assert_says(&dir.error_message(&["eval", "idea/c"]), &["has no variant `c`", "`a`, `b`"]);
}
