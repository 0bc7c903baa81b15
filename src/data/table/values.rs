//! The values of a table's column: numbers, or text by its place among what occurs, each there or missing.

use std::collections::{BTreeSet, HashMap};

use crate::data::table::recognize::number_format::NumberFormat;

/// The values of a column, row by row.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers, all finite; NaN where the value is missing.
    Numbers(Vec<f64>),
    /// Text, by its place among the distinct values in ascending order; `None` where the value is missing.
    Text {
        /// The distinct values, ascending.
        distinct: Vec<String>,
        /// The place of each row's value.
        places: Vec<Option<usize>>,
    },
}

impl Values {
    /// The values of these fields, `None` where one is missing: numbers where all are, otherwise text.
    pub(crate) fn of(fields: &[Option<&str>], numbers: NumberFormat) -> Values {
        let number = |field: &Option<&str>| field.map_or(Some(f64::NAN), |text| numbers.parse(text));
        if let Some(numbers) = fields.iter().map(number).collect::<Option<Vec<f64>>>() {
            return Values::Numbers(numbers);
        }
        Values::of_text(fields, fields.iter().flatten().copied().collect::<BTreeSet<&str>>().into_iter().collect())
    }

    /// The text of fields that are these numbers, in the order of the numbers.
    pub(crate) fn text_of_numbers(fields: &[Option<&str>], numbers: &[f64]) -> Values {
        let number: HashMap<&str, f64> =
            fields.iter().zip(numbers).filter_map(|(field, &number)| Some(((*field)?, number))).collect();
        let mut distinct: Vec<(&str, f64)> = number.into_iter().collect();
        distinct.sort_unstable_by(|(a, left), (b, right)| left.total_cmp(right).then_with(|| a.cmp(b)));
        Values::of_text(fields, distinct.into_iter().map(|(text, _)| text).collect())
    }

    fn of_text(fields: &[Option<&str>], distinct: Vec<&str>) -> Values {
        let place: HashMap<&str, usize> = distinct.iter().enumerate().map(|(place, value)| (*value, place)).collect();
        let places = fields.iter().map(|field| field.map(|value| place[value])).collect();
        Values::Text { distinct: distinct.into_iter().map(str::to_owned).collect(), places }
    }

    /// Whether the value of a row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Values::Numbers(numbers) => numbers[row].is_nan(),
            Values::Text { places, .. } => places[row].is_none(),
        }
    }

    /// How many values there are, missing ones counted.
    pub fn len(&self) -> usize {
        match self {
            Values::Numbers(numbers) => numbers.len(),
            Values::Text { places, .. } => places.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many different values there are, missing ones left out.
    pub fn distinct(&self) -> usize {
        match self {
            Values::Text { distinct, .. } => distinct.len(),
            Values::Numbers(numbers) => distinct_numbers(numbers).len(),
        }
    }

    /// The distinct values as text, numbers in their own order, and the place of each row's value among them.
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

    /// The first row whose value is there, and no number.
    pub fn first_text(&self, numbers: NumberFormat) -> Option<usize> {
        let Values::Text { distinct, places } = self else { return None };
        places.iter().position(|place| place.is_some_and(|place| numbers.parse(&distinct[place]).is_none()))
    }

    /// The value of a row as text; `None` where it is missing.
    pub fn text(&self, row: usize) -> Option<String> {
        match self {
            Values::Numbers(numbers) => Some(numbers[row]).filter(|number| !number.is_nan()).map(|n| n.to_string()),
            Values::Text { distinct, places } => places[row].map(|place| distinct[place].clone()),
        }
    }

    /// Equal for equal values.
    pub fn key(&self, row: usize) -> u64 {
        match self {
            Values::Numbers(numbers) => numbers[row].to_bits(),
            Values::Text { places, .. } => places[row].map_or(u64::MAX, |place| place as u64),
        }
    }
}

/// The numbers that occur, ascending, each once; NaN is none.
fn distinct_numbers(numbers: &[f64]) -> Vec<f64> {
    let mut distinct: Vec<f64> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
    distinct.sort_unstable_by(f64::total_cmp);
    distinct.dedup();
    distinct
}
