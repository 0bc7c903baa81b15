//! Scaling features, which a network trains better on: fitted to training rows, and to no others.

use anyhow::ensure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::data::subsets::Training;
use crate::tensor::shape::Shape;

/// How features are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// As they are.
    #[default]
    None,
    /// Divided by the largest value that a feature can have: 0–255 → 0–1. Nothing is fitted.
    Unit,
    /// Each feature less its mean, divided by its standard deviation over the training rows, as scikit-learn's
    /// `StandardScaler`: divided by n, not n − 1; a constant feature is divided by 1.
    Standard,
    /// Each feature from its smallest and largest value among the training rows to 0–1, as scikit-learn's
    /// `MinMaxScaler`; other rows may lie outside.
    MinMax,
}

/// A scale that was fitted to training rows.
#[derive(Debug)]
pub struct Scaler(Fitted);

#[derive(Debug)]
enum Fitted {
    AsTheyAre,
    Divided(f64),
    /// Less the first, divided by the second, both `[…sample]` f64.
    Moved(Tensor, Tensor),
}

/// So many rows are turned into f64 at a time: 50 MB of MNIST.
const CHUNK: i64 = 8192;

/// A fitted scale as a file holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalerRecord {
    /// Features stay as they are.
    None,
    /// Features are divided by this number.
    Divide(f64),
    /// Each feature less `shift`, divided by `divisor`.
    Standardize {
        /// What is subtracted from each feature.
        shift: Vec<f64>,
        /// What each feature is divided by.
        divisor: Vec<f64>,
    },
}

impl Scaler {
    /// The scale as a file holds it.
    pub fn record(&self) -> ScalerRecord {
        let values = |tensor: &Tensor| {
            Vec::<f64>::try_from(tensor.to_kind(Kind::Double).contiguous().flatten(0, -1)).expect("just made f64")
        };
        match &self.0 {
            Fitted::AsTheyAre => ScalerRecord::None,
            Fitted::Divided(largest) => ScalerRecord::Divide(*largest),
            Fitted::Moved(shift, divisor) => {
                ScalerRecord::Standardize { shift: values(shift), divisor: values(divisor) }
            }
        }
    }

    /// The scale that a file holds, of rows of this shape.
    ///
    /// # Errors
    /// When it is for another number of features, or divides by zero or by what is not finite.
    pub fn of_record(record: &ScalerRecord, sample: &Shape) -> anyhow::Result<Scaler> {
        let is_divisor = |value: &f64| value.is_finite() && *value != 0.0;
        Ok(Scaler(match record {
            ScalerRecord::None => Fitted::AsTheyAre,
            ScalerRecord::Divide(by) => {
                ensure!(is_divisor(by), "the scale divides by {by}");
                Fitted::Divided(*by)
            }
            ScalerRecord::Standardize { shift, divisor } => {
                let features = sample.elements();
                for values in [shift, divisor] {
                    ensure!(values.len() == features, "the scale is of {} features, not {features}", values.len());
                }
                let is_right = divisor.iter().all(is_divisor) && shift.iter().all(|value| value.is_finite());
                ensure!(is_right, "the scale divides by zero, or holds what is no finite number");
                let tensor = |values: &[f64]| Tensor::from_slice(values).view(sample.dimensions());
                Fitted::Moved(tensor(shift), tensor(divisor))
            }
        }))
    }

    /// The same scale, in the same memory.
    pub fn shallow_clone(&self) -> Scaler {
        Scaler(match &self.0 {
            Fitted::AsTheyAre => Fitted::AsTheyAre,
            Fitted::Divided(by) => Fitted::Divided(*by),
            Fitted::Moved(shift, divisor) => Fitted::Moved(shift.shallow_clone(), divisor.shallow_clone()),
        })
    }

    /// Fits a scale. `largest` is the largest value that a feature can have; features that are `indicators` (of
    /// categories: 0 or 1) are left as they are by what is fitted.
    pub fn fit(scale: Scale, training: &Training, largest: f64, indicators: Option<&[bool]>) -> Self {
        let features = &training.rows().features;
        let (shift, divisor) = match scale {
            Scale::None => return Scaler(Fitted::AsTheyAre),
            Scale::Unit => return Scaler(Fitted::Divided(largest)),
            Scale::Standard => mean_and_deviation(features),
            Scale::MinMax => smallest_and_range(features),
        };
        let Some(indicators) = indicators else { return Scaler(Fitted::Moved(shift, divisor)) };
        let indicators = Tensor::from_slice(indicators);
        Scaler(Fitted::Moved(shift.masked_fill(&indicators, 0.0), divisor.masked_fill(&indicators, 1.0)))
    }

    /// `[rows, …sample]` of any kind → f32, same shape; what is fitted is applied in f64.
    pub fn apply(&self, features: &Tensor) -> Tensor {
        match &self.0 {
            Fitted::AsTheyAre => features.to_kind(Kind::Float),
            Fitted::Divided(largest) if features.kind() == Kind::Float => features / *largest,
            Fitted::Divided(largest) => features.to_kind(Kind::Float).g_div_scalar_(*largest), // a copy already
            Fitted::Moved(shift, divisor) => {
                let (scaled, mut place) = (Tensor::empty(features.size(), (Kind::Float, features.device())), 0);
                for chunk in chunks(features) {
                    let rows = chunk.size()[0];
                    scaled.narrow(0, place, rows).copy_(&((chunk - shift) / divisor));
                    place += rows;
                }
                scaled
            }
        }
    }
}

/// Runs of rows, in f64; one at least.
fn chunks(features: &Tensor) -> impl Iterator<Item = Tensor> {
    let rows = features.size()[0];
    let starts = (0..rows.max(1)).step_by(CHUNK as usize);
    starts.map(move |start| features.narrow(0, start, CHUNK.min(rows - start)).to_kind(Kind::Double))
}

/// Sums something over all rows.
fn sum(features: &Tensor, of: impl Fn(Tensor) -> Tensor) -> Tensor {
    chunks(features)
        .map(|chunk| of(chunk).sum_dim_intlist(0, false, Kind::Double))
        .reduce(|a, b| a + b)
        .expect("a chunk")
}

/// Each feature's mean, and its standard deviation or 1 where it is constant.
fn mean_and_deviation(features: &Tensor) -> (Tensor, Tensor) {
    let rows = features.size()[0] as f64;
    let mean = sum(features, |chunk| chunk) / rows;
    // what the mean's own rounding leaves over is taken off, as scikit-learn does
    let left = sum(features, |chunk| chunk - &mean);
    let variance = (sum(features, |chunk| (chunk - &mean).square()) - left.square() / rows) / rows;
    // scikit-learn's bound on the rounding of a constant feature's variance
    let bound: Tensor = &variance * (rows * f64::EPSILON) + (&mean * (rows * f64::EPSILON)).square();
    let constant = variance.le_tensor(&bound);
    (mean, variance.sqrt().masked_fill(&constant, 1.0))
}

/// Each feature's smallest value, and its range or 1 where it is constant.
fn smallest_and_range(features: &Tensor) -> (Tensor, Tensor) {
    let smallest = chunks(features).map(|chunk| chunk.amin(0, false)).reduce(|a, b| a.minimum(&b)).expect("a chunk");
    let largest = chunks(features).map(|chunk| chunk.amax(0, false)).reduce(|a, b| a.maximum(&b)).expect("a chunk");
    let range = largest - &smallest;
    let constant = range.lt(10.0 * f64::EPSILON);
    (smallest, range.masked_fill(&constant, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::rows::Rows;

    #[test]
    fn pixels_are_scaled_each_by_its_own_training_values_and_indicators_are_left() {
        let features = Tensor::from_slice(&[0_u8, 7, 1, 10, 7, 0, 20, 7, 1]).view([3, 3]);
        let training = Training(Rows::new(features, Tensor::from_slice(&[0_i64, 0, 0])));
        let scaled = |scale| {
            let scaler = Scaler::fit(scale, &training, 255.0, Some(&[false, false, true]));
            let others = Tensor::from_slice(&[40_u8, 7, 1]).view([1, 3]);
            Vec::<f32>::try_from(scaler.apply(&others).flatten(0, -1)).unwrap()
        };
        assert_eq!(scaled(Scale::MinMax), [2.0, 0.0, 1.0]);
        assert_eq!(scaled(Scale::Standard), [30.0 / (200.0_f32 / 3.0).sqrt(), 0.0, 1.0]);
        assert_eq!(scaled(Scale::Unit)[0], 40.0 / 255.0);
        assert_eq!(scaled(Scale::None), [40.0, 7.0, 1.0]);
    }
}
