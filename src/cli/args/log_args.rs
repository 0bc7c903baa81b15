//! Arguments of commands that train, about the lines for job logs and about event files.

use std::path::{Path, PathBuf};

use crate::cli::args::user_defaults;
use crate::cli::text::log_file;
use crate::cli::text::progress::epoch_log::LogInterval;
use crate::cli::text::progress::progress_bar::Progress;
use crate::cli::text::shell_words::quoted_path;
use crate::experiment::run::progress::event_log::{self, EventFiles};

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

/// Event files that are written while training.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct EventArgs {
    /// Write TensorBoard event files below DIR during training, one directory per trial
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,
}

impl EventArgs {
    /// Returns where event files are written, if they are.
    ///
    /// # Errors
    /// When the directory cannot be written to.
    pub fn files(&self) -> anyhow::Result<Option<EventFiles>> {
        let Some(folder) = &self.tensorboard else { return Ok(None) };
        event_log::check(folder)?;
        Ok(Some(EventFiles::Below(folder.clone())))
    }

    /// Returns how to show the event files, as text for the user.
    pub fn hint(&self) -> Option<String> {
        let folder = self.tensorboard.as_ref()?;
        Some(format!("view the curves with `tensorboard --logdir {}`", quoted_path(folder)))
    }

    /// Returns the arguments for another process, which may have another working directory.
    pub fn arguments(&self) -> Vec<String> {
        let absolute = |folder: &Path| std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
        let option = |folder: &PathBuf| ["--tensorboard".to_owned(), absolute(folder).display().to_string()];
        self.tensorboard.iter().flat_map(option).collect()
    }
}
