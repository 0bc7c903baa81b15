//! Provenance of a trial: the command that repeats its run, and where each of its settings was set.
//!
//! The resolved experiment has the value of every setting, but not its origin. This record lists the keys that the
//! experiment file, the variant and the command line set. A key that is in none of the lists has its default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The command that repeats a run, and where each setting was set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// The command that repeats the run. It contains only the arguments that change the result:
    /// `runner exp overfit_mnist --seeds 0..4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The overrides of the command line in their order: `train.epochs=5` for `--set`, `unset train.clip` for `--unset`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", alias = "changes")]
    pub overrides: Vec<String>,
    /// Keys of the settings that the command line set.
    #[serde(default, skip_serializing_if = "Vec::is_empty", alias = "changed")]
    pub set_by_command_line: Vec<String>,
    /// Keys of the settings that the variant set.
    #[serde(default, skip_serializing_if = "Vec::is_empty", alias = "varied")]
    pub set_by_variant: Vec<String>,
    /// Keys of the settings that the experiment file set.
    #[serde(default, skip_serializing_if = "Vec::is_empty", alias = "stated")]
    pub set_by_file: Vec<String>,
}

/// Where a setting was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// On the command line.
    CommandLine,
    /// In the variant.
    Variant,
    /// In the experiment file.
    File,
    /// Nowhere: it is the default.
    Default,
}

impl Origin {
    /// Returns the name shown in tables: `experiment file`.
    pub fn words(self) -> &'static str {
        match self {
            Origin::CommandLine => "command line",
            Origin::Variant => "variant",
            Origin::File => "experiment file",
            Origin::Default => "default",
        }
    }
}

impl Provenance {
    /// Returns where the setting with this key (`train.optimizer.adam.lr`) was set.
    pub fn origin(&self, key: &str) -> Origin {
        let origins = [
            (&self.set_by_command_line, Origin::CommandLine),
            (&self.set_by_variant, Origin::Variant),
            (&self.set_by_file, Origin::File),
        ];
        let mut origins = origins.into_iter().filter(|(keys, _)| keys.iter().any(|other| is_within(other, key)));
        origins.next().map_or(Origin::Default, |(_, origin)| origin)
    }
}

/// Returns whether `inner` is the key `outer` or a key below it.
pub fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn the_command_line_overrides_the_variant_and_the_variant_overrides_the_file() {
        let provenance = Provenance {
            set_by_command_line: keys(&["train.epochs"]),
            set_by_variant: keys(&["train.epochs", "network.init"]),
            set_by_file: keys(&["network.init", "train.batch", "train.observe.0"]),
            ..Provenance::default()
        };
        let origins = ["train.epochs", "network.init", "train.batch", "train.observe", "train.keep", "train.epoch"]
            .map(|key| provenance.origin(key));
        let expected =
            [Origin::CommandLine, Origin::Variant, Origin::File, Origin::File, Origin::Default, Origin::Default];
        assert_eq!(origins, expected);
    }

    #[test]
    fn the_keys_of_version_1_are_read() {
        let old =
            r#"{"command": "runner exp a", "changes": ["x=1"], "changed": ["x"], "varied": ["y"], "stated": ["z"]}"#;
        let read: Provenance = serde_json::from_str(old).unwrap();
        let expected = Provenance {
            command: Some("runner exp a".to_owned()),
            overrides: keys(&["x=1"]),
            set_by_command_line: keys(&["x"]),
            set_by_variant: keys(&["y"]),
            set_by_file: keys(&["z"]),
        };
        assert_eq!(read, expected);
    }
}
