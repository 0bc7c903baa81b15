//! Settings with a value for each replica of a stack: learning rates, momenta, label smoothing, …

use tch::{Device, Kind, Tensor};

/// A number for each replica: one number if all are equal, a column otherwise.
#[derive(Debug)]
pub struct PerReplica {
    numbers: Vec<f64>,
    column: Option<Tensor>, // [replicas, 1], f32, if they differ
}

impl PerReplica {
    /// Creates it from the numbers of the replicas in order; a single number applies to all.
    pub fn new(numbers: &[f64], device: Device) -> Self {
        let column = (!all_equal(numbers)).then(|| column(numbers, Kind::Float, device));
        PerReplica { numbers: numbers.to_vec(), column }
    }

    /// Creates several settings from those of each replica, with one transfer to the device.
    pub(super) fn several<const N: usize>(replicas: &[[f64; N]], device: Device) -> [PerReplica; N] {
        let settings: [Vec<f64>; N] =
            std::array::from_fn(|setting| replicas.iter().map(|replica| replica[setting]).collect());
        let differing: Vec<f64> = settings.iter().filter(|numbers| !all_equal(numbers)).flatten().copied().collect();
        let columns = (!differing.is_empty())
            .then(|| column(&differing, Kind::Float, device).view([-1, replicas.len() as i64, 1]));
        let mut columns = columns.into_iter().flat_map(|columns| columns.unbind(0));
        settings.map(|numbers| {
            let column = if all_equal(&numbers) { None } else { columns.next() };
            PerReplica { numbers, column }
        })
    }

    /// Returns the number of one replica.
    pub fn get(&self, replica: usize) -> f64 {
        self.numbers.get(replica).copied().unwrap_or_else(|| self.first())
    }

    /// Returns the number of all replicas; `None` if they differ.
    pub(super) fn common(&self) -> Option<f64> {
        self.column.is_none().then(|| self.first())
    }

    /// Returns the numbers as a column `[replicas, 1]`; `None` if all are equal.
    pub(super) fn column(&self, kind: Kind) -> Option<Tensor> {
        self.column.as_ref().map(|cached| match kind {
            Kind::Float => cached.shallow_clone(),
            _ => column(&self.numbers, kind, cached.device()),
        })
    }

    /// Returns whether it is 0 for all replicas.
    pub(super) fn is_zero(&self) -> bool {
        self.numbers.iter().all(|&number| number == 0.0)
    }

    /// Returns whether it is 0 for one of the replicas.
    pub(super) fn has_zero(&self) -> bool {
        self.numbers.contains(&0.0)
    }

    /// Returns each replica's row times its number, `[replicas, parameters]`; `rows` are `[replicas or 1, parameters]`.
    pub(super) fn mul(&self, rows: &Tensor) -> Tensor {
        match &self.column {
            None => rows * self.first(),
            Some(column) => rows * column,
        }
    }

    /// Returns each replica's row plus its number, `[replicas, parameters]`.
    pub(super) fn add(&self, rows: &Tensor) -> Tensor {
        match &self.column {
            None => rows + self.first(),
            Some(column) => rows + column,
        }
    }

    /// Returns each replica's row times the product of its two numbers, `[replicas, parameters]`.
    pub(super) fn mul_product(&self, other: &PerReplica, rows: &Tensor) -> Tensor {
        match (&self.column, &other.column) {
            (None, None) => rows * (self.first() * other.first()),
            (Some(column), None) => rows * (column * other.first()),
            (None, Some(column)) => rows * (column * self.first()),
            (Some(one), Some(another)) => rows * (one * another),
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

    /// Returns rows like these in which each replica has its number everywhere.
    pub(super) fn fill_like(&self, rows: &Tensor) -> Tensor {
        match &self.column {
            None => rows.full_like(self.first()),
            Some(column) => rows.zeros_like() + column,
        }
    }

    fn first(&self) -> f64 {
        self.numbers.first().copied().unwrap_or_default()
    }
}

fn all_equal(numbers: &[f64]) -> bool {
    numbers.iter().all(|number| *number == numbers[0])
}

/// Returns the numbers as a column, `[numbers, 1]`.
fn column(numbers: &[f64], kind: Kind, device: Device) -> Tensor {
    Tensor::from_slice(numbers).unsqueeze(1).to_kind(kind).to_device(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values_of(tensor: &Tensor) -> Vec<f32> {
        Vec::try_from(tensor.flatten(0, -1)).unwrap()
    }

    fn each(numbers: &[f64]) -> PerReplica {
        PerReplica::new(numbers, Device::Cpu)
    }

    #[test]
    fn every_replicas_row_is_taken_by_its_own_number() {
        let rows = Tensor::full([2, 2], 2.0, (Kind::Float, Device::Cpu));
        assert_eq!(values_of(&each(&[0.5, 2.0]).mul(&rows)), [1.0, 1.0, 4.0, 4.0]);
        assert_eq!(values_of(&each(&[0.5, 0.5]).mul(&rows)), [1.0; 4]);
        assert_eq!(values_of(&each(&[0.5, 2.0]).add(&rows)), [2.5, 2.5, 4.0, 4.0]);
        assert_eq!(values_of(&each(&[0.5]).add(&rows)), [2.5; 4]);
        assert_eq!(values_of(&each(&[0.5, 2.0]).fill_like(&rows)), [0.5, 0.5, 2.0, 2.0]);
        for (one, another) in [([0.5, 2.0], [4.0, 4.0]), ([4.0, 4.0], [0.5, 2.0]), ([1.0, 4.0], [2.0, 2.0])] {
            assert_eq!(values_of(&each(&one).mul_product(&each(&another), &rows)), [4.0, 4.0, 16.0, 16.0]);
        }
        assert_eq!(values_of(&each(&[0.5, 2.0]).mul_product(&each(&[2.0, 4.0]), &rows)), [2.0, 2.0, 16.0, 16.0]);
        assert_eq!(each(&[0.5]).get(3), 0.5, "one alone is every replica's");
        assert!(!each(&[0.0, 1.0]).is_zero());
    }

    #[test]
    fn several_settings_are_those_of_each_replica() {
        let [one, two, three] = PerReplica::several(&[[0.5, 3.0, 1.0], [0.25, 3.0, 2.0], [0.5, 3.0, 4.0]], Device::Cpu);
        assert_eq!((one.get(1), two.common(), three.get(2)), (0.25, Some(3.0), 4.0));
        assert_eq!(values_of(&one.column(Kind::Float).unwrap()), [0.5, 0.25, 0.5]);
        assert_eq!(three.column(Kind::Double).unwrap(), Tensor::from_slice(&[1.0, 2.0, 4.0]).unsqueeze(1));
        assert!(two.column(Kind::Float).is_none() && one.common().is_none());
    }

    #[test]
    fn every_replica_shrinks_at_its_own_rate_and_by_its_own_decay() {
        for (rates, decays, wanted) in [
            ([0.5, 0.25], [0.5, 0.5], [0.75, 0.75, 0.875, 0.875]),
            ([0.5, 0.5], [0.5, 0.0], [0.75, 0.75, 1.0, 1.0]),
            ([0.5, 0.25], [0.5, 1.0], [0.75, 0.75, 0.75, 0.75]),
            ([0.5, 0.5], [0.5, 0.5], [0.75, 0.75, 0.75, 0.75]),
        ] {
            let shrunk = Tensor::ones([2, 2], (Kind::Float, Device::Cpu))
                * each(&rates).decay_factor(&each(&decays)).to_kind(Kind::Float);
            assert_eq!(values_of(&shrunk), wanted);
        }
    }
}
