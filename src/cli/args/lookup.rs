//! The device and the runs that are named on the command line.

use std::path::Path;

use tch::Device;

use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::device::{self, DeviceChoice};
use crate::experiment::store::find::SavedRun;

/// The device that was asked for.
pub fn resolve_device(choice: DeviceChoice) -> anyhow::Result<Device> {
    device::resolve(choice).map_err(|fault| {
        let hint = Hint(fault.hint().to_owned());
        anyhow::Error::new(fault).context(format!("failed to use `--device {choice}`")).context(hint)
    })
}

/// The run of this name. Where a newer one has not finished, it is said.
pub fn find_run(named: &str, out: &Path) -> anyhow::Result<SavedRun> {
    let run = SavedRun::find(named, out)?;
    run.note().iter().for_each(|note| terminal::say(&format!("note: {note}")));
    Ok(run)
}
