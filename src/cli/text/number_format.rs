//! How figures are written for people.

use crate::history::number::{brief, of_name};
pub use crate::history::number::{count, seconds, spread};

/// A figure that may be absent, as [`brief`] has it; "–" where it is absent.
pub fn metric(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), brief)
}

/// A figure by its name: a metric that is not a number is undefined, and a loss that is none has diverged.
pub fn of(name: &str, value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| of_name(name, value))
}

/// A figure in little room: three digits that count, or powers of ten below a hundredth.
pub fn short(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => brief(value),
        0.0 => "0".to_owned(),
        size if !(0.00995..9995.0).contains(&size) => format!("{value:.1e}"),
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.9995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A setting as it is written: powers of ten where these are shorter.
pub fn setting(value: f64) -> String {
    let (plain, power) = (format!("{value}"), format!("{value:e}"));
    if power.len() + 1 < plain.len() { power } else { plain }
}

/// The mean of one value or more.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Mean and standard deviation (of the sample: divided by n − 1), for two values or more.
pub fn mean_and_std(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (values.len() >= 2).then(|| (mean, variance.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(metric(Some(0.12345)), "0.1235");
        assert_eq!(metric(Some(0.00001)), "1.0e-5");
        assert_eq!(metric(Some(0.0)), "0.0000");
        assert_eq!(metric(Some(f64::NAN)), "nan");
        assert_eq!(of("val_f1", Some(f64::NAN)), "–");
        assert_eq!(metric(None), "–");
        assert_eq!(metric(Some(29_385.707)), "29385.71");
        let short_forms = [0.0, 0.5, 0.01, 8.4e-9, 1.0, 0.9999, 25.04, 253.6, -0.25, 12_345.0].map(short);
        assert_eq!(short_forms, ["0", "0.500", "0.010", "8.4e-9", "1.00", "1.00", "25.0", "254", "-0.250", "1.2e4"]);
        assert_eq!(short(f64::INFINITY), "inf");
        assert_eq!(spread(Some(0.93), Some(2.3e-16)), "0.0000");
        assert_eq!(spread(Some(-19_309.41), Some(27.4486)), "27.45");
        assert_eq!(spread(Some(1e-5), Some(2e-6)), "2.0e-6");
        assert_eq!(spread(Some(0.93), None), "–");
        assert_eq!(count(52_650), "52,650");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(count(7), "7");
        assert_eq!(seconds(0.25), "250 ms");
        assert_eq!(seconds(75.0), "1 min 15 s");
        assert_eq!(mean_and_std(&[1.0, 3.0]), Some((2.0, 2.0_f64.sqrt())));
        assert_eq!(mean_and_std(&[1.0]), None);
    }
}
