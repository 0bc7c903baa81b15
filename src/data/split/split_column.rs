//! Column whose values name the part of each row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::config::texts::{optional_texts, texts};

/// Column whose values name the part of each row, with the values of each part if they are stated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a column's name, or `{ name = \"COLUMN\", train = [\"a\"], validation = [\"b\"], test = [\"c\"] }`"
)]
pub enum SplitColumn {
    /// Column with the values `train`, `validation` and `test`.
    Name(String),
    /// Column with other values.
    Values(PartValues),
}

/// Column with the values of each part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartValues {
    /// Name of the column.
    pub name: String,
    /// Values of the training rows, as text or whole numbers; by default, all other values.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "optional_texts")]
    pub train: Option<Vec<String>>,
    /// Values of the validation rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "texts")]
    pub validation: Vec<String>,
    /// Values of the test rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "texts")]
    pub test: Vec<String>,
}

/// Part of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Training rows.
    Training,
    /// Validation rows.
    Validation,
    /// Test rows.
    Test,
}

impl Side {
    /// All parts.
    pub const ALL: [Side; 3] = [Side::Training, Side::Validation, Side::Test];

    /// Name in messages, as in `training rows`.
    pub fn name(self) -> &'static str {
        match self {
            Side::Training => "training",
            Side::Validation => "validation",
            Side::Test => "test",
        }
    }

    /// Returns the values that name this part by default.
    fn usual_values(self) -> &'static [&'static str] {
        match self {
            Side::Training => &["train", "training"],
            Side::Validation => &["validation", "val", "valid", "dev"],
            Side::Test => &["test"],
        }
    }
}

impl SplitColumn {
    /// Returns the name of the column.
    pub fn name(&self) -> &str {
        match self {
            SplitColumn::Name(name) => name,
            SplitColumn::Values(values) => &values.name,
        }
    }

    /// Returns the part of the rows with each of these `values`; `is_same` compares a value with a stated one.
    ///
    /// # Errors
    /// When a value is stated twice or does not occur; the key is relative to the data set.
    pub fn parts(&self, values: &[String], is_same: impl Fn(&str, &str) -> bool) -> Result<Vec<Option<Side>>, Invalid> {
        let SplitColumn::Values(stated) = self else {
            let side = |value: &String| {
                let value = value.to_lowercase();
                Side::ALL.into_iter().find(|side| side.usual_values().contains(&&*value))
            };
            return Ok(values.iter().map(side).collect());
        };
        let lists = [
            ("train", Side::Training, stated.train.as_deref().unwrap_or_default()),
            ("validation", Side::Validation, &stated.validation),
            ("test", Side::Test, &stated.test),
        ];
        let mut parts: Vec<Option<Side>> = vec![None; values.len()];
        for (key, side, list) in lists {
            for stated in list {
                let key = || format!("split.column.{key}");
                let Some(place) = values.iter().position(|value| is_same(value, stated)) else {
                    let message = format!("has `{stated}`, but no row has it in column `{}`", self.name());
                    return Err(Invalid::new(key(), message).hint(self.known(values)));
                };
                if parts[place].is_some() {
                    return Err(Invalid::new(key(), format!("has `{stated}`, which is listed twice")));
                }
                parts[place] = Some(side);
            }
        }
        if stated.train.is_none() {
            parts.iter_mut().for_each(|part| *part = part.or(Some(Side::Training)));
        }
        Ok(parts)
    }

    /// Returns the hint that lists the values of the column.
    fn known(&self, values: &[String]) -> String {
        let first: Vec<&str> = values.iter().take(12).map(String::as_str).collect();
        let more = if values.len() > first.len() { ", …" } else { "" };
        format!("its values are {}{more}", suggest::list(&first))
    }

    /// Returns the hint for a value that names no part.
    pub fn hint_for_unnamed(&self) -> String {
        match self {
            SplitColumn::Name(name) => format!(
                "its values must be `train`, `validation` or `test`; for others write `column = {{ name = {name:?}, train = […], \
                 validation = […], test = […] }}`"
            ),
            SplitColumn::Values(_) => "add it to `train`, `validation` or `test`, or remove the row".to_owned(),
        }
    }
}
