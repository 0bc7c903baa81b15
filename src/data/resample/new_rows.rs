//! Appends synthetic rows, and converts rows to points for neighbor searches.

use tch::{Device, Kind, Tensor};

use crate::data::rows::{ONE_THREAD, Rows};

/// Number of elements of synthetic rows computed at a time: they are still in the CPU cache when they are copied.
const AT_A_TIME: i64 = ONE_THREAD as i64;

/// Synthetic rows of one class.
pub(super) struct SyntheticRows<'a> {
    /// Class of the rows.
    pub(super) class: i64,
    /// Number of rows.
    pub(super) count: usize,
    /// Computes rows, given the first one and how many: `[rows, features]`, f64.
    pub(super) rows: Box<dyn Fn(i64, i64) -> Tensor + 'a>,
}

/// Returns `rows` with synthetic rows appended.
pub(super) fn append_rows(rows: &Rows, synthetic: &[SyntheticRows]) -> Rows {
    let mut shape = rows.features.size();
    let width = shape[1..].iter().product::<i64>().max(1);
    let (at_a_time, mut place) = ((AT_A_TIME / width).max(1), shape[0]);
    shape[0] += synthetic.iter().map(|synthetic| synthetic.count as i64).sum::<i64>();
    let features = Tensor::empty(&shape[..], (rows.features.kind(), Device::Cpu));
    features.narrow(0, 0, place).copy_(&rows.features);
    let mut targets = vec![rows.targets.shallow_clone()];
    for SyntheticRows { class, count, rows } in synthetic {
        let count = *count as i64;
        targets.push(Tensor::full([count], *class, (Kind::Int64, Device::Cpu)));
        for start in (0..count).step_by(at_a_time as usize) {
            let some = rows(start, at_a_time.min(count - start));
            shape[0] = some.size()[0];
            features.narrow(0, place, shape[0]).copy_(&some.view(&shape[..]));
            place += shape[0];
        }
    }
    Rows::new(features, Tensor::cat(&targets, 0))
}

/// Returns the rows with these indices as points on `device`: `[rows, features]`, f64.
pub(super) fn select_points(rows: &Rows, numbers: &[usize], device: Device) -> Tensor {
    let rows = rows.features.index_select(0, &row_numbers(numbers, rows.features.device()));
    rows.to_device(device).to_kind(Kind::Double).flatten(1, -1)
}

/// Returns all rows as points on `device`: `[rows, features]`, f64.
pub(super) fn points(rows: &Rows, device: Device) -> Tensor {
    rows.features.to_device(device).to_kind(Kind::Double).flatten(1, -1)
}

/// Returns row indices as a tensor on `device`.
pub(super) fn row_numbers(numbers: &[usize], device: Device) -> Tensor {
    let numbers: Vec<i64> = numbers.iter().map(|&number| number as i64).collect();
    Tensor::from_slice(&numbers).to_device(device)
}
