//! Hints on another threshold for a finished run.

use crate::cli::text::shell_words::quoted;

/// Returns how a finished run gets the threshold of `option`, which the command `name` does not have; `words` follow the command.
pub(super) fn other_threshold(name: &str, words: &[String], option: &str) -> String {
    let run = words.iter().find(|word| !word.starts_with('-')).map_or("RUN", String::as_str);
    let value = words.iter().skip_while(|word| !word.starts_with(option)).nth(1).map_or("0.5", String::as_str);
    let value = if value.parse::<f64>().is_ok() { value } else { "0.5" };
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
