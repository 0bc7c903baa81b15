//! Lists of texts in experiment files, which can be written as whole numbers too: `["0", "1"]` or `[0, 1]`.

use serde::{Deserialize, Deserializer};

/// Deserializes an optional list of texts or whole numbers.
pub fn optional_texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a text or a whole number")]
    enum Name {
        Text(String),
        Number(i64),
    }
    let names = Option::<Vec<Name>>::deserialize(deserializer)?;
    let text = |name| match name {
        Name::Text(text) => text,
        Name::Number(number) => number.to_string(),
    };
    Ok(names.map(|names| names.into_iter().map(text).collect()))
}

/// Deserializes a list of texts or whole numbers.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    optional_texts(deserializer).map(Option::unwrap_or_default)
}
