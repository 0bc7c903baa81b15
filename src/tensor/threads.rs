//! How many threads a run may use: what `--threads` says, else what `OMP_NUM_THREADS` says, else one for each core.
//!
//! This is the most that a run uses. Small networks train faster with fewer, and training chooses the number that suits
//! the size of a step. `OMP_NUM_THREADS` is what batch systems and other programs on OpenMP are told by, so it is heeded
//! here as libtorch heeds it.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// More threads than these are refused: no machine has so many cores.
pub const MOST: usize = 1024;

/// The variable that OpenMP reads.
const VARIABLE: &str = "OMP_NUM_THREADS";

/// The most threads that a run may use when it is not told, and why it is this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Available {
    /// How many.
    pub threads: usize,
    /// Who says so.
    pub source: Source,
}

/// Who says how many threads there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `OMP_NUM_THREADS`.
    Variable,
    /// The machine: one for each core that this process may use.
    Cores,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Variable => write!(f, "`{VARIABLE}`"),
            Source::Cores => f.write_str("one for each core"),
        }
    }
}

/// The most threads that a run may use: what was asked for, or what there is.
pub fn asked_or_available(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| available().threads)
}

/// The most threads that a run may use when it is not told.
pub fn available() -> Available {
    available_of(std::env::var(VARIABLE).ok().as_deref(), cores())
}

/// The number that `--threads` has set for this process; 0 where it has not.
static LIMIT: AtomicUsize = AtomicUsize::new(0);

/// Lets nothing in this process use more threads than these.
pub fn limit(threads: usize) {
    LIMIT.store(threads, Ordering::Relaxed);
}

/// The most threads that anything in this process may use.
pub fn most() -> usize {
    match LIMIT.load(Ordering::Relaxed) {
        0 => available().threads,
        limit => limit,
    }
}

/// How many cores this process may use, as its affinity and its control group allow.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Tells libtorch how many threads an operation of its own may use.
pub fn set_libtorch(threads: usize) {
    tch::set_num_threads(i32::try_from(threads.min(MOST)).expect("1,024 at most"));
}

/// Gives libtorch's operations so many threads for a while: until what is returned is dropped, which gives them
/// `afterwards`, also where something has failed.
pub fn libtorch_has(threads: usize, afterwards: usize) -> Afterwards {
    set_libtorch(threads);
    Afterwards(afterwards)
}

/// See [`libtorch_has`].
#[derive(Debug)]
#[must_use]
pub struct Afterwards(usize);

impl Drop for Afterwards {
    fn drop(&mut self) {
        set_libtorch(self.0);
    }
}

/// Reads a number of threads as it is written behind `--threads`.
///
/// # Errors
/// What is allowed.
pub fn parse(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads @ 1..=MOST) => Ok(threads),
        _ => {
            let cores = cores();
            let cores = if cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") };
            Err(format!("expected a whole number, at least 1 and at most 1,024; this machine has {cores}"))
        }
    }
}

/// `variable` is what `OMP_NUM_THREADS` holds. Of a list, `4,2`, the first number counts, that of the outermost level;
/// what is no number is passed over, as OpenMP does.
fn available_of(variable: Option<&str>, cores: usize) -> Available {
    let first = variable.and_then(|text| text.split(',').next()?.trim().parse().ok()).filter(|&threads| threads > 0);
    match first {
        Some(threads) => Available { threads: MOST.min(threads), source: Source::Variable },
        None => Available { threads: MOST.min(cores), source: Source::Cores },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_of_openmp_goes_before_the_cores() {
        let variable = |threads| Available { threads, source: Source::Variable };
        let cores = |threads| Available { threads, source: Source::Cores };
        assert_eq!(available_of(Some("3"), 8), variable(3));
        assert_eq!(available_of(Some(" 4,2"), 8), variable(4), "of nested levels, the outermost");
        assert_eq!(available_of(Some("99999"), 8), variable(1024));
        for passed_over in [None, Some(""), Some("0"), Some("-1"), Some("all")] {
            assert_eq!(available_of(passed_over, 8), cores(8), "{passed_over:?}");
        }
    }

    #[test]
    fn what_was_asked_for_goes_before_all() {
        assert_eq!(asked_or_available(Some(7)), 7);
        assert!((1..=MOST).contains(&asked_or_available(None)));
    }

    #[test]
    fn a_written_number_is_at_least_one() {
        assert_eq!(parse("1"), Ok(1));
        assert_eq!(parse("1024"), Ok(1024));
        for wrong in ["0", "-1", "1025", "two", ""] {
            assert!(parse(wrong).unwrap_err().contains("at least 1 and at most 1,024"), "{wrong}");
        }
    }
}
