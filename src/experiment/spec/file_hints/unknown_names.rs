//! Hints on unknown names: the most similar known name, or the setting that has another name or place in Keras, PyTorch
//! or pandas.

use crate::config::class_names::known_name;
use crate::config::suggest;
use crate::experiment::spec::file_hints::place::Place;
use crate::experiment::spec::file_hints::{notation, other_place, python_call, value_text};
use crate::experiment::spec::setting_keys;

/// Names of other programs and the keys of this one. A pair applies only where its key is allowed.
const SYNONYMS: [(&str, &str); 27] = [
    ("activity_regularizer", "penalty"),
    ("class_names", "classes"),
    ("criterion", "loss"),
    ("csv", "path"),
    ("decay_rate", "gamma"),
    ("directory", "path"),
    ("file", "path"),
    ("filename", "path"),
    ("hidden_size", "units"),
    ("image_size", "size"),
    ("kernel_initializer", "init"),
    ("kernel_regularizer", "penalty"),
    ("label", "target"),
    ("load_weights", "from"),
    ("loss_fn", "loss"),
    ("loss_function", "loss"),
    ("lr_scheduler", "schedule"),
    ("model", "torchscript"),
    ("module", "torchscript"),
    ("objective", "loss"),
    ("scheduler", "schedule"),
    ("script", "torchscript"),
    ("sep", "separator"),
    ("stratified", "stratify"),
    ("test_size", "test"),
    ("val_size", "validation"),
    ("weights", "from"),
];

/// Settings of an optimizer, which belong into its own table.
const OPTIMIZER: [&str; 8] =
    ["lr", "learning_rate", "initial_learning_rate", "momentum", "nesterov", "weight_decay", "betas", "epsilon"];

/// Keys of other programs that have no counterpart, and why.
const WITHOUT_COUNTERPART: [(&[&str], &str); 11] = [
    (
        &["from_logits"],
        "the loss determines it: `cross_entropy` and `bce_with_logits` take logits, `nll` and `bce` do not",
    ),
    (
        &["model_checkpoint", "checkpoint", "checkpoints", "save_best_only"],
        "the weights of the best epoch are kept (`keep`); `--checkpoint` sets when a checkpoint is saved",
    ),
    (
        &["accumulate", "accumulate_grad_batches", "gradient_accumulation_steps"],
        "gradients are not accumulated; a larger `batch` has the same effect",
    ),
    (&["trainable", "requires_grad", "frozen", "freeze"], "all layers are trained, freezing is not supported"),
    (&["input_shape", "input_dim"], "the data set determines the shape of the input"),
    (
        &["num_features", "in_channels", "input_size", "normalized_shape"],
        "the size of the input follows from the layer before",
    ),
    (
        &["steps_per_epoch", "validation_steps", "validation_freq", "validation_batch_size"],
        "an epoch is all training rows, and all validation rows are evaluated after each",
    ),
    (&["axis"], "the layer acts on the last dimension of a row"),
    (&["verbose"], "progress is shown unless the command has `--quiet`"),
    (&["mode"], "the metric determines whether lower or higher is better"),
    (&["num_workers", "pin_memory", "persistent_workers"], "rows are in memory, no worker loads them"),
];

/// Keys that name a layer, an optimizer or a data set in configurations of other programs.
const NAME_KEYS: [&str; 6] = ["name", "type", "class_name", "kind", "layer", "dataset"];

/// Returns the hint for an error message of serde: ``unknown field `epoch`, expected one of `epochs`, `batch` ``.
pub fn hint(message: &str, place: Place) -> Option<String> {
    let message = message.lines().find(|line| line.starts_with("unknown "))?;
    let mut quoted = message.split('`').skip(1).step_by(2);
    let typed = quoted.next()?;
    let known: Vec<&str> = quoted.collect();
    let lower = typed.to_lowercase();
    let value = value_text::after_key(place.rest);
    let is_of = |key: &str| known.contains(&key);
    let table_hint = if is_of("relu") {
        of_layer(typed, &lower, value)
    } else if is_of("mnist") {
        of_data(typed, &lower, value)
    } else if is_of("adam") {
        of_optimizer(typed, &lower, place.rest)
    } else if known == ["name", "set"] {
        Some(of_variant(typed, place))
    } else if is_of("network") || is_of("optimizer") {
        of_file_or_train(typed, &lower, value, is_of("network"))
    } else {
        of_settings(typed, &lower, value, &known, place)
    };
    let near = || known_name(typed, &known).or_else(|| suggest::nearest(typed, known.iter().copied()));
    table_hint
        .or_else(|| python_call::hint(typed, &known))
        .or_else(|| of_key(typed, value, &known))
        .or_else(|| synonym(typed, &known))
        .or_else(|| near().map(|near| format!("did you mean `{near}`?")))
}

/// Returns the hint for the name that another program has for one of the `known` keys.
pub fn synonym(typed: &str, known: &[&str]) -> Option<String> {
    let lower = typed.to_lowercase();
    let (_, key) = SYNONYMS.iter().find(|(other, key)| *other == lower && known.contains(key))?;
    Some(format!("did you mean `{key}`?"))
}

/// Returns the hint for an unknown key of other programs that has another place or no counterpart; `known` are the keys of its
/// table.
pub fn of_key(typed: &str, value: Option<&str>, known: &[&str]) -> Option<String> {
    other_place::hint(typed, value, known).or_else(|| without_counterpart(typed))
}

/// Returns the hint for a key of other programs that has no counterpart.
fn without_counterpart(typed: &str) -> Option<String> {
    let (_, why) = WITHOUT_COUNTERPART.iter().find(|(keys, _)| keys.contains(&&*typed.to_lowercase()))?;
    Some(format!("remove `{typed}`: {why}"))
}

/// Returns the hint for the key of a line that is not TOML, but Python: `callbacks = [EarlyStopping(patience=5)]`.
pub fn of_line(place: Place) -> Option<String> {
    let key = notation::line_of(place)?.split('=').next()?.trim();
    without_counterpart(key).or_else(|| other_place::hint(key, None, &[]).filter(|_| key == "callbacks"))
}

/// Returns the hint for an unknown layer.
fn of_layer(typed: &str, lower: &str, value: Option<&str>) -> Option<String> {
    if [".pt", ".pth", ".ts", ".jit"].iter().any(|ending| lower.ends_with(ending)) {
        return Some(format!("write `{{ torchscript = \"{typed}\" }}`"));
    }
    match lower {
        "activation" => Some(format!("write `{}`", value.unwrap_or("\"relu\""))),
        "gaussiannoise" | "gaussian_noise" | "gaussiandropout" | "gaussian_dropout" => Some(
            "there is no such layer: write `{ dropout = 0.2 }`, or for images `augment = { noise = 0.1 }` in `[train]`"
                .to_owned(),
        ),
        _ if of_keras(lower).is_some() => of_keras(lower),
        _ if is_schedule(lower) => Some("write it in `[train]`: `schedule = …`; a schedule is not a layer".to_owned()),
        "input" | "input_layer" | "inputlayer" => {
            Some(format!("remove `{typed}`: the data set determines the shape of the input"))
        }
        _ if NAME_KEYS.contains(&lower) => {
            let name = value_text::unquoted(value?)?.to_lowercase();
            Some(format!("write `\"{name}\"`, or `{{ {name} = … }}` with its settings"))
        }
        _ => None,
    }
}

/// Returns what takes the place of a layer of Keras that does not exist here; `lower` is its name in lower case.
fn of_keras(lower: &str) -> Option<String> {
    let name = lower.replace('_', "");
    let hint = match &*name {
        "rescaling" => "there is no such layer: write `scale = \"unit\"` in the table of the data set",
        "normalization" => "there is no such layer: write `scale = \"standard\"` in the table of the data set",
        "bidirectional" => "write `{ lstm = { units = 16, bidirectional = true } }`",
        "timedistributed" => "write the layer alone: a `linear` layer acts on each time step of a sequence",
        "globalmaxpooling1d" | "globalmaxpooling2d" | "globalmaxpool1d" | "globalmaxpool2d" | "adaptivemaxpool2d" => {
            "there is no such layer: write `\"global_avg_pool\"`, the mean of each channel"
        }
        "spatialdropout1d" | "spatialdropout2d" => "write `{ dropout2d = 0.2 }`, which drops whole channels",
        name if name.starts_with("random") => {
            "there is no such layer: write `augment = { shift = 2, rotate = 10, noise = 0.1 }`, with one or more of these \
             settings, in `[train]`"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns whether a name, in lower case, is that of a learning-rate schedule.
fn is_schedule(name: &str) -> bool {
    name.ends_with("lr")
        || matches!(name, "cosine" | "exponential" | "one_cycle" | "reduce_on_plateau" | "reducelronplateau")
}

/// Returns the hint for an unknown data set.
fn of_data(typed: &str, lower: &str, value: Option<&str>) -> Option<String> {
    match lower {
        _ if NAME_KEYS.contains(&lower) => Some(format!("write `[data.{}]`", value_text::unquoted(value?)?)),
        "path" | "file" | "target" | "separator" => Some(format!("write `{typed}` in `[data.csv]`")),
        "x" | "y" => Some(format!("write `{typed}` in `[data.arrays]`")),
        _ => None,
    }
}

/// Returns the hint for an unknown optimizer; `rest` is the text from it on.
fn of_optimizer(typed: &str, lower: &str, rest: &str) -> Option<String> {
    let value = value_text::after_key(rest);
    if NAME_KEYS.contains(&lower) {
        let name = value_text::unquoted(value?)?.to_lowercase();
        let others: Vec<&str> = value_text::items(rest.split(['}', '\n']).next()?).into_iter().skip(1).collect();
        return Some(format!("write `optimizer = {{ {name} = {{ {} }} }}`", others.join(", ")).replace("{  }", "{}"));
    }
    OPTIMIZER.contains(&lower).then(|| in_optimizer(typed, value))
}

/// Returns the hint on a setting of an optimizer that is somewhere else.
fn in_optimizer(typed: &str, value: Option<&str>) -> String {
    let (key, value) = (if typed == "initial_learning_rate" { "lr" } else { typed }, value.unwrap_or("0.01"));
    format!("write it in the optimizer: `optimizer = {{ adam = {{ {key} = {value} }} }}`")
}

/// Returns the hint for an unknown key of a variant: a setting, which belongs into `set`.
fn of_variant(typed: &str, place: Place) -> String {
    let line = place.rest.lines().next().unwrap_or_default();
    let path = line.split('=').next().unwrap_or_default().trim();
    let paths = setting_keys::keys_in_text(place.text, typed).unwrap_or_default();
    let value = value_text::after_key(line).filter(|value| !value.starts_with('{'));
    match (&paths[..], value) {
        ([path, ..], Some(value)) => format!("write it in `set`: `set = {{ \"{path}\" = {value} }}`"),
        ([], Some(value)) if path.contains('.') => format!("write it in `set`: `set = {{ \"{path}\" = {value} }}`"),
        _ => "write settings in `set`, with their full keys in quotes: `set = { \"train.epochs\" = 5 }`".to_owned(),
    }
}

/// Returns the hint for an unknown key at the top of the file, or of `[train]`.
fn of_file_or_train(typed: &str, lower: &str, value: Option<&str>, is_top: bool) -> Option<String> {
    const TRAIN: [&str; 9] =
        ["epochs", "batch", "batch_size", "loss", "optimizer", "schedule", "early_stopping", "metrics", "criterion"];
    if OPTIMIZER.contains(&lower) {
        let table = if is_top { ", in `[train]`" } else { "" };
        return Some(in_optimizer(typed, value) + table);
    }
    match lower {
        "device" | "gpu" | "cuda" | "accelerator" => {
            let device = value.and_then(value_text::unquoted).filter(|device| *device != "gpu").unwrap_or("cuda");
            Some(format!("choose the device on the command line: `--device {device}`"))
        }
        "validation_split" | "validation" | "test_size" | "test_split" => {
            let part = if lower.starts_with("validation") { "validation" } else { "test" };
            let share = value.unwrap_or("0.2");
            Some(format!("write it in the table of the data set: `split = {{ {part} = {share} }}`"))
        }
        "compile" | "fit" | "training" | "trainer" if is_top => {
            Some("write loss, optimizer, metrics, epochs and batch size in `[train]`".to_owned())
        }
        "layers" if is_top => Some("write it in `[network]`".to_owned()),
        "split" | "scale" if is_top => {
            Some("write it in the table of the data set, such as `[data.digits]`".to_owned())
        }
        _ if is_top && TRAIN.contains(&lower) => Some("write it in `[train]`".to_owned()),
        _ => None,
    }
}

/// Returns the hint for an unknown key of another table.
fn of_settings(typed: &str, lower: &str, value: Option<&str>, known: &[&str], place: Place) -> Option<String> {
    let is_of = |key: &str| known.contains(&key);
    match lower {
        "class_weight" if is_of("class_weights") => {
            let example = "it takes `\"balanced\"` or a list with a weight for each class, as in `[1.0, 2.0]`";
            Some(format!("did you mean `class_weights`? {example}"))
        }
        "class_weight" | "class_weights" if is_of("pos_weight") => Some(
            "did you mean `pos_weight`? It takes `\"balanced\"` or the weight of the positive class, as in `20.0`"
                .to_owned(),
        ),
        "return_sequences" if is_of("returns") => Some(match value {
            Some("true") => "write `returns = \"sequence\"`".to_owned(),
            _ => "remove `return_sequences = false`: that is the default".to_owned(),
        }),
        "activation" if is_of("units") || is_of("channels") => Some(other_place::of_activation(value, place)),
        "initial_learning_rate" | "lr" | "learning_rate" if is_of("gamma") || is_of("min_lr") => {
            Some(in_optimizer(typed, value))
        }
        "t_max" | "decay_steps" if is_of("min_lr") => {
            Some(format!("remove `{typed}`: the schedule ends with the last epoch"))
        }
        "decay_steps" if is_of("gamma") => {
            Some(format!("remove `{typed}`: the learning rate is multiplied by `gamma` after every epoch"))
        }
        "decay" if is_of("weight_decay") => Some(
            "remove it: for a falling learning rate write `schedule = \"cosine\"` in `[train]`, for smaller weights \
             `weight_decay`"
                .to_owned(),
        ),
        "validation_split" | "validation" | "test_size" | "test_split" | "test" if is_of("split") => {
            let part = if lower.starts_with("validation") { "validation" } else { "test" };
            Some(format!("write `split = {{ {part} = {} }}`", value.unwrap_or("0.2")))
        }
        "train" | "training" | "train_size" if is_of("train_rows") => {
            Some("write the other parts, `test` and `validation`: the rest is for training".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(message: &str, rest: &str) -> Option<String> {
        hint(message, Place { rest, ..Place::default() })
    }

    #[test]
    fn names_of_other_programs_are_translated_where_they_apply() {
        let hint = |message: &str, rest: &str| found(message, rest);
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

    #[test]
    fn layers_of_keras_without_a_counterpart_are_replaced() {
        for (layer, written) in [
            ("Rescaling", "`scale = \"unit\"`"),
            ("RandomFlip", "`augment = { shift = 2"),
            ("Bidirectional", "`{ lstm = { units = 16, bidirectional = true } }`"),
            ("GlobalMaxPooling2D", "`\"global_avg_pool\"`"),
        ] {
            let message = format!("unknown variant `{layer}`, expected one of `linear`, `relu`");
            let hint = found(&message, "").unwrap();
            assert!(hint.contains(written), "{layer}: {hint}");
        }
        let returns =
            |rest: &str| found("unknown field `return_sequences`, expected one of `units`, `returns`", rest).unwrap();
        assert_eq!(returns("return_sequences = true } }"), "write `returns = \"sequence\"`");
        assert!(returns("return_sequences = false } }").starts_with("remove `return_sequences = false`"));
    }

    #[test]
    fn a_key_in_the_wrong_table_is_sent_to_its_own() {
        let top = |key: &str, rest: &str| {
            found(&format!("unknown field `{key}`, expected one of `title`, `network`, `train`"), rest).unwrap()
        };
        assert!(top("compile", "compile]\n").contains("in `[train]`"));
        assert_eq!(top("device", "device = \"cpu\"\n"), "choose the device on the command line: `--device cpu`");
        assert_eq!(top("epochs", "epochs = 3\n"), "write it in `[train]`");
        let gamma = "unknown field `initial_learning_rate`, expected `gamma`";
        let moved = found(gamma, "initial_learning_rate = 0.1, decay_rate = 0.9 } }").unwrap();
        assert_eq!(moved, "write it in the optimizer: `optimizer = { adam = { lr = 0.1 } }`");
        let layer = "unknown variant `lstm-0.pt`, expected one of `relu`, `lstm`";
        assert_eq!(found(layer, "\"lstm-0.pt\"]").unwrap(), "write `{ torchscript = \"lstm-0.pt\" }`");
        let optimizer = "unknown variant `name`, expected one of `sgd`, `adam`";
        let named = found(optimizer, "name = \"Adam\", lr = 0.01 }").unwrap();
        assert_eq!(named, "write `optimizer = { adam = { lr = 0.01 } }`");
    }

    #[test]
    fn settings_of_a_variant_belong_into_its_set() {
        let text = "train = { optimizer = { adam = { lr = 0.1 } } }";
        let variant = |key: &str, rest: &str| {
            let message = format!("unknown field `{key}`, expected `name` or `set`");
            hint(&message, Place { rest, text, key: "variants.0" }).unwrap()
        };
        let written = "write it in `set`: `set = { \"train.optimizer.adam.lr\" = 0.2 }`";
        assert_eq!(variant("learning_rate", "learning_rate = 0.2\n"), written);
        assert_eq!(variant("train", "train.optimizer.adam.lr = 0.2\n"), written);
        assert!(variant("train", "train = { epochs = 3 }\n").contains("with their full keys in quotes"));
    }
}
