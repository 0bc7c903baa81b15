//! Rare classes: resampling after and before the split, decision trees next to networks, thresholds chosen on
//! validation rows.

use serde_json::{Value, json};

use crate::support::{TestDir, assert_says, stderr, stdout};

/// 240 rows. Every eighth row has the rare class; the classes overlap partly.
fn table() -> String {
    let mut state: u32 = 1;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    };
    let mut text = "a,b,Class\n".to_owned();
    for row in 0..240 {
        let rare = row % 8 == 0;
        let shift = if rare { 0.5 } else { 0.0 };
        text += &format!("{:.6},{:.6},{}\n", draw() + shift, draw() + shift, u8::from(rare));
    }
    text
}

pub const DATA: &str = r#"[data.csv]
path  = "rare.csv"
target = "Class"
classes = [0, 1]
split = { test = 0.25, validation = 0.3333, random_state = 1, stratify = true }
"#;

pub const NETWORK: &str = r#"[network]
layers = [{ linear = 8 }, "relu", { linear = 1 }]
[train]
epochs    = 5
batch     = 16
loss      = "bce_with_logits"
optimizer = { adam = { lr = 0.01 } }
metrics   = ["f1", "ap"]
"#;

/// A directory with the table and an experiment, from top-level settings and these tables.
pub fn new_dir(above: &str, tables: &[&str]) -> TestDir {
    let dir = TestDir::new();
    dir.write("rare.csv", table());
    dir.write("idea.toml", format!("title = \"Rare\"\n{above}\n{}", tables.join("\n")));
    dir
}

pub fn history(dir: &TestDir, name: &str) -> Value {
    let text = std::fs::read_to_string(dir.path(&format!("runs/idea/latest/{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn with_split(data: &str, split: &str) -> String {
    let line = data.lines().find(|line| line.starts_with("split")).unwrap();
    data.replace(line, split)
}

const TREE: &str = "[tree]\n";

#[test]
fn only_training_rows_are_resampled() {
    let variants = r#"
[[variants]]
name = "none"
[[variants]]
name = "under"
set = { resample = "under" }
[[variants]]
name = "smote"
set = { resample = { smote = { k_neighbors = 3 } } }
[[variants]]
name = "network"
set = { model = "network", resample = "over" }
"#;
    let dir = new_dir("model = \"tree\"", &[DATA, NETWORK, TREE, variants]);
    let shown = dir.run(&["exp", "idea.toml"]).code(0);
    assert!(!stderr(&shown).contains("\n\n\n"), "one blank line at most: {}", stderr(&shown));
    let message = stderr(&shown).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(
        &message,
        &["210 training (120 before smote), 60 validation, 60 test rows", "30 training (120 before under), 60 "],
    );
    for (variant, train, to) in [
        ("none", 120, None),
        ("under", 30, Some([15, 15])),
        ("smote", 210, Some([105, 105])),
        ("network", 210, Some([105, 105])),
    ] {
        let history = history(&dir, &format!("{variant}-seed0"));
        // a tree has the validation metrics of the network, and those of test rows
        let has = |name: &str| history["history"].get(name).is_some();
        assert!(variant == "network" || ["ap", "val_ap", "val_roc_auc", "val_mcc"].into_iter().all(has), "{history}");
        assert_eq!(history["data"]["rows"], json!({ "train": train, "validation": 60, "test": 60 }), "{variant}");
        let resampled = &history["data"]["resample"];
        match to {
            Some(to) => {
                assert_eq!(
                    (&resampled["rows_before"], &resampled["rows_after"]),
                    (&json!([105, 15]), &json!(to)),
                    "{variant}"
                );
                assert_eq!((&resampled["before_split"], &resampled["leakage"]), (&json!(false), &Value::Null));
            }
            None => assert_eq!(*resampled, Value::Null),
        }
        let support = &history["test"]["report"]["classes"][1]["support"];
        assert_eq!(*support, 8, "{variant}: the test rows are those of the table");
        assert_eq!(history["network"].is_object(), variant == "network");
        assert_eq!(history["tree"]["leaves"].is_u64(), variant != "network");
    }
    // recomputed metrics are equal for trees and networks, on every part
    for part in ["test", "validation"] {
        let again = stdout(&dir.run(&["eval", "idea", "--data", part, "--strict"]).code(0));
        assert_says(&again, &["none-seed0", "network-seed0", "the same"]);
    }
    // the resolved experiment of a run gives the same results
    let before = history(&dir, "smote-seed0");
    dir.run(&["exp", "runs/idea/latest/experiment.toml"]).code(0);
    let after = history(&dir, "smote-seed0");
    assert_eq!((&before["test"], &before["config"]), (&after["test"], &after["config"]));
}

#[test]
fn data_leakage_is_reported_with_the_comparable_honest_variant() {
    let variants = r#"
[[variants]]
name = "honest"
[[variants]]
name = "leaky"
set = { resample_before_split = true }
"#;
    let dir = new_dir("resample = \"smote\"", &[DATA, TREE, variants]);
    let shown = dir.run(&["exp", "idea.toml"]).code(0);
    let message = stderr(&shown).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&message, &["data leakage: smote resampled all 240 rows before the split"]);
    let text = stdout(&shown).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(
        &text,
        &[
            "data leakage in leaky: test f1",
            "is inflated; without the leak (honest) it is",
            "; all rows were resampled",
        ],
    );
    let leaky = history(&dir, "leaky-seed0");
    assert_eq!(leaky["data"]["rows"], json!({ "train": 210, "validation": 105, "test": 105 }));
    assert!(leaky["data"]["resample"]["leakage"].as_str().unwrap().contains("synthetic rows made from"));
    assert_eq!(leaky["data"]["resample"]["rows_before"], json!([210, 30]));
    assert!(number(&leaky["test"]["f1"]) > number(&history(&dir, "honest-seed0")["test"]["f1"]));
    dir.run(&["eval", "idea", "--strict"]).code(0);
    // leakage is also reported without an honest variant
    let dir = self::new_dir("resample = \"over\"\nresample_before_split = true", &[DATA, TREE]);
    let text = stdout(&dir.run(&["exp", "idea.toml"]).code(0)).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(
        &text,
        &["data leakage: all rows were resampled (over) before the split: validation and test rows have copies"],
    );
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn a_threshold_is_chosen_on_validation_rows_for_each_trial() {
    let dir = new_dir("threshold = \"f1\"\nseeds = [0, 1]", &[DATA, NETWORK]);
    let shown = stdout(&dir.run(&["exp", "idea.toml", "--verbose"]).code(0));
    assert_says(&shown, &["test at threshold", "chosen by f1 on the validation rows"]);
    for seed in [0, 1] {
        let history = history(&dir, &format!("base-seed{seed}"));
        let (test, threshold) = (&history["test"], &history["test"]["threshold"]);
        let counts = |matrix: &Value| -> Vec<u64> {
            matrix
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|row| row.as_array().unwrap())
                .map(|n| n.as_u64().unwrap())
                .collect()
        };
        assert_eq!(counts(&threshold["validation"]["confusion"]).iter().sum::<u64>(), 60);
        let [_, false_alarms, misses, found] = counts(&test["confusion"])[..] else { panic!("{test}") };
        let f1 = 2.0 * found as f64 / (2 * found + misses + false_alarms) as f64;
        assert!((number(&test["f1"]) - f1).abs() < 1e-12, "the test metrics are those at the threshold");
        assert_ne!(test["confusion"], threshold["at_default"]["confusion"]);
    }
    dir.run(&["eval", "idea", "--strict"]).code(0);
    dir.run(&["eval", "idea", "--data", "validation", "--strict"]).code(0);
}

#[test]
fn fixed_and_cost_based_thresholds_change_predictions() {
    let recall = |threshold: &str| {
        let dir = new_dir(&format!("threshold = {threshold}"), &[DATA, "[tree]\nmax_depth = 2\n"]);
        dir.run(&["exp", "idea.toml"]).code(0);
        number(&history(&dir, "base-seed0")["test"]["recall"])
    };
    assert_eq!(recall("0.0"), 1.0, "every row is predicted as positive");
    assert!(recall("{ cost = { miss = 50, false_alarm = 1 } }") >= recall("{ cost = { miss = 1, false_alarm = 50 } }"));
}

#[test]
fn trees_can_replace_networks_for_seeds_and_folds() {
    let folded = with_split(DATA, "split = { folds = 3, random_state = 1, stratify = true }");
    let expected = "[[expect]]\nvalue = \"tree.depth\"\nat_most = 2\n[[expect]]\nvalue = \"last.val_acc\"\nover = \"mean\"\nat_least = 0.5\n";
    let dir = new_dir("seeds = [3, 4]", &[&folded, "[tree]\nmax_depth = 2\n", expected]);
    let shown = stdout(&dir.run(&["exp", "idea.toml", "--strict", "--verbose"]).code(0));
    assert_says(&shown, &["✓ tree.depth ≤ 2: met by 6 of 6 trials"]);
    let predicted = stdout(&dir.run(&["predict", "idea", "--csv", "rare.csv", "--format", "csv"]).code(0));
    assert_eq!(predicted.lines().count(), 241);
    // the message names a missing or damaged tree file
    let tree = dir.path("runs/idea/latest/base-seed3-fold0.tree.json");
    std::fs::write(&tree, "{}").unwrap();
    assert_says(
        &stderr(
            &dir.run(&["predict", "idea", "--rows", "validation", "--index", "0", "--trial", "base-seed3-fold0"])
                .code(2),
        ),
        &["base-seed3-fold0.tree.json"],
    );
    std::fs::remove_file(&tree).unwrap();
    let message = stderr(
        &dir.run(&["predict", "idea", "--rows", "validation", "--index", "0", "--trial", "base-seed3-fold0"]).code(2),
    );
    assert_says(&message, &["the splits of `base-seed3-fold0` are missing"]);
}

#[test]
fn invalid_settings_are_rejected_before_training() {
    let no_test = with_split(DATA, "split = { validation = 0.25 }");
    let no_validation = with_split(DATA, "split = { test = 0.25 }");
    let diabetes = "[data.diabetes]\n";
    for (above, tables, words) in [
        ("", vec![DATA, NETWORK, TREE], vec!["`model` is missing", "`model = \"network\"`"]),
        ("model = \"tree\"", vec![DATA, NETWORK], vec!["which needs a `[tree]` section"]),
        ("", vec![DATA], vec!["are missing", "`[tree]`"]),
        (
            "",
            vec![DATA, "[train]\nepochs = 1\nbatch = 1\nloss = \"mse\"\noptimizer = \"sgd\"\n"],
            vec!["`network` is missing"],
        ),
        ("", vec![diabetes, TREE], vec!["`tree` predicts classes, but the target is one number (regression)"]),
        ("", vec![DATA, "[tree]\nmax_depth = 0\n"], vec!["`tree.max_depth` must be between 1"]),
        ("", vec![DATA, "[tree]\nmetrics = [\"mae\"]\n"], vec!["`tree.metrics` contains `mae`, which is for numbers"]),
        ("resample = \"smot\"", vec![DATA, TREE], vec!["unknown value `smot`", "did you mean `smote`?"]),
        ("resample = \"over\"", vec![diabetes, TREE], vec!["`resample` is for classes"]),
        ("resample = { smote = { k_neighbors = 0 } }", vec![DATA, TREE], vec!["`resample.smote.k_neighbors`"]),
        ("resample_before_split = true", vec![DATA, TREE], vec!["`resample_before_split` requires `resample`"]),
        (
            "threshold = \"f1\"",
            vec![&no_validation, TREE],
            vec!["`threshold` requires validation rows, but the split has none"],
        ),
        ("threshold = \"f1\"", vec![&no_test, TREE], vec!["`threshold` requires test rows"]),
        ("threshold = 1.5", vec![DATA, TREE], vec!["`threshold` must be a probability"]),
        ("threshold = 0.5", vec!["[data.digits]\nsplit = { test = 0.2 }\n", TREE], vec!["`threshold` needs 2 classes"]),
        ("", vec![DATA, TREE, "[[expect]]\nvalue = \"best.acc\"\nat_least = 0\n"], vec!["a tree has no epochs"]),
        (
            "",
            vec![DATA, NETWORK, "[[expect]]\nvalue = \"tree.depth\"\nat_least = 0\n"],
            vec!["only decision trees have `tree` metrics"],
        ),
    ] {
        let dir = new_dir(above, &tables);
        assert_says(&dir.error_message(&["exp", "idea.toml"]), &words);
        assert!(!dir.path("runs").exists(), "{above}");
    }
}

#[test]
fn sample_weights_are_rejected_where_they_cannot_be_used() {
    let weighted = DATA.replace("classes =", "weights = \"a\"\nclasses =");
    for (above, tables, words) in [
        ("", vec![&*weighted, TREE], "`data.csv.weights` sets row weights"),
        ("resample = \"smote\"", vec![&*weighted, NETWORK], "`resample` creates synthetic rows with `smote`"),
    ] {
        assert_says(&new_dir(above, &tables).error_message(&["exp", "idea.toml"]), &[words]);
    }
}

#[test]
fn thresholds_change_predictions_and_missing_ones_are_reported() {
    let dir = new_dir("threshold = 0.0", &[DATA, TREE]);
    dir.run(&["exp", "idea.toml"]).code(0);
    let rows = stdout(&dir.run(&["predict", "idea", "--csv", "rare.csv", "--format", "csv"]).code(0));
    assert!(rows.lines().skip(1).all(|row| row.split(',').nth(1) == Some("1")), "{rows}");
    let one = stdout(&dir.run(&["predict", "idea", "--index", "0"]).code(0));
    assert_says(&one, &["its probability is at least 0.0000"]);
    assert_says(&dir.error_message(&["exp", "idea.toml", "--set", "threshold=nan"]), &["numbers must be finite"]);
    // two rows of class 1, both of them training rows
    let mut table = "a,Class\n".to_owned();
    (0..40).for_each(|row| table += &format!("{row},{}\n", u8::from(row < 2)));
    dir.write("rare.csv", table);
    let unstratified = with_split(DATA, "split = { test = 0.25, validation = 0.25, random_state = 0 }");
    let mut reported = false;
    for random_state in 0..20 {
        let data = unstratified.replace("random_state = 0", &format!("random_state = {random_state}"));
        dir.write("idea.toml", format!("title = \"Rare\"\nthreshold = \"f1\"\n{data}\n{NETWORK}"));
        let shown = stdout(&dir.run(&["exp", "idea.toml"]).code(0));
        let chosen = history(&dir, "base-seed0")["test"]["threshold"].is_object();
        assert_eq!(shown.contains("no threshold could be chosen"), !chosen, "{shown}");
        reported = reported || !chosen;
    }
    assert!(reported);
}

#[test]
fn tree_variants_are_all_fitted_even_if_equal() {
    let variants = "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\n";
    let dir = new_dir("", &[DATA, TREE, variants]);
    dir.run(&["exp", "idea.toml"]).code(0);
    assert_eq!(history(&dir, "a-seed0")["test"], history(&dir, "b-seed0")["test"]);
}

#[test]
fn too_few_rows_for_smote_report_the_possible_number_of_neighbors() {
    let dir = new_dir("resample = { smote = { k_neighbors = 15 } }", &[DATA, TREE]);
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["`resample.smote.k_neighbors`", "15", "14"]);
}
