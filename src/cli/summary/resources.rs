//! Time, speed and memory of a run.

use crate::cli::summary::trained_run::TrainedRun;
use crate::cli::text::number_format;
use crate::history::History;
use crate::io::byte_size::format_bytes;

/// Returns the time, the epochs per second and the peak memory: `60 epochs in 12.3 s (4.88 epochs/s), peak memory 512 MiB`.
pub fn line(run: &TrainedRun) -> String {
    // the trials of a stack share its time
    let share = |history: &History| history.seconds / history.environment.replicas.max(1) as f64;
    let seconds: f64 = run.histories.iter().map(share).sum();
    let networks = run.histories.iter().filter(|history| history.network.is_some());
    let epochs: usize = networks.map(|history| history.history.len()).sum();
    let trials = match run.histories.len() {
        1 => String::new(),
        trials => format!(" ({trials} trials)"),
    };
    let what = match epochs {
        0 if run.histories.len() == 1 => "trained".to_owned(),
        0 => format!("{} trials", run.histories.len()),
        epochs => format!("{} epoch{}{trials}", number_format::count(epochs), if epochs == 1 { "" } else { "s" }),
    };
    let speed = if epochs > 0 {
        format!(", {}", number_format::epochs_per_second(epochs as f64 / seconds))
    } else {
        String::new()
    };
    let memory = run.peak_memory.map(|bytes| format!(", peak memory {}", format_bytes(bytes))).unwrap_or_default();
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
        let run = TrainedRun { peak_memory: Some(512 << 20), ..run(&["base"], &trials) };
        assert_eq!(line(&run), "4 epochs (2 trials) in 500 ms, 8.00 epochs/s, peak memory 512 MiB");
    }
}
