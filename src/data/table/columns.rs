//! What the columns of a table hold that a recipe chose: features, row after row, and what each row counts.

use std::borrow::Cow;

use tch::{Device, Kind, Tensor};

use crate::config::check::Invalid;
use crate::data::rows::ONE_THREAD;
use crate::data::table::column::Column;
use crate::data::table::csv_table::Table;
use crate::data::table::encode::{Becomes, Encode};
use crate::data::table::recognize::{Finding, MOST_CATEGORIES, look_out, recognize};
use crate::data::table::values::Values;

/// What a column of features is read with.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    /// The table.
    pub(crate) table: &'a Table,
    /// The rows that are used.
    pub(crate) rows: &'a [usize],
    /// What becomes of categories.
    pub(crate) encode: Encode,
    /// The columns that hold some even where they are numbers.
    pub(crate) categories: &'a [String],
}

impl Columns<'_> {
    /// One column's raw values: numbers, or places among its categories.
    ///
    /// # Errors
    /// When a column of numbers holds text, text is something else than categories, a number is too large for f32, or
    /// `encode` has no place for categories; the key is relative to the data set.
    pub(crate) fn feature<'t>(self, column: &'t Column) -> Result<(Becomes, Cow<'t, [f64]>), Invalid> {
        let (table, rows, name) = (self.table, self.rows, &column.name);
        let as_categories = self.categories.contains(name);
        if let (Values::Numbers(numbers), false) = (&column.values, as_categories) {
            if let Some(&row) = rows.iter().find(|&&row| !fits_f32(numbers[row])) {
                let message = format!("is a table that {}", too_large(table, column, row));
                return Err(Invalid::new("", message).hint(too_large_hint(column, row)));
            }
            return Ok((
                Becomes::Number,
                match rows.len() == numbers.len() {
                    true => Cow::Borrowed(numbers), // all rows, in their order
                    false => rows.iter().map(|&row| numbers[row]).collect(),
                },
            ));
        }
        if let (Some(found), false) = (recognize(column, table.numbers), as_categories) {
            return Err(Invalid::new("", format!("is a table whose {}", in_words(table, column, &found)))
                .hint(found.hint(name)));
        }
        let (categories, places) = column.categories();
        let becomes = match self.encode {
            Encode::OneHot if categories.len() > MOST_CATEGORIES && !as_categories => {
                let (count, first) = (categories.len(), shown_with_place(table, column));
                let message = format!(
                    "is `one_hot`, and column `{name}` holds {count} categories, such as {first}: each would be a feature"
                );
                let hint =
                    format!("`drop = [\"{name}\"]` leaves it out, `categories = [\"{name}\"]` takes all {count}");
                return Err(Invalid::new("encode", message).hint(hint));
            }
            Encode::OneHot => Becomes::OneHot(categories),
            Encode::Label => Becomes::Label(categories),
            Encode::Error => {
                let message =
                    format!("is `error`, and column `{name}` holds categories: {}", shown_with_place(table, column));
                let hint =
                    format!("`encode = \"one_hot\"` makes features of them, `drop = [\"{name}\"]` leaves them out");
                return Err(Invalid::new("encode", message).hint(hint));
            }
        };
        Ok((becomes, rows.iter().map(|&row| places[row].map_or(f64::NAN, |place| place as f64)).collect()))
    }

    /// What to look out for in a column that is used: the line to write, if it is not what was meant.
    pub(crate) fn note(self, column: &Column, becomes: &Becomes) -> Option<String> {
        let (name, rows) = (&column.name, self.rows.len());
        match becomes {
            Becomes::Number => look_out(column),
            Becomes::OneHot(categories) if !self.categories.contains(name) => {
                let count = categories.len();
                let is_much = 20 * count > rows && (rows >= 100 || count > 10);
                is_much.then(|| {
                    format!(
                        "`{name}` becomes {count} features for {rows} rows, one for each category: \
                         `categories = [\"{name}\"]` says that this is meant, `drop = [\"{name}\"]` leaves it out"
                    )
                })
            }
            Becomes::OneHot(_) | Becomes::Label(_) => None,
        }
    }
}

/// What a column holds, with the cell that shows it.
pub(crate) fn in_words(table: &Table, column: &Column, found: &Finding) -> String {
    let separates = if found.what.ends_with("and") { "" } else { ":" };
    format!(
        "column `{}` {}{separates} `{}` in {}",
        column.name,
        found.what,
        shown(column, found.row),
        table.place(found.row)
    )
}

/// The first cell that is there, and its place.
fn shown_with_place(table: &Table, column: &Column) -> String {
    let row = (0..table.rows()).find(|&row| !column.is_missing(row)).unwrap_or(0);
    format!("`{}` in {}", shown(column, row), table.place(row))
}

/// A cell as messages quote it: large and small numbers with an exponent.
pub(crate) fn shown(column: &Column, row: usize) -> String {
    match &column.values {
        Values::Numbers(numbers) if column.written().is_none() && numbers[row].abs() >= 1e16 => {
            format!("{:e}", numbers[row])
        }
        _ => column.text(row).unwrap_or_default(),
    }
}

/// Whether f32 holds a number as a finite one; NaN is a missing value.
pub(crate) fn fits_f32(number: f64) -> bool {
    !(number as f32).is_infinite()
}

/// What is wrong with a number that f32 cannot hold.
pub(crate) fn too_large(table: &Table, column: &Column, row: usize) -> String {
    let cell = shown(column, row);
    format!(
        "has `{cell}` in {}, column `{}`, which is too large for f32: at most 3.4e38",
        table.place(row),
        column.name
    )
}

/// The hint on such a number.
pub(crate) fn too_large_hint(column: &Column, row: usize) -> String {
    let cell = shown(column, row);
    format!(
        "if it marks a missing value, write `missing_values = [\"\", \"NA\", \"{cell}\"]`, and `missing = \"mean\"` or \
         `\"drop\"`; otherwise correct it"
    )
}

/// The values of columns, row after row: `[rows, columns]`, f64. Some rows are written at a time, so that what is read
/// and written stays near, and nothing of the table's size is made beside the tensor.
pub(crate) fn row_by_row<C: AsRef<[f64]>>(columns: &[C], rows: usize) -> Tensor {
    let width = columns.len();
    let at_a_time = (ONE_THREAD / width.max(1)).clamp(1, rows.max(1));
    let all = Tensor::empty([rows as i64, width as i64], (Kind::Double, Device::Cpu));
    let mut values = vec![0.0; at_a_time * width];
    for start in (0..rows).step_by(at_a_time) {
        let count = at_a_time.min(rows - start);
        let some = &mut values[..count * width];
        for (number, column) in columns.iter().enumerate() {
            let column = &column.as_ref()[start..start + count];
            some[number..].iter_mut().step_by(width).zip(column).for_each(|(value, &number)| *value = number);
        }
        all.narrow(0, start as i64, count as i64).copy_(&Tensor::from_slice(some).view([-1, width as i64]));
    }
    all
}

/// What each row counts: numbers above 0.
///
/// # Errors
/// When one is not; the key is relative to the data set.
pub(crate) fn weights_of(table: &Table, column: &Column, rows: &[usize]) -> Result<Vec<f32>, Invalid> {
    let fault = |row: usize| {
        let found = column.text(row).unwrap_or_default();
        let message = format!("has `{found}` in {}, where a number above 0 was expected", table.place(row));
        Invalid::new("weights", message).hint("a row that is to count for nothing can be left out of the file")
    };
    let Values::Numbers(numbers) = &column.values else {
        return Err(fault(column.values.first_text(table.numbers).unwrap_or(0)));
    };
    let weight = |&row: &usize| match numbers[row] as f32 {
        weight if weight > 0.0 && weight.is_finite() => Ok(weight),
        _ if numbers[row] > 0.0 => {
            let message = format!("has {:e} in {}, which f32 cannot hold", numbers[row], table.place(row));
            Err(Invalid::new("weights", message).hint("only their ratios count: divide all of them by one number"))
        }
        _ => Err(fault(row)),
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
