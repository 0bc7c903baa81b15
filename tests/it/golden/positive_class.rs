//! Metrics of the positive class for both choices of it, and class averages with missing classes.

use runner::history::number::Number;
use runner::metrics::confusion::Confusion;
use runner::metrics::curves::ranking::Ranking;
use runner::metrics::decision::Decision;
use runner::metrics::score::Score;
use runner::metrics::{Metric, curves};
use serde_json::{Value, json};
use tch::{Kind, Tensor};

use super::fixture::{assert_near, floats, load_fixture, tensor};

const POSITIVE_CLASS_METRICS: [&str; 5] = ["precision", "recall", "f1", "ap", "roc_auc"];

fn metric(name: &str, outputs: &Tensor, truth: &Tensor, decision: Decision, positive: usize) -> f64 {
    let metric: Metric = serde_json::from_value(json!(name)).unwrap();
    metric.per_replica(&outputs.unsqueeze(0), &truth.unsqueeze(0), decision, positive).double_value(&[0])
}

fn assert_same(found: f64, expected: &Value, what: &str) {
    match expected.as_f64() {
        None => assert!(found.is_nan(), "{what}: {found}, wanted none"),
        Some(expected) => assert!((found - expected).abs() < 1e-12, "{what}: {found}, wanted {expected}"),
    }
}

#[test]
fn metrics_of_either_positive_class_equal_scikit_learn() {
    for case in load_fixture("positive_class")["two_classes"].as_array().unwrap() {
        let truth = tensor(&case["true"]).to_kind(Kind::Int64);
        let probability = tensor(&case["probability"]).to_kind(Kind::Float).unsqueeze(-1); // [rows, 1]
        let both = Tensor::cat(&[&(1.0 - &probability), &probability], 1);
        let logits = probability.to_kind(Kind::Double).logit(None);
        for positive in [0, 1] {
            let expected = &case["positive"][positive.to_string()];
            for name in POSITIVE_CLASS_METRICS {
                let what = format!("{name} of class {positive}, {}", case["name"]);
                let class_metric = |outputs: &Tensor, decision| metric(name, outputs, &truth, decision, positive);
                assert_same(class_metric(&probability, Decision::Above(0.5)), &expected[name], &what);
                assert_same(class_metric(&logits, Decision::Above(0.0)), &expected[name], &what);
                // a threshold for the other class does not change ranking metrics
                for class in [0, 1] {
                    let found = class_metric(&both, Score::Probabilities.for_class(class).at_least(0.5));
                    let is_ranking_metric = matches!(name, "ap" | "roc_auc");
                    if is_ranking_metric || class == 1 {
                        assert_same(found, &expected[name], &what);
                    }
                }
            }
            let is_positive: Vec<bool> = floats(&case["true"]).iter().map(|&class| class == positive as f64).collect();
            let score = Score::Probability.for_class(positive);
            let ranks = Vec::<f64>::try_from(score.rank(&probability)).unwrap();
            let curve = curves::precision_recall(&Ranking::new(&ranks, &is_positive).unwrap(), score);
            assert_eq!(curve.is_some(), expected["curve"].is_object(), "{}", case["name"]);
            if let Some(curve) = curve {
                let thresholds: Vec<f64> = curve.threshold.iter().map(|Number(threshold)| *threshold).collect();
                let expected = &expected["curve"];
                assert_near(&curve.precision, &floats(&expected["precision"]), 1e-15, "precision");
                assert_near(&curve.recall, &floats(&expected["recall"]), 1e-15, "recall");
                let count = thresholds.len() - 1;
                assert_near(&thresholds[..count], &floats(&expected["threshold_but_last"]), 1e-15, "thresholds");
            }
        }
    }
}

#[test]
fn class_averages_with_a_missing_class_equal_scikit_learn() {
    for case in load_fixture("positive_class")["several_classes"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let classes = case["classes"].as_i64().unwrap();
        let truth = tensor(&case["true"]).to_kind(Kind::Int64);
        let outputs = tensor(&case["predicted"]).to_kind(Kind::Int64).one_hot(classes).to_kind(Kind::Float);
        for metric_name in ["precision", "recall", "f1"] {
            let found = metric(metric_name, &outputs, &truth, Decision::Largest, 1);
            assert_same(found, &case["macro"][metric_name], &format!("{metric_name} of {name}"));
        }
        assert_same(metric("balanced_acc", &outputs, &truth, Decision::Largest, 1), &case["balanced_acc"], name);
        let confusion =
            Confusion::per_replica(&outputs.unsqueeze(0), &truth.unsqueeze(0), Decision::Largest).unwrap().remove(0);
        let report = confusion.report();
        for (scores, expected) in [(report.macro_average, "macro"), (report.weighted_average, "weighted")] {
            let expected = &case[expected];
            for (found, expected) in [(scores.precision, "precision"), (scores.recall, "recall"), (scores.f1, "f1")]
                .map(|(found, name)| (found, &expected[name]))
            {
                assert_same(found.unwrap_or(f64::NAN), expected, name);
            }
        }
        let predicted: Vec<u64> =
            (0..classes as usize).map(|class| confusion.0.iter().map(|row| row[class]).sum()).collect();
        for (class, predicted) in report.classes.iter().zip(predicted) {
            assert_eq!(class.scores.precision.is_some(), predicted > 0, "{name}: the class itself stays undefined");
            assert_eq!(class.scores.recall.is_some(), class.support > 0, "{name}");
        }
    }
}
