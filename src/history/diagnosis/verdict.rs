//! The verdict of a diagnosis, and the numbers that it is drawn from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the curves show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The network has learned little of what there is to learn.
    Underfitting,
    /// None of the others.
    Good,
    /// The network memorizes the training rows.
    Overfitting,
    /// The loss is no longer a finite number, or everything that was learned is lost.
    Diverged,
    /// The loss jumps up and down, or rises again: the learning rate is too large, or the batches are too small.
    #[serde(alias = "jumping_about")]
    Unstable,
}

impl Verdict {
    /// All of them, in the order in which they lead: the first one that is found is the verdict.
    pub const ALL: [Verdict; 5] =
        [Verdict::Diverged, Verdict::Overfitting, Verdict::Unstable, Verdict::Underfitting, Verdict::Good];

    /// The word, as in the file and in sentences.
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

/// The word of a verdict, where this is what it was called before: `jumping_about` is `unstable`. Other words are returned
/// as they are.
pub fn canonical(word: &str) -> &str {
    match word {
        "jumping_about" => Verdict::Unstable.word(),
        other => other,
    }
}

/// The diagnosis of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// The finding that leads.
    pub verdict: Verdict,
    /// All findings, the verdict first: a network can overfit and be unstable. Empty in histories of earlier versions.
    #[serde(default)]
    pub findings: Vec<Verdict>,
    /// The findings in words, with their numbers.
    pub sentence: String,
    /// The first epoch after the lowest validation loss, when overfitting is found.
    pub overfits_from: Option<usize>,
    /// The rise of the validation loss: its value in the last epoch minus its lowest.
    #[serde(alias = "gap")]
    pub val_loss_rise: Option<f64>,
    /// The generalization gap: the validation loss minus the training loss, in the last epoch.
    #[serde(default)]
    pub generalization_gap: Option<f64>,
    /// The training accuracy minus the validation accuracy, in the last epoch.
    pub acc_gap: Option<f64>,
    /// The share of the constant prediction's loss that the network has taken away by its lowest training loss.
    pub explained: Option<f64>,
    /// How much the training loss rises in an epoch, falls counted as 0: the mean over the later half of the epochs, as
    /// a share of the mean loss there.
    pub rises: Option<f64>,
    /// How far the training loss jumps up and down from one epoch to the next: the mean over the later half of the epochs,
    /// as a share of the mean loss there, or of three tenths of the constant prediction's loss where that is larger.
    #[serde(default)]
    pub jitter: Option<f64>,
}

impl Diagnosis {
    /// Whether this is among the findings.
    pub fn finds(&self, verdict: Verdict) -> bool {
        self.verdict == verdict || self.findings.contains(&verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnosis_of_an_earlier_version_is_read() {
        let old = r#"{"verdict":"jumping_about","sentence":"jumping about: …","overfits_from":null,"gap":0.25,
            "acc_gap":null,"explained":0.5,"rises":0.1}"#;
        let read: Diagnosis = serde_json::from_str(old).unwrap();
        assert_eq!((read.verdict, read.val_loss_rise), (Verdict::Unstable, Some(0.25)));
        assert!(read.finds(Verdict::Unstable) && !read.finds(Verdict::Overfitting));
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!((&written["verdict"], &written["val_loss_rise"]), (&"unstable".into(), &0.25.into()));
    }

    #[test]
    fn words_are_those_of_the_file() {
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.word());
            assert_eq!(canonical(verdict.word()), verdict.word());
        }
        assert_eq!(canonical("jumping_about"), "unstable");
    }
}
