//! Summary statistics of a metric over the trials of a group: mean, standard deviation, interval.

use serde::Serialize;

use crate::compare::statistics::interval::Interval;
use crate::compare::statistics::moments::{mean, variance};
use crate::compare::statistics::student;

/// Summary statistics of a metric over the trials of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// Number of trials with the metric.
    pub n: usize,
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation (divisor n − 1); `None` for one trial.
    pub std: Option<f64>,
    /// 95 % confidence interval of the mean (Student's t); `None` for one trial.
    pub interval: Option<Interval>,
    /// Lowest value.
    pub min: f64,
    /// Highest value.
    pub max: f64,
}

impl Sample {
    /// Computes the statistics of finite values; `None` if there are none.
    pub fn from_values(values: &[f64]) -> Option<Sample> {
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
