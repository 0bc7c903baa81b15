//! How often checkpoints are written.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How often checkpoints are written, always at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// After so many epochs.
    Epochs(usize),
    /// After so long.
    Time(Duration),
    /// Only when the run is interrupted, or asked to.
    Never,
}

impl Default for Pace {
    fn default() -> Self {
        Pace::Time(Duration::from_secs(30))
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pace::Epochs(every) => write!(f, "{every}"),
            Pace::Time(every) => write!(f, "{}s", every.as_secs()),
            Pace::Never => f.write_str("never"),
        }
    }
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected epochs (`5`), a time (`30s`, `10m`, `1h`) or `never`".to_owned();
        if text == "never" {
            return Ok(Pace::Never);
        }
        let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let seconds = match unit {
            "" if number > 0 => return Ok(Pace::Epochs(usize::try_from(number).map_err(|_| wrong())?)),
            "s" => Some(number),
            "m" | "min" => number.checked_mul(60),
            "h" => number.checked_mul(3600),
            _ => None,
        };
        seconds.map(|seconds| Pace::Time(Duration::from_secs(seconds))).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_written_in_epochs_or_as_a_time() {
        let seconds = |seconds| Ok(Pace::Time(Duration::from_secs(seconds)));
        for (text, pace) in [
            ("5", Ok(Pace::Epochs(5))),
            ("0s", seconds(0)),
            ("30s", seconds(30)),
            ("10m", seconds(600)),
            ("2h", seconds(7200)),
            ("never", Ok(Pace::Never)),
        ] {
            assert_eq!(text.parse(), pace, "{text}");
        }
        for wrong in ["", "0", "-1", "s", "1.5s", "5 s", "5d", "99999999999999999999", "18446744073709551615h"] {
            assert!(wrong.parse::<Pace>().is_err(), "{wrong}");
        }
    }
}
