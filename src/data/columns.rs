//! What the columns of a table hold that a recipe chose: features, row after row, and what each row counts.

use std::borrow::Cow;

use tch::{Device, Kind, Tensor};

use crate::check::Invalid;
use crate::data::ONE_THREAD;
use crate::data::encode::{Becomes, Encode};
use crate::data::table::{Column, Table};
use crate::data::values::Values;

/// One column's raw values in these rows: numbers, or places among its categories. The columns in `categories` hold some
/// even where they are numbers.
///
/// # Errors
/// When a column of numbers holds text, or `encode` has no place for categories; the key is relative to the data set.
pub(super) fn feature<'t>(
    table: &Table,
    column: &'t Column,
    rows: &[usize],
    encode: Encode,
    categories: &[String],
) -> Result<(Becomes, Cow<'t, [f64]>), Invalid> {
    let as_categories = categories.contains(&column.name);
    if let (Values::Numbers(numbers), false) = (&column.values, as_categories) {
        return Ok((
            Becomes::Number,
            match rows.len() == numbers.len() {
                true => Cow::Borrowed(numbers), // all rows, in their order
                false => rows.iter().map(|&row| numbers[row]).collect(),
            },
        ));
    }
    let name = &column.name;
    let shown = |row: usize| format!("`{}` in {}", column.values.text(row).unwrap_or_default(), table.place(row));
    if let (Some(row), false) = (column.values.slip(), as_categories) {
        let message = format!("is a table whose column `{name}` holds numbers, and {}", shown(row));
        let text = column.values.text(row).unwrap_or_default();
        let hint = match text.replace(',', ".").parse::<f64>().is_ok() {
            true => "a number is written with a decimal point".to_owned(),
            false => format!("correct the value, or say `categories = [\"{name}\"]` if it is one"),
        };
        return Err(Invalid::new("", message).hint(hint));
    }
    let (categories, places) = column.values.categories();
    let becomes = match encode {
        Encode::OneHot => Becomes::OneHot(categories),
        Encode::Label => Becomes::Label(categories),
        Encode::Error => {
            let row = (0..table.rows()).find(|&row| !column.values.is_missing(row)).unwrap_or(0);
            let message = format!("is `error`, and column `{name}` holds categories: {}", shown(row));
            let hint = format!("`encode = \"one_hot\"` makes features of them, `drop = [\"{name}\"]` leaves them out");
            return Err(Invalid::new("encode", message).hint(hint));
        }
    };
    Ok((becomes, rows.iter().map(|&row| places[row].map_or(f64::NAN, |place| place as f64)).collect()))
}

/// The values of columns, row after row: `[rows, columns]`, f64. Some rows are written at a time, so that what is read
/// and written stays near, and nothing of the table's size is made beside the tensor.
pub(super) fn row_by_row<C: AsRef<[f64]>>(columns: &[C], rows: usize) -> Tensor {
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
pub(super) fn weights_of(table: &Table, column: &Column, rows: &[usize]) -> Result<Vec<f32>, Invalid> {
    let fault = |row: usize| {
        let found = column.values.text(row).unwrap_or_default();
        let message = format!("has `{found}` in {}, where a number above 0 was expected", table.place(row));
        Invalid::new("weights", message).hint("a row that is to count for nothing can be left out of the file")
    };
    let Values::Numbers(numbers) = &column.values else {
        return Err(fault(column.values.slip().or(rows.first().copied()).unwrap_or(0)));
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
