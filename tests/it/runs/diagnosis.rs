//! The diagnosis of a run from its curves and baselines, including classifiers that are no better than a constant.

use serde_json::Value;

use crate::support::{TestDir, assert_says, stdout};

/// 200 rows with uninformative features. Every twentieth row has the class `yes`.
fn imbalanced_table() -> String {
    let mut state: u32 = 7;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    };
    let mut text = "a,b,left\n".to_owned();
    for row in 0..200 {
        text += &format!("{:.5},{:.5},{}\n", draw(), draw(), if row % 20 == 0 { "yes" } else { "no" });
    }
    text
}

const CLASSIFIER: &str = r#"title = "Who leaves"
[data.csv]
path = "rare.csv"
target = "left"
classes = ["no", "yes"]
split = { test = 0.4, validation = 0.2, random_state = 0, stratify = true }
[network]
layers = [{ linear = 1 }]
[train]
epochs = 4
batch = 32
loss = "bce_with_logits"
optimizer = { sgd = { lr = 0.5 } }
"#;

fn new_dir(experiment: &str) -> TestDir {
    let dir = TestDir::new();
    dir.write("rare.csv", imbalanced_table());
    dir.write("idea.toml", experiment);
    dir
}

fn history(dir: &TestDir) -> Value {
    let text = std::fs::read_to_string(dir.path("runs/idea/latest/base-seed0.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_classifier_that_predicts_one_class_is_reported_first() {
    let dir = new_dir(CLASSIFIER);
    let shown = stdout(&dir.run(&["exp", "idea.toml", "--verbose"]).success());
    let message = "predicts only `no`: accuracy 0.9500 is the share of the most frequent class";
    assert!(
        shown.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(&format!("idea: {message}; ")),
        "{shown}"
    );
    assert_says(&shown, &["baseline: acc 0.9500 (always `no`), loss 0.1985 (constant probabilities)"]);
    let history = history(&dir);
    assert_eq!(history["baselines"]["caution"], message);
    assert_eq!(history["baselines"]["test"]["acc"], 0.95);
    assert_eq!(history["baselines"]["validation"]["class"], 0);
    dir.run(&["report", "idea", "-o", "page.html"]).success();
    let page = std::fs::read_to_string(dir.path("page.html")).unwrap();
    assert_says(
        &page,
        &[
            "No better than a constant prediction",
            "is the share of the most frequent class",
            "constant prediction: 0.95",
        ],
    );
}

#[test]
fn a_constant_regression_target_is_compared_with_the_mean() {
    let experiment = r#"title = "All the same"
[data.csv]
path = "same.csv"
target = "y"
task = "values"
split = { test = 0.25, random_state = 0 }
[network]
layers = [{ linear = 1 }]
[train]
epochs = 20
batch = 16
loss = "mse"
metrics = ["mae", "r2"]
optimizer = { adam = { lr = 0.05 } }
"#;
    let dir = new_dir(experiment);
    let rows: String = (0..80).map(|row| format!("{},{},3.1\n", row % 7, row % 11)).collect();
    dir.write("same.csv", format!("a,b,y\n{rows}"));
    let shown = stdout(&dir.run(&["exp", "idea.toml", "--verbose"]).success());
    assert_says(&shown, &["underfitting: the target is the same in every training row", "baseline (the mean of the"]);
    let history = history(&dir);
    assert_eq!(history["diagnosis"]["label"], "underfitting");
    assert!(history["baselines"]["test"]["mae"].as_f64().unwrap() < 1e-5);
}

#[test]
fn the_regression_baseline_predicts_the_mean_of_the_training_rows() {
    // sklearn.dummy.DummyRegressor() on the same split of y = 0, 1, …, 39:
    // train_test_split(range(40), test_size=0.25, random_state=0)
    let experiment = r#"title = "Line"
[data.csv]
path = "line.csv"
target = "y"
task = "values"
split = { test = 0.25, random_state = 0 }
[network]
layers = [{ linear = 1 }]
[train]
epochs = 1
batch = 16
loss = "mse"
metrics = ["mae", "r2"]
optimizer = { sgd = { lr = 1e-6 } }
"#;
    let dir = new_dir(experiment);
    let rows: String = (0..40).map(|row| format!("{row},{row}\n")).collect();
    dir.write("line.csv", format!("x,y\n{rows}"));
    dir.run(&["exp", "idea.toml"]).success();
    let baseline = &history(&dir)["baselines"]["test"];
    for (name, value) in [("loss", DUMMY.0), ("mae", DUMMY.1), ("r2", DUMMY.2)] {
        assert!((baseline[name].as_f64().unwrap() - value).abs() < 1e-4 * value.abs().max(1.0), "{name}: {baseline}");
    }
}

/// Mean squared error, mean absolute error and R² of the dummy regressor.
const DUMMY: (f64, f64, f64) = (63.764444, 6.600000, -0.049448);

#[test]
fn older_words_in_experiments_are_still_accepted() {
    let expect = "[[expect]]\nvalue = \"diagnosis.verdict\"\nis = \"jumping_about\"\n\
                  [[expect]]\nvalue = \"diagnosis.gap\"\nat_least = 0\n";
    let dir = new_dir(&format!("{CLASSIFIER}{expect}"));
    let shown = stdout(&dir.run(&["exp", "idea.toml", "--verbose"]).success());
    assert_says(&shown, &["diagnosis.gap ≥ 0: found"]);
    let refused = TestDir::new();
    refused.write("rare.csv", imbalanced_table());
    refused.write("idea.toml", format!("{CLASSIFIER}{}", expect.replace("jumping_about", "unstabel")));
    assert_says(&refused.error_message(&["exp", "idea.toml"]), &["`unstabel`", "did you mean `unstable`?"]);
}
