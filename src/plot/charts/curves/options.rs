//! What is drawn of learning curves.

use crate::compare::trial;
use crate::plot::draw::page::PageOptions;
use crate::plot::draw::shape::short;

/// What is drawn.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The metrics; by default the loss, and accuracy or another metric. `acc` means training and validation, `val_acc`
    /// only validation.
    pub metrics: Vec<String>,
    /// The horizontal axis.
    pub x: trial::Axis,
    /// Whether the vertical axes are logarithmic.
    pub log: bool,
    /// Range of the vertical axis, as values of the metric.
    pub ylim: Option<Limits>,
    /// Smoothing of the curves.
    pub smooth: Option<Smoothing>,
    /// Size and title of the plot.
    pub page: PageOptions,
}

/// Range of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Lower end.
    pub low: f64,
    /// Upper end, which is greater.
    pub high: f64,
}

impl std::str::FromStr for Limits {
    type Err = String;

    fn from_str(text: &str) -> Result<Limits, String> {
        let ends = text.split_once(',').map(|(low, high)| (low.trim(), high.trim()));
        let read = |end: &str| end.parse::<f64>().ok().filter(|end| end.is_finite());
        match ends.and_then(|(low, high)| Some((read(low)?, read(high)?))) {
            Some((low, high)) if low < high => Ok(Limits { low, high }),
            Some(_) => Err("the first number must be less than the second".to_owned()),
            None => Err("expected two numbers, such as `0.9,1`".to_owned()),
        }
    }
}

/// Smoothing by an exponential moving average, corrected for its start, as in TensorBoard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    /// Weight of the previous mean, from 0 to below 1.
    pub weight: f64,
}

impl Smoothing {
    /// Returns the smoothed values. Values that are not finite stay, and do not count.
    pub fn apply(self, values: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let (mut mean, mut total) = (0.0, 0.0);
        let smoothed = |value: f64| {
            if !value.is_finite() {
                return value;
            }
            mean = self.weight * mean + (1.0 - self.weight) * value;
            total = self.weight * total + (1.0 - self.weight);
            mean / total
        };
        values.into_iter().map(smoothed).collect()
    }

    /// Returns the method in words.
    pub fn describe(self) -> String {
        let weight = short(self.weight);
        format!(
            "Smoothed by an exponential moving average with weight {weight}, as in TensorBoard; faint lines are raw values."
        )
    }
}

impl std::str::FromStr for Smoothing {
    type Err = String;

    /// Reads a weight below 1, or a number of epochs N as the weight (N − 1)/(N + 1), whose mean has the age of a moving
    /// average over N epochs.
    fn from_str(text: &str) -> Result<Smoothing, String> {
        match text.trim().parse::<f64>() {
            Ok(weight) if (0.0..1.0).contains(&weight) => Ok(Smoothing { weight }),
            Ok(epochs) if (1.0..=1e6).contains(&epochs) && epochs.fract() == 0.0 => {
                Ok(Smoothing { weight: (epochs - 1.0) / (epochs + 1.0) })
            }
            _ => Err("expected a weight from 0 to below 1, such as `0.9`, or a whole number of epochs".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_two_ascending_numbers() {
        assert_eq!("0.9, 1".parse(), Ok(Limits { low: 0.9, high: 1.0 }));
        assert_eq!("-1,2e3".parse(), Ok(Limits { low: -1.0, high: 2000.0 }));
        for wrong in ["1", "1,1", "2,1", "a,b", "nan,1", "0,inf", ""] {
            assert!(wrong.parse::<Limits>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn smoothing_is_that_of_tensorboard_and_gaps_stay() {
        let values = "0.5".parse::<Smoothing>().unwrap().apply([1.0, 3.0, f64::NAN, 3.0]);
        // m₁ = 0.5 / 0.5; m₂ = (0.25 + 1.5) / 0.75; m₃ = (0.875 + 1.5) / 0.875
        assert_eq!((values[0], values[1]), (1.0, 1.75 / 0.75));
        assert!(values[2].is_nan() && (values[3] - 2.375 / 0.875).abs() < 1e-12);
        assert_eq!("3".parse(), Ok(Smoothing { weight: 0.5 }));
        assert_eq!("1".parse::<Smoothing>().unwrap().apply([1.0, 2.0]), [1.0, 2.0]);
        for wrong in ["-0.1", "1.5", "nan", "x"] {
            assert!(wrong.parse::<Smoothing>().is_err(), "{wrong}");
        }
    }
}
