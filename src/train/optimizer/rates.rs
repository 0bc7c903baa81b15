//! Settings that each replica of a stack has its own of: the learning rate and the weight decay.

use tch::{Device, Kind, Tensor};

/// A number for each replica: one for all, or a column.
#[derive(Debug)]
struct EachReplica {
    first: f64,
    column: Option<Tensor>, // [replicas, 1], f32, where they differ
}

impl EachReplica {
    fn new(numbers: &[f64], device: Device) -> Self {
        let first = numbers.first().copied().unwrap_or_default();
        let column = numbers.iter().any(|&number| number != first).then(|| {
            Tensor::from_slice(numbers).unsqueeze(1).to_kind(Kind::Float).to_device(device) // [replicas, 1]
        });
        EachReplica { first, column }
    }

    fn is_zero(&self) -> bool {
        self.first == 0.0 && self.column.is_none()
    }

    /// Each replica's row times its number, `[replicas, parameters]`.
    fn times(&self, rows: &Tensor, factor: f64) -> Tensor {
        match &self.column {
            None => rows * (self.first * factor),
            Some(column) => rows * (column * factor),
        }
    }
}

/// One learning rate for each replica.
#[derive(Debug)]
pub struct Rates(EachReplica);

impl Rates {
    /// The rates in the order of the replicas.
    pub fn new(rates: &[f64], device: Device) -> Self {
        Rates(EachReplica::new(rates, device))
    }

    /// `values − rate · factor · direction`, in place; all `[replicas, parameters]`.
    pub fn descend(&self, values: &mut Tensor, direction: &Tensor, factor: f64) {
        let _ = values.g_sub_(&self.0.times(direction, factor));
    }
}

/// One weight decay for each replica.
#[derive(Debug)]
pub struct WeightDecay(EachReplica);

impl WeightDecay {
    /// The weight decays in the order of the replicas.
    pub fn new(decays: &[f64], device: Device) -> Self {
        WeightDecay(EachReplica::new(decays, device))
    }

    /// The gradient with PyTorch's `weight_decay`, an L2 penalty: `g + λ θ`, `[replicas, parameters]`.
    pub(super) fn added_to(&self, gradient: &Tensor, values: &Tensor) -> Tensor {
        if self.0.is_zero() { gradient.shallow_clone() } else { gradient + self.0.times(values, 1.0) }
    }

    /// Decoupled from the gradient: `θ · (1 − rate · λ)`, in place, `[replicas, parameters]`.
    pub(super) fn shrink(&self, values: &mut Tensor, rates: &Rates) {
        if self.0.is_zero() {
            return;
        }
        let _ = match (&self.0.column, &rates.0.column) {
            (None, None) => values.g_mul_scalar_(1.0 - rates.0.first * self.0.first),
            (Some(decays), None) => values.g_mul_(&(1.0 - decays * rates.0.first)),
            (None, Some(rates)) => values.g_mul_(&(1.0 - rates * self.0.first)),
            (Some(decays), Some(rates)) => values.g_mul_(&(1.0 - decays * rates)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values_of(tensor: &Tensor) -> Vec<f32> {
        Vec::try_from(tensor.flatten(0, -1)).unwrap()
    }

    #[test]
    fn every_replica_moves_at_its_own_rate() {
        let mut values = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu));
        let direction = Tensor::ones([2, 3], (Kind::Float, Device::Cpu));
        Rates::new(&[0.5, 2.0], Device::Cpu).descend(&mut values, &direction, 2.0);
        assert_eq!(values_of(&values), [-1.0, -1.0, -1.0, -4.0, -4.0, -4.0]);
    }

    #[test]
    fn every_replica_shrinks_at_its_own_rate_and_by_its_own_decay() {
        let ones = || Tensor::ones([2, 2], (Kind::Float, Device::Cpu));
        for (rates, decays, wanted) in [
            ([0.5, 0.25], [0.5, 0.5], [0.75, 0.75, 0.875, 0.875]),
            ([0.5, 0.5], [0.5, 0.0], [0.75, 0.75, 1.0, 1.0]),
            ([0.5, 0.25], [0.5, 1.0], [0.75, 0.75, 0.75, 0.75]),
            ([0.5, 0.5], [0.5, 0.5], [0.75, 0.75, 0.75, 0.75]),
        ] {
            let mut values = ones();
            WeightDecay::new(&decays, Device::Cpu).shrink(&mut values, &Rates::new(&rates, Device::Cpu));
            assert_eq!(values_of(&values), wanted);
        }
        let gradient = WeightDecay::new(&[0.0, 2.0], Device::Cpu).added_to(&ones(), &ones());
        assert_eq!(values_of(&gradient), [1.0, 1.0, 3.0, 3.0]);
    }
}
