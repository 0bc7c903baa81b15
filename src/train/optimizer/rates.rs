//! The learning rate of each replica of a stack.

use tch::{Device, Kind, Tensor};

/// One learning rate for each replica.
#[derive(Debug)]
pub struct Rates {
    first: f64,
    column: Option<Tensor>, // [replicas, 1], where they differ
}

impl Rates {
    /// The rates in the order of the replicas.
    pub fn new(rates: &[f64], device: Device) -> Self {
        let first = rates.first().copied().unwrap_or_default();
        let column = rates.iter().any(|&rate| rate != first).then(|| {
            Tensor::from_slice(rates).unsqueeze(1).to_kind(Kind::Float).to_device(device) // [replicas, 1]
        });
        Rates { first, column }
    }

    /// `values − rate · factor · direction`, in place; all `[replicas, parameters]`.
    pub fn descend(&self, values: &mut Tensor, direction: &Tensor, factor: f64) {
        let _ = match &self.column {
            None => values.g_sub_(&(direction * (self.first * factor))),
            Some(column) => values.g_sub_(&(direction * (column * factor))),
        };
    }

    /// `values · (1 − rate · factor)`, in place, `[replicas, parameters]`.
    pub fn shrink(&self, values: &mut Tensor, factor: f64) {
        if factor == 0.0 {
            return;
        }
        let _ = match &self.column {
            None => values.g_mul_scalar_(1.0 - self.first * factor),
            Some(column) => values.g_mul_(&(1.0 - column * factor)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_replica_moves_at_its_own_rate() {
        let mut values = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu));
        let direction = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));
        Rates::new(&[0.5, 2.0], Device::Cpu).descend(&mut values, &direction, 2.0);
        assert_eq!(Vec::<f32>::try_from(values.flatten(0, -1)).unwrap(), [-1.0, -1.0, -1.0, -4.0, -4.0, -4.0]);
    }

    #[test]
    fn every_replica_shrinks_at_its_own_rate() {
        let mut values = Tensor::ones([2, 2], (Kind::Float, Device::Cpu));
        Rates::new(&[0.5, 0.25], Device::Cpu).shrink(&mut values, 0.5);
        assert_eq!(Vec::<f32>::try_from(values.flatten(0, -1)).unwrap(), [0.75, 0.75, 0.875, 0.875]);
    }
}
