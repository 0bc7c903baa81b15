//! Findings of the rules, with the numbers of their sentences.

use crate::history::diagnosis::verdict::Verdict;

/// A finding, with the numbers of its sentence.
pub(super) enum Finding {
    /// The loss is NaN or infinite from this epoch on.
    NotFinite { epoch: usize },
    /// The training loss grows.
    Grows { first: f64, last: f64 },
    /// The training loss fell and rose back to the level of a constant prediction.
    Lost { lowest: f64, last: f64, constant: f64 },
    /// The validation loss is lowest in this epoch and rises afterwards.
    Overfits { epoch: usize, lowest: f64, last: f64, training: f64 },
    /// The training loss fluctuates by this share of its mean.
    Jumps { jitter: f64 },
    /// The validation loss fluctuates by this share of its mean.
    ValidationJumps { jitter: f64 },
    /// The training loss rises again from its minimum.
    Creeps { epoch: usize, lowest: f64, last: f64 },
    /// The training loss stays near the loss of a constant prediction.
    Underfits { lowest: f64, constant: f64, still_falls: bool },
    /// The target is the same in every row.
    SameTarget,
    /// No other finding.
    Good { first: f64, last: f64, validation: Option<f64>, still_improves: bool },
}

impl Finding {
    /// Returns the diagnosis label of the finding.
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Finding::NotFinite { .. } | Finding::Grows { .. } | Finding::Lost { .. } => Verdict::Diverged,
            Finding::Overfits { .. } => Verdict::Overfitting,
            Finding::Jumps { .. } | Finding::ValidationJumps { .. } | Finding::Creeps { .. } => Verdict::Unstable,
            Finding::Underfits { .. } | Finding::SameTarget => Verdict::Underfitting,
            Finding::Good { .. } => Verdict::Good,
        }
    }
}
