//! Validation of settings: the key of an invalid setting, what is wrong with it, and a hint.
//!
//! Layers, losses, optimizers, data sets and so on check their own settings with these functions. The experiment adds
//! the path within the file to the key, so that a message always names the full key.

use std::fmt::{self, Display};

/// An invalid setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Invalid {
    /// The full key, such as `train.optimizer.adam.lr`.
    pub key: String,
    /// What is wrong: a lowercase fragment that follows the key.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
}

impl Invalid {
    /// Creates an error for the setting `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Invalid { key: key.into(), message: message.into(), hint: None }
    }

    /// Adds a hint that says how to fix it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns the message with the place of the setting, in the same brackets as a file that ends the message.
    pub fn at(&self, place: &str) -> String {
        let message = self.to_string();
        match message.strip_suffix("`)").filter(|message| message.contains(" (`")) {
            Some(message) => format!("{message}`; {place})"),
            None => format!("{message} ({place})"),
        }
    }

    /// Prefixes the key with `prefix` and a dot.
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

/// Checks that the value is finite and greater than 0.
pub fn positive(key: &str, value: f64) -> Result<(), Invalid> {
    require(value.is_finite() && value > 0.0, key, "must be finite and greater than 0", value)
}

/// Checks that the value is finite and at least 0.
pub fn not_negative(key: &str, value: f64) -> Result<(), Invalid> {
    require(value.is_finite() && value >= 0.0, key, "must be finite and at least 0", value)
}

/// Checks that the value is in `[0, 1)`.
pub fn below_one(key: &str, value: f64) -> Result<(), Invalid> {
    require((0.0..1.0).contains(&value), key, "must be at least 0 and less than 1", value)
}

/// Checks that the value is strictly between 0 and 1.
pub fn share(key: &str, value: f64) -> Result<(), Invalid> {
    require(value > 0.0 && value < 1.0, key, "must be greater than 0 and less than 1", value)
}

/// Checks that the count is at least 1.
pub fn at_least_one(key: &str, count: usize) -> Result<(), Invalid> {
    require(count >= 1, key, "must be at least 1", count)
}

/// Maximum size of one dimension; larger values are typing mistakes and would not fit into memory.
const LARGEST_SIZE: usize = 1_000_000;

/// Checks that the size of a dimension is between 1 and 1,000,000.
pub fn size(key: &str, size: usize) -> Result<(), Invalid> {
    at_least_one(key, size)?;
    require(size <= LARGEST_SIZE, key, "must be at most 1,000,000", size)
}

/// Returns the fault of a setting if it is wrong.
pub fn refuse(is_wrong: bool, fault: impl FnOnce() -> Invalid) -> Result<(), Invalid> {
    if is_wrong { Err(fault()) } else { Ok(()) }
}

/// Checks a condition; the error says what was wanted and what was found.
pub fn require(holds: bool, key: &str, wanted: &str, found: impl Display) -> Result<(), Invalid> {
    if holds { Ok(()) } else { Err(Invalid::new(key, format!("{wanted}, found {found}"))) }
}
