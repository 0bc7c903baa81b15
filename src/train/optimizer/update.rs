//! Steps of an optimizer, and the state that it stores for each parameter.
//!
//! On the CPU a step is one pass over memory, which bounds its speed: a parameter's value, gradient and state are read
//! once and written once. libtorch's operations would read all of them about ten times.

#![expect(unsafe_code, reason = "steps are passes over libtorch's memory")]

use pulp::{Scalar, Simd, WithSimd};
use tch::{Device, Kind, Tensor};

use crate::tensor::raw_values::RawF32;
use crate::train::optimizer::Optimizer;
use crate::train::optimizer::number::Register;
use crate::train::optimizer::rule::{ApplyRule, Constants, Rule};
use crate::train::per_replica::PerReplica;

/// Maximum number of values that an optimizer stores per parameter.
const MAX_MEMORY: usize = 3;

/// An optimizer with its state.
#[derive(Debug)]
pub struct Update {
    optimizers: Vec<Optimizer>, // of the replicas in order; a single one applies to all
    decays: PerReplica,
    memory: Vec<Tensor>, // [replicas, parameters] each, after the first step
    steps: u64,
    momenta: Vec<Option<f64>>, // of the replicas in order; empty if none is set
}

impl Optimizer {
    /// Returns the optimizer without state, with the same settings for all replicas.
    pub fn start(&self, device: Device) -> Update {
        Update::new(vec![self.clone()], device)
    }
}

impl Update {
    /// Creates the optimizer of a stack without state from the optimizers of its replicas, which differ at most in what
    /// [`Optimizer::shared`] sets to defaults; a single one applies to all.
    pub fn new(optimizers: Vec<Optimizer>, device: Device) -> Self {
        let decays: Vec<f64> = optimizers.iter().map(Optimizer::weight_decay).collect();
        let decays = PerReplica::new(&decays, device);
        Update { optimizers, decays, memory: Vec::new(), steps: 0, momenta: Vec::new() }
    }

    /// Sets the momentum of each replica for the next steps; `None` means the momentum of its settings. The settings
    /// decide whether momentum state is allocated, so they must have a momentum if any step uses one.
    pub fn set_momenta(&mut self, momenta: &[Option<f64>]) {
        self.momenta.clear();
        self.momenta.extend_from_slice(momenta);
    }

    /// Takes one step, in place. Gradients must not be recorded.
    ///
    /// # Shapes
    /// `values` and `gradient` are `[replicas, parameters]`.
    ///
    /// # Panics
    /// When `values` and `gradient` share memory, which is a bug in this program.
    pub fn step(&mut self, values: &mut Tensor, gradient: &Tensor, rates: &PerReplica) {
        let gradient = &gradient.contiguous(); // a copy if it is a view with gaps
        assert!(!share_memory(values, gradient), "the values and the gradient of a step share memory");
        if values.device() == Device::Cpu && values.kind() == Kind::Float {
            let rows = self.rows(values);
            self.steps += 1;
            let parameters = values.size()[1] as usize;
            for replica in 0..values.size()[0] as usize {
                let row = replica * parameters..(replica + 1) * parameters;
                // SAFETY: the gradient lives until the end of this function, and this thread writes only to the values
                // and the optimizer's state, which do not overlap with the gradient.
                let gradient = unsafe { RawF32::from_tensor(gradient).part(row).get() };
                // SAFETY: values and state are borrowed for this function, and one thread steps row by row.
                unsafe {
                    rows.step(replica, 0..parameters, gradient, rates.get(replica), self.momentum(replica), self.steps);
                }
            }
        } else {
            self.remember(values);
            self.steps += 1;
            let optimizers = self.optimizers.iter().chain(std::iter::repeat(&self.optimizers[0]));
            let each: Vec<Constants<f64>> = optimizers
                .take(values.size()[0] as usize)
                .enumerate()
                .map(|(replica, optimizer)| with_momentum(optimizer, self.momentum(replica)).constants(self.steps))
                .collect();
            let constants = PerReplica::several(&each, values.device());
            let decay = (!self.decays.is_zero()).then_some(&self.decays);
            let memory = &mut self.memory;
            self.optimizers[0].apply(TensorStep { constants, values, gradient, memory, rate: rates, decay });
        }
    }

    /// Returns the momentum of a replica, if it is set.
    fn momentum(&self, replica: usize) -> Option<f64> {
        self.momenta.get(replica).copied().flatten()
    }

    /// Returns what is needed to step over parts of rows, for callers with their own loop.
    ///
    /// # Shapes
    /// `values` is `[replicas, parameters]`, f32, on the CPU.
    pub(in crate::train) fn rows(&mut self, values: &Tensor) -> Rows {
        self.remember(values);
        Rows {
            optimizers: self.optimizers.clone(),
            values: RawF32::from_tensor(values),
            memory: self.memory.iter().map(RawF32::from_tensor).collect(),
            parameters: values.size()[1] as usize,
        }
    }

    /// Returns the state, `[replicas, parameters]` each; empty before the first step.
    pub(in crate::train) fn memory(&self) -> &[Tensor] {
        &self.memory
    }

    /// Returns newly allocated state for these values, `[replicas, parameters]`.
    pub(in crate::train) fn memory_like(&self, values: &Tensor) -> Vec<Tensor> {
        let (numbers, starts): (Vec<usize>, Vec<f64>) = self.optimizers.iter().map(Optimizer::memory).unzip();
        let starts = PerReplica::new(&starts, values.device());
        let numbers = numbers.into_iter().max().unwrap_or_default(); // a replica without momentum leaves its row unused
        (0..numbers).map(|_| starts.fill_like(values)).collect()
    }

    /// Restores the number of steps and the state.
    pub(in crate::train) fn restore(&mut self, steps: u64, memory: Vec<Tensor>) {
        (self.steps, self.memory) = (steps, memory);
    }

    /// Returns the number of steps taken.
    pub(in crate::train) fn steps(&self) -> u64 {
        self.steps
    }

    /// Counts steps that were taken with [`Rows`].
    pub(in crate::train) fn count(&mut self, steps: u64) {
        self.steps += steps;
    }

    fn remember(&mut self, values: &Tensor) {
        if self.memory.is_empty() {
            self.memory = self.memory_like(values);
        }
    }
}

/// Returns whether two contiguous tensors overlap in memory.
fn share_memory(one: &Tensor, other: &Tensor) -> bool {
    let bytes = |tensor: &Tensor| {
        let start = tensor.data_ptr() as usize;
        start..start + tensor.numel() * tensor.kind().elt_size_in_bytes()
    };
    let (one, other) = (bytes(one), bytes(other));
    one.start < other.end && other.start < one.end
}

/// Returns the optimizer with the momentum of a step.
fn with_momentum(optimizer: &Optimizer, momentum: Option<f64>) -> Optimizer {
    momentum.map_or_else(|| optimizer.clone(), |momentum| optimizer.with_momentum(momentum))
}

/// A step over tensors of all parameters.
struct TensorStep<'a> {
    constants: Constants<PerReplica>,
    values: &'a mut Tensor,
    gradient: &'a Tensor,
    memory: &'a mut [Tensor],
    rate: &'a PerReplica,
    decay: Option<&'a PerReplica>,
}

impl ApplyRule for TensorStep<'_> {
    fn apply_rule<R: Rule>(self, rule: R) {
        let values = rule.apply(&self.constants, &*self.values, self.gradient, self.memory, self.rate, self.decay);
        self.values.copy_(&values);
    }
}

/// Parameters and state as rows of f32 that threads can share; each thread steps over its own part.
#[derive(Clone, Debug)]
pub(in crate::train) struct Rows {
    optimizers: Vec<Optimizer>, // of the replicas in order; a single one applies to all
    values: RawF32,
    memory: Vec<RawF32>,
    parameters: usize,
}

impl Rows {
    /// Takes a step over a part of a replica's parameters. `number` is the step, from 1; `gradient` is the
    /// gradient of this part; `momentum` is given only if a schedule changes it.
    ///
    /// # Safety
    /// The tensors behind this value are alive, and no other thread reads or writes this part of them meanwhile.
    pub(in crate::train) unsafe fn step(
        &self,
        replica: usize,
        part: std::ops::Range<usize>,
        gradient: &[f32],
        rate: f64,
        momentum: Option<f64>,
        number: u64,
    ) {
        let start = replica * self.parameters;
        let part = start + part.start..start + part.end;
        // SAFETY: the caller guarantees that the tensor is alive and that this part belongs to this thread.
        let values = unsafe { self.values.part(part.clone()).get_mut() };
        // SAFETY: the same; each state is a separate tensor, so the slices do not overlap.
        let memory = self.memory.iter().map(|floats| unsafe { floats.part(part.clone()).get_mut() }).collect();
        let optimizer = self.optimizers.get(replica).unwrap_or(&self.optimizers[0]);
        let decay = Some(optimizer.weight_decay()).filter(|decay| *decay != 0.0);
        let constants = with_momentum(optimizer, momentum).constants(number);
        optimizer.apply(SliceStep { constants, values, gradient, memory, rate, decay });
    }
}

/// A step over slices of f32.
struct SliceStep<'a> {
    constants: Constants<f64>,
    values: &'a mut [f32],
    gradient: &'a [f32],
    memory: Vec<&'a mut [f32]>,
    rate: f64,
    decay: Option<f64>,
}

impl ApplyRule for SliceStep<'_> {
    fn apply_rule<R: Rule>(self, rule: R) {
        const { assert!(MAX_MEMORY == 3, "one arm for each number below") };
        let (len, arch) = (self.values.len(), pulp::Arch::new());
        assert!(self.gradient.len() == len && self.memory.iter().all(|memory| memory.len() == len), "parts are alike");
        match self.memory.len() {
            0 => arch.dispatch(Pass::<R, 0>(rule, self)),
            1 => arch.dispatch(Pass::<R, 1>(rule, self)),
            2 => arch.dispatch(Pass::<R, 2>(rule, self)),
            _ => arch.dispatch(Pass::<R, MAX_MEMORY>(rule, self)),
        }
    }
}

/// A pass over memory with this number of stored values per parameter; all slices have the same length.
struct Pass<'a, R, const M: usize>(R, SliceStep<'a>);

impl<R: Rule, const M: usize> WithSimd for Pass<'_, R, M> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Pass(rule, SliceStep { constants, values, gradient, memory, rate, decay }) = self;
        let mut memory: [&mut [f32]; M] = memory.try_into().expect("as many as were counted");
        let (values, last_values) = S::as_mut_simd_f32s(values);
        let (gradient, last_gradient) = S::as_simd_f32s(gradient);
        let vectors = memory.each_mut().map(|memory| S::as_mut_simd_f32s(memory).0);
        step_each(simd, rule, &constants, (rate, decay), values, gradient, vectors);
        let last = memory.map(|memory| S::as_mut_simd_f32s(memory).1);
        step_each(Scalar::new(), rule, &constants, (rate, decay), last_values, last_gradient, last);
    }
}

/// Steps over one register of parameters after the other; all slices have the same length.
#[inline(always)]
fn step_each<S: Simd, R: Rule, const M: usize>(
    simd: S,
    rule: R,
    constants: &Constants<f64>,
    (rate, decay): (f64, Option<f64>),
    values: &mut [S::f32s],
    gradient: &[S::f32s],
    memory: [&mut [S::f32s]; M],
) {
    let mut memory = memory.map(|memory| &mut memory[..values.len()]);
    for (place, (value, gradient)) in values.iter_mut().zip(gradient).enumerate() {
        let mut remembered: [Register<S>; M] = std::array::from_fn(|slot| Register::new(simd, memory[slot][place]));
        let (before, gradient) = (Register::new(simd, *value), Register::new(simd, *gradient));
        *value = rule.apply(constants, &before, &gradient, &mut remembered, &rate, decay.as_ref()).values;
        for (memory, remembered) in memory.iter_mut().zip(remembered) {
            memory[place] = remembered.values;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_take_the_same_steps_on_tensors_as_in_memory() {
        for settings in [
            json!({ "sgd": { "momentum": 0.9, "nesterov": true } }),
            json!({ "rmsprop": { "momentum": 0.5, "centered": true } }),
            json!({ "adam": { "amsgrad": true } }),
            json!({ "adamw": {} }),
            json!({ "adagrad": { "initial_accumulator_value": 0.1, "lr_decay": 0.1 } }),
        ] {
            let optimizer: Optimizer = serde_json::from_value(settings).unwrap();
            let cycle = [None, Some(0.0), Some(0.7)].map(|momentum| [momentum; 2]); // as a schedule may do
            // f64 tensors take the path of a GPU: operations on tensors.
            let [memory, tensors] =
                [Kind::Float, Kind::Double].map(|kind| stepped(vec![optimizer.clone()], &[0.1, 0.02], &cycle, kind));
            assert!(distance(&memory, &tensors) < 1e-5, "{optimizer:?}");
        }
    }

    /// Takes six steps, with the momenta in turn, and returns the parameters of each replica.
    fn stepped(optimizers: Vec<Optimizer>, lrs: &[f64], momenta: &[[Option<f64>; 2]], kind: Kind) -> Vec<Vec<f64>> {
        let start = (Tensor::arange(21, (Kind::Float, Device::Cpu)) * 0.3).sin().expand([lrs.len() as i64, 21], true);
        let mut update = Update::new(optimizers, Device::Cpu);
        let mut values = start.to_kind(kind).copy();
        for step in 1..=6 {
            let gradient = (&start * f64::from(step)).cos().to_kind(kind);
            update.set_momenta(&momenta[step as usize % momenta.len()]);
            update.step(&mut values, &gradient, &PerReplica::new(lrs, Device::Cpu));
        }
        Vec::try_from(values.to_kind(Kind::Double)).unwrap()
    }

    fn distance(one: &[Vec<f64>], another: &[Vec<f64>]) -> f64 {
        let pairs = one.iter().flatten().zip(another.iter().flatten());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn replicas_with_different_settings_take_the_steps_of_each_alone() {
        let optimizer = |name: &str, settings: &serde_json::Value| -> Optimizer {
            serde_json::from_value(json!({ name: settings })).unwrap()
        };
        for (name, one, another) in [
            ("sgd", json!({ "momentum": 0.9, "weight_decay": 0.1 }), json!({ "momentum": 0.3 })),
            ("sgd", json!({}), json!({ "momentum": 0.9 })),
            ("sgd", json!({ "momentum": 0.5, "nesterov": true }), json!({ "momentum": 0.9, "nesterov": true })),
            ("rmsprop", json!({ "alpha": 0.5, "eps": 1e-3 }), json!({ "alpha": 0.99, "momentum": 0.9 })),
            (
                "rmsprop",
                json!({ "alpha": 0.8, "eps": 0.1, "centered": true }),
                json!({ "alpha": 0.9, "eps": 0.1, "centered": true }),
            ),
            ("adam", json!({ "betas": [0.4, 0.9] }), json!({ "betas": [0.9, 0.999], "eps": 0.1 })),
            ("adam", json!({ "betas": [0.9, 0.9], "amsgrad": true }), json!({ "weight_decay": 0.1, "amsgrad": true })),
            ("adamw", json!({ "betas": [0.0, 0.5], "weight_decay": 0.0 }), json!({ "weight_decay": 0.3 })),
            ("adagrad", json!({ "lr_decay": 0.5, "eps": 0.1 }), json!({ "initial_accumulator_value": 0.1 })),
        ] {
            let both = [optimizer(name, &one), optimizer(name, &another)];
            assert_eq!(both[0].shared(), both[1].shared(), "{name}");
            let cycles: [&[[Option<f64>; 2]]; 3] = [
                &[[None; 2]],
                &[[Some(0.2), Some(0.0)], [Some(0.7), Some(0.6)], [Some(0.0), Some(0.5)]],
                &[[None, Some(0.5)], [None, Some(0.7)], [None, Some(0.0)]],
            ];
            for momenta in cycles {
                // as `TrainSpec::starting_optimizer`, which has the largest momentum of a schedule
                let each: Vec<Optimizer> = (0..2)
                    .map(|replica| match momenta[0][replica] {
                        Some(_) => both[replica].with_momentum(0.7),
                        None => both[replica].clone(),
                    })
                    .collect();
                let together = stepped(each.clone(), &[0.1, 0.02], momenta, Kind::Float);
                for (replica, lr) in [0.1, 0.02].into_iter().enumerate() {
                    let own: Vec<[Option<f64>; 2]> = momenta.iter().map(|momenta| [momenta[replica]; 2]).collect();
                    let alone = stepped(vec![each[replica].clone()], &[lr], &own, Kind::Float);
                    assert_eq!(together[replica], alone[0], "{:?} beside the other, {momenta:?}", each[replica]);
                }
                let on_tensors = stepped(each, &[0.1, 0.02], momenta, Kind::Double);
                assert!(distance(&together, &on_tensors) < 1e-5, "{both:?}, {momenta:?}");
            }
        }
    }

    #[test]
    fn steps_are_counted_beyond_32_bits() {
        for settings in
            [json!({ "adam": {} }), json!({ "adamw": { "amsgrad": true } }), json!({ "adagrad": { "lr_decay": 1e-9 } })]
        {
            let optimizer: Optimizer = serde_json::from_value(settings).unwrap();
            for kind in [Kind::Float, Kind::Double] {
                let mut update = optimizer.start(Device::Cpu);
                let mut values = Tensor::ones([1, 20], (kind, Device::Cpu));
                update.restore(2_147_483_646, update.memory_like(&values)); // two steps before 2³¹
                let (gradient, rates) = (values.full_like(0.5), PerReplica::new(&[0.01], Device::Cpu));
                for _ in 0..4 {
                    let before = values.copy();
                    update.step(&mut values, &gradient, &rates);
                    let moved = (before - &values).min().double_value(&[]);
                    assert!(moved > 1e-4, "{optimizer:?} moved by {moved} at step {}", update.steps());
                }
                assert_eq!(update.steps().to_string(), "2147483650");
            }
        }
    }

    #[test]
    #[should_panic(expected = "share memory")]
    fn step_panics_if_the_gradient_is_the_values() {
        overlapping_step(0, 8);
    }

    #[test]
    #[should_panic(expected = "share memory")]
    fn step_panics_if_the_gradient_overlaps_the_values() {
        overlapping_step(7, 8);
    }

    #[test]
    fn step_accepts_a_gradient_next_to_the_values_in_one_tensor() {
        overlapping_step(8, 8);
    }

    /// Takes a step of the first values of a tensor, with as many values from `start` on as the gradient.
    fn overlapping_step(start: i64, len: i64) {
        let all = Tensor::ones([1, 2 * len], (Kind::Float, Device::Cpu));
        let (mut values, gradient) = (all.narrow(1, 0, len), all.narrow(1, start, len));
        let optimizer: Optimizer = serde_json::from_str("{ \"sgd\": {} }").unwrap();
        optimizer.start(Device::Cpu).step(&mut values, &gradient, &PerReplica::new(&[0.1], Device::Cpu));
        assert!((values.sum(Kind::Double).double_value(&[]) - 0.9 * len as f64).abs() < 1e-5);
    }
}
