//! "Did you mean": suggests the known name closest to an unknown one.

use std::fmt::Display;

/// Returns the name in `known` closest to `typed`; `None` if none is similar enough.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let scored = known.into_iter().filter_map(|name| Some((similarity(&typed, &name.to_lowercase())?, name)));
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// Returns how similar two names are, from 0 to 1; `None` if `typed` is unlikely to mean `name`: it is no part of it, and
/// takes too many typing mistakes for its length.
fn similarity(typed: &str, name: &str) -> Option<f64> {
    let shorter = typed.len().min(name.len());
    let is_part = shorter >= 3 && (name.contains(typed) || typed.contains(name));
    let is_beginning = typed.len() >= 2 && name.starts_with(typed);
    let allowed = match typed.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=8 => 2,
        _ => 3,
    };
    let similarity = strsim::jaro_winkler(typed, name);
    match is_part || is_beginning {
        true => Some(similarity.max(0.85)),
        false => (strsim::osa_distance(typed, name) <= allowed).then_some(similarity),
    }
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
pub fn list(names: &[impl Display]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Returns the names as [`list`] does; of more than `most`, the first ones and the number of the others.
pub fn list_at_most(names: &[&str], most: usize) -> String {
    match names.len().saturating_sub(most) {
        0 => list(names),
        more => format!("{} and {more} more", list(&names[..most])),
    }
}

/// Returns the names in backticks as alternatives: "`a`, `b` or `c`".
pub fn either(names: &[impl Display]) -> String {
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
        assert_eq!(nearest("zero", ["error", "drop", "mean"]), None, "three mistakes in four letters");
        assert_eq!(nearest("extends", ["seeds", "expect"]), None);
        assert_eq!(nearest("churn.parquet", ["churn2.toml"]), None);
        assert_eq!(nearest("rleu", ["relu", "elu", "gelu"]), Some("relu"));
        assert_eq!(nearest("lr", ["p", "lrs"]), Some("lrs"));
        assert_eq!(hint("zzzz", ["a", "b"]), "known names: `a`, `b`");
        assert_eq!(either(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
