//! Hints on unknown names in experiment files: the most similar known name, or the setting that has another name in
//! Keras, PyTorch or pandas.

use crate::config::suggest;

/// Names of other programs and the keys of this one. A pair applies only where its key is allowed.
const SYNONYMS: [(&str, &str); 17] = [
    ("activity_regularizer", "penalty"),
    ("callbacks", "early_stopping"),
    ("class_names", "classes"),
    ("csv", "path"),
    ("directory", "path"),
    ("file", "path"),
    ("filename", "path"),
    ("hidden_size", "units"),
    ("image_size", "size"),
    ("kernel_initializer", "init"),
    ("kernel_regularizer", "penalty"),
    ("label", "target"),
    ("lr_scheduler", "schedule"),
    ("return_sequences", "returns"),
    ("sep", "separator"),
    ("stratified", "stratify"),
    ("test_size", "test"),
];

/// Settings of an optimizer, which belong into its own table.
const OPTIMIZER: [&str; 7] = ["lr", "learning_rate", "momentum", "nesterov", "weight_decay", "betas", "epsilon"];

/// Returns the hint for an error message of serde: ``unknown field `epoch`, expected one of `epochs`, `batch` ``. `rest` is
/// the text of the file from the unknown name on; `None` if there is nothing to suggest.
pub fn hint(message: &str, rest: &str) -> Option<String> {
    if message.contains("invalid boolean") {
        return Some("write `true` or `false` in lower case, and put text in quotes".to_owned());
    }
    let message = message.lines().find(|line| line.starts_with("unknown "))?;
    let mut quoted = message.split('`').skip(1).step_by(2);
    let typed = quoted.next()?;
    let known: Vec<&str> = quoted.collect();
    let lower = typed.to_lowercase();
    let is_of = |key: &str| known.contains(&key);
    if lower == "activation" && (is_of("units") || is_of("channels")) {
        return Some(format!("write `{}` as the next layer", value_in(rest).unwrap_or("\"relu\"")));
    }
    if ["trainable", "requires_grad", "frozen", "freeze"].contains(&&*lower) {
        return Some(format!("remove `{typed}`: all layers are trained, freezing is not supported"));
    }
    if ["input_shape", "input_dim"].contains(&&*lower) {
        return Some(format!("remove `{typed}`: the data set determines the shape of the input"));
    }
    if is_of("optimizer") && OPTIMIZER.contains(&&*lower) {
        let value = value_in(rest).unwrap_or("0.01");
        return Some(format!("write it in the optimizer: `optimizer = {{ adam = {{ {typed} = {value} }} }}`"));
    }
    if is_of("optimizer") && ["validation_split", "validation"].contains(&&*lower) {
        return Some("write it in the table of the data set: `split = { validation = 0.2 }`".to_owned());
    }
    if let Some(loss) = lower.strip_suffix("loss").filter(|_| is_of("mse")) {
        // PyTorch's `CrossEntropyLoss` is `cross_entropy`
        let loss = if loss == "l1" { "mae" } else { loss };
        if let Some(same) = known.iter().find(|name| name.replace('_', "") == loss) {
            return Some(format!("did you mean `{same}`?"));
        }
    }
    let synonym = SYNONYMS.iter().find(|(other, key)| *other == lower && is_of(key)).map(|(_, key)| *key);
    synonym.or_else(|| suggest::nearest(typed, known)).map(|near| format!("did you mean `{near}`?"))
}

/// Returns the plain value after the first `=` in the line.
fn value_in(rest: &str) -> Option<&str> {
    let (_, value) = rest.lines().next()?.split_once('=')?;
    let value = value.split([',', '}', '#']).next()?.trim();
    (!value.is_empty() && !value.starts_with(['{', '['])).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_programs_are_translated_where_they_apply() {
        let units = "unknown field `activation`, expected one of `out_features`, `units`, `bias`";
        let rest = "activation = \"tanh\" } }, \"relu\"]";
        assert_eq!(hint(units, rest).unwrap(), "write `\"tanh\"` as the next layer");
        let train = "unknown field `lr`, expected one of `epochs`, `optimizer`";
        assert!(hint(train, "lr = 0.1\n").unwrap().ends_with("`optimizer = { adam = { lr = 0.1 } }`"));
        let loss = "unknown variant `CrossEntropyLoss`, expected one of `mse`, `nll`, `cross_entropy`";
        assert_eq!(hint(loss, "").unwrap(), "did you mean `cross_entropy`?");
        let layer = "unknown variant `LSTM`, expected one of `dense`, `linear`, `lstm`";
        assert_eq!(hint(layer, "").unwrap(), "did you mean `lstm`?");
        let frozen = "unknown field `trainable`, expected one of `units`, `bias`";
        assert!(hint(frozen, "trainable = false }").unwrap().contains("freezing is not supported"));
        assert_eq!(hint("unknown field `file`, expected `path` or `target`", "").unwrap(), "did you mean `path`?");
        assert_eq!(hint("unknown field `file`, expected `units`", ""), None);
        assert_eq!(hint("unknown variant `zero`, expected one of `error`, `drop`, `mean`", ""), None);
    }
}
