//! Layers, optimizers and losses written as calls in Python: `Dense(64, activation='relu')`, `nn.Linear(784, 128)`.

use crate::config::class_names::known_name;
use crate::experiment::spec::file_hints::value_text;

/// Returns the hint for a name that is a call in Python of one of the `known` names; `None` if it is none.
pub fn hint(typed: &str, known: &[&str]) -> Option<String> {
    let (path, arguments) = match typed.split_once('(') {
        Some((path, rest)) => (path, rest.trim_end().strip_suffix(')')?),
        None => (typed, ""),
    };
    let called = path.rsplit('.').next()?;
    if called.len() == typed.len() {
        return None; // neither a call nor a name of a module
    }
    let name = known_name(called, known)?;
    let arguments = value_text::items(arguments);
    let (named, plain): (Vec<&str>, Vec<&str>) = arguments.into_iter().partition(|argument| argument.contains('='));
    let named: Vec<(&str, &str)> = named.iter().filter_map(|argument| argument.split_once('=')).collect();
    let named = |keys: &[&str]| named.iter().find(|(key, _)| keys.contains(&key.trim())).map(|(_, value)| value.trim());
    let written = match name {
        "linear" | "dense" | "rnn" | "simple_rnn" | "lstm" | "gru" => {
            let size =
                named(&["units", "out_features", "hidden_size"]).or_else(|| plain.iter().take(2).next_back().copied());
            format!("{{ {name} = {} }}", size?)
        }
        "dropout" | "leaky_relu" | "elu" | "max_pool2d" | "max_pooling2d" | "avg_pool2d" | "average_pooling2d" => {
            let keys = ["p", "rate", "kernel_size", "pool_size", "negative_slope", "alpha"];
            match named(&keys).or_else(|| plain.first().copied()) {
                Some(value) => format!("{{ {name} = {} }}", value.replace('(', "[").replace(')', "]")),
                None => format!("\"{name}\""),
            }
        }
        "conv2d" => {
            let at = plain.len().min(3).checked_sub(2);
            let channels = named(&["filters", "out_channels"]).or_else(|| plain.get(at?).copied())?;
            let kernel = named(&["kernel_size"]).or_else(|| plain.get(at? + 1).copied())?;
            let kernel = kernel.replace('(', "[").replace(')', "]");
            format!("{{ conv2d = {{ channels = {channels}, kernel = {kernel} }} }}")
        }
        "embedding" => format!("{{ embedding = {{ tokens = {}, units = {} }} }}", plain.first()?, plain.get(1)?),
        "sgd" | "adam" | "adamw" | "adam_w" | "rmsprop" | "rms_prop" | "adagrad" => {
            match named(&["lr", "learning_rate"]) {
                Some(lr) => format!("{{ {name} = {{ lr = {lr} }} }}"),
                None => format!("\"{name}\""),
            }
        }
        _ => format!("\"{name}\""),
    };
    let activation = named(&["activation"]).and_then(value_text::unquoted);
    let activation = activation.map(|activation| format!(", \"{activation}\"")).unwrap_or_default();
    Some(format!("write `{written}{activation}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYERS: [&str; 10] =
        ["dense", "linear", "conv2d", "max_pool2d", "flatten", "batch_norm1d", "dropout", "relu", "elu", "lstm"];

    #[test]
    fn calls_of_keras_and_pytorch_are_translated() {
        for (typed, written) in [
            ("Dense(64, activation='relu')", "{ dense = 64 }, \"relu\""),
            ("layers.Dense(units=64)", "{ dense = 64 }"),
            ("nn.Linear(784, 128)", "{ linear = 128 }"),
            ("nn.Linear(784, 128, bias=False)", "{ linear = 128 }"),
            ("torch.nn.ReLU()", "\"relu\""),
            ("nn.ReLU", "\"relu\""),
            ("nn.Conv2d(1, 32, 3)", "{ conv2d = { channels = 32, kernel = 3 } }"),
            ("Conv2D(32, (3, 3), activation=\"relu\")", "{ conv2d = { channels = 32, kernel = [3, 3] } }, \"relu\""),
            ("MaxPool2d(2)", "{ max_pool2d = 2 }"),
            ("Dropout(0.5)", "{ dropout = 0.5 }"),
            ("nn.BatchNorm1d(128)", "\"batch_norm1d\""),
            ("LSTM(28, 64)", "{ lstm = 64 }"),
        ] {
            assert_eq!(hint(typed, &LAYERS).unwrap(), format!("write `{written}`"), "{typed}");
        }
        assert_eq!(hint("Transformer(8)", &LAYERS), None);
        assert_eq!(hint("rleu", &LAYERS), None);
        assert_eq!(hint("nn.Linear()", &LAYERS), None);
        let optimizers = ["sgd", "adam"];
        assert_eq!(hint("Adam(lr=0.001)", &optimizers).unwrap(), "write `{ adam = { lr = 0.001 } }`");
        let losses = ["mse", "mae", "cross_entropy"];
        assert_eq!(hint("nn.CrossEntropyLoss()", &losses).unwrap(), "write `\"cross_entropy\"`");
        assert_eq!(hint("nn.L1Loss()", &losses).unwrap(), "write `\"mae\"`");
    }
}
