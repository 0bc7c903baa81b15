//! Values of a column: numbers, or text as indices of the distinct values; each value can be missing.

use std::cmp::Ordering;

use indexmap::IndexMap;

use crate::data::table::recognize::number_format::NumberFormat;

/// Values of a column, row by row.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Finite numbers; NaN where the value is missing.
    Numbers(Vec<f64>),
    /// Text, as the index among the distinct values; `None` where the value is missing.
    Text {
        /// Distinct values, ascending.
        distinct: Vec<String>,
        /// Index of each row's value.
        places: Vec<Option<usize>>,
    },
}

impl Values {
    /// Converts fields to values; `None` is a missing field. The result is numbers if all fields are numbers, else
    /// text.
    pub(crate) fn from_fields(fields: &[Option<&str>], numbers: NumberFormat) -> Values {
        let number = |field: &Option<&str>| field.map_or(Some(f64::NAN), |text| numbers.parse(text));
        if let Some(numbers) = fields.iter().map(number).collect::<Option<Vec<f64>>>() {
            return Values::Numbers(numbers);
        }
        Values::from_text(fields, |(a, _), (b, _)| a.cmp(b))
    }

    /// Returns the text of fields that are these numbers; distinct texts are sorted by their numbers.
    pub(crate) fn text_of_numbers(fields: &[Option<&str>], numbers: &[f64]) -> Values {
        Values::from_text(fields, |(a, row), (b, other)| numbers[row].total_cmp(&numbers[other]).then_with(|| a.cmp(b)))
    }

    /// Returns the text of fields; `compare` is the order of the distinct texts, each with the first row that has it.
    fn from_text<'f>(fields: &[Option<&'f str>], compare: impl Fn((&str, usize), (&str, usize)) -> Ordering) -> Values {
        let mut rows: IndexMap<&'f str, usize> = IndexMap::new();
        let place = |(row, field): (usize, &Option<&'f str>)| {
            field.map(|text| {
                let entry = rows.entry(text);
                let place = entry.index();
                entry.or_insert(row);
                place
            })
        };
        let unsorted: Vec<Option<usize>> = fields.iter().enumerate().map(place).collect();
        let distinct: Vec<(&str, usize)> = rows.into_iter().collect();
        let mut order: Vec<usize> = (0..distinct.len()).collect();
        order.sort_unstable_by(|&a, &b| compare(distinct[a], distinct[b]));
        let mut sorted_place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(sorted, &place)| sorted_place[place] = sorted);
        Values::Text {
            places: unsorted.into_iter().map(|place| place.map(|place| sorted_place[place])).collect(),
            distinct: order.into_iter().map(|place| distinct[place].0.to_owned()).collect(),
        }
    }

    /// Returns whether the value of a row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Values::Numbers(numbers) => numbers[row].is_nan(),
            Values::Text { places, .. } => places[row].is_none(),
        }
    }

    /// Returns the number of distinct values, without missing ones.
    pub fn distinct(&self) -> usize {
        match self {
            Values::Text { distinct, .. } => distinct.len(),
            Values::Numbers(numbers) => distinct_numbers(numbers).len(),
        }
    }

    /// Returns the distinct values as text (numbers in numeric order), and the index of each row's value among them.
    pub fn categories(&self) -> (Vec<String>, Vec<Option<usize>>) {
        match self {
            Values::Text { distinct, places } => (distinct.clone(), places.clone()),
            Values::Numbers(numbers) => {
                let distinct = distinct_numbers(numbers);
                let place = |number: &f64| distinct.binary_search_by(|known| known.total_cmp(number)).ok();
                let places = numbers.iter().map(place).collect();
                (distinct.iter().map(f64::to_string).collect(), places)
            }
        }
    }

    /// Returns the first row whose value is neither missing nor a number.
    pub fn first_text(&self, numbers: NumberFormat) -> Option<usize> {
        let Values::Text { distinct, places } = self else { return None };
        places.iter().position(|place| place.is_some_and(|place| numbers.parse(&distinct[place]).is_none()))
    }

    /// Returns the value of a row as text; `None` if it is missing.
    pub fn text(&self, row: usize) -> Option<String> {
        match self {
            Values::Numbers(numbers) => Some(numbers[row]).filter(|number| !number.is_nan()).map(|n| n.to_string()),
            Values::Text { distinct, places } => places[row].map(|place| distinct[place].clone()),
        }
    }

    /// Returns a key that is equal for equal values.
    pub fn key(&self, row: usize) -> u64 {
        match self {
            Values::Numbers(numbers) => numbers[row].to_bits(),
            Values::Text { places, .. } => places[row].map_or(u64::MAX, |place| place as u64),
        }
    }
}

/// Returns the distinct numbers, ascending, without NaN.
fn distinct_numbers(numbers: &[f64]) -> Vec<f64> {
    let mut distinct: Vec<f64> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
    distinct.sort_unstable_by(f64::total_cmp);
    distinct.dedup();
    distinct
}
