//! Bar over the epochs of a stack, which a thread of its own moves within each epoch.

use std::fmt::Write;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};

use crate::train::state::epoch_counter::EpochCounter;

/// Time between two moves within an epoch.
const TICK: Duration = Duration::from_millis(250);

/// Duration of an epoch from which on the bar shows the part of it that is trained.
const LONG_EPOCH: Duration = Duration::from_secs(2);

/// Number of positions of the bar in an epoch.
const POSITIONS: u64 = 1000;

/// Characters of the number of epochs, `12/30`, and of the part of a long epoch, `  45 %`.
fn width(epochs: usize) -> usize {
    2 * epochs.to_string().len() + 1 + 6
}

/// Returns the width of a line for metrics, beside the epochs, a minimal bar and the time left.
pub fn room(line: usize, epochs: usize) -> usize {
    const BAR_AND_TIME: usize = 5 + 9;
    line.saturating_sub(width(epochs) + BAR_AND_TIME)
}

/// The bar. It is drawn at once, moves within an epoch as the counter does, and shows the time left.
#[derive(Debug)]
pub struct EpochBar {
    bar: ProgressBar,
    counter: Arc<EpochCounter>,
    pace: Arc<Mutex<Pace>>,
    ticker: Option<(Sender<()>, JoinHandle<()>)>,
}

/// When training started, and how fast it is.
#[derive(Debug)]
struct Pace {
    epochs: usize,
    /// Time and number of epochs when the counter was first seen: a resumed training starts later than 0.
    start: Option<(Instant, f64)>,
    /// Number of the current epoch, and when it was first seen.
    epoch: (usize, Instant),
    has_long_epochs: bool,
}

impl EpochBar {
    /// Draws the bar and starts its thread.
    pub fn start(epochs: usize) -> EpochBar {
        let bar = ProgressBar::new(epochs as u64 * POSITIONS);
        let pace = Pace { epochs, start: None, epoch: (1, Instant::now()), has_long_epochs: false };
        let (counter, pace) = (Arc::new(EpochCounter::default()), Arc::new(Mutex::new(pace)));
        let (of_time_left, of_thread) = (Arc::clone(&pace), (bar.clone(), Arc::clone(&counter), Arc::clone(&pace)));
        let time_left = move |state: &ProgressState, text: &mut dyn Write| {
            let trained = state.pos() as f64 / POSITIONS as f64;
            let left = lock(&of_time_left).time_left(trained, Instant::now()).filter(|_| !state.is_finished());
            let _ = left.map_or(Ok(()), |left| write!(text, "{:#} left", HumanDuration(left)));
        };
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {msg} {left}").expect("a valid template");
        bar.set_style(style.with_key("left", time_left));
        let prefix = lock(&pace).prefix(0.0, Instant::now()); // drawing the bar locks the pace again
        bar.set_prefix(prefix);
        bar.tick();
        let (sender, receiver) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
            let (bar, counter, pace) = of_thread;
            while receiver.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                show(&bar, &counter, &pace);
                bar.tick(); // also between two positions, for the time left
            }
        });
        // without a thread the bar moves at the end of each epoch
        EpochBar { bar, counter, pace, ticker: thread.ok().map(|thread| (sender, thread)) }
    }

    /// Returns the counter that moves the bar.
    pub fn counter(&self) -> Arc<EpochCounter> {
        Arc::clone(&self.counter)
    }

    /// Returns the bar itself.
    pub fn inner(&self) -> &ProgressBar {
        &self.bar
    }

    /// Shows the metrics of an epoch that has ended.
    pub fn end_epoch(&self, epoch: usize, metrics: String) {
        self.counter.set(epoch as f64);
        self.bar.set_message(metrics);
        show(&self.bar, &self.counter, &self.pace);
    }

    /// Stops the bar and leaves it on the screen, with the number of epochs that have ended.
    pub fn finish(mut self) {
        if let Some((sender, thread)) = self.ticker.take() {
            drop(sender);
            let _ = thread.join(); // it draws no more
        }
        let ended = self.counter.epochs().unwrap_or_default() as usize;
        let epochs = lock(&self.pace).epochs;
        self.bar.set_prefix(format!("{ended}/{epochs}"));
        self.bar.abandon();
    }
}

/// Moves the bar to the place of the counter.
fn show(bar: &ProgressBar, counter: &EpochCounter, pace: &Mutex<Pace>) {
    let Some(trained) = counter.epochs() else { return };
    let prefix = {
        let (mut pace, now) = (lock(pace), Instant::now());
        pace.start.get_or_insert((now, trained));
        pace.prefix(trained, now)
    }; // drawing the bar locks the pace again
    bar.set_prefix(prefix);
    bar.set_position((trained * POSITIONS as f64) as u64);
}

fn lock(pace: &Mutex<Pace>) -> MutexGuard<'_, Pace> {
    pace.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pace {
    /// Returns the number of the current epoch, `3/30`; if epochs are long, also the part of it that is trained, `3/30  45 %`.
    fn prefix(&mut self, trained: f64, now: Instant) -> String {
        let epoch = (trained as usize + 1).min(self.epochs.max(1));
        if epoch != self.epoch.0 {
            self.epoch = (epoch, now);
        }
        self.has_long_epochs |= now - self.epoch.1 >= LONG_EPOCH;
        let part = (100.0 * (trained + 1.0 - epoch as f64)).clamp(0.0, 100.0) as usize;
        let part = if self.has_long_epochs { format!(" {part:>3} %") } else { String::new() };
        format!("{epoch}/{}{part}", self.epochs)
    }

    /// Returns the time left at the mean speed so far; `None` while it is not known.
    fn time_left(&self, trained: f64, now: Instant) -> Option<Duration> {
        let (started, first) = self.start?;
        let (left, done) = (self.epochs as f64 - trained, trained - first);
        let seconds = (now - started).as_secs_f64() * left / done;
        (done > 0.0).then(|| Duration::try_from_secs_f64(seconds.max(0.0)).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_an_epoch_is_shown_once_epochs_are_long_and_the_time_left_counts_down_within_it() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut pace = Pace { epochs: 3, start: Some((start, 0.0)), epoch: (1, start), has_long_epochs: false };
        assert_eq!(pace.prefix(0.0, start), "1/3");
        assert_eq!(pace.time_left(0.0, at(1)), None);
        assert_eq!(pace.prefix(0.25, at(5)), "1/3  25 %");
        assert_eq!(pace.time_left(0.25, at(5)), Some(Duration::from_secs(55)));
        assert_eq!(pace.time_left(0.5, at(10)), Some(Duration::from_secs(50)));
        assert_eq!(pace.prefix(1.0, at(20)), "2/3   0 %");
        assert_eq!(pace.prefix(3.0, at(60)), "3/3 100 %");
        let resumed = Pace { start: Some((start, 2.0)), ..pace };
        assert_eq!(resumed.time_left(2.5, at(7)), Some(Duration::from_secs(7)), "only what was trained since counts");
    }

    #[test]
    fn the_bar_follows_the_counter_within_an_epoch_and_ends_with_the_epochs_that_have_ended() {
        let bar = EpochBar::start(5);
        let (inner, counter) = (bar.inner().clone(), bar.counter());
        counter.set(1.5);
        let deadline = Instant::now() + Duration::from_secs(20);
        while inner.position() != 1500 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!((inner.position(), &inner.prefix()[..3]), (1500, "2/5"));
        bar.end_epoch(2, "loss 0.5".to_owned());
        assert_eq!((inner.position(), inner.message().as_str()), (2000, "loss 0.5"));
        counter.set(2.25);
        bar.finish();
        assert_eq!(inner.prefix(), "2/5");
    }
}
