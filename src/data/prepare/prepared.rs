//! A data set that is ready for training: split, encoded, scaled, and with resampled training rows if the experiment
//! asks for it.

use anyhow::Context;
use tch::{Device, Kind, Tensor};

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

    /// Like [`Prepared::folds`], but bytes stay bytes, and [`Prepared::scaler_of_bytes`] scales them when they are used. If
    /// there are no folds, the rows of bytes are reordered, and the parts share their memory.
    ///
    /// # Errors
    /// As for [`Prepared::folds`].
    pub fn folds_of_bytes(
        loaded: &mut Loaded,
        split: &Split,
        scale: Scale,
    ) -> anyhow::Result<Vec<(Option<usize>, Prepared)>> {
        let has_bytes = loaded.rows.features.kind() == Kind::Uint8 && loaded.form.encoding().is_none();
        let folds = fold_parts(loaded, split)?;
        if let ([(None, parts)], true, None) = (&folds[..], has_bytes, &loaded.arranged) {
            loaded.arrange(parts.clone());
        }
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
        let places = loaded.places(parts);
        let take = |numbers: &[usize]| {
            if let (Some(_), Some(&start)) = (&loaded.arranged, numbers.first()) {
                loaded.rows.narrow(start..start + numbers.len())
            } else if numbers.len() == loaded.rows.len() && numbers.iter().enumerate().all(|(i, &number)| i == number) {
                loaded.rows.shallow_clone()
            } else {
                loaded.rows.take(numbers)
            }
        };
        let raw = Training(take(&places.training));
        let preprocessing = Preprocessing::fit(&raw, loaded, scale)?;
        let apply = |rows: Rows, part: &str| if has_bytes { Ok(rows) } else { preprocessing.apply(rows, part) };
        let training = Training(apply(raw.0, "training")?);
        let held_out = |places: &Option<Vec<usize>>, own: &Option<Rows>| {
            let split_off = places.as_ref().map(|numbers| take(numbers));
            split_off.or_else(|| own.as_ref().map(Rows::shallow_clone))
        };
        let validation = held_out(&places.validation, &loaded.validation);
        let test = held_out(&places.test, &loaded.test);
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

    /// Returns the range of the features of each part: training, validation, test.
    pub fn feature_ranges(&self) -> Vec<(&'static str, FeatureRange)> {
        let parts = [
            ("training", Some(&self.training.0)),
            ("validation", self.validation.as_ref().map(|rows| &rows.0)),
            ("test", self.test.as_ref().map(|rows| &rows.0)),
        ];
        let of = |rows: &Rows| FeatureRange::new(&rows.features, self.scaler_of_bytes());
        parts.into_iter().filter_map(|(part, rows)| Some((part, of(rows?)))).collect()
    }

    /// Returns the scaler that the features still need, which are bytes; `None` if they are scaled.
    pub fn scaler_of_bytes(&self) -> Option<&Scaler> {
        self.has_bytes.then_some(&self.preprocessing.scaler)
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

/// Lowest and highest value of each feature over several rows.
#[derive(Debug)]
pub struct FeatureRange {
    /// Lowest values, `[…sample]`, f32.
    pub low: Tensor,
    /// Highest values, `[…sample]`, f32.
    pub high: Tensor,
    /// A value that is no whole number, if there is one; the range is then that of some rows.
    pub fraction: Option<f64>,
}

impl FeatureRange {
    /// Number of values that are read at once.
    const AT_ONCE: i64 = 1 << 22;

    /// Returns the range of rows, `[rows, …sample]`, which are not empty, after the scaling of bytes.
    fn new(features: &Tensor, scaler: Option<&Scaler>) -> FeatureRange {
        let rows = features.size()[0];
        let width: i64 = features.size()[1..].iter().product();
        let at_once = (Self::AT_ONCE / width.max(1)).max(1);
        let mut range: Option<FeatureRange> = None;
        for start in (0..rows).step_by(at_once as usize) {
            let values = features.narrow(0, start, at_once.min(rows - start));
            let values = scaler.map_or_else(|| values.to_kind(Kind::Float), |scaler| scaler.apply(&values));
            let fractions = values.masked_select(&values.ne_tensor(&values.round()));
            let fraction = (fractions.numel() > 0).then(|| fractions.double_value(&[0]));
            let (low, high) = (values.amin([0_i64], false), values.amax([0_i64], false));
            let found = match range {
                None => FeatureRange { low, high, fraction },
                Some(known) => FeatureRange { low: known.low.minimum(&low), high: known.high.maximum(&high), fraction },
            };
            if found.fraction.is_some() {
                return found;
            }
            range = Some(found);
        }
        range.expect("parts have rows")
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
    if let Some(parts) = &loaded.arranged {
        return Ok(vec![(None, parts.clone())]); // the split is one of the settings with which the rows were loaded
    }
    let classes = class_numbers(&loaded.rows, loaded.target);
    let folds = split.fold_parts(RowsToSplit {
        count: loaded.rows.len(),
        classes: classes.as_deref(),
        names: &loaded.classes,
        groups: loaded.groups.as_deref(),
    });
    folds.map_err(|fault| into_error(fault.under("split")))
}
