//! The rows that a plan's source gives, and what becomes of them before anything is fitted: they are split, prepared,
//! and the training rows are resampled.
//!
//! Only an experiment that says so by name (`resample_before_split`) has its rows resampled before they are split.

use tch::Device;

use crate::data::prepare::prepared::Prepared;
use crate::data::resample::Resample;
use crate::data::source::DataSpec;
use crate::data::store::cache::Cache;
use crate::data::store::fetch::Watch;
use crate::data::{Loaded, Target};
use crate::experiment::plan::positive_class;
use crate::experiment::spec::Spec;
use crate::history::positive::PositiveClass;
use crate::history::resampling::ResampleRecord;

/// What a source gave.
#[derive(Debug)]
pub struct SourceRows {
    data: DataSpec,
    /// How they were resampled, where that was before any split.
    leak: Option<(Resample, ResampleRecord)>,
    /// The rows.
    pub loaded: Loaded,
}

/// Data for one fold, with the fold's number, or for a lone split.
pub type Fold = (Option<usize>, Prepared);

impl SourceRows {
    /// The rows of a plan's source; those of the plan `before` it where they are the same.
    ///
    /// # Errors
    /// When the source cannot be read, or its rows not be resampled.
    pub fn load(
        spec: &Spec,
        before: Option<SourceRows>,
        cache: &Cache,
        device: Device,
        watch: &mut dyn Watch,
    ) -> anyhow::Result<SourceRows> {
        let leak = spec.resample.as_ref().filter(|_| spec.resample_before_split);
        let same = |rows: &SourceRows| rows.data == spec.data && rows.leak.as_ref().map(|(by, _)| by) == leak;
        if let Some(same) = before.filter(same) {
            return Ok(same);
        }
        let loaded = spec.data.load(cache, watch)?;
        let data = spec.data.clone();
        let Some(resample) = leak else { return Ok(SourceRows { data, leak: None, loaded }) };
        let (loaded, record) = loaded.resample_before_split(resample, device)?;
        Ok(SourceRows { data, leak: Some((resample.clone(), record)), loaded })
    }

    /// The folds, or the lone split, with the training rows as a plan trains on them.
    ///
    /// # Errors
    /// When a class has too few rows, or values cannot be filled in or encoded.
    pub fn folds(&self, spec: &Spec, device: Device) -> anyhow::Result<Vec<Fold>> {
        let folds = Prepared::folds(&self.loaded, &spec.data.split(), spec.data.scale())?;
        folds.into_iter().map(|(fold, prepared)| Ok((fold, self.resampled(prepared, spec, device)?))).collect()
    }

    /// A split's rows with those to train on resampled, where the plan says so.
    ///
    /// # Errors
    /// When a class has too few rows.
    pub fn resampled(&self, prepared: Prepared, spec: &Spec, device: Device) -> anyhow::Result<Prepared> {
        let positive = self.positive(&prepared, spec);
        let prepared = Prepared { positive, ..prepared };
        match (&self.leak, &spec.resample) {
            (Some((_, record)), _) => Ok(Prepared { resampled: Some(record.clone()), ..prepared }),
            (None, Some(resample)) => prepared.resample(resample, device),
            (None, None) => Ok(prepared),
        }
    }

    /// The positive class, of two. Rows are counted as they are before they are resampled, and all but the test rows, so
    /// that it is the same for all folds.
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
