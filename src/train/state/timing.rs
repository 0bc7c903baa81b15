//! Time spent in each phase of training. On a GPU it is the time to launch the work, which runs asynchronously.

use std::time::Instant;

use serde::Serialize;

/// Seconds that one thread has spent in each phase of training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Timing {
    /// Copying the rows of a batch.
    pub gather: f64,
    /// Forward pass.
    pub forward: f64,
    /// Loss and backward pass.
    pub backward: f64,
    /// Optimizer steps.
    pub optimizer: f64,
    /// Waiting for the other threads of a batch.
    pub waiting: f64,
    /// Metrics and validation after each epoch.
    pub metrics: f64,
}

impl Timing {
    /// Returns the sum of both.
    pub fn plus(self, other: Timing) -> Timing {
        Timing {
            gather: self.gather + other.gather,
            forward: self.forward + other.forward,
            backward: self.backward + other.backward,
            optimizer: self.optimizer + other.optimizer,
            waiting: self.waiting + other.waiting,
            metrics: self.metrics + other.metrics,
        }
    }
}

/// Measures the time between two readings.
#[derive(Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::new_without_default, reason = "it starts a clock")]
    pub fn new() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Adds the seconds since the last reading to `phase`.
    pub fn add_lap_to(&mut self, phase: &mut f64) {
        let now = Instant::now();
        *phase += (now - self.0).as_secs_f64();
        self.0 = now;
    }
}
