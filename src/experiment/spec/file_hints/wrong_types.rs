//! Hints on values of the wrong type.

use crate::experiment::spec::file_hints::place::Place;
use crate::experiment::spec::file_hints::{other_place, value_text};

/// Returns the hint for an error message of serde on a value of the wrong type.
pub fn hint(message: &str, place: Place) -> Option<String> {
    let value = value_text::at_start(place.rest);
    let (parent, key) = place.key.rsplit_once('.').unwrap_or(("", place.key));
    if let Some(second) = message.split("there is a second one, `").nth(1) {
        return second_name(place, second.split('`').next()?, value);
    }
    let is_type = message.contains("invalid type") || message.contains("invalid value");
    let found = message.split("invalid type: ").nth(1).unwrap_or_default();
    let is_number = found.starts_with("integer") || found.starts_with("floating point");
    let (is_list, is_table) = (found.starts_with("sequence"), found.starts_with("map"));
    let is_text = found.starts_with("string");
    if message.contains("`torchscript` needs settings: ") {
        return Some(torchscript(place.key, message));
    }
    if let Some(name) = message.split(" needs settings: ").next().filter(|_| message.contains(" needs settings: ")) {
        return example(name.rsplit_once('`')?.0.rsplit('`').next()?);
    }
    let is_no_name = message.contains("expected a name");
    let lower = key.to_lowercase();
    match key {
        "scale" if is_type || message.contains("wanted string or table") => Some(SCALES.to_owned()),
        "returns" if is_type || message.contains("wanted string or table") => {
            Some("write `returns = \"sequence\"` for all time steps, or `\"last\"` (the default)".to_owned())
        }
        "class_weights" | "class_weight" if value.starts_with('{') => {
            Some("write a list in the order of the classes, such as `[1, 2]`, or `\"balanced\"`".to_owned())
        }
        "clip" => Some(clip("norm", value)),
        "norm" | "value" if parent.ends_with("clip") && is_type => Some(clip(key, value)),
        _ if parent.ends_with("clip") && message.contains("unknown variant") => {
            Some(clip("norm", value_text::after_key(place.rest).unwrap_or_default()))
        }
        _ if !is_type => None,
        "augment" => Some(
            "write `augment = { shift = 2, rotate = 10, noise = 0.1 }`, with one or more of these settings".to_owned(),
        ),
        "betas" if is_number => Some(format!("write both: `betas = [{value}, 0.999]`")),
        "padding" if is_text => Some("write a number: `\"same\"` is for `conv1d` and `conv2d`".to_owned()),
        "split" if is_number => Some(format!(
            "write `split = {{ validation = {value} }}` for validation rows, `split = {{ test = {value} }}` for test rows"
        )),
        "split" => Some("write `split = { test = 0.2, validation = 0.2 }`".to_owned()),
        "stratify" if is_text => {
            Some("write `stratify = true`: the classes of the target are kept in proportion".into())
        }
        "halving" if is_number => Some(format!("write `halving = {{ first = {value}, keep = 0.33 }}`")),
        "halving" => Some("write `halving = { first = 3, keep = 0.33 }`".to_owned()),
        "confirm" => Some("write `confirm = { seeds = \"100..109\", at_most = 5 }`".to_owned()),
        "penalty" => Some(format!("write `penalty = {{ l2 = {} }}`", if is_number { value } else { "0.01" })),
        _ if matches!(&*lower, "linear" | "dense") && is_list => Some(linear_layer(&lower, value)),
        "bce" | "binary_crossentropy" | "BCELoss" if parent.ends_with("loss") && message.contains("expected unit") => {
            let pos_weight =
                if value.contains("pos_weight") || value.contains("class_weight") { "\"balanced\"" } else { "1.0" };
            Some(format!(
                "for a weight of the positive class, write `loss = {{ bce_with_logits = {{ pos_weight = {pos_weight} }} }}`, \
                 and remove the last `\"sigmoid\"`"
            ))
        }
        "conv2d" if is_number => Some(format!("write `{{ conv2d = {{ channels = {value}, kernel = 3 }} }}`")),
        "conv2d" => Some("write `{ conv2d = { channels = 16, kernel = 3 } }`".to_owned()),
        "reshape" if is_number => Some(format!("write `{{ reshape = [{value}] }}`")),
        "cosine" | "cosine_annealing" if is_number => {
            Some(format!("write `schedule = \"{key}\"`: it ends with the last epoch"))
        }
        "optimizer" if is_no_name => Some("write `optimizer = { adam = { lr = 0.001 } }`".to_owned()),
        "schedule" if is_no_name => Some("write `schedule = \"cosine\"`".to_owned()),
        "loss" if is_no_name => Some("write `loss = \"cross_entropy\"`".to_owned()),
        _ if lower.replace('_', "").starts_with("batchnorm") && is_number => {
            Some("write `\"batch_norm\"`: the number of features follows from the layer before".to_owned())
        }
        _ if lower.replace('_', "").starts_with("layernorm") && is_number => {
            Some("write `\"layer_norm\"`: the number of features follows from the layer before".to_owned())
        }
        _ if is_list && place.rest.starts_with("[[") && table_in_brackets(place.rest).is_some() => {
            Some(format!("write `[{}]`, in single brackets", table_in_brackets(place.rest)?))
        }
        activation if is_layer(parent) && (found.starts_with("boolean") || message.contains("expected unit")) => {
            Some(format!("write `\"{activation}\"`"))
        }
        name if message.contains("expected unit") && !parent.is_empty() => Some(match parent.rsplit('.').next() {
            Some(setting) if setting.parse::<usize>().is_err() => format!("write `{setting} = \"{name}\"`"),
            _ => format!("write `\"{name}\"`"),
        }),
        "layers" if is_text && value.trim_end_matches('"').ends_with(".pt") => {
            Some(format!("write `torchscript = {value}` in place of `layers`"))
        }
        "layers" if is_table => Some(format!("write a list: `layers = [{value}]`")),
        "expect" | "reference" | "theirs" | "variants" if is_table => Some(format!("write `[[{key}]]`, once for each")),
        _ if is_layer(place.key) => layer(value)
            .or_else(|| is_no_name.then(|| "write a layer, such as `\"relu\"` or `{ linear = 64 }`".to_owned())),
        _ if is_text && message.contains("expected a sequence") => Some(format!("write a list: `[{value}]`")),
        _ if found.starts_with("floating point") && message.contains("expected u") => {
            let whole = value.parse::<f64>().ok().filter(|number| number.fract() == 0.0 && *number >= 0.0)?;
            Some(format!("write `{whole}`"))
        }
        _ if is_text && !message.contains("a boolean") => {
            let number = value_text::unquoted(value).filter(|text| text.parse::<f64>().is_ok())?;
            Some(format!("remove the quotes: `{number}`"))
        }
        _ => None,
    }
}

/// Values of `scale`.
const SCALES: &str = "write `scale = \"unit\"`, which divides by the largest possible value, such as 255, or `\"standard\"`, \
                      `\"min_max\"` or `\"none\"`";

/// Returns the hint for a layer, a loss or a metric written in PyTorch without the path of its file.
fn torchscript(key: &str, message: &str) -> String {
    if message.contains("missing field") {
        // only a metric has settings besides the path
        return "write `{ torchscript = \"metric.pt\", name = \"own\", higher_is_better = true }`".to_owned();
    }
    match key.ends_with("loss") {
        true => "write `loss = { torchscript = \"loss.pt\" }`".to_owned(),
        false => "write `{ torchscript = \"net.pt\" }`".to_owned(),
    }
}

/// Returns the hint for clipping without a valid kind and number: those that the value has, or `kind` and 1.
fn clip(kind: &str, value: &str) -> String {
    let text = value_text::unquoted(value).unwrap_or(value);
    if text == "false" {
        return "remove `clip`: gradients are not clipped without it".to_owned();
    }
    let kind = if text == "value" { text } else { kind };
    let is_limit = text.parse::<f64>().is_ok_and(|limit| limit.is_finite() && limit > 0.0);
    format!("write `clip = {{ {kind} = {} }}`", if is_limit { text } else { "1.0" })
}

/// Returns the hint for a layer without its settings: an example.
fn example(name: &str) -> Option<String> {
    let settings = match &*name.to_lowercase() {
        "linear" | "dense" | "lstm" | "gru" | "rnn" | "simple_rnn" | "embedding" => "64",
        "conv2d" | "conv1d" | "conv_transpose2d" | "conv2d_transpose" => "{ channels = 16, kernel = 3 }",
        "group_norm" | "group_normalization" | "multi_head_attention" => "4",
        "cost" => "{ miss = 10, false_alarm = 1 }",
        "permute" => "[2, 1]",
        "reshape" => "[1, 28, 28]",
        "transformer_encoder" => "{ heads = 4, feedforward = 128 }",
        "step" | "steplr" | "step_lr" => "{ every = 10, gamma = 0.1 }",
        name if name.contains("pool") => "2",
        _ => return None,
    };
    Some(format!("write, for example, `{{ {name} = {settings} }}`"))
}

/// Returns the name of a table from its header `[[name]]`; `None` if the text begins with a list.
fn table_in_brackets(rest: &str) -> Option<&str> {
    let name = rest.strip_prefix("[[")?.split_once("]]")?.0;
    name.chars().all(|c| c.is_ascii_alphabetic() || "._".contains(c)).then_some(name)
}

/// Whether a key is that of an item of a list of layers.
pub fn is_layer(key: &str) -> bool {
    key.rsplit_once(".").is_some_and(|(list, index)| list.ends_with("layers") && index.parse::<usize>().is_ok())
}

/// Whether a key is that of the data set: `data`, or `data.digits` at the header of its table.
pub fn is_data_set(key: &str) -> bool {
    key == "data" || key.strip_prefix("data.").is_some_and(|name| !name.contains('.'))
}

/// Returns the hint for a layer that is a number or a list.
fn layer(value: &str) -> Option<String> {
    let list = value.strip_prefix('[').and_then(|list| list.strip_suffix(']')).map(value_text::items);
    match list.as_deref() {
        Some([name, size]) => {
            Some(format!("write `{{ {} = {size} }}`", value_text::unquoted(name).filter(|_| !size.is_empty())?))
        }
        None if value.parse::<f64>().is_ok() => Some(format!("write `{{ linear = {value} }}`")),
        _ => None,
    }
}

/// Returns the hint for a linear layer whose settings are the list `value`: the sizes of input and output, as in PyTorch,
/// or the size and the activation.
fn linear_layer(key: &str, value: &str) -> String {
    let items = value_text::items(value.trim_start_matches('[').trim_end_matches(']'));
    let is_size = |item: &&&str| item.parse::<usize>().is_ok();
    let sizes: Vec<&&str> = items.iter().filter(is_size).collect();
    let activation = items.iter().find_map(|item| value_text::unquoted(item));
    match (&sizes[..], activation) {
        ([.., size], Some(activation)) => format!("write `{{ {key} = {size} }}, \"{activation}\"`"),
        ([.., size], None) => {
            format!("write `{{ {key} = {size} }}`: the size of the input follows from the layer before")
        }
        ([], _) => format!("write `{{ {key} = 64 }}`"),
    }
}

/// Returns the hint for a table with two names, of which the second is `second`: a setting of the first one, or another
/// layer.
fn second_name(place: Place, second: &str, table: &str) -> Option<String> {
    const OF_LAYERS: [&str; 6] = ["bias", "init", "kernel_initializer", "padding", "stride", "strides"];
    let key = place.key;
    let is_choice = ["optimizer", "schedule"].iter().any(|choice| key.ends_with(choice));
    if !is_layer(key) && !is_choice {
        let table = if is_data_set(key) { format!("[data.{second}]") } else { second.to_owned() };
        return Some(format!("keep one of them: remove `{table}`"));
    }
    let inner = table.strip_prefix('{')?.strip_suffix('}')?;
    let items = value_text::items(inner);
    let (name, settings) = items.first()?.split_once('=')?;
    let (name, settings) = (name.trim(), settings.trim());
    let setting = items.iter().find(|item| item.split('=').next().is_some_and(|key| key.trim() == second))?;
    let value = value_text::after_key(setting)?;
    if second == "activation" {
        let hint = other_place::of_activation(Some(value), place);
        return Some(match hint.starts_with("remove") {
            true => hint,
            false => format!("write `{{ {name} = {settings} }}, {value}`"),
        });
    }
    // the settings of an optimizer or a schedule are no tables, except what follows a warm-up
    if is_choice && value.starts_with('{') && second != "then" {
        return Some(format!("keep one of them: remove `{second}`"));
    }
    if is_layer(key) && !OF_LAYERS.contains(&second) {
        return Some(format!("write one name in each pair of braces: `{{ {name} = {settings} }}, {{ {setting} }}`"));
    }
    let others = match settings.strip_prefix('{').and_then(|table| table.strip_suffix('}')).map(str::trim) {
        Some("") => String::new(),
        Some(others) => format!("{others}, "),
        None if is_layer(key) => format!("units = {settings}, "),
        None => format!("lr = {settings}, "),
    };
    Some(format!("write `{{ {name} = {{ {others}{second} = {value} }} }}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(key: &str, message: &str, rest: &str) -> String {
        hint(message, Place { key, rest, text: "" }).unwrap_or_default()
    }

    #[test]
    fn what_a_number_or_a_list_means_is_written_as_a_table() {
        let number = "invalid type: floating point `0.2`, expected struct Split";
        assert!(found("data.digits.split", number, "0.2\n").starts_with("write `split = { validation = 0.2 }`"));
        let table = "invalid type: integer `3`, expected struct Halving";
        assert_eq!(found("sweep.halving", table, "3\n"), "write `halving = { first = 3, keep = 0.33 }`");
        let list = "invalid type: sequence, expected a number or a table of settings";
        let sizes = found("network.layers.0.linear", list, "[784, 128] }");
        assert!(sizes.starts_with("write `{ linear = 128 }`: the size of the input"), "{sizes}");
        assert_eq!(found("network.layers.0.dense", list, "[64, \"relu\"] }"), "write `{ dense = 64 }, \"relu\"`");
        let integer = "invalid type: integer `16`, expected struct BatchNorm";
        assert!(found("network.layers.1.batch_norm1d", integer, "16 }").starts_with("write `\"batch_norm\"`:"));
        assert_eq!(found("network.layers.1", "invalid type: integer", "64, 10]"), "write `{ linear = 64 }`");
        assert_eq!(found("network.layers.1", "invalid type: sequence", "[\"lstm\", 8]"), "write `{ lstm = 8 }`");
        assert_eq!(
            found("train.epochs", "invalid type: string \"2\", expected usize", "\"2\"\n"),
            "remove the quotes: `2`"
        );
        let twice = found("", "invalid type: sequence, expected a table of settings", "[[network]]\nlayers = []");
        assert_eq!(twice, "write `[network]`, in single brackets");
        let pool = "`max_pool2d` needs settings: missing field `kernel`";
        assert_eq!(found("network.layers.1", pool, "\"max_pool2d\""), "write, for example, `{ max_pool2d = 2 }`");
        assert!(found("data.digits.scale", "wanted string or table", "255\n").starts_with("write `scale = \"unit\"`"));
        let number = "invalid type: floating point `0.8`, expected an array of length 2";
        assert_eq!(found("train.optimizer.adam.betas", number, "0.8 }"), "write both: `betas = [0.8, 0.999]`");
        let whole = "invalid type: floating point `1000.0`, expected usize";
        assert_eq!(found("train.epochs", whole, "1e3\n"), "write `1000`");
        let unit = "invalid type: integer `1`, expected unit";
        assert_eq!(found("train.loss.mse", unit, "1 }\n"), "write `loss = \"mse\"`");
        assert_eq!(found("train.metrics.0.acc", unit, "1 }]\n"), "write `\"acc\"`");
        let name = "invalid type: sequence, expected a name, or a table with one name";
        assert_eq!(found("train.optimizer", name, "[]\n"), "write `optimizer = { adam = { lr = 0.001 } }`");
        let text = "invalid type: string \"acc\", expected a sequence";
        assert_eq!(found("train.metrics", text, "\"acc\"\n"), "write a list: `[\"acc\"]`");
    }

    #[test]
    fn a_limit_of_clipping_is_a_kind_and_a_number_above_0() {
        for (key, message, rest, written) in [
            ("clip", "invalid type: floating point `0.5`, expected enum", "0.5\n", "{ norm = 0.5 }"),
            ("clip", "invalid type: integer `-1`, expected enum", "-1\n", "{ norm = 1.0 }"),
            ("clip", "invalid type: unit variant, expected newtype variant", "\"value\"\n", "{ value = 1.0 }"),
            ("clip", "unknown variant `2`, expected `norm` or `value`", "\"2\"\n", "{ norm = 2 }"),
            ("clip.max", "unknown variant `max`, expected `norm` or `value`", "max = 3 }\n", "{ norm = 3 }"),
            ("clip.norm", "invalid type: map, expected f64", "{} }\n", "{ norm = 1.0 }"),
            ("clip.value", "invalid type: string \"0.5\", expected f64", "\"0.5\" }\n", "{ value = 0.5 }"),
        ] {
            let hint = found(&format!("train.{key}"), message, rest);
            assert_eq!(hint, format!("write `clip = {written}`"), "{rest}");
        }
        let off = found("train.clip", "invalid type: boolean `false`, expected enum", "false\n");
        assert!(off.starts_with("remove `clip`"), "{off}");
    }

    #[test]
    fn a_module_without_its_path_is_written_with_one() {
        let bare =
            |key: &str, fault: &str| found(key, &format!("`torchscript` needs settings: {fault}"), "\"torchscript\"\n");
        let no_path = "invalid type: map, expected a string";
        assert_eq!(bare("train.loss", no_path), "write `loss = { torchscript = \"loss.pt\" }`");
        assert_eq!(bare("network.layers.0", no_path), "write `{ torchscript = \"net.pt\" }`");
        let metric = bare("train.metrics.0", "missing field `torchscript`");
        assert_eq!(metric, "write `{ torchscript = \"metric.pt\", name = \"own\", higher_is_better = true }`");
    }

    #[test]
    fn a_second_name_is_put_where_it_belongs() {
        let second_in = |key: &str, name: &str, rest: &str| {
            let message = format!("only one name is allowed, but there is a second one, `{name}`; settings belong");
            found(key, &message, rest)
        };
        let second = |name: &str, rest: &str| second_in("network.layers.0", name, rest);
        assert_eq!(
            second("activation", "{ linear = 16, activation = \"relu\" }, x"),
            "write `{ linear = 16 }, \"relu\"`"
        );
        let optimizer = |rest: &str| second_in("train.optimizer", "lr", rest);
        assert_eq!(optimizer("{ adam = {}, lr = 0.1 }"), "write `{ adam = { lr = 0.1 } }`");
        let two = second_in("train.optimizer", "sgd", "{ adam = { lr = 0.1 }, sgd = { lr = 0.2 } }");
        assert_eq!(two, "keep one of them: remove `sgd`");
        assert_eq!(second_in("data", "csv", "digits]"), "keep one of them: remove `[data.csv]`");
        assert_eq!(
            second("dropout", "{ linear = 16, dropout = 0.5 }"),
            "write one name in each pair of braces: `{ linear = 16 }, { dropout = 0.5 }`"
        );
    }
}
