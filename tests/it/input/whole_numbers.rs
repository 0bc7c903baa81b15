//! Whole numbers that do not fit the type that they are kept in are refused, and never become other numbers.

use crate::support::{Place, assert_says, idea_with};

/// What `exp` says of a network of images with this layer.
#[track_caller]
fn refusal(layer: &str) -> String {
    let place = Place::new();
    let layers = format!("layers = [{layer}, \"flatten\", {{ linear = 10 }}]");
    let text = idea_with("layers = [{ linear = 16 }, \"relu\", { linear = 10 }]", &layers);
    place.write("idea.toml", text.replace("[data.digits]", "[data.digits]\nflatten = false"));
    place.refusal(&["exp", "idea.toml", "--device", "cpu"])
}

#[test]
fn a_window_that_is_too_large_is_refused_however_it_is_written() {
    for layer in ["max_pool2d", "avg_pool2d"] {
        for size in ["4294967297", "4294967298", "9223372036854775807", "1e300"] {
            let said = refusal(&format!("{{ {layer} = {size} }}"));
            assert_says(&said, &["the kernel must be at most 4294967295"]);
        }
        refusal(&format!("{{ {layer} = {{ kernel = 4294967297 }} }}"));
        refusal(&format!("{{ {layer} = {{ kernel = 2, stride = 4294967297 }} }}"));
        refusal(&format!("{{ {layer} = -1 }}"));
    }
    refusal("{ conv2d = { channels = 4294967297, kernel = 3 } }");
    refusal("{ conv2d = { channels = 4, kernel = 4294967299 } }");
}

#[test]
fn sizes_and_counts_beyond_their_types_are_refused() {
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
        let place = Place::new();
        place.write("idea.toml", idea_with(written, instead));
        place.refusal(&["exp", "idea.toml", "--device", "cpu"]);
    }
}
