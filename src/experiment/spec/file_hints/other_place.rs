//! Settings of Keras, PyTorch and Lightning that have another place or another form here.

use crate::experiment::spec::file_hints::place::Place;
use crate::experiment::spec::file_hints::value_text;

/// Keys that `[train]`, `[network]`, `[tree]` and the tables of data sets have, one of each.
const OF_TABLES: [&str; 4] = ["early_stopping", "layers", "max_depth", "split"];

/// Returns where an unknown key belongs and how it is written; `known` are the keys of its table.
pub fn hint(typed: &str, value: Option<&str>, known: &[&str]) -> Option<String> {
    let is_of = |key: &str| known.contains(&key);
    let in_train = if is_of("early_stopping") { "" } else { " in `[train]`" };
    let number =
        |default: &'static str| value.filter(|value| value.parse::<f64>().is_ok()).unwrap_or(default).to_owned();
    let lower = typed.to_lowercase();
    Some(match &*lower {
        "class_weight" | "class_weights" => {
            let weights = value.filter(|value| value.starts_with('[')).unwrap_or("\"balanced\"");
            format!(
                "write it in the loss: `loss = {{ cross_entropy = {{ class_weights = {weights} }} }}`{in_train}; with \
                 `bce_with_logits`, `pos_weight = \"balanced\"`"
            )
        }
        "patience" => format!("write `early_stopping = {}`{in_train}", number("5")),
        "kernel_regularizer" | "bias_regularizer" | "regularizer" | "l2" | "l1" => {
            let norm = if lower == "l1" { "l1" } else { "l2" };
            format!("write `penalty = {{ {norm} = {} }}`{in_train}, for all layers", number("0.01"))
        }
        "reduce_lr_on_plateau" | "reducelronplateau" => {
            format!("write `schedule = \"reduce_on_plateau\"`{in_train}, or with its settings: `{{ reduce_on_plateau = {{ patience = 5 }} }}`")
        }
        "dropout" | "dropout_rate" => format!("dropout is a layer: write `{{ dropout = {} }}` in `network.layers`", number("0.5")),
        "random_state" | "seed" | "random_seed" if is_of("split") => {
            format!("write it in `split`: `split = {{ test = 0.2, random_state = {} }}`", number("0"))
        }
        "random_seed" | "seed" | "random_state" | "manual_seed" => {
            format!("write `seeds = [{}]` at the top of the file", number("0"))
        }
        "seeds" => format!("write `seeds = {}` at the top of the file, before the first table", value.unwrap_or("\"0..4\"")),
        "threshold" | "resample" | "resample_before_split" | "positive" if OF_TABLES.iter().any(|key| is_of(key)) => {
            let written = value.map_or("it".to_owned(), |value| format!("`{lower} = {value}`"));
            format!("write {written} at the top of the file, before the first table")
        }
        "callbacks" => format!(
            "write `early_stopping = 5` for EarlyStopping{in_train}, `schedule = {{ reduce_on_plateau = {{ patience = 2 }} }}` \
             for ReduceLROnPlateau; the weights of the best epoch are kept anyway; `--tensorboard DIR` writes event files"
        ),
        "label_smoothing" if !is_of("class_weights") => {
            format!("write it in the loss: `loss = {{ cross_entropy = {{ label_smoothing = {} }} }}`{in_train}", number("0.1"))
        }
        "validation_data" => {
            "write `split = { validation = 0.2 }` in the table of the data set; for a file of its own, see the keys of the \
             data set"
                .to_owned()
        }
        "transform" | "transforms" | "augmentation" if !is_of("relu") => {
            format!("write `augment = {{ shift = 2, rotate = 10 }}`{in_train} for images, and `scale` in the table of the data set")
        }
        "normalize" | "normalization" | "standardize" | "rescale" | "rescaling" if !is_of("relu") => {
            "write in the table of the data set: `scale = \"unit\"` for 0 to 1, or `scale = \"standard\"` for mean 0 and \
             standard deviation 1"
                .to_owned()
        }
        "max_grad_norm" | "clipnorm" | "clip_norm" | "grad_clip" | "gradient_clip" | "gradient_clip_val"
        | "clip_grad_norm" => format!("write `clip = {{ norm = {} }}`{in_train}", number("1.0")),
        "clipvalue" | "clip_value" => format!("write `clip = {{ value = {} }}`{in_train}", number("1.0")),
        "amp" | "mixed_precision" | "fp16" | "bf16" | "precision" => {
            format!("remove `{typed}`: it is an option of the command, `--precision bf16` or `--precision tf32`")
        }
        "beta_1" | "beta1" if is_of("betas") => format!("write `betas = [{}, 0.999]`", number("0.9")),
        "beta_2" | "beta2" if is_of("betas") => format!("write `betas = [0.9, {}]`", number("0.999")),
        "multi_step" | "multisteplr" if is_of("one_cycle") => {
            "milestones are not supported; write, for example, `schedule = { step = { every = 10, gamma = 0.1 } }`".to_owned()
        }
        "flip" | "horizontal_flip" | "random_flip" | "zoom" if is_of("rotate") => {
            format!("remove `{typed}`: images can be shifted, rotated and covered with noise")
        }
        _ => return None,
    })
}

/// Returns the hint for an activation in the settings of a layer: the next layer, or nothing if the loss applies it to the
/// outputs of the last layer.
pub fn of_activation(value: Option<&str>, place: Place) -> String {
    let value = value.unwrap_or("\"relu\"");
    let in_loss = match value_text::unquoted(value) {
        Some("softmax" | "log_softmax") => "cross_entropy",
        Some("sigmoid") => "bce_with_logits",
        _ => "",
    };
    if let Some("linear" | "none" | "None" | "identity") = value_text::unquoted(value) {
        return format!("remove `activation = {value}`: the outputs of the layer stay as they are without it");
    }
    match loss_after(place).filter(|loss| loss == in_loss) {
        Some(loss) => {
            format!("remove `activation = {value}`: the loss `{loss}` applies it to the outputs of the last layer")
        }
        None => format!("write `{value}` as the next layer"),
    }
}

/// Returns the name of the loss if the place is in the last layer of the network.
fn loss_after(place: Place) -> Option<String> {
    let document = toml_edit::Document::parse(place.text).ok()?;
    let layers = document.get("network")?.get("layers")?.as_array()?;
    let layer: usize = place.key.strip_prefix("network.layers.")?.split('.').next()?.parse().ok()?;
    let loss = document.get("train")?.get("loss")?;
    let name = loss.as_str().or_else(|| loss.as_table_like()?.iter().next().map(|(name, _)| name))?;
    let name = match name {
        "sparse_categorical_crossentropy" | "categorical_crossentropy" | "CrossEntropyLoss" => "cross_entropy",
        "BCEWithLogitsLoss" => "bce_with_logits",
        name => name,
    };
    (layer + 1 == layers.len()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_other_programs_are_sent_to_their_place() {
        let train = ["epochs", "early_stopping", "penalty", "clip"];
        for (typed, value, written) in [
            ("patience", "3", "write `early_stopping = 3`"),
            (
                "class_weight",
                "\"balanced\"",
                "write it in the loss: `loss = { cross_entropy = { class_weights = \"balanced\" } }`",
            ),
            ("max_grad_norm", "0.5", "write `clip = { norm = 0.5 }`"),
            ("random_seed", "7", "write `seeds = [7]` at the top of the file"),
            ("dropout", "0.3", "dropout is a layer: write `{ dropout = 0.3 }` in `network.layers`"),
            ("amp", "true", "remove `amp`:"),
            ("threshold", "0.3", "write `threshold = 0.3` at the top of the file, before the first table"),
            ("resample", "\"smote\"", "write `resample = \"smote\"` at the top of the file, before the first table"),
        ] {
            let found = hint(typed, Some(value), &train).unwrap();
            assert!(found.starts_with(written), "{found}");
        }
        assert_eq!(hint("patience", None, &["title", "train"]).unwrap(), "write `early_stopping = 5` in `[train]`");
        assert_eq!(hint("beta_1", Some("0.8"), &["lr", "betas"]).unwrap(), "write `betas = [0.8, 0.999]`");
        assert_eq!(hint("beta_1", Some("0.8"), &["lr"]), None);
        assert_eq!(hint("threshold", Some("0.8"), &["value", "at_least"]), None);
        let header = hint("threshold", None, &["max_depth"]).unwrap();
        assert_eq!(header, "write it at the top of the file, before the first table");
        let split = hint("random_state", Some("3"), &["scale", "split"]).unwrap();
        assert!(split.ends_with("`split = { test = 0.2, random_state = 3 }`"), "{split}");
    }

    #[test]
    fn an_activation_that_the_loss_applies_is_to_be_removed() {
        let of = |layers: &str, loss: &str, layer: usize, value: &str| {
            let text = format!("[network]\nlayers = [{layers}]\n[train]\nloss = {loss}\n");
            let key = format!("network.layers.{layer}.dense");
            of_activation(Some(value), Place { key: &key, text: &text, rest: "" })
        };
        let layers = "{ dense = { units = 8 } }, { dense = { units = 10, activation = \"softmax\" } }";
        let last = |loss: &str| of(layers, loss, 1, "\"softmax\"");
        assert!(
            last("\"sparse_categorical_crossentropy\"")
                .starts_with("remove `activation = \"softmax\"`: the loss `cross_entropy`")
        );
        assert!(last("{ cross_entropy = {} }").starts_with("remove"));
        assert_eq!(last("\"nll\""), "write `\"softmax\"` as the next layer");
        assert_eq!(of(layers, "\"cross_entropy\"", 0, "\"softmax\""), "write `\"softmax\"` as the next layer");
        assert_eq!(of(layers, "\"cross_entropy\"", 1, "\"relu\""), "write `\"relu\"` as the next layer");
        assert!(of(layers, "\"cross_entropy\"", 1, "\"linear\"").starts_with("remove `activation = \"linear\"`:"));
    }
}
