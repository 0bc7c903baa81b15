//! One group's figure over its trials: mean, standard deviation, interval.

use serde::Serialize;

use crate::compare::statistics::interval::Interval;
use crate::compare::statistics::moments::{mean, variance};
use crate::compare::statistics::student;

/// A figure over the trials of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// How many trials have it.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// The standard deviation of the sample (divided by n − 1); of two trials or more.
    pub std: Option<f64>,
    /// The 95 % interval of the mean by Student's t; of two trials or more.
    pub interval: Option<Interval>,
    /// The lowest value.
    pub min: f64,
    /// The highest value.
    pub max: f64,
}

impl Sample {
    /// The figure over these finite values; `None` where there are none.
    pub fn of(values: &[f64]) -> Option<Sample> {
        let several = values.len() >= 2;
        (!values.is_empty()).then(|| Sample {
            n: values.len(),
            mean: mean(values),
            std: several.then(|| variance(values).sqrt()),
            interval: student::interval(values),
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}
