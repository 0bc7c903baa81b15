//! Writing CSV: cells and lines.

/// Returns a cell, in quotes if necessary.
pub fn cell(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// Returns a line without its end.
pub fn line<S: AsRef<str>>(cells: impl IntoIterator<Item = S>) -> String {
    cells.into_iter().map(|text| cell(text.as_ref())).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_quotes_and_line_ends_are_quoted() {
        assert_eq!(line(["a", "b,c", "say \"d\"", "two\nlines", ""]), "a,\"b,c\",\"say \"\"d\"\"\",\"two\nlines\",");
    }
}
