//! A hint attached to an error, shown on its own line below it.

use std::fmt;

use crate::config::check::Invalid;

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

/// Returns an error with a hint on what to do about it.
pub(crate) fn hinted(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    anyhow::Error::msg(message.into()).context(Hint(hint.into()))
}

/// A fault of a setting or of the user's data, with its hint.
pub(crate) fn into_error(fault: Invalid) -> anyhow::Error {
    let hint = fault.hint.clone();
    with_hint(anyhow::Error::new(fault), hint)
}

/// Attaches a hint to an error, if there is one.
pub(crate) fn with_hint(error: anyhow::Error, hint: Option<String>) -> anyhow::Error {
    match hint {
        Some(hint) => error.context(Hint(hint)),
        None => error,
    }
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
