//! Settings that do not fit together: losses, layers, shapes and monitored metrics.

use insta::assert_snapshot;

use crate::support::{IDEA, TestDir, assert_says, error_with, idea_with};

#[test]
fn a_loss_that_does_not_fit_the_output_suggests_one_that_fits() {
    assert_snapshot!(error_with("{ linear = 10 }", "{ linear = 5 }"), @r"
    error: `train.loss` does not fit: `cross_entropy` needs 10 outputs for 10 classes, and the network has 5 (idea.toml, line 11)
    hint: end with `{ linear = 10 }`
    ");
    assert_snapshot!(error_with("{ linear = 10 }", "{ linear = 10 }, \"softmax\""), @r"
    error: `train.loss` does not fit: `cross_entropy` takes logits, and the network ends in `softmax` (idea.toml, line 11)
    hint: leave the last `softmax` out: the loss already applies it
    ");
    assert_says(&error_with("{ linear = 10 }", "{ linear = 10 }, \"sigmoid\""), &["takes logits", "`sigmoid` out"]);
}

#[test]
fn a_loss_that_does_not_fit_the_targets_suggests_one_that_fits() {
    assert_snapshot!(error_with("\"cross_entropy\"", "\"bce\""), @r"
    error: `train.loss` does not fit: `bce` needs one output and two classes, and there are 10 outputs and 10 classes (idea.toml, line 11)
    hint: use `cross_entropy`
    ");
    let message = error_with("\"cross_entropy\"", "\"bce_with_logits\"");
    assert_says(&message, &["`bce_with_logits`", "10 classes", "line 11", "use `cross_entropy`"]);
    let mse = IDEA.replace("linear = 10", "linear = 5").replace("cross_entropy", "mse");
    let dir = TestDir::new();
    dir.write("idea.toml", mse);
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &["`mse`", "10 classes", "5", "`{ linear = 10 }`"]);
}

#[test]
fn a_binary_loss_after_the_wrong_last_layer_is_rejected() {
    let gate = |last: &str, loss: &str| {
        let text = idea_with("[data.digits]", "[data.logic]\ngate = \"and\"");
        let dir = TestDir::new();
        dir.write("idea.toml", text.replace("{ linear = 10 }", last).replace("cross_entropy", loss));
        dir.error_message(&["exp", "idea.toml"])
    };
    assert_snapshot!(gate("{ linear = 1 }", "bce"), @r#"
    error: `train.loss` does not fit: `bce` takes probabilities, and the network ends in `linear` (idea.toml, line 12)
    hint: end with `"sigmoid"`, or use `bce_with_logits`
    "#);
    assert_says(&gate("{ linear = 1 }, \"sigmoid\"", "bce_with_logits"), &["takes logits", "use `bce`"]);
    assert_says(&gate("{ linear = 1 }", "cross_entropy"), &["2 classes", "`bce_with_logits`", "`{ linear = 2 }`"]);
    assert_says(&gate("{ linear = 2 }", "bce"), &["one output", "`{ linear = 1 }`"]);
}

#[test]
fn shape_mismatches_name_the_layer_and_both_shapes() {
    assert_snapshot!(error_with("[data.digits]", "[data.digits]\nflatten = false"), @r#"
    error: `network.layers.0` cannot take its input: layer 0 (`linear`) takes 64, and a row of `digits` gives 1×8×8 (idea.toml, line 7)
    hint: put `"flatten"` before it
    "#);
    let message = error_with("[data.digits]", "[data.mnist]\nflatten = false");
    assert_says(&message, &["layer 0 (`linear`)", "784", "1×28×28", "`mnist`", "put `\"flatten\"` before it"]);
    assert_snapshot!(error_with("{ linear = 10 }", "{ linear = { units = 10, in_features = 12 } }"), @r"
    error: `network.layers.2` cannot take its input: layer 2 (`linear`) takes 12, and layer 1 (`relu`) gives 16 (idea.toml, line 6)
    hint: remove `in_features`: it is found automatically
    ");
    let message = error_with("{ linear = 16 }", "{ linear = { units = 16, in_features = 65 } }");
    assert_says(&message, &["layer 0 (`linear`)", "65", "`digits`", "64", "remove `in_features`"]);
}

#[test]
fn a_network_without_layers_is_rejected_with_an_example() {
    assert_snapshot!(error_with("layers = [{ linear = 16 }, \"relu\", { linear = 10 }]", "layers = []"), @r"
    error: `network.layers` is empty: a network needs a layer (idea.toml, line 6)
    hint: the simplest is `layers = [{ linear = 10 }]`
    ");
}

#[test]
fn a_network_without_parameters_is_rejected() {
    let message = error_with("[{ linear = 16 }, \"relu\", { linear = 10 }]", "[\"relu\"]");
    assert_says(&message, &["`network.layers`", "no parameters to train", "line 6", "add a layer"]);
}

#[test]
fn a_layer_without_its_size_is_rejected() {
    assert_says(&error_with("\"relu\"", "\"linear\""), &["line 6", "`linear` needs settings", "`units`"]);
}

#[test]
fn an_unknown_monitored_metric_is_rejected() {
    let monitor = |name: &str| error_with("epochs = 2", &format!("epochs = 2\nmonitor = \"{name}\""));
    assert_snapshot!(monitor("lss"), @r"
    error: `train.monitor` must be a metric of this run, found `lss` (idea.toml, line 10)
    hint: did you mean `loss`?
    ");
    assert_says(&monitor("zzzz"), &["`train.monitor`", "`zzzz`", "line 10", "`loss`, `acc`"]);
}

#[test]
fn a_monitored_validation_metric_requires_validation_rows() {
    let message = error_with("epochs = 2", "epochs = 2\nmonitor = \"val_acc\"");
    assert_says(&message, &["`val_acc`", "line 10", "split = { validation = 0.2 }"]);
}
