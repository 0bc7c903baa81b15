//! The diagnosis of a trial: its label, and the numbers behind it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A diagnosis label: what the learning curves show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The training loss stays high.
    Underfitting,
    /// No other label applies.
    Good,
    /// The validation loss rises while the training loss does not.
    Overfitting,
    /// The loss became NaN or infinite, or rose back to the level of a constant prediction.
    Diverged,
    /// The loss fluctuates or rises again: the learning rate is too large, or the batches are too small.
    #[serde(alias = "jumping_about")]
    Unstable,
}

impl Verdict {
    /// All labels. If several apply, the first in this order is the label of the diagnosis.
    pub const ALL: [Verdict; 5] =
        [Verdict::Diverged, Verdict::Overfitting, Verdict::Unstable, Verdict::Underfitting, Verdict::Good];

    /// Returns the word in histories and sentences.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Underfitting => "underfitting",
            Verdict::Good => "good",
            Verdict::Overfitting => "overfitting",
            Verdict::Diverged => "diverged",
            Verdict::Unstable => "unstable",
        }
    }
}

/// Returns the current name of a label: `unstable` for `jumping_about`. Other words stay as they are.
pub fn canonical(word: &str) -> &str {
    match word {
        "jumping_about" => Verdict::Unstable.word(),
        other => other,
    }
}

/// The diagnosis of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// The label. If several labels apply, the most important one.
    #[serde(rename = "label", alias = "verdict")]
    pub verdict: Verdict,
    /// All labels that apply, the most important first: a network can overfit and be unstable. Empty in histories of
    /// earlier versions.
    #[serde(default)]
    pub findings: Vec<Verdict>,
    /// The findings as a sentence, with their numbers.
    pub sentence: String,
    /// With overfitting, the first epoch after the lowest validation loss.
    pub overfits_from: Option<usize>,
    /// The validation loss of the last epoch minus its lowest value.
    #[serde(alias = "gap")]
    pub val_loss_rise: Option<f64>,
    /// The generalization gap: validation loss minus training loss in the last epoch.
    #[serde(default)]
    pub generalization_gap: Option<f64>,
    /// The training accuracy minus the validation accuracy in the last epoch.
    pub acc_gap: Option<f64>,
    /// 1 minus the lowest training loss divided by the loss of a constant prediction.
    pub explained: Option<f64>,
    /// Mean increase of the training loss from one epoch to the next, with decreases counted as 0: over the second half of
    /// the epochs, relative to the mean loss there.
    pub rises: Option<f64>,
    /// Mean fluctuation of the training loss from one epoch to the next: over the second half of the epochs, relative to the
    /// mean loss there, or to 0.3 times the loss of a constant prediction if that is larger.
    #[serde(default)]
    pub jitter: Option<f64>,
}

impl Diagnosis {
    /// Returns whether this label applies.
    pub fn finds(&self, verdict: Verdict) -> bool {
        self.verdict == verdict || self.findings.contains(&verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnosis_of_an_earlier_version_is_read() {
        let old = r#"{"verdict":"jumping_about","sentence":"unstable: …","overfits_from":null,"gap":0.25,
            "acc_gap":null,"explained":0.5,"rises":0.1}"#;
        let read: Diagnosis = serde_json::from_str(old).unwrap();
        assert_eq!((read.verdict, read.val_loss_rise), (Verdict::Unstable, Some(0.25)));
        assert!(read.finds(Verdict::Unstable) && !read.finds(Verdict::Overfitting));
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!((&written["label"], &written["val_loss_rise"]), (&"unstable".into(), &0.25.into()));
    }

    #[test]
    fn words_are_the_serialized_names() {
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.word());
            assert_eq!(canonical(verdict.word()), verdict.word());
        }
        assert_eq!(canonical("jumping_about"), "unstable");
    }
}
