//! Integers that do not fit their type are rejected and never changed silently.

use crate::support::{TestDir, assert_says, idea_with};

/// Error message of `exp` for an image network with this layer.
#[track_caller]
fn layer_error(layer: &str) -> String {
    let dir = TestDir::new();
    let layers = format!("layers = [{layer}, \"flatten\", {{ linear = 10 }}]");
    let text = idea_with("layers = [{ linear = 16 }, \"relu\", { linear = 10 }]", &layers);
    dir.write("idea.toml", text.replace("[data.digits]", "[data.digits]\nflatten = false"));
    dir.error_message(&["exp", "idea.toml", "--device", "cpu"])
}

#[test]
fn pooling_windows_that_are_too_large_are_rejected_in_every_notation() {
    for layer in ["max_pool2d", "avg_pool2d"] {
        for size in ["4294967297", "4294967298", "9223372036854775807", "1e300"] {
            let message = layer_error(&format!("{{ {layer} = {size} }}"));
            assert_says(&message, &["the kernel must be at most 4294967295"]);
        }
        layer_error(&format!("{{ {layer} = {{ kernel = 4294967297 }} }}"));
        layer_error(&format!("{{ {layer} = {{ kernel = 2, stride = 4294967297 }} }}"));
        layer_error(&format!("{{ {layer} = -1 }}"));
    }
    layer_error("{ conv2d = { channels = 4294967297, kernel = 3 } }");
    layer_error("{ conv2d = { channels = 4, kernel = 4294967299 } }");
}

#[test]
fn sizes_and_counts_out_of_range_are_rejected() {
    for (written, instead) in [
        ("{ linear = 16 }", "{ linear = 18446744073709551617 }"),
        ("{ linear = 16 }", "{ linear = 9223372036854775807 }"),
        ("{ linear = 16 }", "{ linear = 4294967312 }"),
        ("epochs = 2", "epochs = 4294967298"),
        ("epochs = 2", "epochs = 2\nearly_stopping = 4294967297"),
        ("epochs = 2", "epochs = 2\nmetrics = [{ top_k = 4294967297 }]"),
        ("[data.digits]", "[data.digits]\nsplit = { test = 0.2, random_state = 4294967296 }"),
        ("[data.digits]", "[data.digits]\nsplit = { folds = 4294967298 }"),
    ] {
        let dir = TestDir::new();
        dir.write("idea.toml", idea_with(written, instead));
        dir.error_message(&["exp", "idea.toml", "--device", "cpu"]);
    }
}
