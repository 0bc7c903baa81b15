//! Places in the text of an experiment file.

use std::ops::Range;

use toml_edit::{Item, Key, Value};

/// Place of a mistake.
#[derive(Clone, Copy, Default)]
pub struct Place<'a> {
    /// Full key of the setting, such as `network.layers.0.linear`; empty if it is not known.
    pub key: &'a str,
    /// Text of the file from the mistake on.
    pub rest: &'a str,
    /// Text of the file.
    pub text: &'a str,
}

/// Returns the items of a list or of a table, each with its index or key, and the place of the key.
pub fn children(item: &Item) -> Vec<(String, &Item, Option<Range<usize>>)> {
    if let Item::Value(Value::Array(_)) | Item::ArrayOfTables(_) = item {
        let items = (0..).map_while(|index: usize| Some((index.to_string(), item.get(index)?, None)));
        return items.collect();
    }
    let Some(table) = item.as_table_like() else { return Vec::new() };
    table.iter().map(|(key, inner)| (key.to_owned(), inner, table.key(key).and_then(Key::span))).collect()
}
