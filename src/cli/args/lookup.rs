//! Lookup of the device and the runs named on the command line.

use std::path::Path;

use tch::Device;

use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::device::{self, DeviceChoice};
use crate::experiment::store::find::SavedRun;

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
    let run = SavedRun::find(name, out)?;
    run.note().iter().for_each(|note| terminal::say(&format!("note: {note}")));
    Ok(run)
}
