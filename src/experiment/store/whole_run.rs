//! Names of runs for commands that train: they need the whole run, not one variant of it.

use std::path::Path;

use anyhow::anyhow;

use crate::config::hint::Hint;
use crate::experiment::store::find::run_and_variant;

/// Checks that `named` is not one variant of a run, as in `regularize_mnist/dropout`. The message names the `command`.
///
/// # Errors
/// If it is.
pub fn check(named: &str, out: &Path, command: &str) -> anyhow::Result<()> {
    if Path::new(named).exists() {
        return Ok(());
    }
    let Some((run, variant, _)) = run_and_variant(named, out) else { return Ok(()) };
    let message =
        format!("`runner {command}` trains all variants of a run, but `{named}` names the variant `{variant}`");
    Err(anyhow!(message).context(Hint(format!("name the run: `runner {command} {run}`"))))
}
