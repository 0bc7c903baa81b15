//! Columns of texts, which are neither categories nor ids.

use crate::data::table::column::Column;
use crate::data::table::csv_table::Table;
use crate::data::table::values::Values;

/// Number of words from which on a text column has texts and no categories, on average.
const FEWEST_WORDS: usize = 4;

/// Returns the number of words in the distinct texts of a column; 0 for a column of numbers.
pub fn words(column: &Column) -> usize {
    match &column.values {
        Values::Numbers(_) => 0,
        Values::Text { distinct, .. } => distinct.iter().map(|text| text.split_whitespace().count()).sum(),
    }
}

/// Returns whether a column has texts: the distinct ones have at least four words on average, and number at least half of
/// the rows.
pub fn is_of_texts(table: &Table, column: &Column) -> bool {
    let distinct = column.distinct();
    distinct > 0 && words(column) >= FEWEST_WORDS * distinct && 2 * distinct >= table.rows()
}
