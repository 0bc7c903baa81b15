//! One column of a table: its values, the text of numbers that are codes, and the first field that counts as missing.

use crate::data::table::csv_text::TableFault;
use crate::data::table::reading::Reading;
use crate::data::table::recognize::dates::{self, DateFormat};
use crate::data::table::values::Values;

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Values,
    /// The text of its numbers, where it is kept and says more than the numbers: `007` and `7`.
    written: Option<Values>,
    /// The first row whose value is missing, and what its field holds.
    missing: Option<(usize, String)>,
    /// How its dates are written, where the numbers are days.
    date_format: Option<DateFormat>,
}

impl Column {
    /// A column of numbers, none of them missing.
    pub(super) fn of_numbers(name: String, numbers: Vec<f64>) -> Column {
        Column { name, values: Values::Numbers(numbers), written: None, missing: None, date_format: None }
    }

    /// The column of these fields; `place` names a row.
    ///
    /// # Errors
    /// When it is a column of dates, and a field holds none.
    pub(super) fn read<'t>(
        name: String,
        fields: impl Iterator<Item = &'t str>,
        reading: &Reading,
        place: impl Fn(usize) -> String,
    ) -> Result<Column, TableFault> {
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
                let wrong = |row: usize| format!("has `{}` in {}", fields[row].unwrap_or_default(), place(row));
                let what = fault.row.map_or("holds dates".to_owned(), wrong);
                TableFault::new(format!("{what}, column `{name}`, {}", fault.message)).hint(fault.hint(&name))
            })?;
            let values = Values::Numbers(days);
            return Ok(Column { name, values, written: None, missing, date_format: Some(format) });
        }
        let values = Values::of(&fields, reading.numbers);
        let written = match &values {
            Values::Numbers(numbers) if reading.keeps_text(&name) => {
                let says_more = |(field, number): (&Option<&str>, &f64)| {
                    field.is_some_and(|field| !is_short_whole(field) && field != number.to_string())
                };
                fields.iter().zip(numbers).any(says_more).then(|| Values::text_of_numbers(&fields, numbers))
            }
            Values::Numbers(_) | Values::Text { .. } => None,
        };
        Ok(Column { name, values, written, missing, date_format: None })
    }

    /// The values as categories: text, where it says more than the numbers.
    fn as_written(&self) -> &Values {
        self.written.as_ref().unwrap_or(&self.values)
    }

    /// The distinct values as text, numbers in their own order, and the place of each row's value among them.
    pub fn categories(&self) -> (Vec<String>, Vec<Option<usize>>) {
        self.as_written().categories()
    }

    /// The distinct texts of its numbers, where they say more than the numbers.
    pub fn written(&self) -> Option<&[String]> {
        match self.written.as_ref()? {
            Values::Text { distinct, .. } => Some(distinct),
            Values::Numbers(_) => None,
        }
    }

    /// How many different values there are, missing ones left out.
    pub fn distinct(&self) -> usize {
        self.as_written().distinct()
    }

    /// The value of a row as text; `None` where it is missing.
    pub fn text(&self, row: usize) -> Option<String> {
        self.as_written().text(row)
    }

    /// Equal for equal values.
    pub fn key(&self, row: usize) -> u64 {
        self.as_written().key(row)
    }

    /// Whether the value of a row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        self.values.is_missing(row)
    }

    /// The first row whose value is missing, and what its field holds.
    pub fn first_missing(&self) -> Option<(usize, &str)> {
        self.missing.as_ref().map(|(row, text)| (*row, text.as_str()))
    }

    /// How its dates are written, where it holds dates.
    pub fn date_format(&self) -> Option<&DateFormat> {
        self.date_format.as_ref()
    }
}

/// Whether a text is a whole number that f64 writes the same way: no sign but `-`, no zero in front, 15 digits at most.
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
    use crate::data::table::reading::TextColumns;

    fn column(fields: &[&str]) -> Column {
        let reading = Reading { text: TextColumns::All, ..Reading::new(',') };
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
        assert_eq!(column(&["10", "-9", "0.5"]).written, None);
        assert_ne!(column(&["7", "007"]).key(0), column(&["7", "007"]).key(1));
    }
}
