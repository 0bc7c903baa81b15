//! Figures that a walkthrough reports of its own run of an experiment, laid beside ours.
//!
//! They are no expectations: a run without a seed is met by luck alone. What must hold stands in `[[expect]]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::figure::number;
use crate::history::number::Number;
use crate::history::records::Beside;
use crate::history::trial_history::History;

/// A figure that a walkthrough reports: a `[[theirs]]` table of an experiment's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The figure's name.
    pub value: String,
    /// What they report.
    pub figure: f64,
    /// The variant that is their run, where the experiment has variants.
    #[serde(default)]
    pub variant: Option<String>,
    /// Whether their run can be repeated to the last digit, with the first of the experiment's seeds.
    #[serde(default)]
    pub exact: bool,
}

/// Lays what is reported beside the figures of each trial of a study.
pub fn compare_with(reported: &[Reference], histories: &mut [History]) {
    for trial in histories {
        let concerning = reported.iter().filter(|theirs| theirs.variant.as_ref().is_none_or(|v| *v == trial.variant));
        let beside = concerning.map(|theirs| Beside {
            value: theirs.value.clone(),
            theirs: theirs.figure,
            ours: number(trial, &theirs.value).map(Number),
            exact: theirs.exact,
        });
        trial.theirs = beside.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::trial_history::trial_for_tests as trial;

    #[test]
    fn theirs_stand_beside_the_trials_of_their_variant() {
        let read = |text: &str| toml_edit::de::from_str::<Reference>(text).unwrap();
        let reported = [
            read("value = \"last.loss\"\nfigure = 0.0074\nvariant = \"a\""),
            read("value = \"last.f1\"\nfigure = 1\nexact = true"),
        ];
        let mut trials = [trial("a", 0, 0.25), trial("b", 0, 0.5)];
        compare_with(&reported, &mut trials);
        let loss = Beside { value: "last.loss".into(), theirs: 0.0074, ours: Some(Number(0.25)), exact: false };
        let f1 = Beside { value: "last.f1".into(), theirs: 1.0, ours: None, exact: true };
        assert_eq!(trials[0].theirs, [loss, f1.clone()]);
        assert_eq!(trials[1].theirs, [f1]);
    }
}
