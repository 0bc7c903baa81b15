//! Values of the wrong type or out of range, and contradictory settings.

use insta::assert_snapshot;

use crate::support::{IDEA, TestDir, assert_says, error_with};

// Values of the wrong type or out of range

#[test]
fn a_value_of_the_wrong_type_is_rejected_with_its_line() {
    let message = error_with("epochs = 2", "epochs = \"many\"");
    assert_says(&message, &["`idea.toml`", "line 9, column 10", "epochs = \"many\"", "^^^^^^"]);
    for (written, instead, words) in [
        ("epochs = 2", "epochs = -3", &["line 9", "-3"][..]),
        ("epochs = 2", "epochs = 2.5", &["line 9", "2.5"]),
        ("batch = 64", "batch = \"half\"", &["line 10", "half", "\"full\""]),
        ("batch = 64", "batch = -1", &["line 10", "whole number of at least 1", "\"full\""]),
        ("lr = 1e-3", "lr = \"fast\"", &["line 12", "\"fast\""]),
        ("{ linear = 16 }", "{ linear = \"wide\" }", &["line 6", "\"wide\"", "a number or a table"]),
        ("[data.digits]", "[data.digits]\nsplit = 0.3", &["line 4", "0.3"]),
        ("{ adam = { lr = 1e-3 } }", "{ adam = \"fast\" }", &["line 12", "fast"]),
    ] {
        assert_says(&error_with(written, instead), words);
    }
}

#[test]
fn type_errors_do_not_mention_rust_types() {
    let mut violations = Vec::new();
    for (written, instead) in [
        ("epochs = 2", "epochs = \"many\""),
        ("lr = 1e-3", "lr = \"fast\""),
        ("epochs = 2", "epochs = 2\nshuffle = 1"),
        ("[data.digits]", "seeds = true\n[data.digits]"),
        ("[data.digits]", "[data.digits]\nsplit = 0.3"),
        ("[data.digits]", "[data.digits]\nsplit = { random_state = -1 }"),
        ("{ adam = { lr = 1e-3 } }", "{ adam = true }"),
    ] {
        let message = error_with(written, instead);
        let jargon = ["usize", "f64", "u32", "i64", "struct ", "sequence"];
        violations.extend(
            jargon.iter().filter(|word| message.contains(**word)).map(|word| format!("{word} for {instead:?}")),
        );
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn a_value_out_of_range_is_rejected_with_its_key_and_line() {
    assert_snapshot!(error_with("epochs = 2", "epochs = 0"), @r"
    error: `train.epochs` must be at least 1, found 0 (idea.toml, line 9)
    ");
    assert_snapshot!(error_with("lr = 1e-3", "lr = -1"), @r"
    error: `train.optimizer.adam.lr` must be finite and greater than 0, found -1 (idea.toml, line 12)
    ");
    assert_snapshot!(error_with("\"relu\"", "\"relu\", { dropout = 1.5 }"), @r"
    error: `network.layers.2.dropout.p` must be at least 0 and less than 1, found 1.5 (idea.toml, line 6)
    ");
    for (written, instead, words) in [
        ("\"relu\"", "{ dropout = 1 }", &["dropout", "less than 1", "line 6"][..]),
        ("\"relu\"", "{ leaky_relu = -0.5 }", &["leaky_relu.negative_slope", "at least 0", "line 6"]),
        (
            "[data.digits]",
            "[data.digits]\nsplit = { validation = 1.2 }",
            &["validation", "less than 1", "1.2", "line 4"],
        ),
        ("[data.digits]", "[data.digits]\nsplit = { validation = 0 }", &["validation", "less than 1", "line 4"]),
        ("[data.digits]", "[data.digits]\nsplit = { test = -0.2 }", &["test", "less than 1", "-0.2", "line 4"]),
        ("[data.digits]", "[data.digits]\nsplit = { test = 0.9999 }", &["leave at least one training row", "line 4"]),
        ("[data.digits]", "[data.mnist]\nsplit = { test = 0.2 }", &["its own 10000 test rows", "remove `test`"]),
        ("batch = 64", "batch = 0", &["`train.batch`", "at least 1", "line 10"]),
        ("{ linear = 16 }", "{ linear = 0 }", &["linear.units", "at least 1", "line 6"]),
        ("{ linear = 16 }", "{ linear = 1.5 }", &["whole number", "1.5", "line 6"]),
        ("lr = 1e-3", "lr = nan", &["`train.optimizer.adam.lr`", "line 12"]),
        ("lr = 1e-3", "betas = [0.9, 1.5]", &["betas", "less than 1", "1.5"]),
        ("lr = 1e-3", "weight_decay = -1", &["weight_decay", "at least 0", "-1"]),
        ("adam = { lr = 1e-3 }", "sgd = { momentum = 1 }", &["momentum", "less than 1"]),
        ("adam = { lr = 1e-3 }", "sgd = { nesterov = true }", &["nesterov", "momentum above 0"]),
        ("epochs = 2", "epochs = 2000000", &["`train.epochs`", "at most 1,000,000"]),
    ] {
        assert_says(&error_with(written, instead), words);
    }
}

#[test]
fn a_limit_of_clipping_that_is_none_says_what_to_write() {
    for (clip, written) in [
        ("-1", "write `clip = { norm = 1.0 }`"),
        ("0.5", "write `clip = { norm = 0.5 }`"),
        ("\"value\"", "write `clip = { value = 1.0 }`"),
        ("\"2.0\"", "write `clip = { norm = 2.0 }`"),
        ("false", "remove `clip`"),
        ("{ max = 3 }", "write `clip = { norm = 3 }`"),
        ("{ norm = -1 }", "write, for example, `clip = { norm = 1.0 }`"),
        ("{ value = 0 }", "write, for example, `clip = { value = 1.0 }`"),
    ] {
        assert_says(&error_with("epochs = 2", &format!("epochs = 2\nclip = {clip}")), &["line 10", written]);
    }
}

#[test]
fn an_infinite_learning_rate_is_rejected() {
    assert_says(&error_with("lr = 1e-3", "lr = inf"), &["`train.optimizer.adam.lr`", "finite", "inf"]);
}

#[test]
fn a_layer_too_large_for_memory_is_rejected_before_training() {
    for units in ["100000000000", "{ units = 9000000000000000000 }"] {
        let message = error_with("{ linear = 16 }", &format!("{{ linear = {units} }}"));
        assert_says(&message, &["network.layers.0", "at most"]);
    }
    let largest = i64::MAX;
    let transposed = "{ conv_transpose2d = { channels = 1, kernel = 2, stride = 4294967295 } }";
    for (layers, words) in [
        (
            format!("{{ conv2d = {{ channels = {largest}, kernel = 3 }} }}"),
            "`network.layers.1.conv2d.channels` must be at most",
        ),
        (format!("{{ rnn = {{ units = {largest} }} }}"), "`network.layers.1.rnn.units` must be at most"),
        (format!("{{ embedding = {{ tokens = {largest}, units = 2 }} }}"), "embedding.tokens` must be at most"),
        (format!("{{ embedding = {{ tokens = 2, units = {largest} }} }}"), "embedding.units` must be at most"),
        (
            "{ conv2d = { channels = 2, kernel = 3, padding = 4294967295 } }".to_owned(),
            "`network.layers.1` returns rows of 2×",
        ),
        (
            format!("{{ repeat = {{ times = 3, layers = [{transposed}] }} }}, \"flatten\", {{ linear = 16 }}"),
            "`network.layers.1` returns rows of 1×9223372036854775807×9223372036854775807 values",
        ),
    ] {
        let reshaped = format!("{{ reshape = [1, 8, 8] }}, {layers}");
        assert_says(&error_with("{ linear = 16 }", &reshaped), &[words]);
    }
}

// Contradictory settings

#[test]
fn two_data_sets_are_rejected() {
    assert_says(&error_with("[data.digits]", "[data.digits]\n[data.mnist]"), &["line ", "`[data.mnist]`"]);
}

#[test]
fn two_optimizers_are_rejected() {
    assert_says(&error_with("{ adam = { lr = 1e-3 } }", "{ adam = {}, sgd = {} }"), &["line 12", "`sgd`"]);
}

#[test]
fn two_layers_in_one_table_are_rejected() {
    assert_says(&error_with("{ linear = 16 }", "{ linear = 16, dropout = 0.5 }"), &["line 6", "`dropout`"]);
}

#[test]
fn a_variant_that_changes_a_shared_setting_is_rejected() {
    let dir = TestDir::new();
    dir.write("idea.toml", format!("{IDEA}\n[[variants]]\nname = \"a\"\nset = {{ title = \"Mine\" }}\n"));
    let words = ["`variants.0.set` sets `title`", "begin with `data`, `model`, `network`, `resample`"];
    assert_says(&dir.error_message(&["exp", "idea.toml"]), &words);
}
