//! Encodes the columns of a table as features: categories become numbers, and missing values are filled in.
//!
//! The categories of a column are taken from all rows, so that the number of features is known before training.
//! Everything else (means, most frequent values, categories that occur) is fitted to training rows only.

use anyhow::{Context, anyhow, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::config::hint::Hint;
use crate::data::subsets::Training;
use crate::device::memory;
use crate::history::number::{as_number, count};
use crate::io::byte_size::format_bytes;
use crate::tensor::threads;

/// Encoding of text columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encode {
    /// Text columns are errors.
    #[default]
    Error,
    /// One feature for each category: 1 in rows of this category, else 0. A category without training rows becomes all
    /// zeros.
    OneHot,
    /// One feature: the index of the category in ascending order. It implies an order and distances that categories do
    /// not have. A category without training rows is an error.
    Label,
}

/// Handling of missing values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Missing values are errors.
    #[default]
    Error,
    /// Rows with missing values are dropped, before the split.
    Drop,
    /// Numbers are filled in with the mean of the column over the training rows, text with the most frequent value.
    Mean,
    /// Filled in with the most frequent value of the training rows; with the smallest of equally frequent ones.
    MostFrequent,
}

/// Encoding of each column, before it is fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    /// Columns, in the order of the raw features.
    pub columns: Vec<ColumnEncoding>,
    /// Handling of missing values.
    pub missing: Missing,
}

/// Encoding of one column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnEncoding {
    /// Name of the column.
    pub name: String,
    /// Encoding.
    #[serde(rename = "becomes")]
    pub encoding: EncodingKind,
}

/// Encoding of a column. The raw features of a category are its index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncodingKind {
    /// Number, unchanged.
    #[default]
    Number,
    /// One-hot features for these categories.
    OneHot(Vec<String>),
    /// Index among these categories.
    Label(Vec<String>),
}

impl ColumnEncoding {
    /// Returns the number of features.
    fn width(&self) -> usize {
        match &self.encoding {
            EncodingKind::Number | EncodingKind::Label(_) => 1,
            EncodingKind::OneHot(categories) => categories.len(),
        }
    }

    /// Returns the categories in the order of their indices; empty for numbers.
    pub fn categories(&self) -> &[String] {
        match &self.encoding {
            EncodingKind::Number => &[],
            EncodingKind::OneHot(categories) | EncodingKind::Label(categories) => categories,
        }
    }
}

impl Encoding {
    /// Returns the number of features of a row.
    pub fn width(&self) -> usize {
        self.columns.iter().map(ColumnEncoding::width).sum()
    }

    /// Returns the names of the features: the column, and for one-hot features `=` and the category.
    pub fn names(&self) -> Vec<String> {
        let names = |column: &ColumnEncoding| match &column.encoding {
            EncodingKind::Number | EncodingKind::Label(_) => vec![column.name.clone()],
            EncodingKind::OneHot(categories) => categories.iter().map(|c| format!("{}={c}", column.name)).collect(),
        };
        self.columns.iter().flat_map(names).collect()
    }

    /// Returns whether each feature is one-hot (0 or 1). One-hot features are not scaled.
    pub fn indicators(&self) -> Vec<bool> {
        let of = |column: &ColumnEncoding| vec![matches!(column.encoding, EncodingKind::OneHot(_)); column.width()];
        self.columns.iter().flat_map(of).collect()
    }

    /// Fits to the raw training rows, `[rows, columns]` f64.
    ///
    /// # Errors
    /// When a column has no value to fill in.
    pub fn fit(&self, training: &Training) -> anyhow::Result<Encoder> {
        let width = self.columns.len();
        let only_numbers = self.columns.iter().all(|column| column.encoding == EncodingKind::Number);
        let values = match self.missing {
            Missing::Error | Missing::Drop if only_numbers => Vec::new(), // nothing to compute
            Missing::Error | Missing::Drop | Missing::Mean | Missing::MostFrequent => {
                values_of(&training.rows().features)
            }
        };
        let places: Vec<usize> = (0..width).collect();
        let columns = threads::map_in_parallel(&places, values.len(), |&number| {
            let column = &self.columns[number];
            let present = || values.iter().skip(number).step_by(width).copied().filter(|value| !value.is_nan());
            let is_number = column.encoding == EncodingKind::Number;
            let fill_value = match self.missing {
                Missing::Error | Missing::Drop => Some(f64::NAN), // no value is missing
                Missing::Mean if is_number => mean(present()),
                Missing::Mean | Missing::MostFrequent => most_frequent(present().collect()),
            };
            let fill_value = fill_value
                .with_context(|| format!("column `{}` has no value in any training row", column.name))
                .with_context(|| Hint(format!("leave the column out: `drop = [\"{}\"]`", column.name)))?;
            let mut seen = vec![false; column.categories().len()];
            if !is_number {
                present().for_each(|place| seen[place as usize] = true);
            }
            Ok(FittedColumn { column: column.clone(), fill_value, seen })
        });
        Ok(Encoder { columns: columns.into_iter().collect::<anyhow::Result<_>>()?, width: self.width() })
    }
}

/// Bytes of memory for one encoded value, f32.
const VALUE: u128 = 4;

/// Encoding that was fitted to training rows. Only the fitted part is serialized; [`Encoder::restore`] adds the
/// columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    columns: Vec<FittedColumn>,
    #[serde(skip)]
    width: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct FittedColumn {
    #[serde(skip)]
    column: ColumnEncoding,
    #[serde(rename = "filled", with = "as_number")]
    fill_value: f64,
    seen: Vec<bool>,
}

impl Encoder {
    /// Returns the features that are not one-hot: raw rows `[rows, columns]` f64 → `[rows, features]` f64. `part` is the name of
    /// the rows in messages.
    ///
    /// # Errors
    /// When a label-encoded category does not occur in the training rows.
    pub fn encode_numbers(&self, raw: &Tensor, part: &str) -> anyhow::Result<Tensor> {
        if self.columns.iter().all(FittedColumn::changes_nothing) {
            return Ok(raw.to_kind(Kind::Double));
        }
        let numbers = self.columns.iter().enumerate().filter(|(_, column)| !column.is_one_hot());
        let features = numbers.map(|(place, column)| {
            let values = column.filled(raw, place);
            column.check_labels(&values, part)?;
            Ok(values)
        });
        let features = features.collect::<anyhow::Result<Vec<Tensor>>>()?;
        Ok(match features.is_empty() {
            true => Tensor::empty([raw.size()[0], 0], (Kind::Double, raw.device())),
            false => Tensor::stack(&features, 1),
        })
    }

    /// Returns the indices of the features that are not one-hot, int64.
    pub fn places_of_numbers(&self) -> Tensor {
        let mut start = 0;
        let place = |column: &FittedColumn| {
            start += column.column.width();
            (!column.is_one_hot()).then_some(start as i64 - 1)
        };
        Tensor::from_slice(&self.columns.iter().filter_map(place).collect::<Vec<_>>())
    }

    /// Adds the one-hot features of raw rows, `[rows, columns]` f64, to their other features, f32, which are scaled. Returns all
    /// features in their order: `[rows, features]` f32.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn add_one_hot(&self, raw: &Tensor, numbers: Tensor) -> anyhow::Result<Tensor> {
        if !self.columns.iter().any(FittedColumn::is_one_hot) {
            return Ok(numbers);
        }
        let rows = raw.size()[0];
        self.fits(rows as usize, memory::free_main_memory())?;
        let features = Tensor::zeros([rows, self.width as i64], (Kind::Float, raw.device()));
        let (mut start, mut number) = (0, 0);
        for (place, column) in self.columns.iter().enumerate() {
            let width = column.column.width() as i64;
            let mut part = features.narrow(1, start, width);
            start += width;
            if !column.is_one_hot() {
                part.copy_(&numbers.narrow(1, number, 1));
                number += 1;
            } else if width > 0 {
                // the index of an unknown category is `width`, and its features stay 0
                let ones: Vec<f32> =
                    column.seen.iter().chain([&false]).map(|&seen| f32::from(u8::from(seen))).collect();
                let places = column.filled(raw, place).to_kind(Kind::Int64).clamp(0, width);
                let ones = Tensor::from_slice(&ones).to_device(raw.device()).index_select(0, &places);
                let _ = part.scatter_(1, &places.clamp_max(width - 1).unsqueeze(1), &ones.unsqueeze(1));
            }
        }
        Ok(features)
    }

    /// Adds the columns to an encoder that was read from a file.
    ///
    /// # Errors
    /// When the encoder was fitted to other columns.
    pub fn restore(self, encoding: &Encoding) -> anyhow::Result<Encoder> {
        let (found, wanted) = (self.columns.len(), encoding.columns.len());
        ensure!(found == wanted, "the encoder has {found} columns, but the table has {wanted}");
        let column = |(fitted, column): (FittedColumn, &ColumnEncoding)| {
            let (name, known) = (&column.name, column.categories().len());
            let found = fitted.seen.len();
            ensure!(
                found == known,
                "the encoder of column `{name}` has {found} categories, but the column has {known}"
            );
            let is_category = fitted.fill_value.fract() == 0.0 && (0.0..known as f64).contains(&fitted.fill_value);
            let is_right = fitted.fill_value.is_nan() || (known == 0 && fitted.fill_value.is_finite()) || is_category;
            ensure!(is_right, "the encoder of column `{name}` fills in {}", fitted.fill_value);
            Ok(FittedColumn { column: column.clone(), ..fitted })
        };
        let columns = self.columns.into_iter().zip(&encoding.columns).map(column).collect::<anyhow::Result<_>>()?;
        Ok(Encoder { columns, width: encoding.width() })
    }

    /// Checks that `rows` encoded rows fit in `free` bytes: with one-hot encoding, a small table can become huge.
    fn fits(&self, rows: usize, free: u64) -> anyhow::Result<()> {
        let wanted = rows as u128 * self.width as u128 * VALUE;
        if wanted <= u128::from(free) {
            return Ok(());
        }
        let widest = self.columns.iter().map(|column| &column.column).max_by_key(|column| column.width());
        let ColumnEncoding { name, .. } = widest.expect("an encoding has a column");
        let width = widest.map_or(0, ColumnEncoding::width);
        let (wanted, free) = (format_bytes(u64::try_from(wanted).unwrap_or(u64::MAX)), format_bytes(free));
        let message = format!(
            "{} rows of {} features need {wanted} of memory, but only {free} is free; column `{name}` has {} of the features",
            count(rows),
            count(self.width),
            count(width)
        );
        let hint = format!("write `drop = [\"{name}\"]` to leave it out, or `encode = \"label\"`");
        Err(anyhow!(message).context(Hint(hint)))
    }
}

impl FittedColumn {
    /// Returns whether the column is a number and has no fill value.
    fn changes_nothing(&self) -> bool {
        self.column.encoding == EncodingKind::Number && self.fill_value.is_nan()
    }

    fn is_one_hot(&self) -> bool {
        matches!(self.column.encoding, EncodingKind::OneHot(_))
    }

    /// Returns the raw values of the column, `[rows]` f64, with missing ones filled in; `place` is its index.
    fn filled(&self, raw: &Tensor, place: usize) -> Tensor {
        let values = raw.select(1, place as i64).to_kind(Kind::Double);
        values.where_scalarother(&values.isnan().logical_not(), self.fill_value)
    }

    /// Checks that the training rows have all of these values, if they are labels.
    fn check_labels(&self, values: &Tensor, part: &str) -> anyhow::Result<()> {
        let EncodingKind::Label(categories) = &self.column.encoding else { return Ok(()) };
        let unseen = values_of(values).into_iter().find(|place| !self.seen[*place as usize]);
        unseen.map_or(Ok(()), |place| {
            let (name, category) = (&self.column.name, &categories[place as usize]);
            let message = format!("column `{name}` has `{category}` in {part} rows, but in no training row");
            let hint = "use `encode = \"one_hot\"`, which sets all features of the column to 0";
            Err(anyhow!(message).context(Hint(hint.to_owned())))
        })
    }
}

/// Returns the values of a tensor of any kind as f64, in row-major order.
pub(crate) fn values_of(features: &Tensor) -> Vec<f64> {
    Vec::try_from(features.to_kind(Kind::Double).contiguous().flatten(0, -1)).expect("just made f64")
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Returns the most frequent value; of several, the smallest.
fn most_frequent(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let runs = values.chunk_by(|a, b| a == b);
    runs.rev().max_by_key(|run| run.len()).map(|run| run[0]) // `max_by_key` returns the last of equal ones: the smallest
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

    fn encoding(encoding: EncodingKind, missing: Missing) -> Encoding {
        let number = ColumnEncoding { name: "n".into(), encoding: EncodingKind::Number };
        Encoding { columns: vec![number, ColumnEncoding { name: "c".into(), encoding }], missing }
    }

    fn categories() -> Vec<String> {
        ["x", "y", "z"].map(str::to_owned).to_vec()
    }

    const NAN: f64 = f64::NAN;

    fn encode(encoder: &Encoder, raw: &Tensor) -> anyhow::Result<Vec<f64>> {
        let numbers = encoder.encode_numbers(raw, "test")?;
        Ok(values_of(&encoder.add_one_hot(raw, numbers.to_kind(Kind::Float))?))
    }

    #[test]
    fn what_is_missing_is_filled_from_training_rows_alone() {
        let training = Training(rows(&[1.0, 2.0, 1.0, 0.0, 4.0, 0.0, NAN, NAN, 9.0, 2.0], 2));
        let test = rows(&[NAN, NAN, 1000.0, 1.0], 2);
        for (missing, fill_value) in [(Missing::Mean, 3.75), (Missing::MostFrequent, 1.0)] {
            let encoder = encoding(EncodingKind::OneHot(categories()), missing).fit(&training).unwrap();
            let encoded = encode(&encoder, &test.features).unwrap();
            // category 1 has no training row: all zeros; 0 and 2 are equally frequent: the smaller one is filled in
            assert_eq!(encoded, [fill_value, 1.0, 0.0, 0.0, 1000.0, 0.0, 0.0, 0.0]);
            // an unknown category has the index 3
            assert_eq!(encode(&encoder, &rows(&[2.0, 3.0], 2).features).unwrap(), [2.0, 0.0, 0.0, 0.0]);
        }
    }

    #[test]
    fn a_label_that_no_training_row_has_is_an_error_that_names_it() {
        let encoder = encoding(EncodingKind::Label(categories()), Missing::Error);
        let encoder = encoder.fit(&Training(rows(&[1.0, 2.0, 1.0, 0.0], 2))).unwrap();
        assert_eq!(encode(&encoder, &rows(&[5.0, 2.0], 2).features).unwrap(), [5.0, 2.0]);
        let error = encode(&encoder, &rows(&[5.0, 1.0], 2).features).unwrap_err();
        assert!(format!("{error:#}").contains("column `c` has `y` in test rows, but in no training row"));
    }

    #[test]
    fn more_features_than_memory_can_hold_are_refused_with_the_column_that_has_most() {
        let encoder = encoding(EncodingKind::OneHot(categories()), Missing::Error).fit(&Training(rows(&[1.0, 2.0], 2)));
        let encoder = encoder.unwrap();
        assert!(encoder.fits(100, 4 * 100 * 4).is_ok());
        let error = encoder.fits(100, 4 * 100 * 4 - 1).unwrap_err().to_string();
        let error = format!("{error} {:#}", encoder.fits(1 << 60, 1 << 30).unwrap_err());
        assert!(error.contains("drop = [\"c\"]") && error.contains("column `c` has 3 of the features"), "{error}");
    }

    #[test]
    fn a_column_without_a_value_cannot_be_filled_in() {
        let encoding = encoding(EncodingKind::OneHot(categories()), Missing::Mean);
        let error = encoding.fit(&Training(rows(&[NAN, 0.0], 2))).unwrap_err();
        assert!(format!("{error:#}").contains("column `n` has no value in any training row"));
    }

    #[test]
    fn features_are_named_and_indicators_marked() {
        let encoding = encoding(EncodingKind::OneHot(categories()), Missing::Error);
        assert_eq!(encoding.names(), ["n", "c=x", "c=y", "c=z"]);
        assert_eq!((encoding.width(), encoding.indicators()), (4, vec![false, true, true, true]));
    }
}
