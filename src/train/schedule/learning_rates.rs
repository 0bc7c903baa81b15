//! The learning rates of a stack as its training goes on: a schedule, and where each replica stands in it.

use anyhow::ensure;
use serde::{Deserialize, Serialize};
use tch::Device;

use crate::history::number::Number;
use crate::train::optimizer::rates::Rates;
use crate::train::schedule::Schedule;
use crate::train::schedule::place::{Length, Place};
use crate::train::schedule::plateau::{Wait, Waited};

/// The learning rates of every replica.
#[derive(Debug)]
pub struct LearningRates {
    schedule: Schedule,
    length: Length,
    device: Device,
    start: Vec<f64>, // of each replica; what a plateau reduces
    plateau: Option<Plateau>,
    lrs: Vec<f64>, // in use
    rates: Rates,  // the same, as steps take them
}

/// What a step is taken with.
#[derive(Clone, Debug, PartialEq)]
pub struct StepSettings {
    /// The learning rate of each replica.
    pub lrs: Vec<f64>,
    /// The momentum of all replicas, where the schedule cycles it.
    pub momentum: Option<f64>,
}

/// What has become of the learning rates by the end of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    start: Vec<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plateau: Option<Vec<Waited>>,
}

#[derive(Debug)]
struct Plateau {
    monitor: String,
    waits: Vec<Wait>,
    epochs_before: usize,
}

impl LearningRates {
    /// The course from the learning rate that each replica starts with.
    ///
    /// `monitored` is the metric that is waited for where the schedule names none; `higher_is_better` tells of a metric
    /// whether it is.
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
            let wait = Wait::new(settings, higher_is_better(monitor));
            Plateau { monitor: monitor.to_owned(), waits: vec![wait; lrs.len()], epochs_before }
        });
        let rates = Rates::new(&lrs, device);
        LearningRates { schedule: schedule.clone(), length, device, start: lrs.clone(), plateau, lrs, rates }
    }

    /// The rates of a step; epochs are counted from 1, their steps from 0.
    pub fn rates(&mut self, epoch: usize, step: usize) -> &Rates {
        let place = Place { epoch: epoch - 1, step };
        let lrs: Vec<f64> = self.start.iter().map(|&start| self.schedule.lr(start, place, self.length)).collect();
        if lrs != self.lrs {
            self.rates = Rates::new(&lrs, self.device);
            self.lrs = lrs;
        }
        &self.rates
    }

    /// The learning rate of each replica at the step last asked for.
    pub fn lrs(&self) -> &[f64] {
        &self.lrs
    }

    /// The momentum of a step, which is the same for all replicas; `None` where it is not cycled.
    pub fn momentum(&self, epoch: usize, step: usize) -> Option<f64> {
        self.schedule.momentum(Place { epoch: epoch - 1, step }, self.length)
    }

    /// The learning rates and the momentum of a step.
    pub fn step(&mut self, epoch: usize, step: usize) -> StepSettings {
        self.rates(epoch, step);
        StepSettings { lrs: self.lrs.clone(), momentum: self.momentum(epoch, step) }
    }

    /// How many steps there are up to the end of an epoch.
    pub fn steps_until(&self, epoch: usize) -> usize {
        epoch.saturating_mul(self.length.steps)
    }

    /// Where it stands at the end of an epoch.
    pub fn state(&self) -> State {
        let plateau = self.plateau.as_ref().map(|plateau| plateau.waits.iter().map(Wait::waited).collect());
        State { start: self.start.iter().copied().map(Number).collect(), plateau }
    }

    /// Goes on from there.
    ///
    /// # Errors
    /// When that is the state of another schedule, or of another number of replicas; nothing has changed then.
    pub fn restore(&mut self, state: &State) -> anyhow::Result<()> {
        let waits = self.plateau.as_ref().map(|plateau| plateau.waits.len());
        ensure!(
            state.start.len() == self.start.len() && state.plateau.as_ref().map(Vec::len) == waits,
            "its learning rates are those of another schedule, or of another number of replicas"
        );
        let is_rate = |rate: &Number| rate.0.is_finite() && rate.0 >= 0.0;
        ensure!(state.start.iter().all(is_rate), "a learning rate in it is no number of at least 0");
        let waits = self.plateau.iter().flat_map(|plateau| &plateau.waits).zip(state.plateau.iter().flatten());
        for (wait, waited) in waits {
            wait.check(*waited)?;
        }
        self.start = state.start.iter().map(|number| number.0).collect();
        let waits = self.plateau.iter_mut().flat_map(|plateau| &mut plateau.waits);
        waits.zip(state.plateau.iter().flatten()).for_each(|(wait, waited)| wait.go_on(*waited));
        Ok(())
    }

    /// Takes note of an epoch's metrics: each name with a value for each replica.
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

    fn course(schedule: Schedule, epochs: usize, steps: usize) -> LearningRates {
        LearningRates::new(&schedule, vec![1.0, 2.0], Length { epochs, steps }, Device::Cpu, "loss", |_| false)
    }

    #[test]
    fn every_replica_reaches_a_plateau_of_its_own() {
        let wait = super::super::plateau::ReduceOnPlateau { factor: 0.5, patience: 0, ..Default::default() };
        let mut course = course(Schedule::ReduceOnPlateau(wait), 3, 1);
        for (epoch, losses) in [(1, [1.0, 1.0]), (2, [0.5, 1.0])] {
            course.rates(epoch, 0);
            course.observe(epoch, &[("loss".to_owned(), losses.to_vec())]);
            assert_eq!(course.lrs(), [1.0, 2.0], "what an epoch used stays until the next one");
        }
        course.rates(3, 0);
        assert_eq!(course.lrs(), [1.0, 1.0]);
    }

    #[test]
    fn what_follows_a_warm_up_counts_from_its_end() {
        let then = super::super::decay::Step { every: 2, gamma: 0.5 };
        let warm_up = super::super::WarmUp { epochs: 2, then: Box::new(Schedule::Step(then)) };
        let mut course = course(Schedule::WarmUp(warm_up), 6, 2);
        let mut lrs = Vec::new();
        for epoch in 1..=6 {
            for step in 0..2 {
                course.rates(epoch, step);
                lrs.push(course.lrs()[1]);
            }
        }
        assert_eq!(lrs, [0.5, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0]);
    }
}
