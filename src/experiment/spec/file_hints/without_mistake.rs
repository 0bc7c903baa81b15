//! Leaves a mistake out of the text of an experiment file, so that further ones are found.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike};

/// Returns the text without the setting at `key`, or with another layer in place of a wrong one. Lines keep their numbers. `None`
/// if it cannot be left out.
pub fn of(text: &str, key: &str) -> Option<String> {
    let document = Document::parse(text).ok()?;
    if let Some(place) = key.strip_prefix("network.layers.") {
        let index: usize = place.split('.').next()?.parse().ok()?;
        let layer = document.get("network")?.get("layers")?.get(index)?.span()?;
        return Some(replaced(text, layer, "\"relu\""));
    }
    let (parent, name) = key.rsplit_once('.').unwrap_or(("", key));
    let mut table: &dyn TableLike = document.as_table();
    for part in parent.split('.').filter(|part| !part.is_empty()) {
        table = table.get(part)?.as_table_like()?;
    }
    let (item, start) = (table.get(name)?, table.key(name)?.span()?.start);
    if matches!(item, Item::Table(table) if !table.is_dotted()) {
        return Some(replaced(text, whole_table(text, start), ""));
    }
    let range = start..item.span()?.end;
    let is_on_its_own_line = text[..start].rsplit('\n').next().is_some_and(|before| before.trim().is_empty());
    Some(replaced(text, if is_on_its_own_line { range } else { with_comma(text, range) }, ""))
}

/// Returns the text with a replacement for a range, in which line ends stay.
fn replaced(text: &str, range: Range<usize>, by: &str) -> String {
    let lines = "\n".repeat(text[range.clone()].matches('\n').count());
    format!("{}{by}{lines}{}", &text[..range.start], &text[range.end..])
}

/// Returns the lines of the table whose header has this byte: up to the next header.
fn whole_table(text: &str, start: usize) -> Range<usize> {
    let first = text[..start].rfind('\n').map_or(0, |end| end + 1);
    let next = text[start..].match_indices("\n[").next().map_or(text.len(), |(place, _)| start + place);
    first..next
}

/// Returns the range of a setting in an inline table, with the comma behind it or else before it.
fn with_comma(text: &str, range: Range<usize>) -> Range<usize> {
    let behind = &text[range.end..];
    if behind.trim_start().starts_with(',') {
        return range.start..range.end + behind.find(',').unwrap_or_default() + 1;
    }
    let before = text[..range.start].trim_end();
    range.start.min(before.strip_suffix(',').map_or(range.start, str::len))..range.end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_tables_and_layers_are_left_out_and_lines_keep_their_numbers() {
        let text = "title = \"t\"\n[compile]\nloss = \"mse\"\n[network]\nlayers = [\n  { foo = 1 },\n  \"x\", { linear = 2, b = 1, c = 2 },\n]\n\
                    [train]\ncallbacks = [\n  1,\n]\noptimizer = { adam = { lr = 1, foo = 2 } }\nepochs = 3\n";
        let of = |key: &str| of(text, key).unwrap();
        for key in [
            "compile",
            "network.layers.0.foo",
            "train.callbacks",
            "train.optimizer.adam.foo",
            "train.optimizer.adam.lr",
        ] {
            let masked = of(key);
            assert!(Document::parse(masked.as_str()).is_ok(), "{key}: {masked}");
            assert_eq!(masked.lines().count(), text.lines().count(), "{key}: {masked}");
        }
        assert!(!of("compile").contains("loss") && of("compile").contains("[network]"));
        assert!(of("network.layers.0.foo").contains("[\n  \"relu\",\n"));
        assert!(of("train.optimizer.adam.foo").contains("{ lr = 1 }"), "{}", of("train.optimizer.adam.foo"));
        assert!(of("train.optimizer.adam.lr").contains("{  foo = 2 }"), "{}", of("train.optimizer.adam.lr"));
        assert_eq!(super::of(text, "train.nothing"), None);
    }
}
