//! Format of the fields of a table: the separator, the texts of missing values, the formats of numbers and dates, and
//! the columns whose text is kept.

use serde::{Deserialize, Serialize};

use crate::data::table::recognize::dates::DateColumn;
use crate::data::table::recognize::number_format::{NumberFormat, finite, same};

/// Texts that count as missing by default, next to the empty field: pandas' list.
const MISSING: [&str; 18] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "None", "n/a", "nan", "null",
];

/// Format of the fields of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldFormat {
    /// Field separator.
    pub separator: char,
    /// Texts that count as missing, instead of pandas' list.
    #[serde(default)]
    pub missing_values: Option<Vec<String>>,
    /// Number format.
    #[serde(default)]
    pub numbers: NumberFormat,
    /// Date columns.
    #[serde(default)]
    pub dates: Vec<DateColumn>,
    /// Target column with stated classes: their names never count as missing.
    #[serde(default)]
    pub classes: Option<ClassColumn>,
    /// Columns whose text is kept, even if all values are numbers.
    #[serde(default)]
    pub text: TextColumns,
}

/// A column of classes with their names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassColumn {
    /// Name of the column.
    pub name: String,
    /// Class names.
    pub classes: Vec<String>,
}

/// Columns whose text is kept, even if all values are numbers: `007` and `7` are two categories, but one number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextColumns {
    /// All columns.
    All,
    /// These columns.
    Named(Vec<String>),
}

impl Default for TextColumns {
    fn default() -> Self {
        TextColumns::Named(Vec::new())
    }
}

impl FieldFormat {
    /// Creates the default format with this separator.
    pub fn new(separator: char) -> FieldFormat {
        FieldFormat {
            separator,
            missing_values: None,
            numbers: NumberFormat::default(),
            dates: Vec::new(),
            classes: None,
            text: TextColumns::default(),
        }
    }

    /// Returns the texts that count as missing: `stated` or else pandas' list, and `more` in addition. `None` is pandas'
    /// list alone.
    pub fn missing_texts(stated: Option<&[String]>, more: &[String]) -> Option<Vec<String>> {
        if more.is_empty() {
            return stated.map(<[String]>::to_vec);
        }
        let default = || std::iter::once("").chain(MISSING).map(str::to_owned).collect();
        let texts = stated.map_or_else(default, <[String]>::to_vec);
        Some(texts.into_iter().chain(more.iter().cloned()).collect())
    }

    /// Returns whether a field, without surrounding blanks, counts as missing in this column.
    pub(super) fn is_missing(&self, column: &str, field: &str) -> bool {
        let is_class = |stated: &ClassColumn| stated.name == column && stated.classes.iter().any(|name| name == field);
        match &self.missing_values {
            _ if self.classes.as_ref().is_some_and(is_class) => false,
            Some(values) => values.iter().any(|value| same(value, field)),
            // pandas' texts do not end with a digit, but most fields of numbers do
            None => {
                field.is_empty() || (!field.ends_with(|end: char| end.is_ascii_digit()) && MISSING.contains(&field))
            }
        }
    }

    /// Returns whether the text of this column is kept.
    pub fn keeps_text(&self, column: &str) -> bool {
        match &self.text {
            TextColumns::All => true,
            TextColumns::Named(names) => names.iter().any(|name| name == column),
        }
    }

    /// Returns whether numbers are in the default format, no number counts as missing, and text is not kept in all
    /// columns.
    pub(super) fn is_of_plain_numbers(&self) -> bool {
        let is_number = |value: &String| finite(value).is_some();
        self.numbers == NumberFormat::default()
            && self.dates.is_empty()
            && !self.missing_values.as_ref().is_some_and(|values| values.iter().any(is_number))
            && self.text != TextColumns::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_as_missing_can_be_stated_and_stated_classes_win() {
        let reading = FieldFormat::new(',');
        assert!(["", "NA", "None", "n/a"].iter().all(|field| reading.is_missing("x", field)));
        assert!(!["?", "-", "0", "none"].iter().any(|field| reading.is_missing("x", field)));
        let classes = Some(ClassColumn { name: "y".into(), classes: vec!["None".into(), "Mild".into()] });
        let reading = FieldFormat { classes, ..reading };
        assert!(!reading.is_missing("y", "None") && reading.is_missing("y", "NA") && reading.is_missing("x", "None"));
        let missing_values = Some(["?", "-999"].map(str::to_owned).to_vec());
        let reading = FieldFormat { missing_values, ..reading };
        assert!(["?", "-999", "-999.0"].iter().all(|field| reading.is_missing("x", field)));
        assert!(!["", "NA", "-9990"].iter().any(|field| reading.is_missing("x", field)));
        assert!(!reading.is_of_plain_numbers());
    }

    #[test]
    fn na_values_are_added_to_the_list_of_pandas_or_to_the_stated_one() {
        let more = ["?".to_owned()];
        let reading = |stated: Option<&[String]>, more: &[String]| FieldFormat {
            missing_values: FieldFormat::missing_texts(stated, more),
            ..FieldFormat::new(',')
        };
        assert_eq!(reading(None, &[]), FieldFormat::new(','));
        assert!(["", "NA", "?"].iter().all(|field| reading(None, &more).is_missing("x", field)));
        let stated = ["-".to_owned()];
        let both = reading(Some(&stated), &more);
        assert!(["-", "?"].iter().all(|field| both.is_missing("x", field)) && !both.is_missing("x", "NA"));
    }
}
