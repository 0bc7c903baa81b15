//! Data sets: from a named source to rows split into training, validation and test.
//!
//! The three parts are three types. Only [`Training`] will ever be resampled or fitted on, and the test rows stay
//! sealed until training is over: a leak does not compile.

pub mod batches;
pub mod cache;
pub mod describe;
pub mod fetch;
pub mod manifest;
pub mod numpy_random;
pub mod scale;
pub mod source;
pub mod split;
pub mod table;

use std::fmt;

use tch::{Device, Tensor};

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
}

/// Features and targets, row by row.
#[derive(Debug)]
pub struct Rows {
    /// `[rows, …sample]`, u8 or f32.
    pub features: Tensor,
    /// Classes: `[rows]`, int64. Labels: `[rows, labels]`, f32, 0 or 1. Values: `[rows, values]`, f32.
    pub targets: Tensor,
}

impl Rows {
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
        Rows { features: self.features.index_select(0, &numbers), targets: self.targets.index_select(0, &numbers) }
    }

    /// The same rows on another device.
    pub fn to(&self, device: Device) -> Rows {
        Rows { features: self.features.to_device(device), targets: self.targets.to_device(device) }
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

impl Training {
    /// To read, not to keep.
    pub fn rows(&self) -> &Rows {
        &self.0
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
    /// The training rows.
    pub training: Training,
    /// The validation rows, when the experiment splits some off.
    pub validation: Option<Validation>,
    /// The test rows, when there are any.
    pub test: Option<Test>,
}

impl Prepared {
    /// The data of each fold, with the fold's number; of a lone split where there are no folds.
    pub fn folds(loaded: Loaded, split: &split::Split, scale: scale::Scale) -> Vec<(Option<usize>, Prepared)> {
        vec![(None, Prepared::new(loaded, split, scale))]
    }

    /// Splits and scales what a source gave.
    pub fn new(loaded: Loaded, split: &split::Split, scale: scale::Scale) -> Self {
        let classes = class_numbers(&loaded.rows, loaded.target);
        let parts = split.parts(loaded.rows.len(), classes.as_deref());
        let own_test = loaded.test;
        let take = |numbers: &[usize]| {
            if numbers.len() == loaded.rows.len() && numbers.iter().enumerate().all(|(i, &number)| i == number) {
                Rows { features: loaded.rows.features.shallow_clone(), targets: loaded.rows.targets.shallow_clone() }
            } else {
                loaded.rows.take(numbers)
            }
        };
        let scaled = |rows: Rows| Rows { features: scale.apply(&rows.features, loaded.largest), targets: rows.targets };
        let test = match (parts.test, own_test) {
            (Some(numbers), _) => Some(take(&numbers)),
            (None, own) => own,
        };
        Prepared {
            training: Training(scaled(take(&parts.training))),
            validation: parts.validation.map(|numbers| Validation(scaled(take(&numbers)))),
            test: test.map(|rows| Test(scaled(rows))),
            sha256: loaded.sha256,
            target: loaded.target,
            classes: loaded.classes,
        }
    }
}

/// The class of each row, for targets that have one.
pub fn class_numbers(rows: &Rows, target: Target) -> Option<Vec<i64>> {
    match target {
        Target::Classes(_) => Some(Vec::try_from(&rows.targets).expect("classes are int64")),
        Target::Labels(_) | Target::Values(_) => None,
    }
}
