//! Training, validation and test rows. Each subset has a type of its own, so that a data leak does not compile.

use tch::Device;

use crate::config::check::Invalid;
use crate::data::resample::Resample;
use crate::data::rows::Rows;

/// The rows that a network is trained on; the only ones that anything is ever fitted to.
#[derive(Debug)]
pub struct Training(pub(crate) Rows);

/// The rows that settings, thresholds and the best epoch are chosen on.
#[derive(Debug)]
pub struct Validation(pub(crate) Rows);

/// The test rows, sealed until training is over.
#[derive(Debug)]
pub struct Test(pub(super) Rows);

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
