//! Learning rates of a stack during training: a schedule for each replica, and its state.

use anyhow::ensure;
use serde::{Deserialize, Serialize};
use tch::Device;

use crate::history::number::Number;
use crate::train::per_replica::PerReplica;
use crate::train::schedule::Schedule;
use crate::train::schedule::plateau::{Patience, PatienceState};
use crate::train::schedule::step_position::{Length, StepPosition};

/// Learning rates of all replicas.
#[derive(Debug)]
pub struct LearningRates {
    schedules: Vec<Schedule>, // of each replica
    length: Length,
    device: Device,
    start: Vec<f64>,                // of each replica; reduced by a plateau
    plateaus: Vec<Option<Plateau>>, // of each replica
    lrs: Vec<f64>,                  // of the last step
    rates: PerReplica,              // the same, as the optimizer takes them
}

/// Learning rates and momenta of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepSettings {
    /// Learning rate of each replica.
    pub lrs: Vec<f64>,
    /// Momentum of each replica, if its schedule cycles it.
    pub momenta: Vec<Option<f64>>,
}

/// State of the learning rates at the end of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    start: Vec<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plateau: Option<Vec<Option<PatienceState>>>, // of each replica, if one of them has a plateau
}

#[derive(Debug)]
struct Plateau {
    monitor: String,
    wait: Patience,
    epochs_before: usize,
}

impl State {
    /// Returns the state of these replicas, by index, in this order.
    pub(crate) fn select(&self, replicas: &[usize]) -> State {
        let waits =
            self.plateau.as_ref().map(|waits| replicas.iter().map(|&replica| waits[replica]).collect::<Vec<_>>());
        State {
            start: replicas.iter().map(|&replica| self.start[replica]).collect(),
            plateau: waits.filter(|waits| waits.iter().any(Option::is_some)),
        }
    }
}

impl LearningRates {
    /// Creates the learning rates from the schedule and the initial learning rate of each replica.
    ///
    /// `monitored` is the metric for `reduce_on_plateau` if a schedule names none; `higher_is_better` returns whether
    /// higher values of a metric are better.
    pub fn new(
        schedules: Vec<Schedule>,
        lrs: Vec<f64>,
        length: Length,
        device: Device,
        monitored: &str,
        higher_is_better: impl Fn(&str) -> bool,
    ) -> Self {
        let plateau = |schedule: &Schedule| {
            let (settings, _, epochs_before) = schedule.plateau()?;
            let monitor = settings.monitor.as_deref().unwrap_or(monitored);
            let wait = Patience::new(settings, higher_is_better(monitor));
            Some(Plateau { monitor: monitor.to_owned(), wait, epochs_before })
        };
        let plateaus = schedules.iter().map(plateau).collect();
        let rates = PerReplica::new(&lrs, device);
        LearningRates { schedules, length, device, start: lrs.clone(), plateaus, lrs, rates }
    }

    /// Returns the learning rates of a step; epochs are counted from 1, their steps from 0.
    pub fn rates(&mut self, epoch: usize, step: usize) -> &PerReplica {
        let position = StepPosition { epoch: epoch - 1, step };
        let each = self.schedules.iter().zip(&self.start);
        let lrs: Vec<f64> = each.map(|(schedule, &start)| schedule.lr(start, position, self.length)).collect();
        if lrs != self.lrs {
            self.rates = PerReplica::new(&lrs, self.device);
            self.lrs = lrs;
        }
        &self.rates
    }

    /// Returns the learning rate of each replica in the last step.
    pub fn lrs(&self) -> &[f64] {
        &self.lrs
    }

    /// Returns the momentum of each replica in a step; `None` if it is not cycled.
    pub fn momenta(&self, epoch: usize, step: usize) -> Vec<Option<f64>> {
        let position = StepPosition { epoch: epoch - 1, step };
        self.schedules.iter().map(|schedule| schedule.momentum(position, self.length)).collect()
    }

    /// Returns learning rates and momenta of a step.
    pub fn step(&mut self, epoch: usize, step: usize) -> StepSettings {
        self.rates(epoch, step);
        StepSettings { lrs: self.lrs.clone(), momenta: self.momenta(epoch, step) }
    }

    /// Returns the number of steps up to the end of an epoch.
    pub fn steps_until(&self, epoch: usize) -> usize {
        epoch.saturating_mul(self.length.steps)
    }

    /// Returns the state at the end of an epoch.
    pub fn state(&self) -> State {
        let waits: Vec<Option<PatienceState>> =
            self.plateaus.iter().map(|plateau| Some(plateau.as_ref()?.wait.state)).collect();
        let plateau = waits.iter().any(Option::is_some).then_some(waits);
        State { start: self.start.iter().copied().map(Number).collect(), plateau }
    }

    /// Restores a state.
    ///
    /// # Errors
    /// When the state belongs to another schedule or number of replicas; nothing is then changed.
    pub fn restore(&mut self, state: &State) -> anyhow::Result<()> {
        let none = vec![None; self.plateaus.len()];
        let waits = state.plateau.as_ref().unwrap_or(&none);
        ensure!(
            state.start.len() == self.start.len()
                && waits.iter().map(Option::is_some).eq(self.plateaus.iter().map(Option::is_some)),
            "its learning rates belong to another schedule or number of replicas"
        );
        let is_rate = |rate: &Number| rate.0.is_finite() && rate.0 >= 0.0;
        ensure!(state.start.iter().all(is_rate), "its learning rates must be numbers of at least 0");
        for (plateau, state) in self.plateaus.iter().flatten().zip(waits.iter().flatten()) {
            plateau.wait.check(*state)?;
        }
        self.start = state.start.iter().map(|number| number.0).collect();
        let plateaus = self.plateaus.iter_mut().flatten().zip(waits.iter().flatten());
        plateaus.for_each(|(plateau, state)| plateau.wait.state = *state);
        Ok(())
    }

    /// Records the metrics of an epoch: each name with a value for each replica.
    pub fn observe(&mut self, epoch: usize, metrics: &[(String, Vec<f64>)]) {
        for (replica, (plateau, lr)) in self.plateaus.iter_mut().zip(&mut self.start).enumerate() {
            let Some(plateau) = plateau.as_mut().filter(|plateau| epoch > plateau.epochs_before) else { continue };
            let Some((_, values)) = metrics.iter().find(|(name, _)| *name == plateau.monitor) else { continue };
            *lr = plateau.wait.lr_after(values[replica], *lr);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learning_rates(schedule: Schedule, epochs: usize, steps: usize) -> LearningRates {
        let schedules = vec![schedule; 2];
        LearningRates::new(schedules, vec![1.0, 2.0], Length { epochs, steps }, Device::Cpu, "loss", |_| false)
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
