//! Data sets: from a named source to rows split into training, validation and test.
//!
//! The three parts are three types. Only [`Training`] is ever resampled or fitted on, and the test rows stay
//! sealed until training is over: a leak does not compile.

pub mod image_file;
pub mod inspect;
pub mod prepare;
pub mod resample;
pub mod source;
pub mod split;
pub mod store;
pub mod table;

use std::fmt;

use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use crate::config::check::Invalid;
use crate::config::hint::Hint;
use crate::data::resample::Resample;
use crate::data::table::form::Form;
use crate::tensor::shape::Shape;

/// So many numbers libtorch works on with one thread. To share out more than that would pay for one large tensor; where
/// many are done one after the other, its threads wait for each other each time, and long on a machine that is busy.
pub(crate) const ONE_THREAD: usize = (1 << 15) - 1;

/// What is known of a data set before it is loaded: enough to check an experiment against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The shape of one row's features.
    pub sample: Shape,
    /// What is to be predicted.
    pub target: Target,
    /// How many rows there are to train on, before any split.
    pub rows: usize,
    /// How many test rows the data set brings of its own.
    pub test_rows: usize,
    /// The names of the classes, labels or values, in their order.
    #[serde(skip)] // what is stored of a run's data names them beside it
    pub classes: Vec<String>,
    /// What to look out for in the user's own files.
    pub notes: Vec<String>,
}

/// What is to be predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    pub(crate) fn counts(&self, classes: usize) -> Vec<u64> {
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
