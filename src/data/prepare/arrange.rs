//! Rows in the order of the parts of a split, so that the parts share the memory of all rows instead of copying them.

#![expect(unsafe_code, reason = "rows change places in memory that is libtorch's")]

use tch::{Device, Kind, Tensor};

use crate::data::dataset::Loaded;
use crate::data::rows::Rows;
use crate::data::split::Parts;
use crate::tensor::raw_values::RawValues;

impl Loaded {
    /// Reorders the rows in place: training rows, validation rows, test rows, then those of no part. Their features are
    /// bytes that no other tensor uses. Does nothing if parts share rows.
    pub(crate) fn arrange(&mut self, parts: Parts) {
        let count = self.rows.len();
        let Some(order) = order(&parts, count) else { return };
        let features = self.rows.features.contiguous();
        debug_assert_eq!((features.kind(), features.device()), (Kind::Uint8, Device::Cpu), "features are bytes");
        let bytes = RawValues::<u8>::from_tensor(&features);
        // SAFETY: the caller guarantees that no other tensor uses this memory, which `features` keeps alive.
        permute(unsafe { bytes.get_mut() }, bytes.len() / count.max(1), &order);
        let numbers: Vec<i64> = order.iter().map(|&row| row as i64).collect();
        let numbers = Tensor::from_slice(&numbers);
        let in_order = |tensor: &Tensor| tensor.index_select(0, &numbers);
        self.rows =
            Rows { features, targets: in_order(&self.rows.targets), weights: self.rows.weights.as_ref().map(in_order) };
        self.groups = self.groups.take().map(|groups| order.iter().map(|&row| groups[row]).collect());
        self.arranged = Some(parts);
    }

    /// Returns the places of the rows of each part among the rows as they are now.
    pub(crate) fn places(&self, parts: &Parts) -> Parts {
        if self.arranged.is_none() {
            return parts.clone();
        }
        let mut start = 0;
        let mut next = |numbers: &Vec<usize>| {
            start += numbers.len();
            (start - numbers.len()..start).collect()
        };
        Parts {
            training: next(&parts.training),
            validation: parts.validation.as_ref().map(&mut next),
            test: parts.test.as_ref().map(&mut next),
        }
    }
}

/// Returns the rows in the order of the parts, then all others; `None` if a row is in two parts.
fn order(parts: &Parts, count: usize) -> Option<Vec<usize>> {
    let mut is_used = vec![false; count];
    let mut order = Vec::with_capacity(count);
    for &row in [Some(&parts.training), parts.validation.as_ref(), parts.test.as_ref()].into_iter().flatten().flatten()
    {
        if std::mem::replace(&mut is_used[row], true) {
            return None;
        }
        order.push(row);
    }
    order.extend((0..count).filter(|&row| !is_used[row]));
    Some(order)
}

/// Moves row `order[i]` to place `i`, for each `i`, along the cycles of the permutation.
fn permute(values: &mut [u8], width: usize, order: &[usize]) {
    let mut is_placed = vec![false; order.len()];
    let mut first = vec![0; width];
    for start in 0..order.len() {
        if is_placed[start] || order[start] == start {
            continue;
        }
        first.copy_from_slice(&values[start * width..(start + 1) * width]);
        let mut place = start;
        loop {
            is_placed[place] = true;
            let from = order[place];
            if from == start {
                break;
            }
            values.copy_within(from * width..(from + 1) * width, place * width);
            place = from;
        }
        values[place * width..(place + 1) * width].copy_from_slice(&first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::prepare::prepared::Prepared;
    use crate::data::prepare::scale::Scale;
    use crate::data::split::Split;
    use crate::data::table::form::Form;
    use crate::data::target::Target;

    fn bytes_of(rows: &Rows) -> (Vec<u8>, Vec<i64>) {
        let bytes = Vec::try_from(rows.features.flatten(0, -1)).unwrap();
        (bytes, Vec::try_from(&rows.targets).unwrap())
    }

    #[test]
    fn parts_of_arranged_rows_are_those_of_rows_in_the_order_of_the_source() {
        let loaded = || {
            let features = Tensor::randint(256, [50, 2, 3], (Kind::Uint8, Device::Cpu));
            let targets = Tensor::arange(50, (Kind::Int64, Device::Cpu)).remainder(5);
            let names = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
            Loaded::new(String::new(), Target::Classes(5), names, Rows::new(features, targets), Form::Points)
        };
        for split in [
            Split { test: Some(0.2), validation: Some(0.3), stratify: true, ..Split::default() },
            Split { validation: Some(0.5), train_rows: Some(7), ..Split::default() },
            Split { train_rows: Some(7), ..Split::default() },
            Split::default(),
        ] {
            tch::manual_seed(3);
            let plain = loaded();
            let expected = Prepared::new(&plain, &split, Scale::None).unwrap().parts;
            let rows_of = |part: &[usize]| bytes_of(&plain.rows.take(part));
            tch::manual_seed(3);
            let mut arranged = loaded();
            // the second time, the rows are arranged already, as for the next stack of a sweep
            for _ in 0..2 {
                let folds = Prepared::folds_of_bytes(&mut arranged, &split, Scale::None).unwrap();
                let [(None, found)] = <[_; 1]>::try_from(folds).unwrap() else { panic!("no folds") };
                let training = found.training.rows();
                assert_eq!(found.parts, expected);
                assert_eq!(training.features.data_ptr(), arranged.rows.features.data_ptr(), "no copy");
                assert_eq!(bytes_of(training), rows_of(&expected.training));
                let validation = found.validation.map(|rows| bytes_of(rows.rows()));
                assert_eq!(validation, expected.validation.as_deref().map(rows_of));
                assert_eq!(found.test.map(|rows| bytes_of(&rows.open())), expected.test.as_deref().map(rows_of));
            }
        }
    }

    #[test]
    fn rows_in_two_parts_are_not_arranged() {
        let rows = Rows::new(
            Tensor::zeros([4, 1], (Kind::Uint8, Device::Cpu)),
            Tensor::zeros([4], (Kind::Int64, Device::Cpu)),
        );
        let mut loaded = Loaded::new(String::new(), Target::Classes(2), Vec::new(), rows, Form::Points);
        loaded.arrange(Parts { training: vec![0, 1, 2], validation: Some(vec![2, 3]), test: None });
        assert!(loaded.arranged.is_none());
    }
}
