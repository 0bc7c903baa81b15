//! The heartbeat of a lease: a small file that only the holder of the lease changes.

use std::fs::File;
use std::io::{ErrorKind, Result, Write};
use std::time::Duration;

use crate::io::{atomic_write, bounded_file};
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::create_once::retry_stale;

/// Time between two heartbeats.
const INTERVAL: Duration = Duration::from_secs(2);

/// Environment variable with another time between two heartbeats, in milliseconds. All workers of a sweep must have the
/// same.
pub const INTERVAL_VARIABLE: &str = "RUNNER_SWEEP_BEAT_MS";

/// Maximum number of bytes of the file.
const LONGEST: u64 = 4096;

/// Content of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beat {
    /// There is no file yet.
    None,
    /// The counter.
    Count(u64),
    /// The holder has left the stack with a checkpoint.
    Released,
    /// The holder is dead, as the process that had started it has seen; and why.
    Died(String),
}

impl Beat {
    /// Reads the heartbeat of a lease; `None` if it cannot be read, too, since only changes count.
    pub fn read(dir: &SweepDir, lease: &str) -> Beat {
        let text = retry_stale(|| bounded_file::read(&dir.file("beats").join(lease), LONGEST)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let text = text.trim();
        match (text.parse(), text.strip_prefix("died: ")) {
            (Ok(count), _) => Beat::Count(count),
            (_, Some(why)) => Beat::Died(why.to_owned()),
            _ if text == "released" => Beat::Released,
            _ => Beat::None,
        }
    }

    /// Writes the heartbeat of a lease. A counter has a fixed width and is written in place, so that each beat is one
    /// short write.
    ///
    /// # Errors
    /// Those of the system.
    pub fn write(&self, dir: &SweepDir, lease: &str) -> Result<()> {
        let path = dir.file("beats").join(lease);
        match self {
            Beat::Count(count) => retry_stale(|| {
                let open = || File::options().write(true).create(true).truncate(false).open(&path);
                let mut file = match open() {
                    // somebody has removed the folder, which must not look like the death of all workers
                    Err(error) if error.kind() == ErrorKind::NotFound => {
                        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                        open()?
                    }
                    opened => opened?,
                };
                file.write_all(format!("{count:>12}\n").as_bytes())
            }),
            Beat::Released => retry_stale(|| atomic_write::put(&path, b"released\n")),
            Beat::Died(why) => retry_stale(|| atomic_write::put(&path, format!("died: {why}\n").as_bytes())),
            Beat::None => match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        }
    }
}

/// Returns the time between two heartbeats of this process.
pub fn interval() -> Duration {
    let shortened = std::env::var(INTERVAL_VARIABLE).ok().and_then(|text| text.parse().ok());
    shortened.map_or(INTERVAL, |ms: u64| Duration::from_millis(ms.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::dir::sweep_dir::empty_for_tests;

    #[test]
    fn a_heartbeat_that_somebody_has_removed_comes_back_with_the_next_one() {
        let (_folder, dir) = empty_for_tests();
        Beat::Count(1).write(&dir, "S000.1").unwrap();
        std::fs::remove_dir_all(dir.file("beats")).unwrap();
        assert_eq!(Beat::read(&dir, "S000.1"), Beat::None);
        for (beat, read) in [
            (Beat::Count(2), Beat::Count(2)),
            (Beat::Released, Beat::Released),
            (Beat::Count(123_456), Beat::Count(123_456)),
            (Beat::Died("signal 9".to_owned()), Beat::Died("signal 9".to_owned())),
            (Beat::None, Beat::None),
        ] {
            beat.write(&dir, "S000.1").unwrap();
            assert_eq!(Beat::read(&dir, "S000.1"), read);
        }
        std::fs::write(dir.file("beats").join("S000.1"), b"\xff\xfe").unwrap();
        assert_eq!(Beat::read(&dir, "S000.1"), Beat::None);
    }
}
