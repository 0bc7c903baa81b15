//! Rounds of a search that learns from results: their size, and the record of a round with all that it has seen.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::history::number::Number;

/// Number of configurations that are chosen without results at least.
const STARTUP: usize = 10;

/// Size and number of rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounds {
    /// Number of configurations of a round.
    pub size: usize,
    /// Number of configurations of the sweep, without extensions.
    pub trials: usize,
}

impl Rounds {
    /// Returns the number of configurations that are chosen when the sweep starts: as few whole rounds as have at least ten.
    pub fn startup(self) -> usize {
        self.trials.min(STARTUP.div_ceil(self.size.max(1)) * self.size)
    }
}

/// A round: what it has seen, and what it left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoundRecord {
    /// Results of all earlier configurations.
    pub seen: Vec<SeenResult>,
    /// Proposed configurations that cannot be trained; others took their places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedConfiguration>,
    /// Whether no round follows, since the space has no further configuration that can be trained.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_last: bool,
}

/// Result of a configuration as a round has seen it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeenResult {
    /// Name of the configuration.
    pub name: String,
    /// How it ended.
    pub outcome: SeenOutcome,
    /// Mean of the metric over its trials; of a dropped one at its rung. `None` if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<Number>,
    /// Standard error of the mean; `None` for a single trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<Number>,
}

/// How a configuration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenOutcome {
    /// All of its trials have the metric.
    Done,
    /// Halving dropped it after this epoch.
    Dropped(usize),
    /// A trial diverged or lacks the metric.
    Diverged,
    /// Its stack failed.
    Failed,
}

/// A proposed configuration that cannot be trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkippedConfiguration {
    /// Values by full key.
    pub set: IndexMap<String, Value>,
    /// Why it cannot be trained.
    pub error: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_starts_with_whole_rounds() {
        let startup = |size, trials| Rounds { size, trials }.startup();
        assert_eq!([1, 4, 8, 10, 16, 64].map(|size| startup(size, 100)), [10, 12, 16, 10, 16, 64]);
        assert_eq!((startup(8, 12), startup(8, 16)), (12, 16));
    }
}
