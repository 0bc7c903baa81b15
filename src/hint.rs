//! A hint that travels with an error, and is shown on a line of its own below it.

use std::fmt;

/// What the user can do about an error; attached with `error.context(Hint(…))`.
#[derive(Debug)]
pub struct Hint(pub String);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
