//! The training rows on the device, in the order of each epoch and cut into batches, with a leading replica axis.

use std::ops::Range;

use tch::{Device, Tensor};

use crate::seed;

/// Rows on the device, with the targets in the form that the loss takes.
#[derive(Debug)]
pub struct DeviceRows {
    /// `[rows, …sample]`, f32.
    pub features: Tensor,
    /// `[rows]` int64 or `[rows, outputs]` f32, as the loss takes them.
    pub targets: Tensor,
    /// `[rows]`, int64.
    pub labels: Tensor,
}

impl DeviceRows {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.labels.size()[0] as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A run of rows, the same for every replica: features `[replicas, rows, …]`, without copying.
    pub fn shared(&self, rows: &Range<usize>, replicas: usize) -> Tensor {
        for_each_replica(&narrow(&self.features, 0, rows), replicas)
    }
}

/// Repeats a tensor along a new leading axis, without copying.
pub fn for_each_replica(tensor: &Tensor, replicas: usize) -> Tensor {
    let mut shape = vec![replicas as i64];
    shape.extend(tensor.size());
    tensor.unsqueeze(0).expand(&shape[..], false)
}

/// A run along one dimension.
pub fn narrow(tensor: &Tensor, dimension: i64, range: &Range<usize>) -> Tensor {
    tensor.narrow(dimension, range.start as i64, range.len() as i64)
}

/// The order of one epoch: which row each replica sees when.
#[derive(Debug)]
pub struct Epoch<'a> {
    rows: &'a DeviceRows,
    order: Option<Tensor>, // [replicas, rows], int64, on the device
    replicas: usize,
    batch: usize,
    /// Targets in this epoch's order, `[replicas, rows, …]`.
    pub targets: Tensor,
    /// Labels in this epoch's order, `[replicas, rows]`.
    pub labels: Tensor,
}

impl<'a> Epoch<'a> {
    /// Seeds every replica for the epoch and draws its order.
    pub fn draw(
        rows: &'a DeviceRows,
        seeds: &[i64],
        epoch: usize,
        batch: usize,
        shuffle: bool,
        device: Device,
    ) -> Self {
        let replicas = seeds.len();
        let order = seed::before_epoch(seeds, epoch, rows.len(), shuffle).map(|order| order.to_device(device));
        let in_order = |values: &Tensor| match &order {
            Some(order) => gather(values, order),
            None => for_each_replica(values, replicas),
        };
        let (targets, labels) = (in_order(&rows.targets), in_order(&rows.labels));
        Epoch { rows, order, replicas, batch, targets, labels }
    }

    /// The batches in order; the last one may be smaller.
    pub fn batches(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, batch) = (self.rows.len(), self.batch);
        (0..rows).step_by(batch).map(move |start| start..rows.min(start + batch))
    }

    /// The features of one batch, `[replicas, batch, …]`.
    pub fn features(&self, batch: &Range<usize>) -> Tensor {
        match &self.order {
            Some(order) => gather(&self.rows.features, &narrow(order, 1, batch)),
            None => self.rows.shared(batch, self.replicas),
        }
    }

    /// The targets of one batch, `[replicas, batch, …]`.
    pub fn targets(&self, batch: &Range<usize>) -> Tensor {
        narrow(&self.targets, 1, batch)
    }
}

/// Rows by number: `values` `[rows, …]`, `numbers` `[replicas, batch]` → `[replicas, batch, …]`.
fn gather(values: &Tensor, numbers: &Tensor) -> Tensor {
    let mut shape = numbers.size();
    shape.extend(&values.size()[1..]);
    values.index_select(0, &numbers.flatten(0, -1)).view(&shape[..])
}
