//! Messages of serde in the words of TOML and of this program.

use crate::experiment::spec::{aliases, former_keys};

/// Maximum number of known names that an error message lists.
const MOST_LISTED: usize = 16;

/// Returns a message without its long list of known names if an earlier message has it; `shown` are the lists so far.
pub fn with_new_list(message: String, shown: &mut Vec<String>) -> String {
    match message.split_once(", expected one of\n") {
        Some((before, list)) if shown.iter().any(|other| other == list) => before.to_owned(),
        Some((_, list)) => {
            shown.push(list.to_owned());
            message
        }
        None => message,
    }
}

/// Returns an error message without the list of known names if the list is long and there is a hint, or else without
/// their aliases.
pub fn shorten(message: &str, has_hint: bool) -> String {
    let Some((before, list)) = message.rsplit_once(", expected one of ") else { return message.to_owned() };
    let names: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    if names.len() <= MOST_LISTED {
        return message.to_owned();
    }
    if has_hint {
        return before.to_owned();
    }
    let names = names.into_iter().filter(|name| *name != "theirs" && aliases::current(name).next().is_none());
    format!("{before}, expected one of\n{}", in_lines(names))
}

/// Returns names in backticks, in lines that fit a terminal.
fn in_lines<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const WIDTH: usize = 76;
    let mut lines: Vec<String> = vec![String::new()];
    for name in names {
        let last = lines.len() - 1;
        let separator = if lines[last].is_empty() { "" } else { ", " };
        match lines[last].len() + separator.len() + name.len() + 3 > WIDTH {
            true => {
                lines[last].push(',');
                lines.push(format!("`{name}`"));
            }
            false => lines[last] += &format!("{separator}`{name}`"),
        }
    }
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// Replaces Rust types and serde's terms in an error message by the terms of TOML and of this program.
pub fn translate(message: &str) -> String {
    let is_negative = message.contains("invalid value: integer `-");
    let whole = if is_negative { "expected a whole number that is not negative" } else { "expected a whole number" };
    let words = [
        ("expected usize", whole),
        ("expected u32", whole),
        ("expected i64", "expected a whole number"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list"),
        ("expected an array of length", "expected a list of"),
        ("expected a boolean", "expected `true` or `false`"),
        ("expected unit", "expected no value"),
        ("expected fewer elements in map", "expected one name in each pair of braces"),
        ("invalid type: unit variant, expected newtype variant", "a value is missing"),
        ("invalid type: map", "invalid type: table"),
        ("invalid type: sequence", "invalid type: list"),
        ("invalid value: map", "invalid value: table"),
        ("expected map with a single key", "expected a table with one name"),
        ("expected string or map", "expected a text or a table of settings"),
        ("wanted string or table", "expected a text or a table of settings"),
    ];
    let mut plain = words.iter().fold(message.to_owned(), |text, (from, to)| text.replace(from, to));
    for (term, words) in
        [("expected struct ", "expected a table of settings"), ("expected enum ", "expected a table with one name")]
    {
        if let Some(start) = plain.find(term) {
            let name = start + term.len();
            let end = plain[name..].find(|c: char| !c.is_alphanumeric()).map_or(plain.len(), |end| name + end);
            plain.replace_range(start..end, words);
        }
    }
    if plain.contains("expected enum") {
        plain = plain.replace("expected enum", "expected a table with one name");
    }
    if let Some(start) = plain.find("missing field `") {
        plain.replace_range(start..start + 14, "required key is missing: ");
    }
    // the known names show what kind of name is expected
    let families = [
        ("`cosine`", "schedule"),
        ("`linear`", "layer"),
        ("`acc`", "metric"),
        ("`mse`", "loss"),
        ("`adam`", "optimizer"),
        ("`mnist`", "data set"),
    ];
    let family = families.iter().find(|(known, _)| plain.contains(known)).map_or("value", |(_, family)| family);
    let plain = plain
        .replace("unknown variant", &format!("unknown {family}"))
        .replace("unknown field", "unknown key")
        .replace(", there are no fields", ", there are no settings");
    let plain = plain.split('\n').map(expected_first).collect::<Vec<_>>().join("\n");
    match plain.rsplit_once('\n') {
        Some((place, last)) => former_keys::duplicate(last).map_or(plain.clone(), |both| format!("{place}\n{both}")),
        None => former_keys::duplicate(&plain).unwrap_or(plain),
    }
}

/// Returns a line on a wrong type or value in this order: `expected a number, found `"x"``; other lines stay as they are.
fn expected_first(line: &str) -> String {
    let reordered = || {
        let rest = line.strip_prefix("invalid type: ").or_else(|| line.strip_prefix("invalid value: "))?;
        // the found text may contain the words, too
        let end = if rest.starts_with("string ") { rest.find("\", expected ")? + 1 } else { rest.find(", expected ")? };
        let (found, expected) = (&rest[..end], &rest[end + ", expected ".len()..]);
        let found = match found.split_once(' ') {
            _ if found.starts_with("floating point `") => found["floating point ".len()..].to_owned(),
            Some(("integer" | "boolean", value)) => value.to_owned(),
            Some(("string", text)) => format!("`{text}`"),
            None if ["table", "list"].contains(&found) => format!("a {found}"),
            _ => found.to_owned(),
        };
        Some(format!("expected {expected}, found {found}")).filter(|_| !expected.starts_with("one of "))
    };
    reordered().unwrap_or_else(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_comes_before_what_is_found() {
        for (message, plain) in [
            ("invalid type: string \"a b\", expected f64", "expected a number, found `\"a b\"`"),
            ("invalid type: floating point `1.5`, expected usize", "expected a whole number, found `1.5`"),
            ("x\ninvalid type: boolean `true`, expected a sequence\ny", "x\nexpected a list, found `true`\ny"),
            ("invalid type: map, expected a string", "expected a string, found a table"),
            ("invalid value: integer `-3`, expected usize", "expected a whole number that is not negative, found `-3`"),
            ("invalid type: string \"a, expected b\", expected f64", "expected a number, found `\"a, expected b\"`"),
            ("invalid value: map, expected map with a single key", "expected a table with one name, found a table"),
            ("1 | x = \"invalid type: y, expected z\"", "1 | x = \"invalid type: y, expected z\""),
            ("unknown key `a`", "unknown key `a`"),
        ] {
            assert_eq!(translate(message), plain);
        }
    }

    #[test]
    fn long_lists_of_names_are_shortened() {
        let names: Vec<String> = (0..20).map(|number| format!("`layer_{number}`")).collect();
        let message = format!("unknown layer `x`, expected one of `linear`, `dense`, {}", names.join(", "));
        assert_eq!(shorten(&message, true), "unknown layer `x`");
        let short = shorten(&message, false);
        assert!(short.contains("`linear`, `layer_0`") && short.ends_with("`layer_19`"), "{short}");
        assert!(short.lines().count() > 2 && short.lines().all(|line| line.len() <= 80), "{short}");
        assert_eq!(
            shorten("unknown key `x`, expected one of `a`, `b`", true),
            "unknown key `x`, expected one of `a`, `b`"
        );
    }
}
