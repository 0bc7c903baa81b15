//! Messages of serde in the words of the setting that they are about.

use toml_edit::{Document, Item};

use crate::experiment::spec::file_hints::notation;
use crate::experiment::spec::file_hints::place::Place;
use crate::experiment::spec::file_hints::value_text;
use crate::experiment::spec::file_hints::wrong_types::{is_data_set, is_layer};

/// Returns an error message of serde in the words of its setting; `None` if it is clear as it is.
pub fn reworded(message: &str, place: Place) -> Option<String> {
    let (parent, key) = place.key.rsplit_once('.').unwrap_or(("", place.key));
    let value = value_text::at_start(place.rest);
    if let Some(second) = message.split("there is a second one, `").nth(1).and_then(|rest| rest.split('`').next()) {
        return Some(two_names(second, place));
    }
    if !message.contains("invalid type") || value.is_empty() {
        return notation::reworded(message, place.rest);
    }
    if key == "clip" {
        return Some(format!("expected a kind and a value, such as `{{ norm = 1.0 }}`, found `{value}`"));
    }
    (message.contains("expected unit") && !parent.is_empty())
        .then(|| format!("`{key}` has no settings, found `{value}`"))
}

/// Returns the message on a table with two names, of which one is allowed.
fn two_names(second: &str, place: Place) -> String {
    if is_data_set(place.key) {
        let names: Vec<String> = data_sets(place).iter().map(|name| format!("`[data.{name}]`")).collect();
        if let [others @ .., last] = &names[..]
            && !others.is_empty()
        {
            return format!("an experiment has one data set, but this one has {} and {last}", others.join(", "));
        }
    }
    let is_of = |list: &str| place.key.rsplit_once('.').is_some_and(|(parent, _)| parent.ends_with(list));
    let one = match place.key.rsplit('.').next().unwrap_or_default() {
        "optimizer" => "one optimizer",
        "schedule" | "then" => "one schedule",
        "loss" => "one loss",
        "data" => "one data set",
        _ if is_layer(place.key) => "one layer in each pair of braces",
        _ if is_of("metrics") => "one metric in each pair of braces",
        _ => "one name",
    };
    format!("expected {one}, but there is a second name, `{second}`")
}

/// Returns the names of the data sets of the file, or of the table at the place.
fn data_sets(place: Place) -> Vec<String> {
    let names = |text: &str| {
        let document = Document::parse(text.to_owned()).ok()?;
        let data = document.get("data").and_then(Item::as_table_like)?;
        Some(data.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>())
    };
    let of_value = || names(&format!("data = {}", value_text::at_start(place.rest)));
    names(place.text).or_else(of_value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(key: &str, message: &str, rest: &str, text: &str) -> Option<String> {
        reworded(message, Place { key, rest, text })
    }

    #[test]
    fn a_second_name_is_one_of_a_kind() {
        let second = |key: &str, name: &str, text: &str| {
            let message = format!("only one name is allowed, but there is a second one, `{name}`; settings belong");
            found(key, &message, "{ digits = {}, csv = {} }", text).unwrap()
        };
        let of_file = second("data", "csv", "[data.digits]\n[data.csv]\n[data.text]\n");
        let all = "an experiment has one data set, but this one has `[data.digits]`, `[data.csv]` and `[data.text]`";
        assert_eq!(of_file, all);
        assert_eq!(second("data.digits", "csv", "[data.digits]\n[data.csv]\n[data.text]\n"), all, "at a header");
        let of_option = second("data", "csv", "");
        assert_eq!(of_option, "an experiment has one data set, but this one has `[data.digits]` and `[data.csv]`");
        assert_eq!(
            second("network.layers.0", "dropout", ""),
            "expected one layer in each pair of braces, but there is a second name, `dropout`"
        );
        assert_eq!(second("", "lr", ""), "expected one name, but there is a second name, `lr`");
    }

    #[test]
    fn settings_that_do_not_exist_and_kinds_that_are_missing_are_named() {
        let unit = "invalid type: integer `1`, expected unit";
        assert_eq!(found("train.loss.mse", unit, "1 }", "").unwrap(), "`mse` has no settings, found `1`");
        let kind = "invalid type: unit variant, expected newtype variant";
        assert_eq!(
            found("train.clip", kind, "\"norm\"\n", "").unwrap(),
            "expected a kind and a value, such as `{ norm = 1.0 }`, found `\"norm\"`"
        );
        assert_eq!(found("train.epochs", "invalid type: string \"a\", expected usize", "\"a\"", ""), None);
    }
}
