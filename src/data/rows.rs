//! Rows of data as tensors: features, targets and weights.

use tch::{Device, Tensor};

use crate::data::target::Target;

/// So many numbers libtorch works on with one thread. To share out more than that would pay for one large tensor; where
/// many are done one after the other, its threads wait for each other each time, and long on a machine that is busy.
pub(crate) const ONE_THREAD: usize = (1 << 15) - 1;

/// Features and targets, row by row.
#[derive(Debug)]
pub struct Rows {
    /// `[rows, …sample]`, u8 or f32; of a table, before it is encoded, `[rows, columns]` f64.
    pub features: Tensor,
    /// Classes: `[rows]`, int64. Labels: `[rows, labels]`, f32, 0 or 1. Values: `[rows, values]`, f32.
    pub targets: Tensor,
    /// What each row counts in the loss, `[rows]`, f32, above 0; `None` where all count the same.
    pub weights: Option<Tensor>,
}

impl Rows {
    /// Rows that all count the same.
    pub fn new(features: Tensor, targets: Tensor) -> Rows {
        Rows { features, targets, weights: None }
    }

    /// The same with something done to each of their tensors.
    fn each(&self, change: impl Fn(&Tensor) -> Tensor) -> Rows {
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

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows of these numbers, in their order.
    pub fn take(&self, numbers: &[usize]) -> Rows {
        let numbers: Vec<i64> = numbers.iter().map(|&number| number as i64).collect();
        let numbers = Tensor::from_slice(&numbers);
        self.each(|tensor| tensor.index_select(0, &numbers))
    }

    /// How many rows each class has, of those from 0 to `classes`.
    pub(crate) fn counts(&self, classes: usize) -> Vec<u64> {
        let counts = self.targets.bincount::<Tensor>(None, classes as i64);
        Vec::<i64>::try_from(counts).expect("counts are int64").into_iter().map(|count| count as u64).collect()
    }

    /// The same rows, in the same memory.
    pub fn shallow_clone(&self) -> Rows {
        self.each(Tensor::shallow_clone)
    }

    /// The same rows on another device.
    pub fn to(&self, device: Device) -> Rows {
        self.each(|tensor| tensor.to_device(device))
    }
}

/// The class of each row, for targets that have one.
pub fn class_numbers(rows: &Rows, target: Target) -> Option<Vec<i64>> {
    match target {
        Target::Classes(_) => Some(Vec::try_from(&rows.targets).expect("classes are int64")),
        Target::Labels(_) | Target::Values(_) => None,
    }
}
