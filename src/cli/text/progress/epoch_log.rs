//! Which epochs have a line in a log, and the speed and the time left in it.

use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::cli::text::number_format;
use crate::experiment::run::checkpointing::CheckpointInterval;

/// Value of `--log-every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogInterval {
    /// Every this number of epochs.
    Epochs(usize),
    /// When this much time has passed.
    Time(Duration),
}

impl FromStr for LogInterval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(CheckpointInterval::Epochs(every)) => Ok(LogInterval::Epochs(every)),
            Ok(CheckpointInterval::Time(every)) => Ok(LogInterval::Time(every)),
            _ => Err("expected epochs (`5`) or a time (`30s`, `10m`, `1h`)".to_owned()),
        }
    }
}

/// Number of epochs at the start that have a line unless an interval is set.
const FIRST: usize = 10;

/// Number of lines that the other epochs have at least, unless an interval is set.
const PARTS: usize = 10;

/// Longest time without a line unless an interval is set.
const LONGEST: Duration = Duration::from_secs(60);

/// The lines of one stack's training.
#[derive(Clone, Debug)]
pub struct EpochLog {
    interval: Option<LogInterval>,
    last_line: Instant,
    epochs: usize,
    seconds: f64,
}

impl EpochLog {
    /// Starts the log of a training. Without an interval, the first ten epochs have a line, then every tenth of all epochs, and
    /// at least one epoch a minute.
    pub fn new(interval: Option<LogInterval>) -> EpochLog {
        EpochLog { interval, last_line: Instant::now(), epochs: 0, seconds: 0.0 }
    }

    /// Counts an epoch and returns whether it has a line. The last one of the training always has.
    pub fn add(&mut self, epoch: usize, of: usize, seconds: f64, is_last: bool) -> bool {
        self.epochs += 1;
        self.seconds += seconds;
        let passed = self.last_line.elapsed();
        let is_due = match self.interval {
            Some(LogInterval::Epochs(every)) => epoch.is_multiple_of(every),
            Some(LogInterval::Time(every)) => passed >= every,
            None => self.epochs <= FIRST || epoch.is_multiple_of(of.div_ceil(PARTS)) || passed >= LONGEST,
        };
        if is_due || is_last {
            self.last_line = Instant::now();
        }
        is_due || is_last
    }

    /// Returns the epochs per second and the time left: `4.88 epochs/s  12.3 s left`.
    pub fn speed(&self, epoch: usize, of: usize) -> String {
        let each = self.seconds / self.epochs.max(1) as f64;
        let left = each * of.saturating_sub(epoch) as f64;
        let left = if epoch < of { format!("  {} left", number_format::seconds(left)) } else { String::new() };
        format!("{}{left}", number_format::epochs_per_second(1.0 / each))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(interval: Option<LogInterval>, of: usize) -> Vec<usize> {
        let mut log = EpochLog::new(interval);
        (1..=of).filter(|&epoch| log.add(epoch, of, 0.25, epoch == of)).collect()
    }

    #[test]
    fn lines_are_at_the_interval_and_at_the_end() {
        assert_eq!(lines("4".parse().ok(), 10), [4, 8, 10]);
        assert_eq!(lines("1h".parse().ok(), 10), [10]);
        assert_eq!(lines("0s".parse().ok(), 3), [1, 2, 3]);
        let first: Vec<usize> = (1..=10).collect();
        assert_eq!(lines(None, 10), first);
        assert_eq!(lines(None, 60), [&first[..], &[12, 18, 24, 30, 36, 42, 48, 54, 60]].concat());
        for wrong in ["never", "0", "-1", "5x", ""] {
            assert!(wrong.parse::<LogInterval>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_speed_is_the_mean_of_the_epochs_so_far() {
        let mut log = EpochLog::new(None);
        log.add(1, 60, 0.5, false);
        log.add(2, 60, 0.0, false);
        assert_eq!(log.speed(2, 60), "4.00 epochs/s  14.5 s left");
        assert_eq!(log.speed(60, 60), "4.00 epochs/s");
    }
}
