//! `--out`: the directory of the runs.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use crate::cli::args::user_defaults;

/// The directory of the runs.
#[derive(Clone, Debug, clap::Args)]
pub struct RunsDir {
    /// Directory of the runs [default: `RUNNER_RUNS`, else `out` of runner.toml, else runs]
    #[arg(id = "out", long, value_name = "DIR", default_value = user_defaults::out(), hide_default_value = true)]
    folder: PathBuf,
}

impl Deref for RunsDir {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.folder
    }
}
