//! Barrier for the threads that share a batch. They wait for each other twice per step, so waiting must take
//! microseconds.
//!
//! The operating system's barriers put a thread to sleep and take about 50 µs to wake it, a large part of a step. This
//! barrier spins, and yields the processor if the wait is long. If a thread panics, the others stop waiting and panic
//! too.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{hint, thread};

/// Number of spins before a waiting thread yields its processor.
const LOOKS: usize = 20_000;

/// Barrier for a fixed number of threads.
#[derive(Debug)]
pub(crate) struct Barrier {
    threads: usize,
    waiting: AtomicUsize,
    round: AtomicUsize,
    broken: AtomicBool,
}

impl Barrier {
    pub(crate) fn new(threads: usize) -> Self {
        Barrier { threads, waiting: AtomicUsize::new(0), round: AtomicUsize::new(0), broken: AtomicBool::new(false) }
    }

    /// Waits until all threads have arrived. Whatever a thread wrote before is visible to all afterwards. Returns false
    /// if a thread has panicked.
    #[must_use]
    pub(crate) fn wait(&self) -> bool {
        if self.threads == 1 {
            return true;
        }
        let round = self.round.load(Ordering::Acquire);
        if self.waiting.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.waiting.store(0, Ordering::Relaxed);
            self.round.store(round + 1, Ordering::Release);
            return true;
        }
        let mut looks = 0;
        while self.round.load(Ordering::Acquire) == round {
            if self.broken.load(Ordering::Relaxed) {
                return false;
            }
            looks += 1;
            if looks < LOOKS { hint::spin_loop() } else { thread::yield_now() }
        }
        true
    }

    /// Returns a guard that breaks the barrier if the current thread panics.
    pub(crate) fn guard(&self) -> Guard<'_> {
        Guard(self)
    }
}

/// Guard returned by [`Barrier::guard`].
pub(crate) struct Guard<'a>(&'a Barrier);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.broken.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_thread_continues_before_all_have_arrived() {
        let (barrier, arrived) = (Barrier::new(3), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 1..=1000 {
                        arrived.fetch_add(1, Ordering::Relaxed);
                        assert!(barrier.wait());
                        assert_eq!(arrived.load(Ordering::Relaxed), 3 * round);
                        assert!(barrier.wait());
                    }
                });
            }
        });
    }

    #[test]
    fn a_panic_releases_the_other_threads() {
        let barrier = Barrier::new(2);
        let all_have_come = thread::scope(|scope| {
            let waiting = scope.spawn(|| barrier.wait());
            let panicking = scope.spawn(|| {
                let _guard = barrier.guard();
                std::panic::resume_unwind(Box::new("as if libtorch had failed"));
            });
            assert!(panicking.join().is_err());
            waiting.join().unwrap()
        });
        assert!(!all_have_come, "and it does not wait forever");
    }
}
