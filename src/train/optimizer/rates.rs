//! Settings with a value for each replica of a stack: learning rate and weight decay.

use tch::{Device, Kind, Tensor};

/// A number for each replica, as one number or as a column.
#[derive(Debug)]
pub struct PerReplica {
    numbers: Vec<f64>,
    column: Option<Tensor>, // [replicas, 1], f32, if they differ
}

/// Learning rate of each replica.
pub type Rates = PerReplica;

impl PerReplica {
    /// Creates it from the numbers of the replicas in order; a single number applies to all.
    pub fn new(numbers: &[f64], device: Device) -> Self {
        let first = numbers.first().copied().unwrap_or_default();
        let column = numbers.iter().any(|&number| number != first).then(|| {
            Tensor::from_slice(numbers).unsqueeze(1).to_kind(Kind::Float).to_device(device) // [replicas, 1]
        });
        PerReplica { numbers: numbers.to_vec(), column }
    }

    /// Returns the number of one replica.
    pub fn get(&self, replica: usize) -> f64 {
        self.numbers.get(replica).copied().unwrap_or_else(|| self.first())
    }

    /// Returns whether it is 0 for all replicas.
    pub(super) fn is_zero(&self) -> bool {
        self.numbers.iter().all(|&number| number == 0.0)
    }

    /// Returns each replica's row times its number times `factor`, `[replicas, parameters]`.
    pub(super) fn mul(&self, rows: &Tensor, factor: f64) -> Tensor {
        match &self.column {
            None => rows * (self.first() * factor),
            Some(column) => rows * (column * factor),
        }
    }

    /// Returns `1 − rate · decay` for each replica, `[replicas or 1, 1]`; `self` holds the rates.
    pub(super) fn decay_factor(&self, decays: &PerReplica) -> Tensor {
        match (&self.column, &decays.column) {
            (None, None) => Tensor::from(1.0 - self.first() * decays.first()),
            (Some(rates), None) => 1.0 - rates * decays.first(),
            (None, Some(decays)) => 1.0 - decays * self.first(),
            (Some(rates), Some(decays)) => 1.0 - rates * decays,
        }
    }

    fn first(&self) -> f64 {
        self.numbers.first().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values_of(tensor: &Tensor) -> Vec<f32> {
        Vec::try_from(tensor.flatten(0, -1)).unwrap()
    }

    #[test]
    fn every_replicas_row_is_taken_by_its_own_number() {
        let rows = Tensor::ones([2, 2], (Kind::Float, Device::Cpu));
        assert_eq!(values_of(&PerReplica::new(&[0.5, 2.0], Device::Cpu).mul(&rows, 2.0)), [1.0, 1.0, 4.0, 4.0]);
        assert_eq!(values_of(&PerReplica::new(&[0.5, 0.5], Device::Cpu).mul(&rows, 2.0)), [1.0; 4]);
        assert_eq!(PerReplica::new(&[0.5], Device::Cpu).get(3), 0.5, "one alone is every replica's");
        assert!(!PerReplica::new(&[0.0, 1.0], Device::Cpu).is_zero());
    }

    #[test]
    fn every_replica_shrinks_at_its_own_rate_and_by_its_own_decay() {
        for (rates, decays, wanted) in [
            ([0.5, 0.25], [0.5, 0.5], [0.75, 0.75, 0.875, 0.875]),
            ([0.5, 0.5], [0.5, 0.0], [0.75, 0.75, 1.0, 1.0]),
            ([0.5, 0.25], [0.5, 1.0], [0.75, 0.75, 0.75, 0.75]),
            ([0.5, 0.5], [0.5, 0.5], [0.75, 0.75, 0.75, 0.75]),
        ] {
            let (rates, decays) = (PerReplica::new(&rates, Device::Cpu), PerReplica::new(&decays, Device::Cpu));
            let shrunk =
                Tensor::ones([2, 2], (Kind::Float, Device::Cpu)) * rates.decay_factor(&decays).to_kind(Kind::Float);
            assert_eq!(values_of(&shrunk), wanted);
        }
    }
}
