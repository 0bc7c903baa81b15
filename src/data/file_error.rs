//! Error of a file of the user: a table, arrays, images or texts.

/// Error of a file of the user, as a lowercase fragment that follows the file name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FileError {
    /// Problem and place.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
}

impl FileError {
    /// Creates an error without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        FileError { message: message.into(), hint: None }
    }

    /// Adds a hint that says how to fix it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
