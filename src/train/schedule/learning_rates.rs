//! Learning rates of a stack during training: a schedule, and its state for each replica.

use anyhow::ensure;
use serde::{Deserialize, Serialize};
use tch::Device;

use crate::history::number::Number;
use crate::train::optimizer::rates::Rates;
use crate::train::schedule::Schedule;
use crate::train::schedule::plateau::{Patience, PatienceState};
use crate::train::schedule::step_position::{Length, StepPosition};

/// Learning rates of all replicas.
#[derive(Debug)]
pub struct LearningRates {
    schedule: Schedule,
    length: Length,
    device: Device,
    start: Vec<f64>, // of each replica; reduced by a plateau
    plateau: Option<Plateau>,
    lrs: Vec<f64>, // of the last step
    rates: Rates,  // the same, as the optimizer takes them
}

/// Learning rates and momentum of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepSettings {
    /// Learning rate of each replica.
    pub lrs: Vec<f64>,
    /// Momentum of all replicas, if the schedule cycles it.
    pub momentum: Option<f64>,
}

/// State of the learning rates at the end of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    start: Vec<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plateau: Option<Vec<PatienceState>>,
}

#[derive(Debug)]
struct Plateau {
    monitor: String,
    waits: Vec<Patience>,
    epochs_before: usize,
}

impl LearningRates {
    /// Creates the learning rates from the initial one of each replica.
    ///
    /// `monitored` is the metric for `reduce_on_plateau` if the schedule names none; `higher_is_better` returns whether
    /// higher values of a metric are better.
    pub fn new(
        schedule: &Schedule,
        lrs: Vec<f64>,
        length: Length,
        device: Device,
        monitored: &str,
        higher_is_better: impl Fn(&str) -> bool,
    ) -> Self {
        let plateau = schedule.plateau().map(|(settings, _, epochs_before)| {
            let monitor = settings.monitor.as_deref().unwrap_or(monitored);
            let wait = Patience::new(settings, higher_is_better(monitor));
            Plateau { monitor: monitor.to_owned(), waits: vec![wait; lrs.len()], epochs_before }
        });
        let rates = Rates::new(&lrs, device);
        LearningRates { schedule: schedule.clone(), length, device, start: lrs.clone(), plateau, lrs, rates }
    }

    /// Returns the learning rates of a step; epochs are counted from 1, their steps from 0.
    pub fn rates(&mut self, epoch: usize, step: usize) -> &Rates {
        let position = StepPosition { epoch: epoch - 1, step };
        let lrs: Vec<f64> = self.start.iter().map(|&start| self.schedule.lr(start, position, self.length)).collect();
        if lrs != self.lrs {
            self.rates = Rates::new(&lrs, self.device);
            self.lrs = lrs;
        }
        &self.rates
    }

    /// Returns the learning rate of each replica in the last step.
    pub fn lrs(&self) -> &[f64] {
        &self.lrs
    }

    /// Returns the momentum of a step, which is the same for all replicas; `None` if it is not cycled.
    pub fn momentum(&self, epoch: usize, step: usize) -> Option<f64> {
        self.schedule.momentum(StepPosition { epoch: epoch - 1, step }, self.length)
    }

    /// Returns learning rates and momentum of a step.
    pub fn step(&mut self, epoch: usize, step: usize) -> StepSettings {
        self.rates(epoch, step);
        StepSettings { lrs: self.lrs.clone(), momentum: self.momentum(epoch, step) }
    }

    /// Returns the number of steps up to the end of an epoch.
    pub fn steps_until(&self, epoch: usize) -> usize {
        epoch.saturating_mul(self.length.steps)
    }

    /// Returns the state at the end of an epoch.
    pub fn state(&self) -> State {
        let plateau = self.plateau.as_ref().map(|plateau| plateau.waits.iter().map(Patience::state).collect());
        State { start: self.start.iter().copied().map(Number).collect(), plateau }
    }

    /// Restores a state.
    ///
    /// # Errors
    /// When the state belongs to another schedule or number of replicas; nothing is then changed.
    pub fn restore(&mut self, state: &State) -> anyhow::Result<()> {
        let waits = self.plateau.as_ref().map(|plateau| plateau.waits.len());
        ensure!(
            state.start.len() == self.start.len() && state.plateau.as_ref().map(Vec::len) == waits,
            "its learning rates belong to another schedule or number of replicas"
        );
        let is_rate = |rate: &Number| rate.0.is_finite() && rate.0 >= 0.0;
        ensure!(state.start.iter().all(is_rate), "its learning rates must be numbers of at least 0");
        let waits = self.plateau.iter().flat_map(|plateau| &plateau.waits).zip(state.plateau.iter().flatten());
        for (wait, state) in waits {
            wait.check(*state)?;
        }
        self.start = state.start.iter().map(|number| number.0).collect();
        let waits = self.plateau.iter_mut().flat_map(|plateau| &mut plateau.waits);
        waits.zip(state.plateau.iter().flatten()).for_each(|(wait, state)| wait.restore(*state));
        Ok(())
    }

    /// Records the metrics of an epoch: each name with a value for each replica.
    pub fn observe(&mut self, epoch: usize, metrics: &[(String, Vec<f64>)]) {
        let Some(plateau) = self.plateau.as_mut().filter(|plateau| epoch > plateau.epochs_before) else { return };
        let Some((_, values)) = metrics.iter().find(|(name, _)| *name == plateau.monitor) else { return };
        for ((wait, lr), value) in plateau.waits.iter_mut().zip(&mut self.start).zip(values) {
            *lr = wait.lr_after(*value, *lr);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learning_rates(schedule: Schedule, epochs: usize, steps: usize) -> LearningRates {
        LearningRates::new(&schedule, vec![1.0, 2.0], Length { epochs, steps }, Device::Cpu, "loss", |_| false)
    }

    #[test]
    fn every_replica_has_its_own_plateau() {
        let wait = super::super::plateau::ReduceOnPlateau { factor: 0.5, patience: 0, ..Default::default() };
        let mut learning_rates = learning_rates(Schedule::ReduceOnPlateau(wait), 3, 1);
        for (epoch, losses) in [(1, [1.0, 1.0]), (2, [0.5, 1.0])] {
            learning_rates.rates(epoch, 0);
            learning_rates.observe(epoch, &[("loss".to_owned(), losses.to_vec())]);
            assert_eq!(learning_rates.lrs(), [1.0, 2.0], "what an epoch used stays until the next one");
        }
        learning_rates.rates(3, 0);
        assert_eq!(learning_rates.lrs(), [1.0, 1.0]);
    }

    #[test]
    fn the_schedule_after_a_warm_up_counts_from_its_end() {
        let then = super::super::decay::Step { every: 2, gamma: 0.5 };
        let warm_up = super::super::WarmUp { epochs: 2, then: Box::new(Schedule::Step(then)) };
        let mut learning_rates = learning_rates(Schedule::WarmUp(warm_up), 6, 2);
        let mut lrs = Vec::new();
        for epoch in 1..=6 {
            for step in 0..2 {
                learning_rates.rates(epoch, step);
                lrs.push(learning_rates.lrs()[1]);
            }
        }
        assert_eq!(lrs, [0.5, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0]);
    }
}
