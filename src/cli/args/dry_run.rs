//! `--dry-run` of `runner exp`.

/// Whether a run is only shown.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct DryRun {
    /// Check and show what would be trained, without training or writing
    #[arg(long, conflicts_with_all = ["resume", "log_file"])]
    pub dry_run: bool,
}
