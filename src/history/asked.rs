//! What a trial was asked for with: the command, and who set which of its settings.
//!
//! A resolved experiment says what every setting is, and not why. Here are the keys that the experiment's file states,
//! those that the variant sets and those that the command line changes; what is in none of them is a default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a trial was asked for with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// The command that makes the run again, with what changes its outcome and no more:
    /// `runner exp overfit_mnist --seeds 0..4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What the command line changes, as `--set` has it, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// The keys of the settings that are so by the command line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// The keys of the settings that are so by the variant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub varied: Vec<String>,
    /// The keys of the settings that are so by the experiment's file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stated: Vec<String>,
}

/// Who set a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The command line.
    CommandLine,
    /// The variant.
    Variant,
    /// The experiment's file.
    File,
    /// Nobody: it is the default.
    Default,
}

impl Origin {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Origin::CommandLine => "command line",
            Origin::Variant => "variant",
            Origin::File => "experiment file",
            Origin::Default => "default",
        }
    }
}

impl Asked {
    /// Who set the setting with this key (`train.optimizer.adam.lr`).
    pub fn origin(&self, key: &str) -> Origin {
        let within = |keys: &[String]| keys.iter().any(|stated| is_within(stated, key));
        if within(&self.changed) {
            Origin::CommandLine
        } else if within(&self.varied) {
            Origin::Variant
        } else if within(&self.stated) {
            Origin::File
        } else {
            Origin::Default
        }
    }
}

/// Whether `inner` is the setting with the key `outer`, or something in it.
pub fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_comes_before_the_variant_and_the_variant_before_the_file() {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        let asked = Asked {
            changed: keys(&["train.epochs"]),
            varied: keys(&["train.epochs", "network.init"]),
            stated: keys(&["network.init", "train.batch", "train.observe.0"]),
            ..Asked::default()
        };
        let origins = ["train.epochs", "network.init", "train.batch", "train.observe", "train.keep", "train.epoch"]
            .map(|key| asked.origin(key));
        let expected =
            [Origin::CommandLine, Origin::Variant, Origin::File, Origin::File, Origin::Default, Origin::Default];
        assert_eq!(origins, expected);
    }
}
