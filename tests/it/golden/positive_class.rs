//! Metrics about the positive class, whichever of two it is, and means over classes that are missing.

use runner::history::number::Number;
use runner::metrics::confusion::Confusion;
use runner::metrics::curves::ranking::Ranking;
use runner::metrics::decision::Decision;
use runner::metrics::score::Score;
use runner::metrics::{Metric, curves};
use serde_json::{Value, json};
use tch::{Kind, Tensor};

use super::fixture::{assert_near, floats, golden, tensor};

const OF_THE_POSITIVE_CLASS: [&str; 5] = ["precision", "recall", "f1", "ap", "roc_auc"];

fn metric(name: &str, outputs: &Tensor, truth: &Tensor, decision: Decision, positive: usize) -> f64 {
    let metric: Metric = serde_json::from_value(json!(name)).unwrap();
    metric.per_replica(&outputs.unsqueeze(0), &truth.unsqueeze(0), decision, positive).double_value(&[0])
}

fn assert_same(found: f64, wanted: &Value, what: &str) {
    match wanted.as_f64() {
        None => assert!(found.is_nan(), "{what}: {found}, wanted none"),
        Some(wanted) => assert!((found - wanted).abs() < 1e-12, "{what}: {found}, wanted {wanted}"),
    }
}

#[test]
fn metrics_of_either_class_are_scikit_learns_from_one_output_and_from_two() {
    for case in golden("positive_class")["two_classes"].as_array().unwrap() {
        let truth = tensor(&case["true"]).to_kind(Kind::Int64);
        let probability = tensor(&case["probability"]).to_kind(Kind::Float).unsqueeze(-1); // [rows, 1]
        let both = Tensor::cat(&[&(1.0 - &probability), &probability], 1);
        let logits = probability.to_kind(Kind::Double).logit(None);
        for positive in [0, 1] {
            let wanted = &case["positive"][positive.to_string()];
            for name in OF_THE_POSITIVE_CLASS {
                let what = format!("{name} of class {positive}, {}", case["name"]);
                let of = |outputs: &Tensor, decision| metric(name, outputs, &truth, decision, positive);
                assert_same(of(&probability, Decision::Above(0.5)), &wanted[name], &what);
                assert_same(of(&logits, Decision::Above(0.0)), &wanted[name], &what);
                // a threshold of the other class leaves what the ranking says as it is
                for class in [0, 1] {
                    let found = of(&both, Score::Probabilities.for_class(class).at_least(0.5));
                    let is_of_ranking = matches!(name, "ap" | "roc_auc");
                    if is_of_ranking || class == 1 {
                        assert_same(found, &wanted[name], &what);
                    }
                }
            }
            let is_positive: Vec<bool> = floats(&case["true"]).iter().map(|&class| class == positive as f64).collect();
            let score = Score::Probability.for_class(positive);
            let ranks = Vec::<f64>::try_from(score.rank(&probability)).unwrap();
            let curve = curves::precision_recall(&Ranking::new(&ranks, &is_positive).unwrap(), score);
            assert_eq!(curve.is_some(), wanted["curve"].is_object(), "{}", case["name"]);
            if let Some(curve) = curve {
                let thresholds: Vec<f64> = curve.threshold.iter().map(|Number(threshold)| *threshold).collect();
                let wanted = &wanted["curve"];
                assert_near(&curve.precision, &floats(&wanted["precision"]), 1e-15, "precision");
                assert_near(&curve.recall, &floats(&wanted["recall"]), 1e-15, "recall");
                let but_last = thresholds.len() - 1;
                assert_near(&thresholds[..but_last], &floats(&wanted["threshold_but_last"]), 1e-15, "thresholds");
            }
        }
    }
}

#[test]
fn means_over_classes_are_scikit_learns_by_default_where_a_class_is_missing() {
    for case in golden("positive_class")["several_classes"].as_array().unwrap() {
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
        for (scores, wanted) in [(report.macro_average, "macro"), (report.weighted_average, "weighted")] {
            let wanted = &case[wanted];
            for (found, wanted) in [(scores.precision, "precision"), (scores.recall, "recall"), (scores.f1, "f1")]
                .map(|(found, name)| (found, &wanted[name]))
            {
                assert_same(found.unwrap_or(f64::NAN), wanted, name);
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
