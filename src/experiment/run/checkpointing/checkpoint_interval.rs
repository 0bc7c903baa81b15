//! When checkpoints are written.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// When checkpoints are written, always at the end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CheckpointInterval {
    /// Every this number of epochs.
    Epochs(usize),
    /// When this much time has passed.
    Time(Duration),
    /// Only on interruption or on request.
    Never,
}

impl Default for CheckpointInterval {
    fn default() -> Self {
        CheckpointInterval::Time(Duration::from_secs(30))
    }
}

impl fmt::Display for CheckpointInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckpointInterval::Epochs(every) => write!(f, "{every}"),
            CheckpointInterval::Time(every) => write!(f, "{}s", every.as_secs()),
            CheckpointInterval::Never => f.write_str("never"),
        }
    }
}

impl FromStr for CheckpointInterval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected epochs (`5`), a time (`30s`, `10m`, `1h`) or `never`".to_owned();
        if text == "never" {
            return Ok(CheckpointInterval::Never);
        }
        let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let seconds = match unit {
            "" if number > 0 => return Ok(CheckpointInterval::Epochs(usize::try_from(number).map_err(|_| wrong())?)),
            "s" => Some(number),
            "m" | "min" => number.checked_mul(60),
            "h" => number.checked_mul(3600),
            _ => None,
        };
        seconds.map(|seconds| CheckpointInterval::Time(Duration::from_secs(seconds))).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_written_in_epochs_or_as_a_time() {
        let seconds = |seconds| Ok(CheckpointInterval::Time(Duration::from_secs(seconds)));
        for (text, checkpoint_interval) in [
            ("5", Ok(CheckpointInterval::Epochs(5))),
            ("0s", seconds(0)),
            ("30s", seconds(30)),
            ("10m", seconds(600)),
            ("2h", seconds(7200)),
            ("never", Ok(CheckpointInterval::Never)),
        ] {
            assert_eq!(text.parse(), checkpoint_interval, "{text}");
        }
        for wrong in ["", "0", "-1", "s", "1.5s", "5 s", "5d", "99999999999999999999", "18446744073709551615h"] {
            assert!(wrong.parse::<CheckpointInterval>().is_err(), "{wrong}");
        }
    }
}
