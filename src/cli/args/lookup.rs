//! Lookup of the device and the runs named on the command line.

use std::path::Path;

use tch::Device;

use crate::cli::args::sweeps_dir::SweepsDir;
use crate::cli::text::shell_words::quoted_path;
use crate::cli::text::terminal;
use crate::config::hint::{Hint, hinted};
use crate::device::{self, DeviceChoice};
use crate::experiment::store::find::SavedRun;
use crate::experiment::store::run_name::experiment_directory;
use crate::sweep::dir::SweepDir;

/// Returns the device named by `--device`.
///
/// # Errors
/// If the device cannot be used.
pub fn resolve_device(choice: DeviceChoice) -> anyhow::Result<Device> {
    device::resolve(choice).map_err(|fault| {
        let hint = Hint(fault.hint().to_owned());
        anyhow::Error::new(fault).context(format!("failed to use `--device {choice}`")).context(hint)
    })
}

/// Returns the run named `name` under `out`. Prints a note if a newer run is unfinished.
///
/// # Errors
/// If there is no such run.
pub fn find_run(name: &str, out: &Path) -> anyhow::Result<SavedRun> {
    let see = |sweep: &Path| {
        let stack = quoted_path(&sweep.join("stacks").join("S000"));
        format!(
            "see its configurations: `runner sweep table {}`, or name one of its stacks, such as `{stack}`",
            quoted_path(sweep)
        )
    };
    let run = SavedRun::find(name, out).map_err(|error| sweep_instead_of(name, out, see).unwrap_or(error))?;
    run.note().iter().for_each(|note| terminal::say(&format!("note: {note}")));
    Ok(run)
}

/// Returns the error for the name of a sweep in place of a run, with a hint on what to do with it; `None` if there is no sweep
/// of this name, or a run under `out` as well.
pub fn sweep_instead_of(name: &str, out: &Path, hint: impl Fn(&Path) -> String) -> Option<anyhow::Error> {
    if experiment_directory(name, out).is_some() {
        return None;
    }
    let (sweep, _) = SweepDir::open(&SweepDir::locate(name, &SweepsDir::default()).ok()?).ok()?;
    Some(hinted(format!("`{name}` is a sweep, not a run"), hint(sweep.path())))
}
