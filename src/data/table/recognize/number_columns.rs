//! Recognizes columns of numbers that are no measurements: ids, row numbers, and codes.

use crate::data::table::column::Column;
use crate::data::table::values::Values;

/// Minimum number of distinct values of a column of ids.
pub(super) const FEWEST_IDS: usize = 10;

/// Column of numbers that are no measurements.
#[derive(Clone, Debug, PartialEq)]
pub enum NumberFinding {
    /// Integers with more digits than f64 can store, such as this one.
    TooManyDigits(String),
    /// Codes with a leading zero, such as this one.
    LeadingZero(String),
    /// A different integer in each row, and a name such as `id`.
    Ids,
    /// A number for each row, in their order.
    RowNumbers,
}

impl NumberFinding {
    /// Returns the warning about the column with this name, with the setting to write.
    pub fn warning(&self, name: &str) -> String {
        let as_codes =
            format!("write `categories = [\"{name}\"]` if they are codes, or `drop = [\"{name}\"]` to leave them out");
        match self {
            NumberFinding::TooManyDigits(text) => format!(
                "`{name}` has integers with more digits than a 64-bit float can store, such as {text}: {as_codes}"
            ),
            NumberFinding::LeadingZero(text) => {
                format!("`{name}` has numbers with a leading zero, such as {text}: {as_codes}")
            }
            NumberFinding::Ids | NumberFinding::RowNumbers => format!(
                "`{name}` has a different integer in each row, like ids: write `drop = [\"{name}\"]` to leave the column out"
            ),
        }
    }
}

/// Returns the content of a column of numbers that are no measurements; row numbers only if the name says so.
pub fn recognize_numbers(column: &Column) -> Option<NumberFinding> {
    let Values::Numbers(numbers) = &column.values else { return None };
    let is_beyond = |number: &f64| number.abs() > 9_007_199_254_740_992.0; // such large numbers are integers
    if let Some(row) = numbers.iter().position(is_beyond) {
        let text = column.number_texts().and_then(|_| column.text(row));
        return Some(NumberFinding::TooManyDigits(text.unwrap_or_else(|| format!("about {:.2e}", numbers[row]))));
    }
    if let Some(text) = &column.leading_zero {
        return Some(NumberFinding::LeadingZero(text.clone()));
    }
    const NAMES: [&str; 7] = ["id", "ids", "idx", "index", "key", "uuid", "unnamed"];
    let name = &column.name;
    let is_named =
        name.to_lowercase().split(|letter: char| !letter.is_alphanumeric()).any(|word| NAMES.contains(&word))
            || name.ends_with("Id")
            || name.ends_with("ID");
    (is_named && are_distinct_whole(column, numbers)).then_some(NumberFinding::Ids)
}

/// Returns the content of a column that numbers the rows, which may be a real feature in a small table.
pub fn recognize_row_numbers(column: &Column) -> Option<NumberFinding> {
    let Values::Numbers(numbers) = &column.values else { return None };
    let counts = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0);
    (counts && are_distinct_whole(column, numbers)).then_some(NumberFinding::RowNumbers)
}

fn are_distinct_whole(column: &Column, numbers: &[f64]) -> bool {
    let is_whole = numbers.len() >= FEWEST_IDS && numbers.iter().all(|number| number.fract() == 0.0);
    is_whole && column.distinct() == numbers.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::field_format::{FieldFormat, TextColumns};

    fn number_warning(column: &Column) -> Option<String> {
        Some(recognize_numbers(column)?.warning(&column.name))
    }

    fn column(fields: &[&str]) -> Column {
        let reading = FieldFormat { text: TextColumns::All, ..FieldFormat::new(';') };
        Column::read("c".into(), fields.iter().copied(), &reading, |row| format!("row {row}")).unwrap()
    }

    #[test]
    fn codes_in_columns_of_numbers_are_looked_out_for() {
        for (fields, words) in [
            (&["12345678901234567890", "1"][..], "such as 12345678901234567890"),
            (&["02139", "94105"], "such as 02139"),
        ] {
            let found = number_warning(&column(fields)).unwrap();
            assert!(found.contains(words) && found.contains("drop = [\"c\"]"), "{found}");
        }
        for fields in [&["0.5", "0", "1e3"][..], &["3", "1", "2"]] {
            assert_eq!(number_warning(&column(fields)), None);
        }
        let row_numbers: Vec<String> = (5..25).map(|row| row.to_string()).collect();
        let named = |name: &str, rows: &[String]| {
            let fields = rows.iter().map(String::as_str);
            Column::read(name.into(), fields, &FieldFormat::new(','), |row| format!("row {row}")).unwrap()
        };
        for name in ["id", "customer_id", "PassengerId", "Unnamed: 0"] {
            assert!(number_warning(&named(name, &row_numbers)).unwrap().contains("like ids"), "{name}");
            assert_eq!(number_warning(&named(name, &row_numbers[..5])), None);
        }
        assert_eq!(number_warning(&named("width", &row_numbers)), None);
        assert!(recognize_row_numbers(&named("width", &row_numbers)).is_some());
    }
}
