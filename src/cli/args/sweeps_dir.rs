//! `--out` of sweeps: the directory of the sweeps.

use std::ffi::OsString;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::cli::args::user_defaults;

/// Environment variable that names the directory of the sweeps.
const SWEEPS_VARIABLE: &str = "RUNNER_SWEEPS";

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
