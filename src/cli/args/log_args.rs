//! Arguments of commands that train, about the lines for job logs.

use std::path::PathBuf;

use crate::cli::args::user_defaults;
use crate::cli::text::log_file;
use crate::cli::text::progress::epoch_log::LogInterval;
use crate::cli::text::progress::progress_bar::Progress;

/// How often a line is printed, and where it is also written to.
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// Print a line every N epochs (`5`) or at a time interval (`30s`, `10m`) [default: `log_every` of runner.toml, else a
    /// progress bar; without a terminal, the first 10 epochs, then one line per 10 % of the epochs, and at least one line a
    /// minute]
    #[arg(
        long,
        value_name = "N|TIME",
        default_value = user_defaults::log_every(),
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub log_every: Option<LogInterval>,
    /// Append the epoch lines and all messages to FILE, with UTC times
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

impl LogArgs {
    /// Opens the log file, if there is one, and returns the progress display.
    ///
    /// # Errors
    /// If the log file cannot be opened.
    pub fn progress(&self, quiet: bool) -> anyhow::Result<Progress> {
        self.log_file.as_deref().map_or(Ok(()), log_file::open)?;
        Ok(Progress::new(quiet).with_lines(self.log_every))
    }
}
