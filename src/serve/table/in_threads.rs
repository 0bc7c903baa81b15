//! Reads runs in several threads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Returns the results of `read` for all items, in any order. The results of a thread that panics are left out.
pub fn in_threads<T: Sync, R: Send>(threads: usize, items: &[T], read: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.push(read(item));
        }
        found
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut found = work();
        found.extend(workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()));
        found
    })
}
