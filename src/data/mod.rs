//! Data sets: from a named source to rows split into training, validation and test.
//!
//! The three parts are three types. Only [`Training`] is ever resampled or fitted on, and the test rows stay
//! sealed until training is over: a leak does not compile.

pub mod batches;
pub mod byte_table;
pub mod cache;
pub mod csv_text;
pub mod describe;
pub mod encode;
pub mod fetch;
pub mod folds;
pub mod form;
pub mod given;
pub mod hashed_file;
pub mod manifest;
pub mod numpy_random;
pub mod picture;
mod plain_numbers;
pub mod preprocessing;
pub mod recipe;
pub mod repeats;
pub mod resample;
pub mod scale;
pub mod source;
pub mod split;
pub mod table;
pub mod task;
pub mod weights;

use std::fmt;

use anyhow::Context;
use tch::{Device, Tensor};

use crate::check::Invalid;
use crate::data::form::Form;
use crate::data::preprocessing::Preprocessing;
use crate::data::resample::Resample;
use crate::data::scale::Scale;
use crate::data::split::{Parts, Split};
use crate::hint::Hint;
use crate::history::resampling::ResampleRecord;
use crate::shape::Shape;

/// What is known of a data set before it is loaded: enough to check an experiment against it.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// The shape of one row's features.
    pub sample: Shape,
    /// What is to be predicted.
    pub target: Target,
    /// How many rows there are to train on, before any split.
    pub rows: usize,
    /// How many test rows the data set brings of its own.
    pub test_rows: usize,
}

/// What is to be predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One of so many classes.
    Classes(usize),
    /// Each of so many labels, yes or no.
    Labels(usize),
    /// So many numbers.
    Values(usize),
}

impl Target {
    /// How many outputs a network needs for it, where it needs one for each class, label or value.
    pub fn outputs(self) -> usize {
        match self {
            Target::Classes(count) | Target::Labels(count) | Target::Values(count) => count,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, one, many) = match self {
            Target::Classes(count) => (count, "class", "classes"),
            Target::Labels(count) => (count, "yes-or-no label", "yes-or-no labels"),
            Target::Values(count) => (count, "number", "numbers"),
        };
        write!(f, "{count} {}", if *count == 1 { one } else { many })
    }
}

/// Rows as a source gives them, before any split.
#[derive(Debug)]
pub struct Loaded {
    /// SHA-256 over the files that the rows come from.
    pub sha256: String,
    /// What is to be predicted.
    pub target: Target,
    /// The names of the classes, labels or values, in their order.
    pub classes: Vec<String>,
    /// The rows to train on.
    pub rows: Rows,
    /// The test rows that the data set brings of its own.
    pub test: Option<Rows>,
    /// The largest value that a feature can have: what the scale `unit` divides by.
    pub largest: f64,
    /// What the rows are made of.
    pub form: Form,
}

/// Features and targets, row by row.
#[derive(Debug)]
pub struct Rows {
    /// `[rows, …sample]`, u8 or f32; of a table, before it is encoded, `[rows, columns]` f64.
    pub features: Tensor,
    /// Classes: `[rows]`, int64. Labels: `[rows, labels]`, f32, 0 or 1. Values: `[rows, values]`, f32.
    pub targets: Tensor,
    /// What each row counts in the loss, `[rows]`, f32, above 0; `None` where all count the same.
    pub weights: Option<Tensor>,
}

impl Rows {
    /// Rows that all count the same.
    pub fn new(features: Tensor, targets: Tensor) -> Rows {
        Rows { features, targets, weights: None }
    }

    /// The same with something done to each of their tensors.
    fn each(&self, change: impl Fn(&Tensor) -> Tensor) -> Rows {
        Rows {
            features: change(&self.features),
            targets: change(&self.targets),
            weights: self.weights.as_ref().map(change),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.targets.size()[0] as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows of these numbers, in their order.
    pub fn take(&self, numbers: &[usize]) -> Rows {
        let numbers: Vec<i64> = numbers.iter().map(|&number| number as i64).collect();
        let numbers = Tensor::from_slice(&numbers);
        self.each(|tensor| tensor.index_select(0, &numbers))
    }

    /// How many rows each class has, of those from 0 to `classes`.
    fn counts(&self, classes: usize) -> Vec<u64> {
        let counts = self.targets.bincount::<Tensor>(None, classes as i64);
        Vec::<i64>::try_from(counts).expect("counts are int64").into_iter().map(|count| count as u64).collect()
    }

    /// The same rows, in the same memory.
    pub fn shallow_clone(&self) -> Rows {
        self.each(Tensor::shallow_clone)
    }

    /// The same rows on another device.
    pub fn to(&self, device: Device) -> Rows {
        self.each(|tensor| tensor.to_device(device))
    }
}

/// The rows that a network is trained on; the only ones that anything is ever fitted to.
#[derive(Debug)]
pub struct Training(pub(crate) Rows);

/// The rows that settings, thresholds and the best epoch are chosen on.
#[derive(Debug)]
pub struct Validation(pub(crate) Rows);

/// The test rows, sealed until training is over.
#[derive(Debug)]
pub struct Test(Rows);

impl From<Rows> for Training {
    /// Says of rows that they are there to be trained on.
    fn from(rows: Rows) -> Self {
        Training(rows)
    }
}

impl Training {
    /// To read, not to keep.
    pub fn rows(&self) -> &Rows {
        &self.0
    }

    /// The training rows resampled; there is no such method for rows that a network is judged by:
    ///
    /// ```compile_fail,E0599
    /// # use runner::data::{Validation, resample::Resample};
    /// fn leak(rows: Validation, resample: &Resample) {
    ///     rows.resample(resample, &[], tch::Device::Cpu);
    /// }
    /// ```
    ///
    /// ```compile_fail,E0599
    /// # use runner::data::{Test, resample::Resample};
    /// fn leak(rows: Test, resample: &Resample) {
    ///     rows.resample(resample, &[], tch::Device::Cpu);
    /// }
    /// ```
    ///
    /// `names` are those of the classes, for messages; synthetic rows are computed on `device`.
    ///
    /// # Errors
    /// When a class has too few rows to find neighbors among, or the classes are already nearer to each other than
    /// asked; the key is relative to `resample`.
    pub fn resample(self, resample: &Resample, names: &[String], device: Device) -> Result<Training, Invalid> {
        resample.apply(&self.0, names, device).map(Training)
    }
}

impl Validation {
    /// To read, not to keep.
    pub fn rows(&self) -> &Rows {
        &self.0
    }
}

impl Test {
    /// How many there are, which is known without opening them.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same rows, still sealed, for one of several stacks of trials, each of which opens its own once.
    pub fn for_a_stack(&self) -> Test {
        Test(self.0.shallow_clone())
    }

    /// Opens the test rows, once: what comes after can no longer choose anything by them.
    pub fn open(self) -> Rows {
        self.0
    }
}

/// A data set ready for training.
#[derive(Debug)]
pub struct Prepared {
    /// SHA-256 over the files that the rows come from.
    pub sha256: String,
    /// What is to be predicted.
    pub target: Target,
    /// The names of the classes, labels or values.
    pub classes: Vec<String>,
    /// The names of the features; numbers where the source has no names for them.
    pub features: Vec<String>,
    /// The training rows.
    pub training: Training,
    /// The validation rows, when the experiment splits some off.
    pub validation: Option<Validation>,
    /// The test rows, when there are any.
    pub test: Option<Test>,
    /// What was fitted to the training rows, and done to all.
    pub preprocessing: Preprocessing,
    /// The numbers, among the source's rows, of the rows of each part, before the training rows were resampled.
    pub parts: Parts,
    /// How rows were resampled, where they were.
    pub resampled: Option<ResampleRecord>,
}

impl Prepared {
    /// Splits, encodes and scales what a source gave: for each fold, with the fold's number, or for a lone split.
    ///
    /// # Errors
    /// When a class has too few rows to be split, or a table's values cannot be filled in or encoded.
    pub fn folds(loaded: &Loaded, split: &Split, scale: Scale) -> anyhow::Result<Vec<(Option<usize>, Prepared)>> {
        let folds = fold_parts(loaded, split)?;
        folds.iter().map(|(fold, parts)| Ok((*fold, Self::from_parts(loaded, parts, scale)?))).collect()
    }

    /// The same for one of the folds; `None` for the lone split.
    ///
    /// # Errors
    /// As for [`Prepared::folds`], and when the split makes no such fold.
    pub fn fold(loaded: &Loaded, split: &Split, scale: Scale, fold: Option<usize>) -> anyhow::Result<Self> {
        let folds = fold_parts(loaded, split)?;
        let (_, parts) = folds.iter().find(|(number, _)| *number == fold).with_context(|| match fold {
            Some(fold) if split.folds.is_none() => format!("there is no fold {fold}: the split makes none"),
            Some(fold) => format!("there is no fold {fold}: the split makes {}, counted from 0", folds.len()),
            None => format!("the split makes {} folds, and no lone part of rows to train on", folds.len()),
        })?;
        Self::from_parts(loaded, parts, scale)
    }

    /// The same for a lone split.
    ///
    /// # Errors
    /// As for [`Prepared::folds`].
    pub fn new(loaded: &Loaded, split: &Split, scale: Scale) -> anyhow::Result<Self> {
        let classes = class_numbers(&loaded.rows, loaded.target);
        let parts = split.parts(loaded.rows.len(), classes.as_deref(), &loaded.classes);
        Self::from_parts(loaded, &parts.map_err(|fault| told(fault.under("split")))?, scale)
    }

    /// The same with rows that were split elsewhere, such as a fold's.
    ///
    /// # Errors
    /// When a table's values cannot be filled in or encoded.
    pub fn from_parts(loaded: &Loaded, parts: &Parts, scale: Scale) -> anyhow::Result<Self> {
        let take = |numbers: &[usize]| {
            if numbers.len() == loaded.rows.len() && numbers.iter().enumerate().all(|(i, &number)| i == number) {
                loaded.rows.shallow_clone()
            } else {
                loaded.rows.take(numbers)
            }
        };
        let (preprocessing, training) = Preprocessing::fit(Training(take(&parts.training)), loaded, scale)?;
        let validation = parts.validation.as_ref().map(|numbers| preprocessing.apply(take(numbers), "validation"));
        let test = match &parts.test {
            Some(numbers) => Some(take(numbers)),
            None => loaded.test.as_ref().map(Rows::shallow_clone),
        };
        let width = training.rows().features.flatten(1, -1).size()[1];
        let features = match loaded.form.encoding() {
            Some(encoding) => encoding.names(),
            None => (0..width).map(|number| number.to_string()).collect(),
        };
        Ok(Prepared {
            sha256: loaded.sha256.clone(),
            target: loaded.target,
            classes: loaded.classes.clone(),
            features,
            training,
            validation: validation.transpose()?.map(Validation),
            test: test.map(|rows| preprocessing.apply(rows, "test")).transpose()?.map(Test),
            preprocessing,
            parts: parts.clone(),
            resampled: None,
        })
    }

    /// The same with the training rows resampled; `device` as for [`Training::resample`].
    ///
    /// # Errors
    /// As for [`Training::resample`].
    pub fn resample(self, resample: &Resample, device: Device) -> anyhow::Result<Self> {
        let from = self.training.0.counts(self.classes.len());
        let training = self.training.resample(resample, &self.classes, device);
        let training = training.map_err(|fault| told(fault.under("resample")))?;
        let to = training.0.counts(self.classes.len());
        let record = ResampleRecord::after_split(resample.name(), from, to);
        Ok(Prepared { training, resampled: Some(record), ..self })
    }
}

impl Loaded {
    /// The same with all rows resampled before any split: the leak that [`Training::resample`] keeps from happening,
    /// for an experiment that asks for it by name.
    ///
    /// # Errors
    /// As for [`Training::resample`], and when rows are to be made up of columns that hold categories or have missing
    /// values, which are encoded and filled in after the split.
    pub fn resample_before_split(self, resample: &Resample, device: Device) -> anyhow::Result<(Self, ResampleRecord)> {
        let makes_rows_up = !matches!(resample, Resample::Under(_) | Resample::Over(_));
        let raw = self.form.encoding().filter(|_| makes_rows_up);
        let category = raw.and_then(|raw| raw.columns.iter().find(|column| !column.categories().is_empty()));
        let has_gaps = makes_rows_up && self.rows.features.isnan().any().int64_value(&[]) == 1;
        if category.is_some() || has_gaps {
            let what = category.map_or("columns with missing values".to_owned(), |c| format!("column `{}`", c.name));
            let message = format!("cannot make rows up of {what} before the split");
            let fault = Invalid::new("resample_before_split", message);
            return Err(told(fault.hint("leave it out: after the split columns are encoded and filled in first")));
        }
        let from = self.rows.counts(self.classes.len());
        let rows = resample.apply(&self.rows, &self.classes, device).map_err(|fault| told(fault.under("resample")))?;
        let to = rows.counts(self.classes.len());
        let record = ResampleRecord::before_split(resample.name(), from, to);
        Ok((Loaded { rows, ..self }, record))
    }
}

/// The row numbers of each fold's parts, with the fold's number.
fn fold_parts(loaded: &Loaded, split: &Split) -> anyhow::Result<Vec<(Option<usize>, Parts)>> {
    let classes = class_numbers(&loaded.rows, loaded.target);
    let folds = split.fold_parts(loaded.rows.len(), classes.as_deref(), &loaded.classes);
    folds.map_err(|fault| told(fault.under("split")))
}

/// A fault of a setting or of the user's data, with its hint.
pub(crate) fn told(fault: Invalid) -> anyhow::Error {
    let hint = fault.hint.clone();
    let error = anyhow::Error::new(fault);
    match hint {
        Some(hint) => error.context(Hint(hint)),
        None => error,
    }
}

/// The class of each row, for targets that have one.
pub fn class_numbers(rows: &Rows, target: Target) -> Option<Vec<i64>> {
    match target {
        Target::Classes(_) => Some(Vec::try_from(&rows.targets).expect("classes are int64")),
        Target::Labels(_) | Target::Values(_) => None,
    }
}
