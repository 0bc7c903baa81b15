//! The rows of a batch, copied together from wherever they lie.

/// How many rows ahead memory is sent for.
const AHEAD: usize = 2;

/// Copies rows by number, `[numbers, columns]`. They lie all over memory, so each is sent for while those before it are
/// copied.
pub(crate) fn gather(rows: &[f32], numbers: &[i64], columns: usize, to: &mut [f32]) {
    let row = |number: i64| &rows[number as usize * columns..][..columns];
    for (place, (to, &number)) in to.chunks_exact_mut(columns).zip(numbers).enumerate() {
        if let Some(&next) = numbers.get(place + AHEAD) {
            prefetch(row(next));
        }
        to.copy_from_slice(row(number));
    }
}

/// Has memory brought into the second-level cache, which more lines can be under way to, where the processor can be asked to.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instruction takes an address")]
fn prefetch(row: &[f32]) {
    use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
    for line in row.chunks(16) {
        // SAFETY: the address is that of a slice, and a prefetch changes nothing and faults on no address at all; every
        // x86-64 processor has it (SSE).
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn prefetch(_row: &[f32]) {}
