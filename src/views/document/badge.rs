//! Short labels, such as diagnoses and origins of settings.

use crate::history::History;
use crate::history::diagnosis::Verdict;

/// A short label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    /// The kind, a CSS class in HTML: `verdict good`.
    pub class: &'static str,
    /// The text.
    pub text: String,
}

impl Badge {
    /// Returns a badge with this text.
    pub fn new(class: &'static str, text: impl Into<String>) -> Badge {
        Badge { class, text: text.into() }
    }

    /// Returns the badge of a diagnosis, with `suffix` after its word.
    pub fn verdict(verdict: Verdict, suffix: &str) -> Badge {
        let class = match verdict {
            Verdict::Underfitting => "verdict underfitting",
            Verdict::Good => "verdict good",
            Verdict::Overfitting => "verdict overfitting",
            Verdict::Diverged => "verdict diverged",
            Verdict::Unstable => "verdict unstable",
        };
        Badge::new(class, format!("{}{suffix}", verdict.word()))
    }

    /// Returns the badge of a trial that was interrupted or stopped by the time limit; `None` for others.
    pub fn interrupted(history: Option<&History>) -> Option<Badge> {
        let status = history.map(|history| history.status).filter(|status| status.is_unfinished())?;
        Some(Badge::new("verdict interrupted", status.word()))
    }
}
