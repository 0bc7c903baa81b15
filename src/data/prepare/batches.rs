//! Rows on the device, selected for each replica, shuffled for each epoch and divided into batches.

use std::ops::Range;

use tch::{Device, Kind, Tensor};

use crate::data::prepare::features::Features;
use crate::tensor::seed;
use crate::tensor::select::select_rows;

/// Rows on the device, with the targets in the form that the loss takes.
#[derive(Debug)]
pub struct DeviceRows {
    /// `[all rows, …sample]`.
    pub features: Features,
    /// `[all rows]` int64 or `[all rows, outputs]` f32, as the loss takes them.
    pub targets: Tensor,
    /// True classes, labels or values, as the metrics take them: `[all rows]` int64, or `[all rows, …]` f32.
    pub truth: Tensor,
    /// Sample weights in the loss, `[all rows]`, f32; `None` if all rows have the same weight.
    pub weights: Option<Tensor>,
    /// Row indices of each replica, `[replicas, rows]`, int64; `None` if every replica has all rows in their order.
    pub chosen: Option<Tensor>,
}

impl DeviceRows {
    /// Joins the rows of several folds of equal size in one stack; `folds` has the fold of each replica.
    pub fn from_folds(mut parts: Vec<DeviceRows>, folds: &[usize]) -> DeviceRows {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let rows = parts[0].len() as i64;
        let starts: Vec<i64> = folds.iter().map(|&fold| fold as i64 * rows).collect();
        let numbers = Tensor::arange(rows, (Kind::Int64, Device::Cpu)).unsqueeze(0); // [1, rows]
        let chosen = Tensor::from_slice(&starts).unsqueeze(1) + numbers; // [replicas, rows]
        let joined = |part: fn(&DeviceRows) -> &Tensor| {
            let tensors: Vec<&Tensor> = parts.iter().map(part).collect();
            Tensor::cat(&tensors, 0)
        };
        let weights: Option<Vec<&Tensor>> = parts.iter().map(|part| part.weights.as_ref()).collect();
        let features = Features::join(&parts.iter().map(|part| &part.features).collect::<Vec<_>>());
        DeviceRows {
            chosen: Some(chosen.to_device(features.device())),
            targets: joined(|part| &part.targets),
            truth: joined(|part| &part.truth),
            weights: weights.map(|weights| Tensor::cat(&weights, 0)),
            features,
        }
    }

    /// Returns the rows of these replicas, by index, in this order. They share the memory.
    pub fn of_replicas(&self, replicas: &[usize]) -> DeviceRows {
        DeviceRows {
            features: self.features.shallow_clone(),
            targets: self.targets.shallow_clone(),
            truth: self.truth.shallow_clone(),
            weights: self.weights.as_ref().map(Tensor::shallow_clone),
            chosen: self.chosen.as_ref().map(|chosen| select_rows(chosen, replicas)),
        }
    }

    /// Returns the number of rows of a replica.
    pub fn len(&self) -> usize {
        match &self.chosen {
            Some(chosen) => chosen.size()[1] as usize,
            None => self.truth.size()[0] as usize,
        }
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the features of a range of rows, `[replicas, rows, …]`.
    pub fn features(&self, rows: &Range<usize>, replicas: usize) -> Tensor {
        match &self.chosen {
            Some(chosen) => self.gather_features(&narrow(chosen, 1, rows)),
            None => for_each_replica(&self.features.range(rows), replicas),
        }
    }

    /// Selects the features of rows by index: `numbers` `[replicas, batch]` → `[replicas, batch, …]`.
    fn gather_features(&self, numbers: &Tensor) -> Tensor {
        let selected = self.features.select(&numbers.flatten(0, -1));
        let mut shape = numbers.size();
        shape.extend(&selected.size()[1..]);
        selected.view(&shape[..])
    }

    /// Returns the values (targets or truth) of all rows of each replica, `[replicas, rows, …]`.
    pub fn of_each_replica(&self, values: &Tensor, replicas: usize) -> Tensor {
        match &self.chosen {
            Some(chosen) => gather(values, chosen),
            None => for_each_replica(values, replicas),
        }
    }
}

/// Repeats a tensor along a new leading axis, without copying.
fn for_each_replica(tensor: &Tensor, replicas: usize) -> Tensor {
    let mut shape = vec![replicas as i64];
    shape.extend(tensor.size());
    tensor.unsqueeze(0).expand(&shape[..], false)
}

/// Returns a range along one dimension.
fn narrow(tensor: &Tensor, dimension: i64, range: &Range<usize>) -> Tensor {
    tensor.narrow(dimension, range.start as i64, range.len() as i64)
}

/// Selects rows by index: `values` `[rows, …]`, `numbers` `[replicas, batch]` → `[replicas, batch, …]`.
fn gather(values: &Tensor, numbers: &Tensor) -> Tensor {
    let mut shape = numbers.size();
    shape.extend(&values.size()[1..]);
    values.index_select(0, &numbers.flatten(0, -1)).view(&shape[..])
}

/// Order of the rows in one epoch, for each replica.
#[derive(Debug)]
pub struct Epoch<'a> {
    rows: &'a DeviceRows,
    /// Row indices in the order of this epoch, `[replicas, rows]`, int64, on the device; `None` if every replica has all rows
    /// in their order.
    pub order: Option<Tensor>,
    replicas: usize,
    batch: usize,
    /// Targets of all rows in the order of this epoch, `[replicas, rows, …]`.
    pub targets: Tensor,
    weights: Option<Tensor>, // [replicas, rows], in the order of this epoch
    /// True classes, labels or values in the order of this epoch, `[replicas, rows, …]`.
    pub truth: Tensor,
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
        let places = seed::before_epoch(seeds, epoch, rows.len(), shuffle).map(|order| order.to_device(device));
        let order = match (&rows.chosen, places) {
            (Some(chosen), Some(places)) => Some(chosen.gather(1, &places, false)),
            (Some(chosen), None) => Some(chosen.shallow_clone()),
            (None, places) => places,
        };
        let in_order = |values: &Tensor| match &order {
            Some(order) => gather(values, order),
            None => for_each_replica(values, replicas),
        };
        let (targets, truth) = (in_order(&rows.targets), in_order(&rows.truth));
        let weights = rows.weights.as_ref().map(in_order);
        Epoch { rows, order, replicas, batch, targets, weights, truth }
    }

    /// Returns the batches in order; the last one may be smaller.
    pub fn batches(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, batch) = (self.rows.len(), self.batch);
        (0..rows).step_by(batch).map(move |start| start..rows.min(start + batch))
    }

    /// Returns the number of rows of a replica.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Returns the features of one batch, `[replicas, batch, …]`.
    pub fn features(&self, batch: &Range<usize>) -> Tensor {
        match &self.order {
            Some(order) => self.rows.gather_features(&narrow(order, 1, batch)),
            None => self.rows.features(batch, self.replicas),
        }
    }

    /// Returns the targets of one batch, `[replicas, batch, …]`.
    pub fn targets(&self, batch: &Range<usize>) -> Tensor {
        narrow(&self.targets, 1, batch)
    }

    /// Returns the sample weights of one batch, `[replicas, batch]`.
    pub fn weights(&self, batch: &Range<usize>) -> Option<Tensor> {
        self.weights.as_ref().map(|weights| narrow(weights, 1, batch))
    }
}
