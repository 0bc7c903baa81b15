//! New rows behind those that are there, and rows as the points that they are computed from.

use tch::{Device, Kind, Tensor};

use crate::data::rows::{ONE_THREAD, Rows};

/// So many numbers of new rows are made at a time: they are still near when they are put in their place.
const AT_A_TIME: i64 = ONE_THREAD as i64;

/// New rows of a class.
pub(super) struct Made<'a> {
    /// Their class.
    pub(super) class: i64,
    /// How many there are.
    pub(super) count: usize,
    /// Makes so many of them from the given one on: `[rows, features]`, f64.
    pub(super) rows: Box<dyn Fn(i64, i64) -> Tensor + 'a>,
}

/// Rows with new ones behind them.
pub(super) fn followed_by(rows: &Rows, made: &[Made]) -> Rows {
    let mut shape = rows.features.size();
    let width = shape[1..].iter().product::<i64>().max(1);
    let (at_a_time, mut place) = ((AT_A_TIME / width).max(1), shape[0]);
    shape[0] += made.iter().map(|made| made.count as i64).sum::<i64>();
    let features = Tensor::empty(&shape[..], (rows.features.kind(), Device::Cpu));
    features.narrow(0, 0, place).copy_(&rows.features);
    let mut targets = vec![rows.targets.shallow_clone()];
    for Made { class, count, rows } in made {
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

/// The rows of these numbers as points on the device: `[rows, features]`, f64.
pub(super) fn points_of(rows: &Rows, numbers: &[usize], device: Device) -> Tensor {
    let rows = rows.features.index_select(0, &row_numbers(numbers, rows.features.device()));
    rows.to_device(device).to_kind(Kind::Double).flatten(1, -1)
}

/// All rows as points on the device: `[rows, features]`, f64.
pub(super) fn points(rows: &Rows, device: Device) -> Tensor {
    rows.features.to_device(device).to_kind(Kind::Double).flatten(1, -1)
}

/// Row numbers on the device.
pub(super) fn row_numbers(numbers: &[usize], device: Device) -> Tensor {
    let numbers: Vec<i64> = numbers.iter().map(|&number| number as i64).collect();
    Tensor::from_slice(&numbers).to_device(device)
}
