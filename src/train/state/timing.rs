//! Where the time of training goes, phase by phase. On a GPU, launching work is what is timed: nothing waits for it.

use std::time::Instant;

use serde::Serialize;

/// Seconds spent in each phase of training, of one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Timing {
    /// Choosing the rows of a batch.
    pub gather: f64,
    /// Through the network.
    pub forward: f64,
    /// The loss, and its gradient.
    pub backward: f64,
    /// The optimizer's steps.
    pub optimizer: f64,
    /// Waiting for the other threads of a batch.
    pub waiting: f64,
    /// Metrics and validation, after each epoch.
    pub figures: f64,
}

impl Timing {
    /// Both together.
    pub fn plus(self, other: Timing) -> Timing {
        Timing {
            gather: self.gather + other.gather,
            forward: self.forward + other.forward,
            backward: self.backward + other.backward,
            optimizer: self.optimizer + other.optimizer,
            waiting: self.waiting + other.waiting,
            figures: self.figures + other.figures,
        }
    }
}

/// A clock that tells the time since it was last looked at.
#[derive(Debug)]
pub struct Lap(Instant);

impl Lap {
    /// Starts now.
    #[expect(clippy::new_without_default, reason = "it starts a clock")]
    pub fn new() -> Lap {
        Lap(Instant::now())
    }

    /// Adds the seconds since it was last looked at.
    pub fn adds_to(&mut self, phase: &mut f64) {
        let now = Instant::now();
        *phase += (now - self.0).as_secs_f64();
        self.0 = now;
    }
}
