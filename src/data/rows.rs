//! Rows of data as tensors: features, targets and weights.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::ops::Range;

use tch::{Device, Kind, Tensor};

use crate::data::target::Target;

/// Number of elements up to which libtorch works with one thread. More threads are faster for one large tensor. In a
/// series of many operations, the threads wait for each other after each, which is slow on a busy machine.
pub(crate) const ONE_THREAD: usize = (1 << 15) - 1;

/// Features, targets and weights, row by row.
#[derive(Debug)]
pub struct Rows {
    /// `[rows, …sample]`, u8 or f32. Rows of a table that is not yet encoded: `[rows, columns]`, f64.
    pub features: Tensor,
    /// Classes: `[rows]`, int64. Labels: `[rows, labels]`, f32, 0 or 1. Values: `[rows, values]`, f32.
    pub targets: Tensor,
    /// Sample weights in the loss, `[rows]`, f32, above 0; `None` if all rows have the same weight.
    pub weights: Option<Tensor>,
}

impl Rows {
    /// Returns the number of rows that have the features and the target of one of the `others`.
    pub fn count_in(&self, others: &Rows) -> usize {
        let known: HashSet<u64> = others.hashes().into_iter().collect();
        self.hashes().iter().filter(|hash| known.contains(hash)).count()
    }

    /// Returns a hash of the features and the target of each row.
    fn hashes(&self) -> Vec<u64> {
        let values = |tensor: &Tensor| {
            let flat = tensor.to_kind(Kind::Float).reshape([self.len() as i64, -1]).to_device(Device::Cpu);
            let bits = Vec::<f32>::try_from(flat.flatten(0, -1)).expect("the tensor was converted to f32");
            (bits.into_iter().map(f32::to_bits).collect::<Vec<u32>>(), flat.size()[1] as usize)
        };
        if self.is_empty() {
            return Vec::new();
        }
        let [(features, width), (targets, target_width)] = [&self.features, &self.targets].map(values);
        let rows = features.chunks_exact(width.max(1)).zip(targets.chunks_exact(target_width.max(1)));
        let fixed = BuildHasherDefault::<DefaultHasher>::default();
        rows.map(|row| fixed.hash_one(row)).collect()
    }

    /// Creates rows without sample weights.
    pub fn new(features: Tensor, targets: Tensor) -> Rows {
        Rows { features, targets, weights: None }
    }

    /// Applies `change` to each tensor.
    fn map_tensors(&self, change: impl Fn(&Tensor) -> Tensor) -> Rows {
        Rows {
            features: change(&self.features),
            targets: change(&self.targets),
            weights: self.weights.as_ref().map(change),
        }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.targets.size()[0] as usize
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the rows with these indices, in this order.
    pub fn take(&self, numbers: &[usize]) -> Rows {
        let numbers: Vec<i64> = numbers.iter().map(|&number| number as i64).collect();
        let numbers = Tensor::from_slice(&numbers);
        self.map_tensors(|tensor| tensor.index_select(0, &numbers))
    }

    /// Returns the rows of a range; the tensors share memory.
    pub(crate) fn narrow(&self, rows: Range<usize>) -> Rows {
        self.map_tensors(|tensor| tensor.narrow(0, rows.start as i64, rows.len() as i64))
    }

    /// Returns the number of rows of each class from 0 to `classes - 1`.
    pub(crate) fn counts(&self, classes: usize) -> Vec<u64> {
        let counts = self.targets.bincount::<Tensor>(None, classes as i64);
        Vec::<i64>::try_from(counts).expect("counts are int64").into_iter().map(|count| count as u64).collect()
    }

    /// Returns the same rows; the tensors share memory.
    pub fn shallow_clone(&self) -> Rows {
        self.map_tensors(Tensor::shallow_clone)
    }

    /// Copies the rows to `device`.
    pub fn to(&self, device: Device) -> Rows {
        self.map_tensors(|tensor| tensor.to_device(device))
    }
}

/// Returns the class of each row; `None` if the target has no classes.
pub fn class_numbers(rows: &Rows, target: Target) -> Option<Vec<i64>> {
    match target {
        Target::Classes(_) => Some(Vec::try_from(&rows.targets).expect("classes are int64")),
        Target::Labels(_) | Target::Values(_) => None,
    }
}
