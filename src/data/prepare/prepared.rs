//! A data set that is ready for training: split, encoded, scaled, and with resampled training rows if the experiment
//! asks for it.

use anyhow::Context;
use tch::{Device, Kind};

use crate::config::check::Invalid;
use crate::config::hint::into_error;
use crate::data::dataset::Loaded;
use crate::data::prepare::preprocessing::Preprocessing;
use crate::data::prepare::scale::{Scale, Scaler};
use crate::data::resample::Resample;
use crate::data::rows::{Rows, class_numbers};
use crate::data::split::{Parts, RowsToSplit, Split};
use crate::data::subsets::{Test, Training, Validation};
use crate::data::target::Target;
use crate::history::positive_class::PositiveClass;
use crate::history::resampling::ResampleRecord;

/// A data set that is ready for training.
#[derive(Debug)]
pub struct Prepared {
    /// SHA-256 over the files of the data set.
    pub sha256: String,
    /// What is predicted.
    pub target: Target,
    /// Names of the classes, labels or values.
    pub classes: Vec<String>,
    /// Names of the features; numbers if the source has no names.
    pub features: Vec<String>,
    /// Training rows.
    pub training: Training,
    /// Validation rows; `None` if the split has none.
    pub validation: Option<Validation>,
    /// Test rows; `None` if there are none.
    pub test: Option<Test>,
    /// Preprocessing that was fitted to the training rows and applied to all rows.
    pub preprocessing: Preprocessing,
    /// Indices of the rows of each part among the rows of the source, before resampling.
    pub parts: Parts,
    /// Record of the resampling; `None` if the rows were not resampled.
    pub resampled: Option<ResampleRecord>,
    /// Positive class of two, once it is chosen.
    pub positive: Option<PositiveClass>,
    /// Whether the features of all rows are still the bytes of the source, which the scaler of `preprocessing` scales
    /// when they are used.
    has_bytes: bool,
}

impl Prepared {
    /// Splits, encodes and scales a data set. Returns one entry with a number for each fold, or one entry without a
    /// number if there are no folds.
    ///
    /// # Errors
    /// When a class has too few rows to be split, or values of a table cannot be filled in or encoded.
    pub fn folds(loaded: &Loaded, split: &Split, scale: Scale) -> anyhow::Result<Vec<(Option<usize>, Prepared)>> {
        let folds = fold_parts(loaded, split)?;
        folds.iter().map(|(fold, parts)| Ok((*fold, Self::from_parts(loaded, parts, scale)?))).collect()
    }

    /// Like [`Prepared::folds`], but bytes stay bytes, and [`Prepared::scaler_of_bytes`] scales them when they are used.
    ///
    /// # Errors
    /// As for [`Prepared::folds`].
    pub fn folds_of_bytes(
        loaded: &Loaded,
        split: &Split,
        scale: Scale,
    ) -> anyhow::Result<Vec<(Option<usize>, Prepared)>> {
        let has_bytes = loaded.rows.features.kind() == Kind::Uint8 && loaded.form.encoding().is_none();
        let folds = fold_parts(loaded, split)?;
        folds.iter().map(|(fold, parts)| Ok((*fold, Self::prepare(loaded, parts, scale, has_bytes)?))).collect()
    }

    /// Like [`Prepared::folds`], for one fold; `None` if the split has no folds.
    ///
    /// # Errors
    /// As for [`Prepared::folds`], and when the split has no fold with this number.
    pub fn fold(loaded: &Loaded, split: &Split, scale: Scale, fold: Option<usize>) -> anyhow::Result<Self> {
        let folds = fold_parts(loaded, split)?;
        let (_, parts) = folds.iter().find(|(number, _)| *number == fold).with_context(|| match fold {
            Some(fold) if split.folds.is_none() => format!("there is no fold {fold}: the split has no folds"),
            Some(fold) => format!("there is no fold {fold}: the split has {}, counted from 0", folds.len()),
            None => format!("the split has {} folds, and a single split was expected", folds.len()),
        })?;
        Self::from_parts(loaded, parts, scale)
    }

    /// Like [`Prepared::folds`], for a split without folds.
    ///
    /// # Errors
    /// As for [`Prepared::folds`].
    pub fn new(loaded: &Loaded, split: &Split, scale: Scale) -> anyhow::Result<Self> {
        Self::fold(loaded, &Split { folds: None, ..split.clone() }, scale, None)
    }

    /// Encodes and scales a data set that is split into `parts`.
    ///
    /// # Errors
    /// When values of a table cannot be filled in or encoded.
    pub fn from_parts(loaded: &Loaded, parts: &Parts, scale: Scale) -> anyhow::Result<Self> {
        Self::prepare(loaded, parts, scale, false)
    }

    fn prepare(loaded: &Loaded, parts: &Parts, scale: Scale, has_bytes: bool) -> anyhow::Result<Self> {
        let take = |numbers: &[usize]| {
            if numbers.len() == loaded.rows.len() && numbers.iter().enumerate().all(|(i, &number)| i == number) {
                loaded.rows.shallow_clone()
            } else {
                loaded.rows.take(numbers)
            }
        };
        let raw = Training(take(&parts.training));
        let (preprocessing, training) = match has_bytes {
            true => Preprocessing::fit_unscaled(raw, loaded, scale)?,
            false => Preprocessing::fit(raw, loaded, scale)?,
        };
        let apply = |rows: Rows, part: &str| if has_bytes { Ok(rows) } else { preprocessing.apply(rows, part) };
        let validation = match &parts.validation {
            Some(numbers) => Some(take(numbers)),
            None => loaded.validation.as_ref().map(Rows::shallow_clone),
        };
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
            validation: validation.map(|rows| apply(rows, "validation")).transpose()?.map(Validation),
            test: test.map(|rows| apply(rows, "test")).transpose()?.map(Test),
            preprocessing,
            parts: parts.clone(),
            resampled: None,
            positive: None,
            has_bytes,
        })
    }

    /// Returns the scaler that the features still need, which are bytes; `None` if they are scaled.
    pub fn scaler_of_bytes(&self) -> Option<&Scaler> {
        self.has_bytes.then(|| self.preprocessing.scaler())
    }

    /// Resamples the training rows; `device` as for [`Training::resample`].
    ///
    /// # Errors
    /// As for [`Training::resample`].
    pub fn resample(self, resample: &Resample, device: Device) -> anyhow::Result<Self> {
        let from = self.training.0.counts(self.classes.len());
        let training = self.training.resample(resample, &self.classes, device);
        let training = training.map_err(|fault| into_error(fault.under("resample")))?;
        let to = training.0.counts(self.classes.len());
        let record = ResampleRecord::after_split(resample.name(), from, to);
        Ok(Prepared { training, resampled: Some(record), ..self })
    }
}

impl Loaded {
    /// Resamples all rows before the split. This is the data leakage that [`Training::resample`] prevents, for
    /// experiments that demonstrate it.
    ///
    /// # Errors
    /// As for [`Training::resample`], and when synthetic rows are needed of columns with categories or missing values,
    /// which are encoded and filled in after the split.
    pub fn resample_before_split(self, resample: &Resample, device: Device) -> anyhow::Result<(Self, ResampleRecord)> {
        let makes_rows_up = !matches!(resample, Resample::Under(_) | Resample::Over(_));
        let raw = self.form.encoding().filter(|_| makes_rows_up);
        let category = raw.and_then(|raw| raw.columns.iter().find(|column| !column.categories().is_empty()));
        let has_gaps = makes_rows_up && self.rows.features.isnan().any().int64_value(&[]) == 1;
        if category.is_some() || has_gaps {
            let what = category.map_or("columns with missing values".to_owned(), |c| format!("column `{}`", c.name));
            let message = format!("cannot create synthetic rows of {what} before the split");
            let fault = Invalid::new("resample_before_split", message);
            return Err(into_error(fault.hint("remove it: after the split, columns are encoded and filled in first")));
        }
        let from = self.rows.counts(self.classes.len());
        let rows =
            resample.apply(&self.rows, &self.classes, device).map_err(|fault| into_error(fault.under("resample")))?;
        let to = rows.counts(self.classes.len());
        let record = ResampleRecord::before_split(resample.name(), from, to);
        Ok((Loaded { rows, ..self }, record))
    }
}

/// Returns the row indices of each fold's parts, with the number of the fold.
fn fold_parts(loaded: &Loaded, split: &Split) -> anyhow::Result<Vec<(Option<usize>, Parts)>> {
    let classes = class_numbers(&loaded.rows, loaded.target);
    let folds = split.fold_parts(RowsToSplit {
        count: loaded.rows.len(),
        classes: classes.as_deref(),
        names: &loaded.classes,
        groups: loaded.groups.as_deref(),
    });
    folds.map_err(|fault| into_error(fault.under("split")))
}
