//! Numbers as text.

use crate::compare::statistics::sample::Sample;
use crate::history::number::{brief, of_name};
pub use crate::history::number::{count, counted, p_value, seconds, spread};
pub use crate::views::document::statistic::value_or_dash as metric;

/// Returns a metric by its name; `–` if it is missing or undefined.
pub fn of(name: &str, value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| of_name(name, value))
}

/// Returns a number with three significant digits, or as a power of ten below 0.01.
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

/// Returns epochs per second, or below one the time of an epoch.
pub fn epochs_per_second(rate: f64) -> String {
    match rate {
        slow if slow < 1.0 => format!("{} per epoch", seconds(1.0 / slow)),
        fast if fast >= 1e3 => format!("{} epochs/s", count(fast.round() as usize)),
        fast => format!("{} epochs/s", short(fast)),
    }
}

/// Returns the size of a decision tree: `tree of 5 leaves, 3 splits deep`.
pub fn tree_size(leaves: usize, depth: usize) -> String {
    let (leaf, split) = (if leaves == 1 { "leaf" } else { "leaves" }, if depth == 1 { "split" } else { "splits" });
    format!("tree of {} {leaf}, {depth} {split} deep", count(leaves))
}

/// Returns a setting, as a power of ten if that is shorter.
pub fn setting(value: f64) -> String {
    let (plain, power) = (format!("{value}"), format!("{value:e}"));
    if power.len() + 1 < plain.len() { power } else { plain }
}

/// Returns mean and standard deviation (of the sample: divided by n − 1); `None` for fewer than two values.
pub fn mean_and_std(values: &[f64]) -> Option<(f64, f64)> {
    let sample = Sample::from_values(values)?;
    Some((sample.mean, sample.std?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_with_the_digits_that_matter() {
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
        assert_eq!(
            [0.01, 4.0, 1238.4].map(epochs_per_second),
            ["1 min 40 s per epoch", "4.00 epochs/s", "1,238 epochs/s"]
        );
        assert_eq!(mean_and_std(&[1.0, 3.0]), Some((2.0, 2.0_f64.sqrt())));
        assert_eq!(mean_and_std(&[1.0]), None);
    }
}
