//! Steps of an optimizer, and the state that it stores for each parameter.
//!
//! On the CPU a step is one pass over memory, which bounds its speed: a parameter's value, gradient and state are read
//! once and written once. libtorch's operations would read all of them about ten times.

#![expect(unsafe_code, reason = "steps are passes over libtorch's memory")]

use pulp::{Simd, WithSimd};
use tch::{Device, Kind, Tensor};

use crate::tensor::raw_f32::RawF32;
use crate::train::optimizer::Optimizer;
use crate::train::optimizer::number::Register;
use crate::train::optimizer::rates::{PerReplica, Rates};
use crate::train::optimizer::rule::{ApplyRule, Rule};

/// Maximum number of values that an optimizer stores per parameter.
const MAX_MEMORY: usize = 3;

/// An optimizer with its state.
#[derive(Debug)]
pub struct Update {
    optimizer: Optimizer,
    decays: PerReplica,
    memory: Vec<Tensor>, // [replicas, parameters] each, after the first step
    steps: u64,
    momentum: Option<f64>,
}

impl Optimizer {
    /// Returns the optimizer without state, with the same settings for all replicas.
    pub fn start(&self, device: Device) -> Update {
        self.start_each(&[self.weight_decay()], device)
    }

    /// Returns the optimizer without state, with a weight decay for each replica instead of that of the settings.
    pub fn start_each(&self, weight_decays: &[f64], device: Device) -> Update {
        Update::new(self.clone(), PerReplica::new(weight_decays, device))
    }
}

impl Update {
    fn new(optimizer: Optimizer, decays: PerReplica) -> Self {
        Update { optimizer, decays, memory: Vec::new(), steps: 0, momentum: None }
    }

    /// Sets the momentum of the next steps; `None` means the momentum of the settings. The settings decide whether
    /// momentum state is allocated, so they must have a momentum if any step uses one.
    pub fn set_momentum(&mut self, momentum: Option<f64>) {
        self.momentum = momentum;
    }

    /// Takes one step, in place. Gradients must not be recorded.
    ///
    /// # Shapes
    /// `values` and `gradient` are `[replicas, parameters]`.
    ///
    /// # Panics
    /// When `values` and `gradient` share memory, which is a bug in this program.
    pub fn step(&mut self, values: &mut Tensor, gradient: &Tensor, rates: &Rates) {
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
                unsafe { rows.step(replica, 0..parameters, gradient, rates.get(replica), self.momentum, self.steps) };
            }
        } else {
            self.remember(values);
            self.steps += 1;
            let Update { optimizer, decays, memory, steps, momentum } = self;
            let decay = (!decays.is_zero()).then_some(&*decays);
            with_momentum(optimizer, *momentum)
                .at_step(*steps, TensorStep { values, gradient, memory, rate: rates, decay });
        }
    }

    /// Returns what is needed to step over parts of rows, for callers with their own loop.
    ///
    /// # Shapes
    /// `values` is `[replicas, parameters]`, f32, on the CPU.
    pub(in crate::train) fn rows(&mut self, values: &Tensor) -> Rows {
        self.remember(values);
        let decays =
            (!self.decays.is_zero()).then(|| (0..values.size()[0] as usize).map(|r| self.decays.get(r)).collect());
        Rows {
            optimizer: self.optimizer.clone(),
            values: RawF32::from_tensor(values),
            memory: self.memory.iter().map(RawF32::from_tensor).collect(),
            decays,
            parameters: values.size()[1] as usize,
        }
    }

    /// Returns the state, `[replicas, parameters]` each; empty before the first step.
    pub(in crate::train) fn memory(&self) -> &[Tensor] {
        &self.memory
    }

    /// Returns newly allocated state for these values, `[replicas, parameters]`.
    pub(in crate::train) fn memory_like(&self, values: &Tensor) -> Vec<Tensor> {
        let (numbers, start) = self.optimizer.memory();
        (0..numbers).map(|_| values.full_like(start)).collect()
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
    values: &'a mut Tensor,
    gradient: &'a Tensor,
    memory: &'a mut [Tensor],
    rate: &'a PerReplica,
    decay: Option<&'a PerReplica>,
}

impl ApplyRule for TensorStep<'_> {
    fn apply_rule<R: Rule>(self, rule: R) {
        let values = rule.apply(&*self.values, self.gradient, self.memory, self.rate, self.decay);
        self.values.copy_(&values);
    }
}

/// Parameters and state as rows of f32 that threads can share; each thread steps over its own part.
#[derive(Clone, Debug)]
pub(in crate::train) struct Rows {
    optimizer: Optimizer,
    values: RawF32,
    memory: Vec<RawF32>,
    decays: Option<Vec<f64>>,
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
        let decay = self.decays.as_ref().map(|decays| decays[replica]);
        with_momentum(&self.optimizer, momentum).at_step(number, SliceStep { values, gradient, memory, rate, decay });
    }
}

/// A step over slices of f32.
struct SliceStep<'a> {
    values: &'a mut [f32],
    gradient: &'a [f32],
    memory: Vec<&'a mut [f32]>,
    rate: f64,
    decay: Option<f64>,
}

impl ApplyRule for SliceStep<'_> {
    fn apply_rule<R: Rule>(self, rule: R) {
        const { assert!(MAX_MEMORY == 3, "one arm for each number below") };
        match self.memory.len() {
            0 => self.run_pass::<R, 0>(rule),
            1 => self.run_pass::<R, 1>(rule),
            2 => self.run_pass::<R, 2>(rule),
            _ => self.run_pass::<R, MAX_MEMORY>(rule),
        }
    }
}

impl SliceStep<'_> {
    /// Runs the pass over memory, with the widest vector instructions of the processor.
    fn run_pass<R: Rule, const M: usize>(self, rule: R) {
        let SliceStep { values, gradient, memory, rate, decay } = self;
        let memory: [&mut [f32]; M] = memory.try_into().expect("as many as were counted");
        let len = values.len();
        assert!(gradient.len() == len && memory.iter().all(|memory| memory.len() == len), "parts are alike");
        pulp::Arch::new().dispatch(Pass { rule, values, gradient, memory, rate, decay });
    }
}

/// A pass over memory; all slices have the same length.
struct Pass<'a, R, const M: usize> {
    rule: R,
    values: &'a mut [f32],
    gradient: &'a [f32],
    memory: [&'a mut [f32]; M],
    rate: f64,
    decay: Option<f64>,
}

impl<R: Rule, const M: usize> WithSimd for Pass<'_, R, M> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Pass { rule, values, gradient, memory, rate, decay } = self;
        let (values, last_values) = S::as_mut_simd_f32s(values);
        let (gradient, last_gradient) = S::as_simd_f32s(gradient);
        let mut last_memory = [const { None }; M];
        let mut slot = 0;
        let mut memory = memory.map(|memory| {
            let (memory, last) = S::as_mut_simd_f32s(memory);
            last_memory[slot] = Some(last);
            slot += 1;
            &mut memory[..values.len()]
        });
        for (place, (value, gradient)) in values.iter_mut().zip(gradient).enumerate() {
            let mut remembered: [Register<S>; M] = std::array::from_fn(|slot| Register::new(simd, memory[slot][place]));
            let (before, gradient) = (Register::new(simd, *value), Register::new(simd, *gradient));
            *value = rule.apply(&before, &gradient, &mut remembered, &rate, decay.as_ref()).values;
            for (memory, remembered) in memory.iter_mut().zip(remembered) {
                memory[place] = remembered.values;
            }
        }
        let mut memory = last_memory.map(|memory| memory.expect("each has been split"));
        for (place, (value, gradient)) in last_values.iter_mut().zip(last_gradient).enumerate() {
            let mut remembered: [f32; M] = std::array::from_fn(|slot| memory[slot][place]);
            *value = rule.apply(value, gradient, &mut remembered, &rate, decay.as_ref());
            for (memory, remembered) in memory.iter_mut().zip(remembered) {
                memory[place] = remembered;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_take_the_same_steps_on_tensors_as_in_memory() {
        for settings in [
            serde_json::json!({ "sgd": { "momentum": 0.9, "nesterov": true } }),
            serde_json::json!({ "rmsprop": { "momentum": 0.5, "centered": true } }),
            serde_json::json!({ "adam": { "amsgrad": true } }),
            serde_json::json!({ "adamw": {} }),
            serde_json::json!({ "adagrad": { "initial_accumulator_value": 0.1, "lr_decay": 0.1 } }),
        ] {
            let optimizer: Optimizer = serde_json::from_value(settings).unwrap();
            let start = (Tensor::arange(42, (Kind::Float, Device::Cpu)) * 0.3).sin().view([2, 21]);
            let rates = Rates::new(&[0.1, 0.02], Device::Cpu);
            // f64 tensors take the path of a GPU: operations on tensors.
            let after = [Kind::Float, Kind::Double].map(|kind| {
                let mut update = optimizer.start_each(&[0.0, 0.3], Device::Cpu);
                let mut values = start.to_kind(kind).copy();
                for step in 1..=6 {
                    let gradient = (&start * f64::from(step)).cos().to_kind(kind);
                    update.set_momentum([None, Some(0.0), Some(0.7)][step as usize % 3]); // as a schedule may do
                    update.step(&mut values, &gradient, &rates);
                }
                Vec::<f64>::try_from(values.to_kind(Kind::Double).flatten(0, -1)).unwrap()
            });
            let worst = after[0].iter().zip(&after[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-5, "{optimizer:?}: {worst}");
        }
    }
    #[test]
    fn steps_are_counted_beyond_32_bits() {
        for settings in [
            serde_json::json!({ "adam": {} }),
            serde_json::json!({ "adamw": { "amsgrad": true } }),
            serde_json::json!({ "adagrad": { "lr_decay": 1e-9 } }),
        ] {
            let optimizer: Optimizer = serde_json::from_value(settings).unwrap();
            for kind in [Kind::Float, Kind::Double] {
                let mut update = optimizer.start_each(&[0.0], Device::Cpu);
                let mut values = Tensor::ones([1, 20], (kind, Device::Cpu));
                update.restore(2_147_483_646, update.memory_like(&values)); // two steps before 2³¹
                let (gradient, rates) = (values.full_like(0.5), Rates::new(&[0.01], Device::Cpu));
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
        optimizer.start_each(&[0.0], Device::Cpu).step(&mut values, &gradient, &Rates::new(&[0.1], Device::Cpu));
        assert!((values.sum(Kind::Double).double_value(&[]) - 0.9 * len as f64).abs() < 1e-5);
    }
}
