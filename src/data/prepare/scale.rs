//! Scaling of features, fitted to training rows only.

use anyhow::ensure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::data::subsets::Training;
use crate::data::table::encode::values_of;
use crate::tensor::shape::Shape;

/// Scaling of features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Features are not scaled.
    #[default]
    None,
    /// Features are divided by their largest possible value, so that 0–255 becomes 0–1. Nothing is fitted.
    Unit,
    /// scikit-learn's `StandardScaler`: subtracts the mean of each feature over the training rows and divides by the
    /// standard deviation (over n, not n − 1). Constant features are divided by 1.
    Standard,
    /// scikit-learn's `MinMaxScaler`: maps the minimum and maximum of each feature over the training rows to 0 and 1.
    /// Other rows may be outside this range.
    MinMax,
}

/// Scaling that was fitted to training rows.
#[derive(Debug)]
pub struct Scaler(Transform);

#[derive(Debug)]
enum Transform {
    Identity,
    Divide(f64),
    /// Subtracts the first tensor and divides by the second, both `[…sample]` f64.
    Standardize(Tensor, Tensor),
}

/// Number of rows that are converted to f64 at a time: 50 MB for MNIST. Sums depend on it, by rounding.
const CHUNK: i64 = 8192;

/// Number of values that are scaled at a time: few enough for the CPU cache, and enough for several threads.
const VALUES: i64 = 1 << 18;

/// [`Scaler`] as it is stored in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalerRecord {
    /// Features are not scaled.
    None,
    /// Features are divided by this number.
    Divide(f64),
    /// `shift` is subtracted from each feature, and the result divided by `divisor`.
    Standardize {
        /// Number that is subtracted, for each feature.
        shift: Vec<f64>,
        /// Divisor, for each feature.
        divisor: Vec<f64>,
    },
}

impl Scaler {
    /// Converts to the form that is stored in a file.
    pub fn record(&self) -> ScalerRecord {
        match &self.0 {
            Transform::Identity => ScalerRecord::None,
            Transform::Divide(largest) => ScalerRecord::Divide(*largest),
            Transform::Standardize(shift, divisor) => {
                ScalerRecord::Standardize { shift: values_of(shift), divisor: values_of(divisor) }
            }
        }
    }

    /// Converts from the form that is stored in a file. `sample` is the shape of one row.
    ///
    /// # Errors
    /// When the record has another number of features, a divisor is 0, or a number is not finite.
    pub fn from_record(record: &ScalerRecord, sample: &Shape) -> anyhow::Result<Scaler> {
        let is_divisor = |value: &f64| value.is_finite() && *value != 0.0;
        Ok(Scaler(match record {
            ScalerRecord::None => Transform::Identity,
            ScalerRecord::Divide(by) => {
                ensure!(is_divisor(by), "the scale divides by {by}");
                Transform::Divide(*by)
            }
            ScalerRecord::Standardize { shift, divisor } => {
                let features = sample.elements();
                for values in [shift, divisor] {
                    ensure!(values.len() == features, "the scale has {} features, expected {features}", values.len());
                }
                let is_right = divisor.iter().all(is_divisor) && shift.iter().all(|value| value.is_finite());
                ensure!(is_right, "the scale divides by zero, or has a number that is not finite");
                let tensor = |values: &[f64]| Tensor::from_slice(values).view(sample.dimensions());
                Transform::Standardize(tensor(shift), tensor(divisor))
            }
        }))
    }

    /// Returns the number by which every feature is divided; `None` if each one is scaled differently.
    pub fn divisor(&self) -> Option<f64> {
        match self.0 {
            Transform::Identity => Some(1.0),
            Transform::Divide(largest) => Some(largest),
            Transform::Standardize(..) => None,
        }
    }

    /// Returns the same scaler; the tensors share memory.
    pub fn shallow_clone(&self) -> Scaler {
        self.map_tensors(Tensor::shallow_clone)
    }

    /// Returns the scaler of the features with these indices.
    pub fn of_features(&self, places: &Tensor) -> Scaler {
        self.map_tensors(|tensor| tensor.index_select(0, places))
    }

    /// Copies the scaler to `device`.
    pub fn to(&self, device: Device) -> Scaler {
        self.map_tensors(|tensor| tensor.to_device(device))
    }

    /// Applies `change` to the tensors.
    fn map_tensors(&self, change: impl Fn(&Tensor) -> Tensor) -> Scaler {
        Scaler(match &self.0 {
            Transform::Identity => Transform::Identity,
            Transform::Divide(by) => Transform::Divide(*by),
            Transform::Standardize(shift, divisor) => Transform::Standardize(change(shift), change(divisor)),
        })
    }

    /// Fits a scaler. `largest` is the largest possible value of a feature. `indicators` marks one-hot features (0 or
    /// 1), which `standard` and `min_max` leave unchanged and `training` does not have.
    pub fn fit(scale: Scale, training: &Training, largest: f64, indicators: Option<&[bool]>) -> Self {
        let features = &training.rows().features;
        let (shift, divisor) = match scale {
            Scale::None => return Scaler(Transform::Identity),
            Scale::Unit => return Scaler(Transform::Divide(largest)),
            Scale::Standard => mean_and_deviation(features),
            Scale::MinMax => smallest_and_range(features),
        };
        let Some(indicators) = indicators else { return Scaler(Transform::Standardize(shift, divisor)) };
        let is_scaled = Tensor::from_slice(indicators).logical_not();
        let [no_shift, no_divisor] =
            [Tensor::zeros_like, Tensor::ones_like].map(|of| of(&is_scaled).to_kind(Kind::Double));
        Scaler(Transform::Standardize(
            no_shift.masked_scatter(&is_scaled, &shift),
            no_divisor.masked_scatter(&is_scaled, &divisor),
        ))
    }

    /// Scales features: `[rows, …sample]` of any kind → f32 of the same shape. `standard` and `min_max` compute in f64.
    pub fn apply(&self, features: &Tensor) -> Tensor {
        match &self.0 {
            Transform::Identity => features.to_kind(Kind::Float),
            // CUDA multiplies by the reciprocal of a scalar, which rounds differently
            Transform::Divide(largest) if features.device() != Device::Cpu => {
                features.to_kind(Kind::Float) / Tensor::from(*largest as f32).to_device(features.device())
            }
            Transform::Divide(largest) if features.kind() == Kind::Float => features / *largest,
            Transform::Divide(largest) => features.to_kind(Kind::Float).g_div_scalar_(*largest), // this is a copy already
            Transform::Standardize(shift, divisor) => {
                let (scaled, mut place) = (Tensor::empty(features.size(), (Kind::Float, features.device())), 0);
                for chunk in chunks(features, rows_at_a_time(features)) {
                    let rows = chunk.size()[0];
                    scaled.narrow(0, place, rows).copy_(&((chunk - shift) / divisor));
                    place += rows;
                }
                scaled
            }
        }
    }
}

/// Returns the number of rows that are scaled at a time; the result does not depend on it.
fn rows_at_a_time(features: &Tensor) -> i64 {
    match features.device() {
        Device::Cpu => (VALUES * features.size()[0] / (features.numel() as i64).max(1)).clamp(1, CHUNK),
        _ => CHUNK,
    }
}

/// Splits the rows into chunks of `at_a_time`, in f64; returns at least one chunk.
fn chunks(features: &Tensor, at_a_time: i64) -> impl Iterator<Item = Tensor> {
    let rows = features.size()[0];
    let starts = (0..rows.max(1)).step_by(at_a_time as usize);
    starts.map(move |start| features.narrow(0, start, at_a_time.min(rows - start)).to_kind(Kind::Double))
}

/// Applies `of` to each chunk and returns the sum over all rows.
fn sum(features: &Tensor, of: impl Fn(Tensor) -> Tensor) -> Tensor {
    chunks(features, CHUNK)
        .map(|chunk| of(chunk).sum_dim_intlist(0, false, Kind::Double))
        .reduce(|a, b| a + b)
        .expect("a chunk")
}

/// Returns the mean and the standard deviation of each feature; the deviation of constant features is 1.
fn mean_and_deviation(features: &Tensor) -> (Tensor, Tensor) {
    let rows = features.size()[0] as f64;
    let mean = sum(features, |chunk| chunk) / rows;
    // corrects the rounding of the mean, as scikit-learn does
    let left = sum(features, |chunk| chunk - &mean);
    let variance = (sum(features, |chunk| (chunk - &mean).square()) - left.square() / rows) / rows;
    // scikit-learn's bound on the rounding of the variance of a constant feature
    let bound: Tensor = &variance * (rows * f64::EPSILON) + (&mean * (rows * f64::EPSILON)).square();
    let constant = variance.le_tensor(&bound);
    (mean, variance.sqrt().masked_fill(&constant, 1.0))
}

/// Returns the minimum and the range of each feature; the range of constant features is 1.
fn smallest_and_range(features: &Tensor) -> (Tensor, Tensor) {
    let smallest =
        chunks(features, CHUNK).map(|chunk| chunk.amin(0, false)).reduce(|a, b| a.minimum(&b)).expect("a chunk");
    let largest =
        chunks(features, CHUNK).map(|chunk| chunk.amax(0, false)).reduce(|a, b| a.maximum(&b)).expect("a chunk");
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
        let features = Tensor::from_slice(&[0_u8, 7, 10, 7, 20, 7]).view([3, 2]);
        let training = Training(Rows::new(features, Tensor::from_slice(&[0_i64, 0, 0])));
        let scaled = |scale| {
            let scaler = Scaler::fit(scale, &training, 255.0, Some(&[false, true, false]));
            let others = Tensor::from_slice(&[40_u8, 1, 7]).view([1, 3]);
            Vec::<f32>::try_from(scaler.apply(&others).flatten(0, -1)).unwrap()
        };
        assert_eq!(scaled(Scale::MinMax), [2.0, 1.0, 0.0]);
        assert_eq!(scaled(Scale::Standard), [30.0 / (200.0_f32 / 3.0).sqrt(), 1.0, 0.0]);
        assert_eq!(scaled(Scale::Unit)[0], 40.0 / 255.0);
        assert_eq!(scaled(Scale::None), [40.0, 1.0, 7.0]);
    }
}
