//! Options of the crash tests.

use crate::cli::text::terminal;
use crate::experiment::run::checkpointing::CheckpointInterval;

/// Options of the crash tests.
#[derive(Debug, clap::Args)]
pub(super) struct KillArgs {
    /// Number of kills
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) kills: u32,
    /// How often a checkpoint is saved: every N epochs, or every TIME (`10s`)
    #[arg(long, value_name = "N|TIME", default_value = "1", allow_hyphen_values = true)]
    pub(super) checkpoint: CheckpointInterval,
    /// Seed of the random kill times
    #[arg(long, value_name = "N", default_value_t = 0, alias = "points")]
    pub(super) kill_seed: u64,
    /// Print only the result
    #[arg(long, short)]
    quiet: bool,
}

impl KillArgs {
    /// Prints a line about the progress, unless only the result is asked for.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            terminal::say(text);
        }
    }
}
