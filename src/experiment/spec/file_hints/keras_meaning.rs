//! Settings whose meaning differs between Keras and PyTorch, written with Keras's names and values.

use toml_edit::{Document, Item};

use crate::config::check::Invalid;
use crate::experiment::spec::file_hints::place::children;

/// Least `momentum` of a batch normalization that is more likely Keras's than PyTorch's.
const LEAST_OF_KERAS: f64 = 0.5;

/// Returns the error for a `momentum` of Keras in a layer that has Keras's name, `batch_normalization`: the weight of the old
/// averages, not of the new batch. `None` if the text has none, or is no TOML.
pub fn batch_norm_momentum(text: &str) -> Option<Invalid> {
    let document = Document::parse(text).ok()?;
    find(document.as_item(), "")
}

fn find(item: &Item, path: &str) -> Option<Invalid> {
    children(item).into_iter().find_map(|(key, inner, _)| {
        let at = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let is_of_keras = key.to_lowercase().replace('_', "") == "batchnormalization";
        let momentum = inner.get("momentum").and_then(|momentum| momentum.as_float()).filter(|_| is_of_keras);
        match momentum.filter(|momentum| (LEAST_OF_KERAS..=1.0).contains(momentum)) {
            Some(momentum) => Some(refuse(&format!("{at}.momentum"), momentum)),
            None => find(inner, &at),
        }
    })
}

fn refuse(key: &str, momentum: f64) -> Invalid {
    let converted = (1e9 * (1.0 - momentum)).round() / 1e9;
    let message = format!("is the weight of the new batch, as in PyTorch, found {momentum}");
    Invalid::new(key, message).hint(format!(
        "write `momentum = {converted}`, which is 1 minus Keras's; if {momentum} is meant as in PyTorch, name the layer \
         `batch_norm`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_momentum_of_keras_is_refused_and_converted() {
        let of = |layer: &str| batch_norm_momentum(&format!("[network]\nlayers = [\"relu\", {layer}]\n"));
        let fault = of("{ batch_normalization = { momentum = 0.99 } }").unwrap();
        assert_eq!(fault.key, "network.layers.1.batch_normalization.momentum");
        assert!(fault.hint.unwrap().starts_with("write `momentum = 0.01`,"));
        assert!(of("{ residual = [{ BatchNormalization = { momentum = 0.9 } }] }").is_some());
        for accepted in [
            "{ batch_normalization = { momentum = 0.1 } }",
            "\"batch_normalization\"",
            "{ batch_norm = { momentum = 0.9 } }",
        ] {
            assert!(of(accepted).is_none(), "{accepted}");
        }
    }
}
