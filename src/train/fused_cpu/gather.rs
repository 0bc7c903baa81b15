//! Copies the features of a batch into one buffer.

use std::ops::Range;

use tch::Tensor;

use crate::data::prepare::features::Features;
use crate::tensor::raw_values::{RawF32, RawValues};
use crate::train::fused_cpu::workspace::Workspace;

/// Number of rows by which prefetching is ahead.
const AHEAD: usize = 2;

/// Memory of the features of all rows, `[rows, columns]`.
#[derive(Clone, Copy)]
pub(crate) enum RawFeatures {
    Floats(RawF32),
    /// Bytes that are divided by `divisor` when they are copied.
    Bytes {
        values: RawValues<u8>,
        divisor: f32,
    },
}

/// Loads features into the buffer of a workspace: of the rows `numbers`, else of a range of rows. Returns a tensor
/// `[rows, inputs]` instead if that needs no copy, or if only libtorch can scale them.
#[expect(unsafe_code, reason = "threads share the memory of tensors")]
pub(crate) fn load(
    features: &Features,
    raw: Option<RawFeatures>,
    numbers: Option<&[i64]>,
    range: &Range<usize>,
    inputs: usize,
    workspace: &mut Workspace,
) -> Option<Tensor> {
    let flat = |features: Tensor| Some(features.reshape([range.len() as i64, inputs as i64]));
    match (numbers, raw) {
        (Some(numbers), Some(raw)) => {
            // SAFETY: the workers keep the features alive, and no thread writes to them.
            unsafe { raw.gather(numbers, inputs, workspace.inputs(numbers.len())) };
            None
        }
        (Some(numbers), None) => flat(features.select(&Tensor::from_slice(numbers))),
        // SAFETY: as above.
        (None, Some(raw)) if unsafe { raw.convert(range, inputs, workspace.inputs(range.len())) } => None,
        (None, _) => flat(features.range(range)),
    }
}

impl RawFeatures {
    /// Returns the memory of features; `None` if each column is scaled differently.
    pub(crate) fn new(features: &Features) -> Option<RawFeatures> {
        if let Some(floats) = features.floats() {
            return Some(RawFeatures::Floats(RawValues::from_tensor(floats)));
        }
        let (bytes, divisor) = features.bytes_and_divisor()?;
        Some(RawFeatures::Bytes { values: RawValues::from_tensor(bytes), divisor })
    }

    /// Copies the rows `numbers` into `to`, `[numbers, columns]`.
    ///
    /// # Safety
    /// The features must outlive the call, and nothing may write to them in the meantime.
    #[expect(unsafe_code, reason = "threads share the memory of tensors")]
    pub(crate) unsafe fn gather(self, numbers: &[i64], columns: usize, to: &mut [f32]) {
        match self {
            RawFeatures::Floats(values) => {
                // SAFETY: guaranteed by the caller.
                let values = unsafe { values.get() };
                gather_rows(values, numbers, columns, to, |row, to| to.copy_from_slice(row));
            }
            RawFeatures::Bytes { values, divisor } => {
                // SAFETY: guaranteed by the caller.
                let values = unsafe { values.get() };
                gather_rows(values, numbers, columns, to, |row, to| divide(row, divisor, to));
            }
        }
    }

    /// Copies a range of rows into `to`, `[rows, columns]`, if they are bytes. Returns false if they are f32, which need
    /// no copy.
    ///
    /// # Safety
    /// As for [`RawFeatures::gather`].
    #[expect(unsafe_code, reason = "threads share the memory of tensors")]
    pub(crate) unsafe fn convert(self, rows: &Range<usize>, columns: usize, to: &mut [f32]) -> bool {
        let RawFeatures::Bytes { values, divisor } = self else { return false };
        // SAFETY: guaranteed by the caller.
        let values = unsafe { values.part(rows.start * columns..rows.end * columns).get() };
        divide(values, divisor, to);
        true
    }
}

/// Copies the rows `numbers`. They are scattered in memory, so each row is prefetched while those before it are copied.
fn gather_rows<T>(rows: &[T], numbers: &[i64], columns: usize, to: &mut [f32], copy: impl Fn(&[T], &mut [f32])) {
    let row = |number: i64| &rows[number as usize * columns..][..columns];
    for (place, (to, &number)) in to.chunks_exact_mut(columns).zip(numbers).enumerate() {
        if let Some(&next) = numbers.get(place + AHEAD) {
            prefetch(row(next));
        }
        copy(row(number), to);
    }
}

/// Writes `bytes / divisor`; the values are those of libtorch.
fn divide(bytes: &[u8], divisor: f32, to: &mut [f32]) {
    vectorized!({
        for (to, &byte) in to.iter_mut().zip(bytes) {
            *to = f32::from(byte) / divisor;
        }
    });
}

/// Prefetches a row into the second-level cache, which allows more pending lines than the first, if the processor
/// supports it.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the instruction takes an address")]
fn prefetch<T>(row: &[T]) {
    use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
    for line in row.chunks(64 / size_of::<T>()) {
        // SAFETY: the address is that of a slice, and a prefetch changes nothing and never faults; every x86-64
        // processor has it (SSE).
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn prefetch<T>(_row: &[T]) {}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;
    use crate::data::prepare::scale::{Scale, Scaler};
    use crate::data::rows::Rows;
    use crate::data::subsets::Training;

    #[test]
    #[expect(unsafe_code, reason = "the features live until the end of the test")]
    fn rows_of_bytes_have_the_bits_of_scaled_features() {
        let bytes: Vec<u8> = (0..=255).cycle().take(11 * 53).collect();
        let bytes = Tensor::from_slice(&bytes).view([11, 53]);
        let rows = Rows::new(bytes.shallow_clone(), Tensor::zeros([11], (Kind::Int64, Device::Cpu)));
        let training = Training::from(rows);
        let numbers = [10_i64, 0, 7, 7];
        for scale in [Scale::None, Scale::Unit] {
            let features = Features::from_bytes(&bytes, &Scaler::fit(scale, &training, 255.0, None));
            let raw = RawFeatures::new(&features).expect("one divisor");
            let mut found = vec![0.0; 4 * 53];
            // SAFETY: nothing writes to the features.
            unsafe { raw.gather(&numbers, 53, &mut found) };
            let wanted = features.select(&Tensor::from_slice(&numbers));
            assert_eq!(found, Vec::<f32>::try_from(wanted.flatten(0, -1)).unwrap(), "{scale:?}");
            // SAFETY: as above.
            assert!(unsafe { raw.convert(&(3..7), 53, &mut found) });
            let wanted = features.range(&(3..7));
            assert_eq!(found, Vec::<f32>::try_from(wanted.flatten(0, -1)).unwrap(), "{scale:?}");
        }
        let standard = Scaler::fit(Scale::Standard, &training, 255.0, None);
        assert!(RawFeatures::new(&Features::from_bytes(&bytes, &standard)).is_none());
    }
}
