//! Losses with their gradients, and class weights.

use runner::train::loss::Loss;
use serde_json::{Value, json};
use tch::{Kind, Tensor};

use super::fixture::{assert_near, floats, load_fixture, shape_of, tensor, values};

#[test]
fn every_loss_and_its_gradient_equal_pytorch_even_for_large_logits() {
    let fixture = load_fixture("losses");
    let all = fixture["cases"].as_array().unwrap();
    assert_eq!(all.len(), 16);
    for case in all {
        let (name, loss) = (case["name"].as_str().unwrap(), loss(case));
        let as_batch = |value: &Value| match shape_of(value)[..] {
            [rows] => tensor(value).view([1, rows, 1]),
            _ => tensor(value).unsqueeze(0),
        };
        let targets = match (&loss, &shape_of(&case["target"])[..]) {
            (Loss::CrossEntropy(_) | Loss::Nll(_), [_]) => tensor(&case["target"]).to_kind(Kind::Int64).unsqueeze(0),
            _ => as_batch(&case["target"]),
        };
        for replicas in [1, 3] {
            let each = |tensor: &Tensor| Tensor::cat(&vec![tensor; replicas], 0);
            let outputs = each(&as_batch(&case["input"])).set_requires_grad(true); // [replicas, rows, outputs]
            let targets = each(&targets);
            let criterion = loss.criterion(&targets, outputs.size()[2] as usize, 1);
            let found = criterion.of_each_replica(&outputs, &targets, None);
            let gradient = Tensor::run_backward(&[found.sum(None)], &[&outputs], false, false).remove(0);
            assert_near(&values(&found), &vec![case["value"].as_f64().unwrap(); replicas], 1e-6, name);
            for replica in 0..replicas as i64 {
                assert_near(&values(&gradient.get(replica)), &floats(&case["gradient"]), 1e-6, name);
            }
        }
    }
}

#[test]
fn balanced_class_weights_equal_scikit_learn() {
    let fixture = load_fixture("metrics_more");
    let case = &fixture["class_weights"];
    let truth = tensor(&case["true"]).to_kind(Kind::Int64).unsqueeze(0);
    let logits = Tensor::from_slice(&[0.5_f32, -1.0, 2.0]).expand([1, truth.size()[1], 3], false);
    let loss_with = |weights: &Value| {
        let loss = json!({ "cross_entropy": { "class_weights": weights } });
        let loss: Loss = serde_json::from_value(loss).unwrap();
        values(&loss.criterion(&truth, 3, 1).of_each_replica(&logits, &truth, None))
    };
    assert_near(&loss_with(&json!("balanced")), &loss_with(&case["balanced"]), 1e-6, "balanced");
}

/// The loss of a fixture's case, from the name and options of PyTorch.
fn loss(case: &Value) -> Loss {
    let options = &case["options"];
    let weights = |name: &str| options.get(name).cloned().unwrap_or(Value::Null);
    let one_hot = shape_of(&case["target"]).len() == 2;
    let written = match case["function"].as_str().unwrap().rsplit('.').next().unwrap() {
        "mse_loss" => json!("mse"),
        "l1_loss" => json!("l1"),
        "huber_loss" => json!({ "huber": options }),
        "binary_cross_entropy" => json!("bce"),
        "binary_cross_entropy_with_logits" => json!({ "bce_with_logits": { "pos_weight": weights("pos_weight") } }),
        "nll_loss" => json!({ "nll": { "class_weights": weights("weight") } }),
        "cross_entropy" => json!({ "cross_entropy": {
            "label_smoothing": options.get("label_smoothing").unwrap_or(&json!(0.0)),
            "class_weights": weights("weight"),
            "targets": if one_hot { "one_hot" } else { "sparse" },
        } }),
        other => panic!("an unknown loss: {other}"),
    };
    serde_json::from_value(written).unwrap()
}
