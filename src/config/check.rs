//! A setting that was understood but cannot be: which key, what is wrong with it, and a hint.
//!
//! Every family (layers, losses, optimizers, data sets) checks its own settings with these few functions; the
//! experiment prefixes the key with where the family stands in the file, so that a message always names the full key.

use std::fmt::{self, Display};

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Invalid {
    /// The full key, such as `train.optimizer.adam.lr`.
    pub key: String,
    /// What is wrong: a lowercase fragment that follows the key.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl Invalid {
    /// A fault of the setting `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Invalid { key: key.into(), message: message.into(), hint: None }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts the key under `prefix`.
    #[must_use]
    pub fn under(mut self, prefix: impl Display) -> Self {
        self.key = if self.key.is_empty() { prefix.to_string() } else { format!("{prefix}.{}", self.key) };
        self
    }
}

impl Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.key, self.message)
    }
}

impl std::error::Error for Invalid {}

/// The value must be finite and greater than 0.
pub fn positive(key: &str, value: f64) -> Result<(), Invalid> {
    require(value.is_finite() && value > 0.0, key, "must be finite and greater than 0", value)
}

/// The value must be finite and at least 0.
pub fn not_negative(key: &str, value: f64) -> Result<(), Invalid> {
    require(value.is_finite() && value >= 0.0, key, "must be finite and at least 0", value)
}

/// The value must lie in `[0, 1)`.
pub fn below_one(key: &str, value: f64) -> Result<(), Invalid> {
    require((0.0..1.0).contains(&value), key, "must be at least 0 and less than 1", value)
}

/// The value must lie strictly between 0 and 1.
pub fn share(key: &str, value: f64) -> Result<(), Invalid> {
    require(value > 0.0 && value < 1.0, key, "must lie between 0 and 1", value)
}

/// The count must be at least 1.
pub fn at_least_one(key: &str, count: usize) -> Result<(), Invalid> {
    require(count >= 1, key, "must be at least 1", count)
}

/// The largest size of one dimension: what is larger is a slip, and no memory holds it.
const LARGEST_SIZE: usize = 1_000_000;

/// The size of a dimension must be at least 1, and one that a memory can hold.
pub fn size(key: &str, size: usize) -> Result<(), Invalid> {
    at_least_one(key, size)?;
    require(size <= LARGEST_SIZE, key, "must be at most 1,000,000", size)
}

/// The condition must hold, or the message says what was wanted and found.
pub fn require(holds: bool, key: &str, wanted: &str, found: impl Display) -> Result<(), Invalid> {
    if holds { Ok(()) } else { Err(Invalid::new(key, format!("{wanted}, found {found}"))) }
}
