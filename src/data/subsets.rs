//! Training, validation and test rows. Each subset has its own type, so that data leakage does not compile.

use tch::Device;

use crate::config::check::Invalid;
use crate::data::resample::Resample;
use crate::data::rows::Rows;

/// Training rows: the only rows that a network or the preprocessing is fitted to.
#[derive(Debug)]
pub struct Training(pub(crate) Rows);

/// Validation rows: settings, thresholds and the best epoch are chosen on them.
#[derive(Debug)]
pub struct Validation(pub(crate) Rows);

/// Test rows, sealed until training is over.
#[derive(Debug)]
pub struct Test(pub(super) Rows);

impl From<Rows> for Training {
    /// Declares rows to be training rows.
    fn from(rows: Rows) -> Self {
        Training(rows)
    }
}

impl Training {
    /// Returns the rows for reading.
    pub fn rows(&self) -> &Rows {
        &self.0
    }

    /// Returns the rows after resampling. Validation and test rows cannot be resampled:
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
    /// `names` has the names of the classes, for messages. Synthetic rows are computed on `device`.
    ///
    /// # Errors
    /// When a class has too few rows to find neighbors, or the classes are already closer to each other than `ratio`
    /// demands; the key is relative to `resample`.
    pub fn resample(self, resample: &Resample, names: &[String], device: Device) -> Result<Training, Invalid> {
        resample.apply(&self.0, names, device).map(Training)
    }
}

impl Validation {
    /// Returns the rows for reading.
    pub fn rows(&self) -> &Rows {
        &self.0
    }
}

impl Test {
    /// Returns the number of rows without opening them.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the same sealed rows for a stack of trials. Each stack opens its own rows once.
    pub fn clone_for_stack(&self) -> Test {
        Test(self.0.shallow_clone())
    }

    /// Opens the test rows. They are consumed, so that nothing can be chosen by them afterwards.
    pub fn open(self) -> Rows {
        self.0
    }
}
