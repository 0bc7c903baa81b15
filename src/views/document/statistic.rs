//! Metrics over trials as text: the mean, its standard deviation and its confidence interval.

use crate::compare::statistics::mean;
use crate::compare::statistics::sample::Sample;
use crate::history::number::{Number, brief, spread};

/// Shown where a value is missing or undefined.
pub const MISSING: &str = "–";

/// Returns a value; `–` if it is missing.
pub fn value_or_dash(value: Option<f64>) -> String {
    value.map_or(MISSING.to_owned(), brief)
}

/// Returns the mean, with the standard deviation if there are several values: `0.9310 ± 0.0020`.
pub fn mean_and_std(sample: &Sample) -> String {
    match sample.std {
        Some(std) => format!("{} ± {}", brief(sample.mean), spread(Some(sample.mean), Some(std))),
        None => brief(sample.mean),
    }
}

/// Returns the same of these values; `–` if there are none.
pub fn mean_and_std_of(values: &[f64]) -> String {
    Sample::from_values(values).map_or(MISSING.to_owned(), |sample| mean_and_std(&sample))
}

/// Returns the note beside a mean: standard deviation and confidence interval; empty for a single value.
pub fn spread_note(sample: &Sample) -> String {
    let Some(std) = sample.std else { return String::new() };
    let interval = sample
        .interval
        .map(|interval| format!(", 95\u{a0}% interval {} to {}", brief(interval.low), brief(interval.high)));
    format!("± {} over {}{}", spread(Some(sample.mean), Some(std)), sample.n, interval.unwrap_or_default())
}

/// Returns the lowest and highest value, or the only one: `12 to 30`.
pub fn range(low: f64, high: f64, separator: &str) -> String {
    if low == high { low.to_string() } else { format!("{low}{separator}{high}") }
}

/// A blank at which no line is broken.
pub const UNBROKEN: char = '\u{a0}';

/// Returns words that stay on one line.
pub fn unbroken(words: &str) -> String {
    words.replace(' ', &UNBROKEN.to_string())
}

/// Returns a difference with its sign.
pub fn signed(value: f64) -> String {
    match value {
        value if !value.is_finite() => Number(value).to_string(),
        value if value > 0.0 => format!("+{}", brief(value)),
        value => brief(value).replacen('-', "−", 1),
    }
}

/// Returns the mean of the finite values, or a non-finite value if there are no others; `None` without any value.
pub fn mean_of_finite(values: &[f64]) -> Option<f64> {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    if finite.is_empty() { values.first().copied() } else { Some(mean(&finite)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_shown_with_its_spread_if_there_are_several_values() {
        assert_eq!(mean_and_std_of(&[0.5, 0.7]), "0.6000 ± 0.1414");
        assert_eq!(mean_and_std_of(&[0.5]), "0.5000");
        assert_eq!(mean_and_std_of(&[]), "–");
    }

    #[test]
    fn values_that_are_not_finite_are_left_out_of_a_mean_unless_there_are_no_others() {
        assert_eq!(mean_of_finite(&[1.0, f64::NAN, 2.0]), Some(1.5));
        assert!(mean_of_finite(&[f64::NAN]).unwrap().is_nan());
        assert_eq!(mean_of_finite(&[]), None);
    }

    #[test]
    fn a_difference_has_its_sign() {
        assert_eq!([signed(0.25), signed(-0.25), signed(0.0)], ["+0.2500", "−0.2500", "0.0000"]);
    }
}
