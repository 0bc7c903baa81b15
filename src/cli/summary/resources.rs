//! Time, speed and memory of a run.

use crate::cli::summary::trained_run::TrainedRun;
use crate::cli::text::number_format::{self, count, counted};
use crate::cli::text::text_style::together;
use crate::history::History;
use crate::io::byte_size::format_bytes;

/// Returns the time, the speed and the peak memory: `60 epochs in 12.3 s, 4.88 epochs/s, peak memory 512 MiB`. The epochs of
/// all trials are counted, also of those that were trained together.
pub fn line(run: &TrainedRun) -> String {
    // the trials of a stack share its time
    let share = |history: &History| history.seconds / history.environment.replicas.max(1) as f64;
    let seconds = run.seconds.unwrap_or_else(|| run.histories.iter().map(share).sum());
    let networks = run.histories.iter().filter(|history| history.network.is_some());
    let epochs: usize = networks.map(|history| history.history.len()).sum();
    let trials = run.histories.len();
    let what = match (trials, epochs) {
        (1, 0) => "trained".to_owned(),
        (trials, 0) => format!("{} trials", count(trials)),
        (1, epochs) => counted(epochs, "epoch"),
        (trials, epochs) => format!("{} ({} trials)", counted(epochs, "epoch"), count(trials)),
    };
    let rate = epochs as f64 / seconds;
    let speed = match (trials, epochs) {
        (_, 0) => String::new(),
        (2.., _) if rate >= 1.0 => format!(", {} in total", number_format::epochs_per_second(rate)),
        _ => format!(", {}", number_format::epochs_per_second(rate)),
    };
    let memory = |what: &str, bytes: Option<u64>| {
        bytes.map(|bytes| format!(", {what} {}", together(&format_bytes(bytes)))).unwrap_or_default()
    };
    let memory = memory("peak memory", run.peak_memory) + &memory("on the GPU", run.peak_gpu_memory);
    format!("{what} in {}{speed}{memory}", number_format::seconds(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{history, run};

    #[test]
    fn the_time_of_a_stack_is_counted_once() {
        let mut trials: Vec<History> = (0..2).map(|seed| history("base", seed, &[("loss", &[0.9, 0.5])]).0).collect();
        for trial in &mut trials {
            (trial.seconds, trial.environment.replicas) = (0.5, 2);
        }
        let run =
            TrainedRun { peak_memory: Some(512 << 20), peak_gpu_memory: Some(3 << 20), ..run(&["base"], &trials) };
        let expected = "4 epochs (2 trials) in 500 ms, 8.00 epochs/s in total, peak memory 512 MiB, on the GPU 3 MiB";
        assert_eq!(line(&run).replace('\u{a0}', " "), expected);
        // workers trained it in parallel
        let run = TrainedRun { seconds: Some(0.25), ..run };
        assert!(line(&run).starts_with("4 epochs (2 trials) in 250 ms, 16.0 epochs/s in total"), "{}", line(&run));
    }
}
