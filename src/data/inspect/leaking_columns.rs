//! Columns of a table that determine the class by themselves: often a copy of the target, or known only after it.

use std::collections::HashMap;

use tch::Kind;

use crate::data::dataset::Loaded;
use crate::data::table::form::Form;
use crate::data::target::Target;

/// Fewest rows with which a column that separates the classes is worth a note.
const FEWEST_ROWS: usize = 40;

/// A column is compared value by value if each value has this number of rows on average; otherwise by ranges.
const ROWS_PER_VALUE: usize = 10;

/// Maximum number of values of a column that is compared value by value.
const MOST_DISTINCT: usize = 4096;

/// Maximum number of values of a table that is searched.
const MOST_VALUES: usize = 100_000_000;

/// Number of rows that are searched at a time: most columns do not determine the class of the first ones.
const AT_A_TIME: usize = 4096;

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
    let mut searched: Vec<Searched> = (0..columns.len()).map(|place| Searched::new(place, classes)).collect();
    for start in (0..rows).step_by(AT_A_TIME) {
        if searched.is_empty() {
            break;
        }
        let count = AT_A_TIME.min(rows - start);
        let values = features.narrow(0, start as i64, count as i64).to_kind(Kind::Double).contiguous().flatten(0, -1);
        let Ok(values) = Vec::<f64>::try_from(values) else { return Vec::new() };
        searched.retain_mut(|column| {
            let values = values.iter().skip(column.place).step_by(columns.len()).copied();
            column.may_determine(values.zip(truth[start..].iter().copied()), rows)
        });
    }
    let target = form.target.names.join(", ");
    let note = |place: usize| {
        let name = &columns[place].name;
        format!(
            "column `{name}` alone determines `{target}` in every row: if it is not known before `{target}`, this is data \
             leakage; drop it with `drop = [\"{name}\"]`"
        )
    };
    searched.into_iter().map(|column| note(column.place)).collect()
}

/// A column that may determine the class: each value has one class, or each class has a range of its own. Missing values
/// are a value.
struct Searched {
    /// Index of the column.
    place: usize,
    /// Class of each value so far, by the bits of the value, as long as there are few values.
    class_of: HashMap<u64, i64>,
    has_few_values: bool,
    /// Lowest and highest value of each class; empty if a value is missing.
    ranges: Vec<(f64, f64)>,
}

impl Searched {
    fn new(place: usize, classes: usize) -> Searched {
        let ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); classes];
        Searched { place, class_of: HashMap::new(), has_few_values: true, ranges }
    }

    /// Adds values with their classes. Returns whether the column may still determine the class in all `rows`.
    fn may_determine(&mut self, values: impl Iterator<Item = (f64, i64)>, rows: usize) -> bool {
        for (value, class) in values {
            let bits = if value.is_nan() { u64::MAX } else { (value + 0.0).to_bits() };
            if self.has_few_values {
                if *self.class_of.entry(bits).or_insert(class) != class {
                    return false;
                }
                self.has_few_values = self.class_of.len() <= MOST_DISTINCT.min(rows / ROWS_PER_VALUE);
            }
            match usize::try_from(class).ok().and_then(|class| self.ranges.get_mut(class)) {
                Some((low, high)) if !value.is_nan() => (*low, *high) = (low.min(value), high.max(value)),
                Some(_) | None => self.ranges.clear(),
            }
        }
        self.has_few_values || self.ranges_are_apart()
    }

    fn ranges_are_apart(&self) -> bool {
        let mut ranges: Vec<(f64, f64)> = self.ranges.iter().filter(|(low, high)| low <= high).copied().collect();
        ranges.sort_by(|a, b| a.0.total_cmp(&b.0));
        !ranges.is_empty() && ranges.windows(2).all(|pair| pair[0].1 < pair[1].0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_determines_the_class_by_its_values_or_by_ranges() {
        let truth: Vec<i64> = (0..60).map(|row| row % 3).collect();
        let of = |value: &dyn Fn(i64) -> f64| {
            let values: Vec<f64> = (0..60).map(value).collect();
            let mut column = Searched::new(0, 3);
            let pairs: Vec<(f64, i64)> = values.into_iter().zip(truth.iter().copied()).collect();
            pairs.chunks(25).all(|some| column.may_determine(some.iter().copied(), 60))
        };
        assert!(of(&|row| [4.0, -1.0, 2.0][(row % 3) as usize]), "a copy of the target");
        assert!(of(&|row| (row % 3 * 1000 + row) as f64), "a range for each class");
        assert!(of(&|row| if row % 3 == 1 { f64::NAN } else { (row % 3) as f64 }), "missing values of one class");
        assert!(!of(&|row| row as f64), "a different value in each row");
        assert!(!of(&|row| if row == 7 { 0.0 } else { (row % 3) as f64 }), "one row of another class");
    }
}
