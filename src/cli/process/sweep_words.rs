//! Errors about the words after `runner sweep`: a setting without `--space`, or a word that is no command.

use anyhow::anyhow;

use crate::cli::text::shell_words::quoted;
use crate::config::hint::Hint;

/// Returns the error for the words after the command `name`, if it is `runner sweep` and they are no experiment with options.
pub(super) fn error(name: &str, words: &[String]) -> Option<anyhow::Error> {
    if name != "runner sweep" {
        return None;
    }
    let (message, written) = match space_as_argument(words) {
        Some(word) => {
            let message = format!("`{name}` takes no further argument `{word}`");
            (message, format!("--space {}", quoted(word)))
        }
        None => (format!("`{name}` has no command `{}`", words.first()?), word_before_sweep(words)?),
    };
    Some(anyhow!(message).context(Hint(format!("write `{written}`"))))
}

/// Returns the first word that is a setting with values: `lr=0.1,0.2`.
fn space_as_argument(words: &[String]) -> Option<&str> {
    let is_value = |place: usize| place > 0 && words[place - 1].starts_with('-');
    let is_setting =
        |(place, word): &(usize, &String)| !word.starts_with('-') && word.contains('=') && !is_value(*place);
    words.iter().enumerate().find(is_setting).map(|(_, word)| word.as_str())
}

/// Returns the command that is meant by a word before the name of a sweep: `runner sweep resume digits_mlp`.
fn word_before_sweep(words: &[String]) -> Option<String> {
    let [word, sweep, ..] = words else { return None };
    let sweep = quoted(Some(sweep).filter(|sweep| !sweep.starts_with('-'))?);
    Some(match word.as_str() {
        "resume" | "continue" => format!("runner sweep {sweep} --resume"),
        "start" | "run" | "train" | "new" => format!("runner sweep {sweep}"),
        "show" | "info" => format!("runner sweep status {sweep}"),
        "list" | "ls" | "results" | "runs" => format!("runner sweep table {sweep}"),
        "plot" => format!("runner plot sweep {sweep}"),
        _ => return None,
    })
}
