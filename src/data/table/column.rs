//! One column of a table: its values, the text of numbers that are codes, and the first missing value.

use crate::data::file_error::FileError;
use crate::data::table::field_format::FieldFormat;
use crate::data::table::recognize::dates::{self, DateFormat};
use crate::data::table::values::Values;

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Values.
    pub values: Values,
    /// Text of the numbers, if it is kept and differs from the numbers: `007` and `7`.
    number_texts: Option<Values>,
    /// First text of a number that begins with a zero and another digit, like a code: `02139`.
    pub leading_zero: Option<String>,
    /// First row whose value is missing, with the text of its field.
    missing: Option<(usize, String)>,
    /// Format of the dates, if the numbers are days.
    pub date_format: Option<DateFormat>,
}

impl Column {
    /// Creates a column of numbers.
    pub(super) fn from_numbers(name: String, numbers: Vec<f64>) -> Column {
        let values = Values::Numbers(numbers);
        Column { name, values, number_texts: None, leading_zero: None, missing: None, date_format: None }
    }

    /// Reads a column from its fields; `place` returns the name of a row in messages.
    ///
    /// # Errors
    /// When the column is a date column, and a field is no date.
    pub(crate) fn read<'t>(
        name: String,
        fields: impl Iterator<Item = &'t str>,
        reading: &FieldFormat,
        place: impl Fn(usize) -> String,
    ) -> Result<Column, FileError> {
        let mut missing = None;
        let fields = fields.map(str::trim).enumerate().map(|(row, field)| {
            let is_missing = reading.is_missing(&name, field);
            if is_missing && missing.is_none() {
                missing = Some((row, field.to_owned()));
            }
            (!is_missing).then_some(field)
        });
        let fields: Vec<Option<&str>> = fields.collect();
        if let Some(column) = reading.dates.iter().find(|column| column.name == name) {
            let (days, format) = dates::read(&fields, column.format.as_ref()).map_err(|fault| {
                let field = fault.row.and_then(|row| fields[row]).unwrap_or_default();
                let message = fault.describe(&name, field, fault.row.map(&place).as_deref());
                FileError::new(message).hint(fault.hint(&name))
            })?;
            return Ok(Column { missing, date_format: Some(format), ..Column::from_numbers(name, days) });
        }
        let values = Values::from_fields(&fields, reading.numbers);
        let number_texts = match &values {
            Values::Numbers(numbers) if reading.keeps_text(&name) => {
                let says_more = |(field, number): (&Option<&str>, &f64)| {
                    field.is_some_and(|field| !is_short_whole(field) && field != number.to_string())
                };
                fields.iter().zip(numbers).any(says_more).then(|| Values::text_of_numbers(&fields, numbers))
            }
            Values::Numbers(_) | Values::Text { .. } => None,
        };
        let leading_zero = match &values {
            Values::Numbers(_) => {
                fields.iter().flatten().find(|field| has_leading_zero(field.as_bytes())).map(|&field| field.into())
            }
            Values::Text { .. } => None,
        };
        Ok(Column { name, values, number_texts, leading_zero, missing, date_format: None })
    }

    /// Returns the values as categories: text, if it differs from the numbers.
    fn category_values(&self) -> &Values {
        self.number_texts.as_ref().unwrap_or(&self.values)
    }

    /// Returns the distinct values as text (numbers in numeric order), and the index of each row's value among them.
    pub fn categories(&self) -> (Vec<String>, Vec<Option<usize>>) {
        self.category_values().categories()
    }

    /// Returns the distinct texts of the numbers, if they differ from the numbers.
    pub fn number_texts(&self) -> Option<&[String]> {
        match self.number_texts.as_ref()? {
            Values::Text { distinct, .. } => Some(distinct),
            Values::Numbers(_) => None,
        }
    }

    /// Returns the number of distinct values, without missing ones.
    pub fn distinct(&self) -> usize {
        self.category_values().distinct()
    }

    /// Returns the value of a row as text; `None` if it is missing.
    pub fn text(&self, row: usize) -> Option<String> {
        self.category_values().text(row)
    }

    /// Returns a key that is equal for equal values.
    pub fn key(&self, row: usize) -> u64 {
        self.category_values().key(row)
    }

    /// Returns whether the value of a row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        self.values.is_missing(row)
    }

    /// Returns the first row whose value is missing, with the text of its field.
    pub fn first_missing(&self) -> Option<(usize, &str)> {
        self.missing.as_ref().map(|(row, text)| (*row, text.as_str()))
    }
}

/// Returns whether a text begins with a zero and another digit.
pub(super) fn has_leading_zero(text: &[u8]) -> bool {
    matches!(text, [b'0', next, ..] if next.is_ascii_digit())
}

/// Returns whether a text is an integer that f64 prints in the same way: no `+`, no leading zero, at most 15 digits.
fn is_short_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', others @ ..] => others.len() < 15 && others.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::field_format::TextColumns;

    fn column(fields: &[&str]) -> Column {
        let reading = FieldFormat { text: TextColumns::All, ..FieldFormat::new(',') };
        Column::read("c".into(), fields.iter().copied(), &reading, |row| format!("row {row}")).unwrap()
    }

    #[test]
    fn the_text_of_a_field_is_the_category_and_the_number_its_value() {
        for (fields, categories) in [
            (&["02139", "2139", "02139"][..], &["02139", "2139"][..]),
            (&["12345678901234567890", "12345678901234567891"], &["12345678901234567890", "12345678901234567891"]),
            (&["1000", "1e3", "10e2", "12"], &["12", "1000", "10e2", "1e3"]),
            (&["1.10", "1.1", "1.2"], &["1.1", "1.10", "1.2"]),
            (&["+49171", "49171"], &["+49171", "49171"]),
            (&["10", "9", "", "-0", "0"], &["-0", "0", "9", "10"]),
        ] {
            let column = column(fields);
            assert!(matches!(column.values, Values::Numbers(_)), "{fields:?}");
            let (found, places) = column.categories();
            assert_eq!(found, categories);
            assert_eq!(column.distinct(), categories.len());
            for (row, field) in fields.iter().enumerate() {
                assert_eq!(places[row].map(|place| found[place].as_str()).unwrap_or_default(), *field);
                assert_eq!(column.text(row).unwrap_or_default(), *field);
            }
        }
        assert_eq!(column(&["10", "-9", "0.5"]).number_texts, None);
        assert_ne!(column(&["7", "007"]).key(0), column(&["7", "007"]).key(1));
    }
}
