//! The sweep that a command line names, and `--out` of sweeps, the directory of the sweeps.

use std::ffi::OsString;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::cli::args::user_defaults;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::state::SweepState;
use crate::sweep::record::SweepRecord;

/// Environment variable that names the directory of the sweeps.
const SWEEPS_VARIABLE: &str = "RUNNER_SWEEPS";

/// A sweep that exists.
#[derive(Clone, Debug, clap::Args)]
pub struct NamedSweep {
    /// Directory of a sweep, or name or TOML file of an experiment (its newest sweep)
    #[arg(value_name = "SWEEP")]
    pub sweep: String,
    #[command(flatten)]
    out: SweepsDir,
}

impl NamedSweep {
    /// Returns the sweep in this directory.
    pub fn in_directory(directory: &Path) -> NamedSweep {
        NamedSweep { sweep: directory.display().to_string(), out: SweepsDir::default() }
    }

    /// Returns its path.
    ///
    /// # Errors
    /// When there is none.
    pub fn locate(&self) -> anyhow::Result<PathBuf> {
        SweepDir::locate(&self.sweep, &self.out)
    }

    /// Opens it.
    ///
    /// # Errors
    /// When there is none, or its record cannot be read.
    pub fn open(&self) -> anyhow::Result<(SweepDir, SweepRecord)> {
        SweepDir::open(&self.locate()?)
    }

    /// Opens it and reads its state.
    ///
    /// # Errors
    /// When there is none, or its files cannot be read.
    pub fn read(&self) -> anyhow::Result<(SweepDir, SweepRecord, SweepState)> {
        let (dir, record) = self.open()?;
        let state = SweepState::read(&dir, &record)?;
        Ok((dir, record, state))
    }
}

/// The directory of the sweeps.
#[derive(Clone, Debug, clap::Args)]
pub struct SweepsDir {
    /// Directory of the sweeps [default: `RUNNER_SWEEPS`, else `sweeps` beside the directory of the runs]
    #[arg(id = "out", long, value_name = "DIR", default_value = default().as_os_str(), hide_default_value = true)]
    folder: PathBuf,
}

impl Default for SweepsDir {
    fn default() -> SweepsDir {
        SweepsDir { folder: PathBuf::from(default()) }
    }
}

impl Deref for SweepsDir {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.folder
    }
}

/// Returns the default directory.
fn default() -> &'static OsString {
    static DEFAULT: OnceLock<OsString> = OnceLock::new();
    DEFAULT.get_or_init(|| match std::env::var_os(SWEEPS_VARIABLE).filter(|folder| !folder.is_empty()) {
        Some(folder) => folder,
        None => Path::new(user_defaults::out()).with_file_name("sweeps").into_os_string(),
    })
}
