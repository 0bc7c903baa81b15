//! From a table's columns to a network's features: categories become numbers, and what is missing is filled in.
//!
//! Which categories a column has is taken from the whole column, so that the number of features is known before
//! training. All else (means, most frequent values, whether a category was ever seen) is fitted to training rows alone.

use anyhow::{Context, anyhow, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::config::hint::Hint;
use crate::data::subsets::Training;
use crate::device::memory;
use crate::history::number::as_number;
use crate::io::bounded_file::in_words;

/// What becomes of a column of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encode {
    /// It is an error.
    #[default]
    Error,
    /// A feature for each category, 1 where the row has it; a category that no training row has is all zeros.
    OneHot,
    /// One feature, the category's place in ascending order, which tells the network of an order and of distances that
    /// categories do not have; a category that no training row has is an error.
    Label,
}

/// What becomes of values that are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// They are an error.
    #[default]
    Error,
    /// Their rows are left out, before the split.
    Drop,
    /// A number is filled in with the mean of its column over the training rows, text with the most frequent value.
    Mean,
    /// The most frequent value among the training rows is filled in; of several, the smallest.
    MostFrequent,
}

/// What becomes of each column, before anything is fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    /// The columns, in the order of the raw features.
    pub columns: Vec<Planned>,
    /// How missing values are filled in.
    pub missing: Missing,
}

/// One column of an encoding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub becomes: Becomes,
}

/// What becomes of a column. Categories stand in the raw features as their places.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Becomes {
    /// The number that it is.
    #[default]
    Number,
    /// A feature for each of these categories.
    OneHot(Vec<String>),
    /// The place among these categories.
    Label(Vec<String>),
}

impl Planned {
    /// How many features it becomes.
    fn width(&self) -> usize {
        match &self.becomes {
            Becomes::Number | Becomes::Label(_) => 1,
            Becomes::OneHot(categories) => categories.len(),
        }
    }

    /// The categories, in their places; none of a number.
    pub fn categories(&self) -> &[String] {
        match &self.becomes {
            Becomes::Number => &[],
            Becomes::OneHot(categories) | Becomes::Label(categories) => categories,
        }
    }
}

impl Encoding {
    /// How many features a row has.
    pub fn width(&self) -> usize {
        self.columns.iter().map(Planned::width).sum()
    }

    /// The name of each feature: the column's, and the category's after `=`.
    pub fn names(&self) -> Vec<String> {
        let names = |column: &Planned| match &column.becomes {
            Becomes::Number | Becomes::Label(_) => vec![column.name.clone()],
            Becomes::OneHot(categories) => categories.iter().map(|c| format!("{}={c}", column.name)).collect(),
        };
        self.columns.iter().flat_map(names).collect()
    }

    /// Whether each feature says that a row has a category: 0 or 1, which is not scaled.
    pub fn indicators(&self) -> Vec<bool> {
        let of = |column: &Planned| vec![matches!(column.becomes, Becomes::OneHot(_)); column.width()];
        self.columns.iter().flat_map(of).collect()
    }

    /// Fits to the raw training rows, `[rows, columns]` f64.
    ///
    /// # Errors
    /// When a column has no value at all to fill in.
    pub fn fit(&self, training: &Training) -> anyhow::Result<Encoder> {
        let width = self.columns.len();
        let only_numbers = self.columns.iter().all(|planned| planned.becomes == Becomes::Number);
        let values = match self.missing {
            Missing::Error | Missing::Drop if only_numbers => Vec::new(), // there is nothing to look for
            _ => values_of(&training.rows().features),
        };
        let columns = self.columns.iter().enumerate().map(|(number, planned)| {
            let column = || values.iter().skip(number).step_by(width).copied().filter(|value| !value.is_nan());
            let is_number = planned.becomes == Becomes::Number;
            let filled = match self.missing {
                Missing::Error | Missing::Drop => Some(f64::NAN), // nothing is missing then
                Missing::Mean if is_number => mean(column()),
                Missing::Mean | Missing::MostFrequent => most_frequent(column().collect()),
            };
            let filled = filled
                .with_context(|| format!("column `{}` has no value in any training row", planned.name))
                .map_err(|error| error.context(Hint(format!("leave it out: `drop = [\"{}\"]`", planned.name))))?;
            let mut seen = vec![false; planned.categories().len()];
            if !is_number {
                column().for_each(|place| seen[place as usize] = true);
            }
            Ok(Fitted { planned: planned.clone(), filled, seen })
        });
        Ok(Encoder { columns: columns.collect::<anyhow::Result<_>>()?, width: self.width() })
    }
}

/// What a value takes while it is encoded: as f64, in a tensor, and scaled.
const VALUE: u128 = 8 + 8 + 4;

/// An encoding that was fitted to training rows. Serialized, it holds what was fitted alone: [`Encoder::restore`] gives
/// it the columns again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    columns: Vec<Fitted>,
    #[serde(skip)]
    width: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Fitted {
    #[serde(skip)]
    planned: Planned,
    #[serde(with = "as_number")]
    filled: f64,
    seen: Vec<bool>,
}

impl Encoder {
    /// Raw rows, `[rows, columns]` → features `[rows, features]`, f64. `part` is what messages call the rows.
    ///
    /// # Errors
    /// When a category that is encoded by its place occurs in none of the training rows, or memory does not suffice.
    pub fn encode(&self, raw: &Tensor, part: &str) -> anyhow::Result<Tensor> {
        if self.columns.iter().all(Fitted::changes_nothing) {
            return Ok(raw.to_kind(Kind::Double));
        }
        let rows = raw.size()[0];
        self.fits(rows as usize, memory::free_of_machine())?;
        let raw = values_of(raw);
        let mut features = memory::room_for(rows as usize * self.width);
        for row in raw.chunks_exact(self.columns.len()) {
            for (column, &value) in self.columns.iter().zip(row) {
                column.write(if value.is_nan() { column.filled } else { value }, part, &mut features)?;
            }
        }
        Ok(Tensor::from_slice(&features).view([rows, self.width as i64]))
    }
}

impl Encoder {
    /// The encoder that was read from a file, with the columns that it was fitted to.
    ///
    /// # Errors
    /// When it was fitted to other columns.
    pub fn restore(self, encoding: &Encoding) -> anyhow::Result<Encoder> {
        let (found, wanted) = (self.columns.len(), encoding.columns.len());
        ensure!(found == wanted, "the encoder has {found} columns, and the table {wanted}");
        let column = |(fitted, planned): (Fitted, &Planned)| {
            let (name, known) = (&planned.name, planned.categories().len());
            let found = fitted.seen.len();
            ensure!(found == known, "the encoder of column `{name}` has {found} categories, and the column {known}");
            let is_category = fitted.filled.fract() == 0.0 && (0.0..known as f64).contains(&fitted.filled);
            let is_right = fitted.filled.is_nan() || (known == 0 && fitted.filled.is_finite()) || is_category;
            ensure!(is_right, "the encoder of column `{name}` fills in {}", fitted.filled);
            Ok(Fitted { planned: planned.clone(), ..fitted })
        };
        let columns = self.columns.into_iter().zip(&encoding.columns).map(column).collect::<anyhow::Result<_>>()?;
        Ok(Encoder { columns, width: encoding.width() })
    }

    /// Whether so many rows can be encoded in so many bytes: a small table of names becomes a feature for each of them.
    fn fits(&self, rows: usize, free: u64) -> anyhow::Result<()> {
        let wanted = rows as u128 * self.width as u128 * VALUE;
        if wanted <= u128::from(free) {
            return Ok(());
        }
        let widest = self.columns.iter().map(|column| &column.planned).max_by_key(|planned| planned.width());
        let Planned { name, .. } = widest.expect("an encoding has a column");
        let width = widest.map_or(0, Planned::width);
        let (wanted, free) = (in_words(u64::try_from(wanted).unwrap_or(u64::MAX)), in_words(free));
        let message = format!(
            "{rows} rows of {} features take {wanted} of memory, and {free} are free; {width} of the features are column `{name}`",
            self.width
        );
        let hint = format!("leave it out, `drop = [\"{name}\"]`, or say `encode = \"label\"`");
        Err(anyhow!(message).context(Hint(hint)))
    }
}

impl Fitted {
    /// Whether it is a number, and nothing would be filled in.
    fn changes_nothing(&self) -> bool {
        self.planned.becomes == Becomes::Number && self.filled.is_nan()
    }

    fn write(&self, value: f64, part: &str, features: &mut Vec<f64>) -> anyhow::Result<()> {
        let place = value as usize;
        match &self.planned.becomes {
            Becomes::Number => features.push(value),
            Becomes::OneHot(categories) => {
                let has = |category: usize| f64::from(u8::from(category == place && self.seen[place]));
                features.extend((0..categories.len()).map(has));
            }
            Becomes::Label(categories) if !self.seen[place] => {
                let (name, category) = (&self.planned.name, &categories[place]);
                let message = format!("column `{name}` is `{category}` in {part} rows, and in no training row");
                let hint = "`encode = \"one_hot\"` can do with that: all of the column's features are 0";
                return Err(anyhow!(message).context(Hint(hint.to_owned())));
            }
            Becomes::Label(_) => features.push(value),
        }
        Ok(())
    }
}

fn values_of(features: &Tensor) -> Vec<f64> {
    Vec::try_from(features.to_kind(Kind::Double).contiguous().flatten(0, -1)).expect("just made f64")
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// The smallest of the values that occur most often.
fn most_frequent(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let runs = values.chunk_by(|a, b| a == b);
    runs.rev().max_by_key(|run| run.len()).map(|run| run[0]) // the last of equal ones: the smallest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::rows::Rows;

    fn rows(raw: &[f64], columns: i64) -> Rows {
        let features = Tensor::from_slice(raw).view([-1, columns]);
        let targets = Tensor::zeros([features.size()[0]], (Kind::Int64, tch::Device::Cpu));
        Rows::new(features, targets)
    }

    fn encoding(becomes: Becomes, missing: Missing) -> Encoding {
        let number = Planned { name: "n".into(), becomes: Becomes::Number };
        Encoding { columns: vec![number, Planned { name: "c".into(), becomes }], missing }
    }

    fn categories() -> Vec<String> {
        ["x", "y", "z"].map(str::to_owned).to_vec()
    }

    const NAN: f64 = f64::NAN;

    #[test]
    fn what_is_missing_is_filled_from_training_rows_alone() {
        let training = Training(rows(&[1.0, 2.0, 1.0, 0.0, 4.0, 0.0, NAN, NAN, 9.0, 2.0], 2));
        let test = rows(&[NAN, NAN, 1000.0, 1.0], 2);
        for (missing, filled) in [(Missing::Mean, 3.75), (Missing::MostFrequent, 1.0)] {
            let encoder = encoding(Becomes::OneHot(categories()), missing).fit(&training).unwrap();
            let encoded = encoder.encode(&test.features, "test").unwrap();
            // the category 1 is in no training row: all zeros; of 0 and 2, as frequent, the smaller is filled in
            assert_eq!(values_of(&encoded), [filled, 1.0, 0.0, 0.0, 1000.0, 0.0, 0.0, 0.0]);
        }
    }

    #[test]
    fn a_label_that_no_training_row_has_is_an_error_that_names_it() {
        let encoder = encoding(Becomes::Label(categories()), Missing::Error);
        let encoder = encoder.fit(&Training(rows(&[1.0, 2.0, 1.0, 0.0], 2))).unwrap();
        assert_eq!(values_of(&encoder.encode(&rows(&[5.0, 2.0], 2).features, "test").unwrap()), [5.0, 2.0]);
        let error = encoder.encode(&rows(&[5.0, 1.0], 2).features, "test").unwrap_err();
        assert!(format!("{error:#}").contains("column `c` is `y` in test rows, and in no training row"));
    }

    #[test]
    fn more_features_than_memory_can_hold_are_refused_with_the_column_that_has_most() {
        let encoder = encoding(Becomes::OneHot(categories()), Missing::Error).fit(&Training(rows(&[1.0, 2.0], 2)));
        let encoder = encoder.unwrap();
        assert!(encoder.fits(100, 4 * 100 * 20).is_ok());
        let error = encoder.fits(100, 4 * 100 * 20 - 1).unwrap_err().to_string();
        let error = format!("{error} {:#}", encoder.fits(1 << 60, 1 << 30).unwrap_err());
        assert!(error.contains("drop = [\"c\"]") && error.contains("3 of the features are column `c`"), "{error}");
    }

    #[test]
    fn a_column_without_a_value_cannot_be_filled_in() {
        let encoding = encoding(Becomes::OneHot(categories()), Missing::Mean);
        let error = encoding.fit(&Training(rows(&[NAN, 0.0], 2))).unwrap_err();
        assert!(format!("{error:#}").contains("column `n` has no value in any training row"));
    }

    #[test]
    fn features_are_named_and_indicators_marked() {
        let encoding = encoding(Becomes::OneHot(categories()), Missing::Error);
        assert_eq!(encoding.names(), ["n", "c=x", "c=y", "c=z"]);
        assert_eq!((encoding.width(), encoding.indicators()), (4, vec![false, true, true, true]));
    }
}
