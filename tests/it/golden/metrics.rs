//! Metrics, confusion matrices and reports.

use runner::data::prepare::prepared::Prepared;
use runner::data::prepare::scale::Scale;
use runner::data::split::Parts;
use runner::data::table::form::Form;
use runner::data::{Loaded, Rows, Target};
use runner::history::classification_report::Scores;
use runner::history::number::Number;
use runner::metrics::confusion::Confusion;
use runner::metrics::curves::ranking::Ranking;
use runner::metrics::decision::Decision;
use runner::metrics::score::Score;
use runner::metrics::threshold::{ThresholdRule, ValidationScores};
use runner::metrics::{Metric, curves};
use serde_json::{Value, json};
use tch::{Kind, Tensor};

use super::fixture::{assert_near, floats, load_fixture, tensor, values};

#[test]
fn confusion_matrices_and_reports_equal_scikit_learn() {
    let scores = |scores: &Scores| [scores.precision, scores.recall, scores.f1];
    let expected_scores = |value: &Value| ["precision", "recall", "f1"].map(|name| value[name].as_f64());
    let assert_scores = |found: [Option<f64>; 3], expected: [Option<f64>; 3], what: &str| {
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.is_some(), expected.is_some(), "{what}");
            let difference = (found.unwrap_or_default() - expected.unwrap_or_default()).abs();
            assert!(difference < 1e-12, "{what}: found {found:?}, wanted {expected:?}");
        }
    };
    for case in load_fixture("metrics")["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let confusion: Confusion = serde_json::from_value(case["confusion"].clone()).unwrap();
        let report = confusion.report();
        assert_near(&[report.accuracy.unwrap()], &floats(&case["accuracy"]), 1e-12, name);
        let by_class = &case["per_class"];
        for (number, class) in report.classes.iter().enumerate() {
            let expected = ["precision", "recall", "f1"].map(|score| by_class[score][number].as_f64());
            assert_scores(scores(&class.scores), expected, name);
            assert_eq!(json!(class.support), by_class["support"][number], "{name}");
        }
        assert_scores(scores(&report.macro_average), expected_scores(&case["macro"]), name);
        assert_scores(scores(&report.weighted_average), expected_scores(&case["weighted"]), name);

        if case["true"].is_null() {
            continue;
        }
        let classes = case["labels"].as_array().unwrap().len();
        let truth = tensor(&case["true"]).to_kind(Kind::Int64); // [rows]
        let outputs = tensor(&case["predicted"]).to_kind(Kind::Int64).one_hot(classes as i64).to_kind(Kind::Float);
        let found = Confusion::per_replica(&outputs.unsqueeze(0), &truth.unsqueeze(0), Decision::Largest).unwrap();
        assert_eq!(found, [confusion], "{name}");
        assert_metric(json!("acc"), &outputs, &truth, Decision::Largest, &case["accuracy"], name);
        for score in ["precision", "recall", "f1"] {
            let expected = if classes == 2 { &by_class[score][1] } else { &case["macro"][score] };
            assert_metric(json!(score), &outputs, &truth, Decision::Largest, expected, name);
            if classes == 2 {
                let one_output = outputs.narrow(1, 1, 1);
                assert_metric(json!(score), &one_output, &truth, Decision::Above(0.5), expected, name);
            }
        }
    }
}

#[test]
fn roc_auc_and_average_precision_equal_scikit_learn() {
    for case in load_fixture("metrics_more")["roc_auc"].as_array().unwrap() {
        let (name, truth) = (case["name"].as_str().unwrap(), tensor(&case["true"]).to_kind(Kind::Int64));
        let scores = tensor(&case["scores"]).unsqueeze(-1); // [rows, 1]
        let two_outputs = Tensor::cat(&[&(&scores * -1.0), &scores], 1);
        for area in ["roc_auc", "ap"] {
            assert_metric(json!(area), &scores, &truth, Decision::Above(0.0), &case[area], name);
            assert_metric(json!(area), &scores, &truth, Score::Logit.for_class(1).at_least(0.3), &case[area], name);
            assert_metric(json!(area), &two_outputs, &truth, Decision::Largest, &case[area], name);
        }
    }
}

#[test]
fn roc_and_precision_recall_curves_equal_scikit_learn() {
    for case in load_fixture("metrics_more")["roc_auc"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let is_class_1: Vec<bool> = floats(&case["true"]).iter().map(|class| *class == 1.0).collect();
        let ranking = Ranking::new(&floats(&case["scores"]), &is_class_1).unwrap();
        let thresholds = |numbers: &[Number]| numbers.iter().map(|number| number.0).collect::<Vec<_>>();
        let (roc, expected) = (curves::roc(&ranking, Score::Output.for_class(1)), &case["roc"]);
        assert_eq!(roc.is_some(), expected.is_object(), "{name}");
        if let Some(roc) = roc {
            assert_near(&roc.fpr, &floats(&expected["fpr"]), 1e-15, name);
            assert_near(&roc.tpr, &floats(&expected["tpr"]), 1e-15, name);
            assert_eq!(thresholds(&roc.threshold[1..]), floats(&expected["threshold_from_second"]), "{name}");
        }
        let (curve, expected) =
            (curves::precision_recall(&ranking, Score::Output.for_class(1)), &case["precision_recall"]);
        assert_eq!(curve.is_some(), expected.is_object(), "{name}");
        if let Some(curve) = curve {
            let count = curve.f1.len() - 1;
            assert_near(&curve.precision, &floats(&expected["precision"]), 1e-15, name);
            assert_near(&curve.recall, &floats(&expected["recall"]), 1e-15, name);
            assert_near(&curve.f1[..count], &floats(&expected["f1_but_last"]), 1e-15, name);
            assert_eq!(thresholds(&curve.threshold[..count]), floats(&expected["threshold_but_last"]), "{name}");
        }
    }
}

#[test]
fn best_thresholds_equal_an_exhaustive_search_with_scikit_learn() {
    let fixture = load_fixture("metrics_more");
    let cost = serde_json::from_value(fixture["settings"]["cost"].clone()).unwrap();
    for case in fixture["roc_auc"].as_array().unwrap() {
        let (name, truth) = (case["name"].as_str().unwrap(), tensor(&case["true"]).to_kind(Kind::Int64));
        let scores = tensor(&case["scores"]).to_kind(Kind::Double);
        let rows = Rows::new(scores.unsqueeze(-1).to_kind(Kind::Float), truth.shallow_clone());
        let classes = vec!["0".to_owned(), "1".to_owned()];
        let rows = Loaded::new(String::new(), Target::Classes(2), classes, rows, Form::Points);
        let all: Vec<usize> = (0..truth.size()[0] as usize).collect();
        let parts = Parts { training: all.clone(), validation: Some(all), test: None };
        let validation = Prepared::from_parts(&rows, &parts, Scale::None).unwrap().validation.unwrap();
        let scores_of_rows = ValidationScores::new(&validation, &scores, 1);
        for (key, by) in [("f1", ThresholdRule::F1), ("cost", ThresholdRule::Cost(cost))] {
            let (found, expected) = (scores_of_rows.choose(by), &case["best"][key]);
            assert_eq!(found.is_some(), expected.is_object(), "{name}, {key}");
            let Some(choice) = found else { continue };
            let at = choice.validation.unwrap();
            assert_eq!(json!(at.confusion), expected["confusion"], "{name}, {key}");
            let value = at.cost.or(at.scores.f1).unwrap();
            assert_near(&[value], &floats(&expected["value"]), 1e-15, name);
            if let Some(score) = expected["at"].as_f64() {
                assert!(choice.value <= score, "{name}, {key}: between that score and the next");
            }
        }
    }
}

#[test]
fn correlations_and_balanced_accuracies_equal_scikit_learn() {
    for case in load_fixture("metrics_more")["correlations"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let truth = tensor(&case["true"]).to_kind(Kind::Int64);
        let outputs = tensor(&case["predicted"]).to_kind(Kind::Int64).one_hot(case["classes"].as_i64().unwrap());
        let outputs = outputs.to_kind(Kind::Float);
        for metric in ["mcc", "balanced_acc"] {
            assert_metric(json!(metric), &outputs, &truth, Decision::Largest, &case[metric], name);
            if case["classes"] == 2 {
                let one_output = outputs.narrow(1, 1, 1);
                assert_metric(json!(metric), &one_output, &truth, Decision::Above(0.5), &case[metric], name);
            }
        }
    }
}

#[test]
fn ranking_multilabel_and_regression_metrics_equal_scikit_learn() {
    let fixture = load_fixture("metrics_more");
    let case = &fixture["top_k"];
    let (scores, truth) = (tensor(&case["scores"]), tensor(&case["true"]).to_kind(Kind::Int64));
    for (k, expected) in case["top_k"].as_object().unwrap() {
        let metric = json!({ "top_k": k.parse::<usize>().unwrap() });
        assert_metric(metric, &scores, &truth, Decision::Largest, expected, k);
    }
    assert_metric(json!("acc"), &scores, &truth, Decision::Largest, &case["top_k"]["1"], "accuracy");

    for case in fixture["labels"].as_array().unwrap() {
        let (scores, truth) = (tensor(&case["scores"]), tensor(&case["true"]));
        for name in ["acc", "precision", "recall", "f1", "roc_auc", "ap"] {
            let what = case["name"].as_str().unwrap();
            assert_metric(json!(name), &scores, &truth, Decision::EachAbove(0.0), &case[name], what);
        }
    }

    for case in fixture["regression"].as_array().unwrap() {
        let (predicted, truth) = (tensor(&case["predicted"]), tensor(&case["true"]));
        for name in ["me", "mae", "mse", "rmse", "mape", "r2"] {
            let what = case["name"].as_str().unwrap();
            assert_metric(json!(name), &predicted, &truth, Decision::Value, &case[name], what);
        }
    }
}

/// Computes the metric for two replicas with the same rows. Both must equal `wanted`, which may be NaN.
#[track_caller]
fn assert_metric(metric: Value, outputs: &Tensor, truth: &Tensor, decision: Decision, expected: &Value, what: &str) {
    let metric = match &metric {
        Value::String(_) | Value::Object(_) => serde_json::from_value::<Metric>(metric).unwrap(),
        other => panic!("not a metric: {other}"),
    };
    let repeat = |tensor: &Tensor| Tensor::stack(&[tensor, tensor], 0);
    let found = metric.per_replica(&repeat(outputs), &repeat(truth), decision, 1);
    assert_eq!((found.kind(), found.size()), (Kind::Double, vec![2]), "{what}");
    for found in values(&found) {
        let expected = value_or_nan(expected);
        let near = (found - expected).abs() <= 1e-12 * expected.abs().max(1.0);
        assert!(
            near || (found.is_nan() && expected.is_nan()),
            "{} of {what}: {found}, wanted {expected}",
            metric.name()
        );
    }
}

/// A value of a fixture; NaN if it is undefined.
fn value_or_nan(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}
