//! Columns of a table that determine the class by themselves: often a copy of the target, or known only after it.

use std::collections::HashMap;

use tch::{Kind, Tensor};

use crate::data::dataset::Loaded;
use crate::data::table::form::Form;
use crate::data::target::Target;

/// Fewest rows with which a column that separates the classes is worth a note.
const FEWEST_ROWS: usize = 40;

/// A column is compared value by value if each value has this number of rows on average; otherwise by ranges.
const ROWS_PER_VALUE: usize = 10;

/// Maximum number of values of a table that is searched.
const MOST_VALUES: usize = 100_000_000;

/// Returns a note for each column that determines the class of every row.
pub fn notes(loaded: &Loaded) -> Vec<String> {
    let (Target::Classes(classes), Form::Table(form)) = (loaded.target, &loaded.form) else { return Vec::new() };
    let (features, rows) = (&loaded.rows.features, loaded.rows.len());
    let columns = &form.encoding.columns;
    let is_plain = features.dim() == 2 && features.size()[1] as usize == columns.len();
    if !is_plain || classes < 2 || rows < FEWEST_ROWS || rows * columns.len() > MOST_VALUES {
        return Vec::new();
    }
    let Ok(truth) = Vec::<i64>::try_from(loaded.rows.targets.to_kind(Kind::Int64)) else { return Vec::new() };
    let determines = |place: &usize| {
        let column = features.select(1, *place as i64).to_kind(Kind::Double).contiguous();
        values(&column).is_some_and(|values| determines_class(&values, &truth, classes))
    };
    let target = form.target.names.join(", ");
    let note = |place: usize| {
        let name = &columns[place].name;
        format!(
            "column `{name}` alone determines `{target}` in every row: if it is not known before `{target}`, this is data \
             leakage; drop it with `drop = [\"{name}\"]`"
        )
    };
    (0..columns.len()).filter(determines).map(note).collect()
}

/// Returns the values of a column.
fn values(column: &Tensor) -> Option<Vec<f64>> {
    Vec::<f64>::try_from(column).ok()
}

/// Returns whether the class is a function of the value: each value has one class, or each class has a range of its own.
/// Missing values are a value.
fn determines_class(values: &[f64], truth: &[i64], classes: usize) -> bool {
    let mut class_of: HashMap<u64, i64> = HashMap::new();
    let mut is_function = true;
    let has_few_values = values.iter().zip(truth).all(|(value, class)| {
        let bits = if value.is_nan() { u64::MAX } else { (value + 0.0).to_bits() };
        is_function &= class_of.entry(bits).or_insert(*class) == class;
        is_function && class_of.len() * ROWS_PER_VALUE <= values.len()
    });
    if !is_function || has_few_values {
        return is_function;
    }
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); classes];
    for (value, class) in values.iter().zip(truth) {
        let Some((low, high)) = usize::try_from(*class).ok().and_then(|class| ranges.get_mut(class)) else {
            return false;
        };
        (*low, *high) = (low.min(*value), high.max(*value));
    }
    ranges.retain(|(low, high)| low <= high);
    ranges.sort_by(|a, b| a.0.total_cmp(&b.0));
    !values.iter().any(|value| value.is_nan()) && ranges.windows(2).all(|pair| pair[0].1 < pair[1].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_determines_the_class_by_its_values_or_by_ranges() {
        let truth: Vec<i64> = (0..60).map(|row| row % 3).collect();
        let of = |value: &dyn Fn(i64) -> f64| {
            let values: Vec<f64> = (0..60).map(value).collect();
            determines_class(&values, &truth, 3)
        };
        assert!(of(&|row| [4.0, -1.0, 2.0][(row % 3) as usize]), "a copy of the target");
        assert!(of(&|row| (row % 3 * 1000 + row) as f64), "a range for each class");
        assert!(of(&|row| if row % 3 == 1 { f64::NAN } else { (row % 3) as f64 }), "missing values of one class");
        assert!(!of(&|row| row as f64), "a different value in each row");
        assert!(!of(&|row| if row == 7 { 0.0 } else { (row % 3) as f64 }), "one row of another class");
    }
}
