//! A finding of the rules, with the numbers that its sentence needs.

use crate::history::diagnosis::verdict::Verdict;

/// What is found, with the numbers that sentences need.
pub(super) enum Finding {
    /// The loss is not finite from this epoch on.
    NotFinite { epoch: usize },
    /// The training loss grows.
    Grows { first: f64, last: f64 },
    /// What was learned is lost: the lowest training loss, and the last one.
    Lost { lowest: f64, last: f64, constant: f64 },
    /// The validation loss is lowest in this epoch, and rises from then on.
    Overfits { epoch: usize, lowest: f64, last: f64, training: f64 },
    /// The training loss jumps by this share of its mean.
    Jumps { jitter: f64 },
    /// The validation loss jumps by this share of its mean.
    ValidationJumps { jitter: f64 },
    /// The training loss rises again from its lowest.
    Creeps { epoch: usize, lowest: f64, last: f64 },
    /// The training loss stays near that of a constant prediction.
    Underfits { lowest: f64, constant: f64, still_falls: bool },
    /// The target is the same in every row.
    SameTarget,
    /// None of the others.
    Good { first: f64, last: f64, validation: Option<f64>, still_falls: bool },
}

impl Finding {
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
