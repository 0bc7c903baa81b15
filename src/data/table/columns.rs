//! Values of the selected columns of a table: features and sample weights.

use std::borrow::Cow;
use std::ops::Range;

use tch::{Device, Kind, Tensor};

use crate::config::check::Invalid;
use crate::data::rows::ONE_THREAD;
use crate::data::table::column::Column;
use crate::data::table::csv_table::Table;
use crate::data::table::encode::{Encode, EncodingKind};
use crate::data::table::recognize::number_columns::recognize_numbers;
use crate::data::table::recognize::{Content, Finding, MOST_CATEGORIES, recognize};
use crate::data::table::values::Values;
use crate::tensor::threads;

/// Settings for reading a feature column.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    /// Table.
    pub(crate) table: &'a Table,
    /// Rows that are used.
    pub(crate) rows: &'a [usize],
    /// Encoding of categories.
    pub(crate) encode: Encode,
    /// Columns of categories, even if they are numbers.
    pub(crate) categories: &'a [String],
}

impl Columns<'_> {
    /// Returns the encoding and the raw values of one column: numbers, or indices of categories.
    ///
    /// # Errors
    /// When a text column has no categories, a number is too large for f32, or `encode` does not allow categories; the
    /// key is relative to the data set.
    pub(crate) fn feature<'t>(self, column: &'t Column) -> Result<(EncodingKind, Cow<'t, [f64]>), Invalid> {
        let (table, rows, name) = (self.table, self.rows, &column.name);
        let as_categories = self.categories.contains(name);
        if let (Values::Numbers(numbers), false) = (&column.values, as_categories) {
            let values: Cow<[f64]> = match rows.len() == numbers.len() {
                true => Cow::Borrowed(numbers), // all rows in their order
                false => rows.iter().map(|&row| numbers[row]).collect(),
            };
            if let Some(row) = values.iter().position(|number| !fits_f32(*number)).map(|place| rows[place]) {
                return Err(Invalid::new("", too_large(table, column, row)).hint(too_large_hint(column, row)));
            }
            return Ok((EncodingKind::Number, values));
        }
        if let (Some(found), false) = (recognize(column, table.numbers), as_categories) {
            return Err(Invalid::new("", describe_content(table, column, &found)).hint(found.hint(name)));
        }
        let (categories, places) = column.categories();
        let encoding = match self.encode {
            Encode::OneHot if categories.len() > MOST_CATEGORIES && !as_categories => {
                let (count, first) = (categories.len(), quote_first_cell(table, column));
                let message = format!(
                    "is `one_hot`, but column `{name}` has {count} categories, such as {first}: each would be a feature"
                );
                let hint = format!(
                    "write `drop = [\"{name}\"]` to leave it out, or `categories = [\"{name}\"]` to use all {count}"
                );
                return Err(Invalid::new("encode", message).hint(hint));
            }
            Encode::OneHot => EncodingKind::OneHot(categories),
            Encode::Label => EncodingKind::Label(categories),
            Encode::Error => {
                let message = format!(
                    "is `error` (the default), but column `{name}` has categories: {}",
                    quote_first_cell(table, column)
                );
                let hint =
                    format!("write `encode = \"one_hot\"` to encode them, or `drop = [\"{name}\"]` to leave them out");
                return Err(Invalid::new("encode", message).hint(hint));
            }
        };
        Ok((encoding, rows.iter().map(|&row| places[row].map_or(f64::NAN, |place| place as f64)).collect()))
    }

    /// Returns a note on a column that is used, with the setting to write if the column is something else.
    pub(crate) fn note(self, column: &Column, encoding: &EncodingKind) -> Option<String> {
        let (name, rows) = (&column.name, self.rows.len());
        match encoding {
            EncodingKind::Number => recognize_numbers(column).map(|found| found.warning(name)),
            EncodingKind::OneHot(categories) if !self.categories.contains(name) => {
                let count = categories.len();
                let is_much = 20 * count > rows && (rows >= 100 || count > 10);
                is_much.then(|| {
                    format!(
                        "`{name}` becomes {count} features for {rows} rows, one for each category: \
                         write `categories = [\"{name}\"]` if this is intended, or `drop = [\"{name}\"]` to leave it out"
                    )
                })
            }
            EncodingKind::OneHot(_) | EncodingKind::Label(_) => None,
        }
    }
}

/// Returns the content of a column, with a cell as an example.
pub(crate) fn describe_content(table: &Table, column: &Column, found: &Finding) -> String {
    let separates = match found.content {
        _ if found.what.ends_with("but has") => "",
        Content::Mark => ":",
        Content::OtherNumbers | Content::Signs | Content::OddTexts | Content::Dates | Content::Ids => ", such as",
    };
    format!(
        "column `{}` {}{separates} {} in {}",
        column.name,
        found.what,
        quote_cell(column, found.row),
        table.place(found.row)
    )
}

/// Returns the first cell that is not missing, with its place.
fn quote_first_cell(table: &Table, column: &Column) -> String {
    let row = (0..table.rows()).find(|&row| !column.is_missing(row)).unwrap_or(0);
    format!("{} in {}", quote_cell(column, row), table.place(row))
}

/// Returns a cell in quotes, as messages show it.
pub(crate) fn quote_cell(column: &Column, row: usize) -> String {
    match &*cell_text(column, row) {
        "" => "an empty field".to_owned(),
        text => format!("`{text}`"),
    }
}

/// Returns the text of a cell; large numbers have an exponent.
fn cell_text(column: &Column, row: usize) -> String {
    match &column.values {
        Values::Numbers(numbers) if column.number_texts().is_none() && numbers[row].abs() >= 1e16 => {
            format!("{:e}", numbers[row])
        }
        Values::Numbers(_) | Values::Text { .. } => column.text(row).unwrap_or_default(),
    }
}

/// Returns whether a number is finite as f32, or NaN (missing).
pub(crate) fn fits_f32(number: f64) -> bool {
    !(number as f32).is_infinite()
}

/// Returns the message about a number that is too large for f32.
pub(crate) fn too_large(table: &Table, column: &Column, row: usize) -> String {
    let cell = quote_cell(column, row);
    format!("has {cell} in {}, column `{}`, which is too large for f32: at most 3.4e38", table.place(row), column.name)
}

/// Returns the hint about a number that is too large for f32.
pub(crate) fn too_large_hint(column: &Column, row: usize) -> String {
    let cell = cell_text(column, row);
    format!(
        "if it marks a missing value, write `na_values = [\"{cell}\"]`, and `missing = \"mean\"` or \
         `\"drop\"`; otherwise correct it"
    )
}

/// Converts columns to a tensor `[rows, columns]`, f64, with as many threads as the process may use. Rows are written in chunks that
/// fit in the CPU cache; no second copy of the table is needed.
pub(crate) fn row_by_row<C: AsRef<[f64]> + Sync>(columns: &[C], rows: usize) -> Tensor {
    let all = Tensor::empty([rows as i64, columns.len() as i64], (Kind::Double, Device::Cpu));
    if all.numel() <= ONE_THREAD {
        write_rows(&all, columns, 0..rows);
        return all;
    }
    let of_a_thread = rows.div_ceil(threads::max_threads());
    std::thread::scope(|scope| {
        for start in (0..rows).step_by(of_a_thread) {
            let rows = start..rows.min(start + of_a_thread);
            let part = all.narrow(0, start as i64, rows.len() as i64);
            scope.spawn(move || write_rows(&part, columns, rows));
        }
    });
    all
}

/// Writes these rows of the columns to a tensor `[rows, columns]`.
fn write_rows<C: AsRef<[f64]>>(all: &Tensor, columns: &[C], rows: Range<usize>) {
    let width = columns.len();
    if width == 0 {
        return;
    }
    let at_a_time = (ONE_THREAD / width).clamp(1, rows.len().max(1));
    let mut values = vec![0.0; at_a_time * width];
    for first in rows.clone().step_by(at_a_time) {
        let count = at_a_time.min(rows.end - first);
        let some = &mut values[..count * width];
        for (number, column) in columns.iter().enumerate() {
            let column = &column.as_ref()[first..first + count];
            some[number..].iter_mut().step_by(width).zip(column).for_each(|(value, &number)| *value = number);
        }
        let start = (first - rows.start) as i64;
        all.narrow(0, start, count as i64).copy_(&Tensor::from_slice(some).view([-1, width as i64]));
    }
}

/// Returns the sample weights, numbers above 0.
///
/// # Errors
/// When a weight is not above 0; the key is relative to the data set.
pub(crate) fn weights_of(table: &Table, column: &Column, rows: &[usize]) -> Result<Vec<f32>, Invalid> {
    let fault = |row: usize, hint: &str| {
        let found = column.text(row).unwrap_or_default();
        let message = format!("has `{found}` in {}, where a number above 0 was expected", table.place(row));
        Invalid::new("weights", message).hint(hint)
    };
    let Values::Numbers(numbers) = &column.values else {
        let is_number = |row: &usize| column.text(*row).is_some_and(|text| text.trim().parse::<f64>().is_ok());
        let row = column.values.first_text(table.numbers).unwrap_or(0);
        return Err(match rows.iter().any(is_number) {
            true => fault(row, "correct the value, or remove the row from the file"),
            false => {
                let (name, found) = (&column.name, column.text(row).unwrap_or_default());
                let message =
                    format!("must be a column of numbers above 0, but `{name}` has `{found}` in {}", table.place(row));
                Invalid::new("weights", message).hint("name another column, or encode its texts as numbers in the file")
            }
        });
    };
    let weight = |&row: &usize| match numbers[row] as f32 {
        weight if weight > 0.0 && weight.is_finite() => Ok(weight),
        _ if numbers[row] > 0.0 => {
            let message = format!("has {:e} in {}, which f32 cannot represent", numbers[row], table.place(row));
            Err(Invalid::new("weights", message)
                .hint("divide all weights by the same number: only their ratios matter"))
        }
        _ => Err(fault(row, "remove the row from the file to ignore it")),
    };
    rows.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_long_columns_stand_row_after_row() {
        let rows = 4096 * 2 + 5;
        let columns: Vec<Vec<f64>> =
            (0..3).map(|number| (0..rows).map(|row| f64::from(row * 3 + number)).collect()).collect();
        let expected: Vec<f64> = (0..rows * 3).map(f64::from).collect();
        let features = row_by_row(&columns, rows as usize);
        assert_eq!(features.size(), [i64::from(rows), 3]);
        assert_eq!(Vec::<f64>::try_from(&features.flatten(0, 1)).unwrap(), expected);
        assert_eq!(row_by_row(&[vec![]], 0).size(), [0, 1]);
    }
}
