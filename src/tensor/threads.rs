//! Number of threads that a run may use: `--threads`, else `OMP_NUM_THREADS`, else one per core.
//!
//! This is an upper limit. Small networks train faster with fewer threads, and training chooses the number that suits
//! the size of a step. Batch systems and other OpenMP programs set `OMP_NUM_THREADS`, which libtorch follows, too.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::ThreadPool;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

/// Maximum number of threads that a user can ask for.
pub const MAX: usize = 1024;

/// Fewest values whose work is worth the start of threads.
const WORTH_THREADS: usize = 100_000;

/// Environment variable that OpenMP reads.
const OMP_VARIABLE: &str = "OMP_NUM_THREADS";

/// Default limit of threads and its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Available {
    /// Number of threads.
    pub threads: usize,
    /// Source of the number.
    pub source: Source,
}

/// Source of a number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `OMP_NUM_THREADS`.
    Variable,
    /// The machine: one thread for each core that this process may use.
    Cores,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Variable => write!(f, "`{OMP_VARIABLE}`"),
            Source::Cores => f.write_str("one per core"),
        }
    }
}

/// Returns the number of threads asked for, or the default limit.
pub fn requested_or_available(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| available().threads)
}

/// Returns the default limit of threads.
pub fn available() -> Available {
    available_from(std::env::var(OMP_VARIABLE).ok().as_deref(), cores())
}

/// Limit that `--threads` has set for this process; 0 without one.
static LIMIT: AtomicUsize = AtomicUsize::new(0);

/// Sets the maximum number of threads for this process.
pub fn set_limit(threads: usize) {
    LIMIT.store(threads, Ordering::Relaxed);
}

/// Returns the maximum number of threads for this process.
pub fn max_threads() -> usize {
    match LIMIT.load(Ordering::Relaxed) {
        0 => available().threads,
        set_limit => set_limit,
    }
}

/// Returns the number of cores that this process may use, according to its CPU affinity and control group.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Returns a pool of as many threads as this process may use.
pub fn pool() -> ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(max_threads()).build().expect("threads can be started")
}

/// Returns `function` of each item, in their order, computed by as many threads as this process may use. `values` is the
/// number of values that all items have together; few are computed without further threads.
pub fn map_in_parallel<T: Sync, R: Send>(items: &[T], values: usize, function: impl Fn(&T) -> R + Sync) -> Vec<R> {
    match values < WORTH_THREADS || items.len() < 2 || max_threads() == 1 {
        true => items.iter().map(function).collect(),
        false => pool().install(|| items.par_iter().map(&function).collect()),
    }
}

/// Sets the number of threads of a libtorch operation.
pub fn set_libtorch(threads: usize) {
    tch::set_num_threads(i32::try_from(threads.min(MAX)).expect("1,024 at most"));
}

/// Sets libtorch's number of threads until the returned guard is dropped, also after an error. The guard then sets it
/// to `afterwards`.
pub fn set_libtorch_until_drop(threads: usize, afterwards: usize) -> ThreadCountGuard {
    set_libtorch(threads);
    ThreadCountGuard(afterwards)
}

/// Guard returned by [`set_libtorch_until_drop`].
#[derive(Debug)]
#[must_use]
pub struct ThreadCountGuard(usize);

impl Drop for ThreadCountGuard {
    fn drop(&mut self) {
        set_libtorch(self.0);
    }
}

/// Parses the value of `--threads`.
///
/// # Errors
/// When it is not a whole number from 1 to 1,024.
pub fn parse(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads @ 1..=MAX) => Ok(threads),
        _ => {
            let cores = cores();
            let cores = if cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") };
            Err(format!("expected a whole number, at least 1 and at most 1,024; this machine has {cores}"))
        }
    }
}

/// `variable` is the value of `OMP_NUM_THREADS`. In a list such as `4,2`, the first number counts, which is that of the
/// outermost level. As in OpenMP, a value that is not a number is ignored.
fn available_from(variable: Option<&str>, cores: usize) -> Available {
    let first = variable.and_then(|text| text.split(',').next()?.trim().parse().ok()).filter(|&threads| threads > 0);
    match first {
        Some(threads) => Available { threads: MAX.min(threads), source: Source::Variable },
        None => Available { threads: MAX.min(cores), source: Source::Cores },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_threads_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1_000).collect();
        for values in [0, WORTH_THREADS] {
            assert_eq!(map_in_parallel(&items, values, |item| item + 1), (1..=1_000).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_variable_of_openmp_goes_before_the_cores() {
        let variable = |threads| Available { threads, source: Source::Variable };
        let cores = |threads| Available { threads, source: Source::Cores };
        assert_eq!(available_from(Some("3"), 8), variable(3));
        assert_eq!(available_from(Some(" 4,2"), 8), variable(4), "of nested levels, the outermost");
        assert_eq!(available_from(Some("99999"), 8), variable(1024));
        for passed_over in [None, Some(""), Some("0"), Some("-1"), Some("all")] {
            assert_eq!(available_from(passed_over, 8), cores(8), "{passed_over:?}");
        }
    }

    #[test]
    fn what_was_asked_for_goes_before_all() {
        assert_eq!(requested_or_available(Some(7)), 7);
        assert!((1..=MAX).contains(&requested_or_available(None)));
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
