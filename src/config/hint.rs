//! A hint attached to an error, shown on its own line below it.

use std::fmt;

/// What the user can do about an error; attached with `error.context(Hint(…))`.
#[derive(Debug)]
pub struct Hint(pub String);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the message of an error and its causes on one line, without the hint.
pub fn in_a_line(error: &anyhow::Error) -> String {
    let hint = error.downcast_ref::<Hint>().map(ToString::to_string);
    let lines = error.chain().map(ToString::to_string).filter(|line| Some(line) != hint.as_ref());
    lines.collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn an_error_on_a_line_has_its_causes_and_not_its_hint() {
        let error = anyhow!("no such file").context(Hint("look elsewhere".to_owned())).context("failed to read");
        assert_eq!(in_a_line(&error), "failed to read: no such file");
    }
}
