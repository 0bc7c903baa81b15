//! Metrics computed by `eval` equal those of the history.

use runner::data::split::RowsToSplit;
use serde_json::{Value, json};

use super::saved_run::{
    CLASSIFY, DIGITS, assert_equals_history, dir_with, dir_with_digits_run, evaluations, experiment, file, json_output,
    load, predictions,
};
use crate::support::{TestDir, assert_says, stdout};

#[test]
fn a_new_network_with_saved_weights_has_the_recorded_test_metrics() {
    let images = DIGITS.replace("scale", "flatten = false\nscale");
    let convolutions = r#"[{ conv2d = { channels = 4, kernel = 3, padding = 1 } }, { batch_norm = {} }, "relu",
        { max_pool2d = 2 }, "flatten", { dropout = 0.2 }, { linear = 10 }]"#;
    let normalized = r#"[{ linear = 16 }, { layer_norm = {} }, "tanh", { linear = 10 }]"#;
    for (data, layers) in
        [(DIGITS, "[{ linear = 16 }, \"relu\", { linear = 10 }]"), (&images, convolutions), (DIGITS, normalized)]
    {
        for keep in ["best", "last"] {
            let train = format!("{CLASSIFY}\nkeep = \"{keep}\"\nmetrics = [\"acc\", \"f1\", {{ top_k = 3 }}]");
            let dir = dir_with(&experiment(data, layers, &train), &["--seeds", "0..1"]);
            let trials = evaluations(&dir, &["idea"]);
            assert_eq!(trials.iter().map(|trial| &trial["trial"]).collect::<Vec<_>>(), ["base-seed0", "base-seed1"]);
            trials.iter().for_each(assert_equals_history);
            let names: Vec<&String> = trials[0]["metrics"].as_object().unwrap().keys().collect();
            assert_eq!(names, ["loss", "acc", "f1", "top_3", "mcc", "balanced_acc"]);
            assert_ne!(trials[0]["metrics"]["loss"], trials[1]["metrics"]["loss"]);
            evaluations(&dir, &["idea", "--data", "validation"]).iter().for_each(assert_equals_history);
        }
    }
}

#[test]
fn eval_prints_metrics_next_to_the_history_in_80_columns() {
    let dir = dir_with_digits_run();
    let message = stdout(&dir.run(&["eval", "idea", "--device", "cpu"]).code(0));
    assert_says(
        &message,
        &["idea, trial base-seed0: 1,210 parameters", "digits: 360 test rows", "metric        evaluated  history"],
    );
    assert_says(&message, &["test metrics agree with the history"]);
    let message = stdout(&dir.run(&["eval", "idea", "--data", "train"]).code(0));
    assert_says(&message, &["digits: 1,149 training rows", "nothing to compare with"]);
    dir.exp(&["idea.toml", "--seeds", "0..1"]);
    let message = stdout(&dir.run(&["eval", "idea"]).code(0));
    assert_says(
        &message,
        &["idea: 2 trials", "the same", "mean of 2", "± std", "test metrics agree with the histories"],
    );
    assert!(message.lines().all(|line| line.chars().count() <= 80), "{message}");
}

#[test]
fn binary_classifiers_have_a_report_curves_and_areas() {
    let data = DIGITS.replace("digits", "breast_cancer").replace("unit", "standard");
    let train = "epochs = 3\nloss = \"bce_with_logits\"\nmetrics = [\"ap\", \"acc\"]\nmonitor = \"val_ap\"";
    let expected = "[[expect]]\nvalue = \"test.report.classes.1.recall\"\nat_least = 0.01\n\
                    [[expect]]\nvalue = \"test.confusion.0.1\"\nat_least = 1000";
    let text = format!("{}{expected}\n", experiment(&data, "[{ linear = 8 }, \"relu\", { linear = 1 }]", train));
    let dir = TestDir::new();
    dir.write("idea.toml", text);
    let message = stdout(&dir.run(&["exp", "idea.toml", "--device", "cpu", "--verbose"]).code(0));
    let report = ["precision    recall  f1-score   support", "   macro avg  ", "row-normalized (recall)"];
    assert_says(&message, &report);
    assert_says(
        &message,
        &["test mcc ", "test roc_auc ", "✓ test.report.classes.1.recall", "✗ test.confusion.0.1 ≥ 1000"],
    );
    assert_eq!(message.matches(", test ap ").count(), 1, "{message}");
    assert!(message.split_whitespace().collect::<Vec<_>>().join(" ").contains("; test ap "), "{message}");
    let fits = |text: &str| text.lines().filter(|line| !line.starts_with(['✓', '✗'])).all(|l| l.chars().count() <= 80);
    assert!(fits(&message), "{message}");
    let history: Value =
        serde_json::from_str(&std::fs::read_to_string(file(&dir, "idea", "base-seed0.json")).unwrap()).unwrap();
    let test = &history["test"];
    let rows = history["data"]["rows"]["test"].as_f64().unwrap();
    let support = |class: usize| test["report"]["classes"][class]["support"].as_f64().unwrap();
    assert_eq!((support(0) + support(1), test["prevalence"].as_f64()), (rows, Some(support(1) / rows)));
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

    let trials = evaluations(&dir, &["idea", "--strict"]);
    trials.iter().for_each(assert_equals_history);
    for part in ["confusion", "report", "prevalence", "roc", "precision_recall"] {
        assert_eq!(trials[0][part], test[part], "{part}");
    }
    assert_eq!(trials[0]["threshold"], Value::Null);
    let message = stdout(&dir.run(&["eval", "idea", "--device", "cpu"]).code(0));
    assert_says(&message, &report);
    assert!(fits(&message), "{message}");
}

#[test]
fn variants_are_evaluated_with_their_settings_and_in_order() {
    let text = experiment(DIGITS, "[{ linear = 16 }, \"relu\", { linear = 10 }]", CLASSIFY)
        + "[[variants]]\nname = \"wide\"\nset = { \"network.layers.0.linear.units\" = 32 }\n[[variants]]\nname = \"narrow\"\nset = { \"data.digits.scale\" = \"standard\" }\n";
    let dir = dir_with(&text, &["--seeds", "3,1"]);
    let trials = evaluations(&dir, &["idea"]);
    let stems: Vec<&Value> = trials.iter().map(|trial| &trial["trial"]).collect();
    assert_eq!(stems, ["wide-seed3", "wide-seed1", "narrow-seed3", "narrow-seed1"]);
    trials.iter().for_each(assert_equals_history);
    let first = stdout(&dir.run(&["predict", "idea", "--index", "0"]).code(0));
    assert_says(
        &first,
        &["idea, trial ", "the best of 4 trials by val_loss, ", "; choose another with `--trial NAME`"],
    );
    let chosen = json_output(&dir, &["predict", "idea", "--index", "0", "--trial", "narrow-seed1", "--json"]);
    assert_eq!(chosen["trial"], "narrow-seed1");
}

#[test]
fn each_fold_is_evaluated_on_its_validation_rows() {
    let data = "[data.digits]\nscale = \"standard\"\nsplit = { folds = 3, random_state = 5 }";
    let dir = dir_with(&experiment(data, "[{ linear = 10 }]", CLASSIFY), &[]);
    let trials = evaluations(&dir, &["idea", "--data", "validation"]);
    assert_eq!(trials.iter().map(|trial| &trial["fold"]).collect::<Vec<_>>(), [&json!(0), &json!(1), &json!(2)]);
    trials.iter().for_each(assert_equals_history);
    let truths = |fold: usize| -> Vec<i64> {
        let (loaded, split) = load(json!({ "digits": { "split": { "folds": 3, "random_state": 5 } } }));
        let (_, parts) =
            &split.fold_parts(RowsToSplit { count: loaded.rows.len(), ..RowsToSplit::default() }).unwrap()[fold];
        let numbers = &parts.validation.as_ref().unwrap()[..4];
        numbers.iter().map(|&number| loaded.rows.targets.int64_value(&[number as i64])).collect()
    };
    for fold in [0, 2] {
        let stem = format!("base-seed0-fold{fold}");
        let of_row = |row: usize| {
            predictions(&dir, &["idea", "--trial", &stem, "--rows", "validation", "--index", &row.to_string()])
        };
        let found: Vec<String> = (0..4).map(|row| of_row(row)[0]["truth"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found, truths(fold).iter().map(i64::to_string).collect::<Vec<_>>());
    }
    let refused = dir.error_message(&["eval", "idea", "--data", "test"]);
    assert_says(&refused, &["the run has no test rows", "`train` or `validation`"]);
    assert_eq!(refused.matches("no test rows").count(), 1, "{refused}");
    assert_eq!(json_output(&dir, &["eval", "idea", "--json"])["data"], "validation");
    let message = stdout(&dir.run(&["eval", "idea"]).code(0));
    assert_says(&message, &["idea: 3 trials\ndigits: 599 validation rows, since the run has no test rows\n"]);
    assert_says(&message, &["validation metrics agree with the histories"]);
    assert_eq!(predictions(&dir, &["idea"]).len(), 599, "the validation rows of the best trial");
    let refused = dir.error_message(&["predict", "idea", "--ensemble"]);
    assert_says(&refused, &["each fold has its own validation rows", "--trial NAME"]);
    let refused = dir.error_message(&["predict", "idea", "--index", "0"]);
    assert_says(&refused, &["the run has no test rows", "`validation`"]);
}
