//! Hints on another threshold for a finished run.

use crate::cli::text::shell_words::quoted;

/// Returns how a finished run gets the threshold of `option`, which the command `name` does not have; `words` follow the command.
pub(super) fn other_threshold(name: &str, words: &[String], option: &str) -> String {
    let run = words.iter().find(|word| !word.starts_with('-')).map_or("RUN", String::as_str);
    let place = words.iter().position(|word| word.split('=').next() == Some(option));
    let value = place.and_then(|place| match words[place].split_once('=') {
        Some((_, value)) => Some(value),
        None => words.get(place + 1).map(String::as_str),
    });
    let value = value.filter(|value| value.parse::<f64>().is_ok()).unwrap_or("0.5");
    let probabilities = match name {
        "runner predict" => "print the probabilities with `--format csv`, or ",
        _ => "",
    };
    format!(
        "{probabilities}train again with `runner exp EXPERIMENT --set threshold={value}`; `runner plot threshold {}` \
         shows precision and recall by threshold",
        quoted(run)
    )
}
