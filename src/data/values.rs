//! The values of a table's column: numbers, or text by its place among what occurs, each there or missing.

use std::collections::{BTreeSet, HashMap};

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
    pub(super) fn of(fields: &[Option<&str>]) -> Values {
        let number = |field: &Option<&str>| field.map_or(Some(f64::NAN), finite);
        if let Some(numbers) = fields.iter().map(number).collect::<Option<Vec<f64>>>() {
            return Values::Numbers(numbers);
        }
        let distinct: Vec<&str> = fields.iter().flatten().copied().collect::<BTreeSet<&str>>().into_iter().collect();
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

    /// The first row whose value is missing.
    pub fn first_missing(&self) -> Option<usize> {
        (0..self.len()).find(|&row| self.is_missing(row))
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

    /// The first row whose text is no number, in a column where more than half of the values are numbers: a slip
    /// rather than a category.
    pub fn slip(&self) -> Option<usize> {
        let Values::Text { distinct, places } = self else { return None };
        let is_number: Vec<bool> = distinct.iter().map(|value| finite(value).is_some()).collect();
        let there = places.iter().flatten().count();
        let numbers = places.iter().flatten().filter(|&&place| is_number[place]).count();
        (2 * numbers > there).then(|| places.iter().position(|place| place.is_some_and(|place| !is_number[place])))?
    }

    /// The first row whose value is there, and no number.
    pub fn first_text(&self) -> Option<usize> {
        let Values::Text { distinct, places } = self else { return None };
        places.iter().position(|place| place.is_some_and(|place| finite(&distinct[place]).is_none()))
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

/// A finite number; 0 has no sign.
pub(super) fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number + 0.0)
}
