//! `--max-time`: the time after which a run stops.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use crate::io::signals::Signals;

/// Time limit of a run.
#[derive(Clone, Debug, clap::Args)]
pub struct TimeLimit {
    /// Stop after this time (`90s`, `10m`, `1h30m`), then compute the test metrics with the weights that `keep` chose;
    /// `runner resume` continues
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    max_time: Option<Duration>,
}

impl TimeLimit {
    /// Starts to count the time, if it is limited.
    ///
    /// # Errors
    /// If the system starts no thread for it.
    pub fn start(&self, signals: &Arc<Signals>) -> anyhow::Result<()> {
        let Some(time) = self.max_time else { return Ok(()) };
        signals.end_after(time).context("failed to start the time limit")
    }
}

/// Parses a time of at least a second.
fn parse_time(text: &str) -> Result<Duration, String> {
    const WANTED: &str = "expected a time such as `90s`, `10m`, `2h`, `1h30m` or `1d`";
    match (seconds(text), text.parse::<u32>()) {
        (Some(0), _) => Err("expected a time of at least 1 second".to_owned()),
        (Some(seconds), _) => Ok(Duration::from_secs(seconds)),
        (None, Ok(number)) => Err(format!("{WANTED}; for seconds write `{number}s`")),
        (None, Err(_)) => Err(WANTED.to_owned()),
    }
}

/// Returns the seconds of a sum of days, hours, minutes and seconds; `None` if the text is anything else.
fn seconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0_u64;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let unit_end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let unit = match unit {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        if unit >= last_unit {
            return None; // `10m1h` and `1m1m` are mistakes
        }
        (last_unit, rest) = (unit, after);
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_sums_of_units_from_large_to_small() {
        for (text, wanted) in [("90s", 90), ("10m", 600), ("10min", 600), ("1h30m", 5400), ("1d2h", 93_600)] {
            assert_eq!(parse_time(text), Ok(Duration::from_secs(wanted)), "{text}");
        }
        for wrong in ["", "0s", "10", "m", "-5m", "1.5h", "30m1h", "1m1m", "1 h", "2w", "99999999999999999999s"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
