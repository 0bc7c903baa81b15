//! "Did you mean": suggests the known name closest to an unknown one.

/// Returns the name in `known` closest to `typed`; `None` if none is similar enough.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    known
        .into_iter()
        .map(|name| {
            let lower = name.to_lowercase();
            let contained = typed.len() >= 3 && (lower.contains(&typed) || typed.contains(&lower)) && lower.len() >= 3;
            let score = strsim::jaro_winkler(&typed, &lower).max(if contained { 0.85 } else { 0.0 });
            (score, name)
        })
        .filter(|(score, _)| *score >= 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// Returns the hint for an unknown name: the closest known name, or all names if none is close.
pub fn hint<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(typed, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known names: {}", list(&known)),
    }
}

/// Returns the names in backticks, separated by commas.
pub fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Returns the names in backticks as alternatives: "`a`, `b` or `c`".
pub fn either(names: &[&str]) -> String {
    match names {
        [before @ .., last] if !before.is_empty() => format!("{} or `{last}`", list(before)),
        names => list(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_finds_none() {
        let known = ["overfit_mnist", "mnist_dropout", "digits_mlp"];
        assert_eq!(nearest("overfit_minst", known), Some("overfit_mnist"));
        assert_eq!(nearest("digits", known), Some("digits_mlp"));
        assert_eq!(nearest("zzzz", known), None);
        assert_eq!(hint("zzzz", ["a", "b"]), "known names: `a`, `b`");
        assert_eq!(either(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
