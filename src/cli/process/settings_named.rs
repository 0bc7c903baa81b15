//! Settings that an unknown option may mean.

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
    match experiment {
        Some(experiment) => known(experiment)
            .or_else(|| setting_keys::keys_in_text(&experiment.text, name))
            .or_else(in_shipped)
            .unwrap_or_default(),
        None => in_shipped().unwrap_or_default(),
    }
}
