//! The rows of a data set and their preparation: split, preprocessing, and resampling of the training rows.
//!
//! Rows are resampled before the split only if the experiment asks for this data leakage with `resample_before_split`.

use std::cell::OnceCell;

use tch::Device;

use crate::data::prepare::prepared::Prepared;
use crate::data::resample::Resample;
use crate::data::source::DataSpec;
use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::store::manifest::Manifest;
use crate::data::{Loaded, Target};
use crate::experiment::plan::positive_class;
use crate::experiment::spec::{ModelName, Spec};
use crate::history::positive_class::PositiveClass;
use crate::history::resampling::ResampleRecord;

/// The rows of a data set.
#[derive(Debug)]
pub struct SourceRows {
    data: DataSpec,
    /// How the rows were resampled before the split, if they were.
    leak: Option<(Resample, ResampleRecord)>,
    /// The loaded rows.
    pub loaded: Loaded,
    /// Notes on columns that determine the class and on rows that are in two parts, once they are known.
    pub(super) facts: OnceCell<Vec<String>>,
}

/// Number of a fold and its data; the number is `None` for a single split.
pub type Fold = (Option<usize>, Prepared);

impl SourceRows {
    /// Loads the rows of a data set, or returns those of the previous plan, `before`, if they are the same.
    ///
    /// # Errors
    /// When the data cannot be loaded or resampled.
    pub fn load(
        spec: &Spec,
        before: Option<SourceRows>,
        cache: &Cache,
        device: Device,
        watch: &mut dyn DownloadProgress,
    ) -> anyhow::Result<SourceRows> {
        let leak = spec.resample.as_ref().filter(|_| spec.resample_before_split);
        let same = |rows: &SourceRows| rows.data == spec.data && rows.leak.as_ref().map(|(by, _)| by) == leak;
        if let Some(same) = before.filter(same) {
            return Ok(same);
        }
        let loaded = spec.data.load(cache, watch)?;
        let data = spec.data.clone();
        let facts = OnceCell::new();
        let Some(resample) = leak else { return Ok(SourceRows { data, leak: None, loaded, facts }) };
        let (loaded, record) = loaded.resample_before_split(resample, device)?;
        Ok(SourceRows { data, leak: Some((resample.clone(), record)), loaded, facts })
    }

    /// Returns whether the rows are those of the user's own files, and no copies of them were made.
    pub(super) fn is_of_user(&self) -> bool {
        self.leak.is_none() && Manifest::named(self.data.name()).is_none()
    }

    /// Returns the folds, or the single split, with resampled training rows if the plan asks for it.
    ///
    /// # Errors
    /// When a class has too few rows, or missing values cannot be filled or encoded.
    pub fn folds(&mut self, spec: &Spec, device: Device) -> anyhow::Result<Vec<Fold>> {
        // synthetic rows and trees need numbers; a network reads bytes batch by batch
        let is_network = spec.network.is_some() && (spec.tree.is_none() || spec.model == Some(ModelName::Network));
        let folds = match is_network && spec.resample.is_none() {
            true => Prepared::folds_of_bytes(&mut self.loaded, &spec.data.split(), spec.data.scale())?,
            false => Prepared::folds(&self.loaded, &spec.data.split(), spec.data.scale())?,
        };
        folds.into_iter().map(|(fold, prepared)| Ok((fold, self.resampled(prepared, spec, device)?))).collect()
    }

    /// Resamples the training rows of a split if the plan asks for it.
    ///
    /// # Errors
    /// When a class has too few rows.
    pub fn resampled(&self, prepared: Prepared, spec: &Spec, device: Device) -> anyhow::Result<Prepared> {
        let mut prepared = prepared;
        prepared.positive = self.positive(&prepared, spec);
        match (&self.leak, &spec.resample) {
            (Some((_, record)), _) => {
                prepared.resampled = Some(record.clone());
                Ok(prepared)
            }
            (None, Some(resample)) => prepared.resample(resample, device),
            (None, None) => Ok(prepared),
        }
    }

    /// Chooses the positive class of a binary target. Rows are counted before resampling and without the test rows, so
    /// that all folds get the same class.
    fn positive(&self, prepared: &Prepared, spec: &Spec) -> Option<PositiveClass> {
        let classes = &prepared.classes;
        if prepared.target != Target::Classes(2) {
            return None;
        }
        let counts = match &self.leak {
            Some((_, record)) => record.from.clone(),
            None => {
                let validation = prepared.validation.as_ref().map(|rows| rows.rows().counts(classes.len()));
                let training = prepared.training.rows().counts(classes.len());
                let of_validation = validation.unwrap_or_else(|| vec![0; classes.len()]);
                training.iter().zip(of_validation).map(|(training, validation)| training + validation).collect()
            }
        };
        positive_class::choose(spec.positive.as_deref(), classes, &counts)
    }
}
