//! Shortening of text.

/// Returns `text` with at most `most` characters; a longer text is cut and ends in `…`.
pub(crate) fn truncated(text: &str, most: usize) -> String {
    match text.chars().count() <= most {
        true => text.to_owned(),
        false => format!("{}…", text.chars().take(most.saturating_sub(1)).collect::<String>().trim_end()),
    }
}
