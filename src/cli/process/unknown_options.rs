//! What an unknown option may mean: a setting of the experiment, or another threshold of a finished run.

use crate::cli::text::shell_words::quoted;
use crate::experiment::spec::source_text::SourceText;
use crate::experiment::spec::{catalogue, overrides, setting_keys};

/// Returns the keys of the settings with this name that can have the value. If the experiment cannot be read, or has an
/// error, they are those of a shipped experiment.
pub(super) fn settings_named(experiment: Option<&SourceText>, name: &str, value: &str) -> Vec<String> {
    let known = |source: &SourceText| {
        let spec = source.parse().ok()?;
        let mut keys = setting_keys::keys_named(&spec, name);
        keys.retain(|key| value == "VALUE" || overrides::can_be_set(&spec, key, value));
        Some(keys)
    };
    let in_shipped = || catalogue::shipped().filter_map(|source| known(&source)).find(|keys| !keys.is_empty());
    let of_experiment = |own: &SourceText| known(own).or_else(|| setting_keys::keys_in_text(&own.text, name));
    experiment.and_then(of_experiment).or_else(in_shipped).unwrap_or_default()
}

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
