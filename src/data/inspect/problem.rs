//! What a target column asks for: two classes, several classes, or numbers.

use crate::data::file_error::FileError;
use crate::data::table::column::Column;
use crate::data::table::csv_table::Table;
use crate::data::table::recognize::{Content, recognize};
use crate::data::table::values::Values;
use crate::history::number::count;

/// Maximum number of classes.
const MOST_CLASSES: usize = 100;

/// Maximum number of distinct integers that are taken as classes, and minimum number of rows of each on average.
const INTEGER_CLASSES: (usize, usize) = (20, 10);

/// Kind of a prediction problem, with what the choice of loss and metrics depends on.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// One of several classes, with the number of rows of each.
    Classes {
        /// Names of the classes.
        names: Vec<String>,
        /// Number of rows of each class.
        rows: Vec<usize>,
        /// Reason for which the target must be stated to be classes: its values look like something else.
        stated: Option<String>,
    },
    /// A number.
    Values {
        /// Mean of the target.
        mean: f64,
        /// Standard deviation of the target.
        std: f64,
    },
}

impl Problem {
    /// Returns the kind of a target column; `rows` are the rows that are used.
    ///
    /// # Errors
    /// When it has one value, or texts that are no classes.
    pub fn of(table: &Table, target: &Column, rows: &[usize]) -> Result<Problem, FileError> {
        let name = &target.name;
        let (names, places) = target.categories();
        let mut counts = vec![0; names.len()];
        rows.iter().filter_map(|&row| places[row]).for_each(|place| counts[place] += 1);
        let (names, counts): (Vec<String>, Vec<usize>) =
            names.into_iter().zip(counts).filter(|(_, count)| *count > 0).unzip();
        if names.len() < 2 {
            let message = format!("has the same value in every row of the target `{name}`");
            return Err(FileError::new(message).hint("choose another column with `--target`"));
        }
        let classes = |stated: Option<String>| Problem::Classes { names: names.clone(), rows: counts.clone(), stated };
        let content = recognize(target, table.numbers).map(|found| found.content);
        match &target.values {
            Values::Numbers(numbers) => {
                let numbers: Vec<f64> = rows.iter().map(|&row| numbers[row]).collect();
                let is_whole = numbers.iter().all(|number| number.fract() == 0.0);
                let (most, rows_each) = INTEGER_CLASSES;
                if names.len() == 2 {
                    return Ok(classes(Some("two numbers could also be values".to_owned())));
                }
                if is_whole && names.len() <= most && rows.len() >= rows_each * names.len() {
                    let count = names.len();
                    return Ok(classes(Some(format!(
                        "{count} whole numbers; `\"values\"` with loss `\"mse\"` predicts a number"
                    ))));
                }
                Ok(Problem::of_numbers(&numbers))
            }
            Values::Text { .. } if content == Some(Content::Ids) || names.len() > MOST_CLASSES => {
                let texts = count(names.len());
                let message = format!("has {texts} different texts in the target `{name}`, too many for classes");
                Err(FileError::new(message).hint("choose another column with `--target`"))
            }
            Values::Text { .. } => Ok(classes(content.map(|_| "the texts are classes as they are".to_owned()))),
        }
    }

    /// Returns the kind of a target with these numbers.
    pub fn of_numbers(numbers: &[f64]) -> Problem {
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / numbers.len() as f64;
        Problem::Values { mean, std: variance.sqrt() }
    }

    /// Number of classes; `None` for numbers.
    pub fn classes(&self) -> Option<usize> {
        match self {
            Problem::Classes { names, .. } => Some(names.len()),
            Problem::Values { .. } => None,
        }
    }

    /// Returns the rarest class with its number of rows and their share; `None` for numbers.
    pub fn rarest(&self) -> Option<(&str, usize, f64)> {
        let Problem::Classes { names, rows, .. } = self else { return None };
        let total: usize = rows.iter().sum();
        let (name, rows) = names.iter().zip(rows).min_by_key(|(_, rows)| **rows)?;
        Some((name, *rows, *rows as f64 / total as f64))
    }

    /// Whether every part of a split can have rows of every class.
    pub fn can_be_stratified(&self) -> bool {
        const FEWEST: usize = 8;
        matches!(self, Problem::Classes { rows, .. } if rows.iter().all(|rows| *rows >= FEWEST))
    }
}
