//! How the fields of a table are read: what separates them, what counts as missing, how numbers and dates are written,
//! and in which columns the text counts rather than the number.

use serde::{Deserialize, Serialize};

use crate::data::table::recognize::dates::{DateColumn, Dates};
use crate::data::table::recognize::number_format::{NumberFormat, finite, same};

/// What stands for a missing value where nothing else is stated, beside an empty field: pandas' list.
const MISSING: [&str; 18] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "None", "n/a", "nan", "null",
];

/// How the fields of a table are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// What stands between two fields.
    pub separator: char,
    /// What counts as missing in place of pandas' list.
    #[serde(default)]
    pub missing_values: Option<Vec<String>>,
    /// How numbers are written.
    #[serde(default)]
    pub numbers: NumberFormat,
    /// Columns of dates.
    #[serde(default)]
    pub dates: Vec<DateColumn>,
    /// The column of classes whose names are stated: none of them counts as missing there.
    #[serde(default)]
    pub classes: Option<ClassColumn>,
    /// The columns whose text is kept though all values are numbers.
    #[serde(default)]
    pub text: TextColumns,
}

/// A column of classes, and their names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassColumn {
    /// Its name.
    pub name: String,
    /// The names of the classes.
    pub classes: Vec<String>,
}

/// The columns whose text is kept though all values are numbers: `007` and `7` are two categories, and one number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextColumns {
    /// Every column.
    All,
    /// These columns.
    Named(Vec<String>),
}

impl Default for TextColumns {
    fn default() -> Self {
        TextColumns::Named(Vec::new())
    }
}

impl Reading {
    /// The default reading of a table whose fields are separated by this character.
    pub fn new(separator: char) -> Reading {
        Reading {
            separator,
            missing_values: None,
            numbers: NumberFormat::default(),
            dates: Vec::new(),
            classes: None,
            text: TextColumns::default(),
        }
    }

    /// Whether a field, without the blanks around it, counts as missing in this column.
    pub(super) fn is_missing(&self, column: &str, field: &str) -> bool {
        let is_class = |stated: &ClassColumn| stated.name == column && stated.classes.iter().any(|name| name == field);
        match &self.missing_values {
            _ if self.classes.as_ref().is_some_and(is_class) => false,
            Some(values) => values.iter().any(|value| same(value, field)),
            None => field.is_empty() || MISSING.contains(&field),
        }
    }

    /// Whether the text of this column is kept.
    pub(super) fn keeps_text(&self, column: &str) -> bool {
        match &self.text {
            TextColumns::All => true,
            TextColumns::Named(names) => names.iter().any(|name| name == column),
        }
    }

    /// Whether plain numbers are what any program writes, none of them stands for a missing value, and their text is not
    /// kept in every column.
    pub(super) fn is_of_plain_numbers(&self) -> bool {
        let is_number = |value: &String| finite(value).is_some();
        self.numbers == NumberFormat::default()
            && self.dates.is_empty()
            && !self.missing_values.as_ref().is_some_and(|values| values.iter().any(is_number))
            && self.text != TextColumns::All
    }

    /// Takes over the columns of dates that are stated.
    #[must_use]
    pub fn with_dates(mut self, dates: Option<&Dates>) -> Reading {
        self.dates = dates.map(Dates::columns).unwrap_or_default();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_as_missing_can_be_stated_and_stated_classes_win() {
        let reading = Reading::new(',');
        assert!(["", "NA", "None", "n/a"].iter().all(|field| reading.is_missing("x", field)));
        assert!(!["?", "-", "0", "none"].iter().any(|field| reading.is_missing("x", field)));
        let classes = Some(ClassColumn { name: "y".into(), classes: vec!["None".into(), "Mild".into()] });
        let reading = Reading { classes, ..reading };
        assert!(!reading.is_missing("y", "None") && reading.is_missing("y", "NA") && reading.is_missing("x", "None"));
        let missing_values = Some(["?", "-999"].map(str::to_owned).to_vec());
        let reading = Reading { missing_values, ..reading };
        assert!(["?", "-999", "-999.0"].iter().all(|field| reading.is_missing("x", field)));
        assert!(!["", "NA", "-9990"].iter().any(|field| reading.is_missing("x", field)));
        assert!(!reading.is_of_plain_numbers());
    }
}
