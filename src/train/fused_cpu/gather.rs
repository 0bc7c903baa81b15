//! Copies the rows of a batch into one buffer.

/// Number of rows by which prefetching is ahead.
const AHEAD: usize = 2;

/// Copies the rows `numbers` into `to`, `[numbers, columns]`. They are scattered in memory, so each row is prefetched
/// while those before it are copied.
pub(crate) fn gather(rows: &[f32], numbers: &[i64], columns: usize, to: &mut [f32]) {
    let row = |number: i64| &rows[number as usize * columns..][..columns];
    for (place, (to, &number)) in to.chunks_exact_mut(columns).zip(numbers).enumerate() {
        if let Some(&next) = numbers.get(place + AHEAD) {
            prefetch(row(next));
        }
        to.copy_from_slice(row(number));
    }
}

/// Prefetches a row into the second-level cache, which allows more pending lines than the first, if the processor
/// supports it.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instruction takes an address")]
fn prefetch(row: &[f32]) {
    use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
    for line in row.chunks(16) {
        // SAFETY: the address is that of a slice, and a prefetch changes nothing and never faults; every x86-64
        // processor has it (SSE).
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn prefetch(_row: &[f32]) {}
