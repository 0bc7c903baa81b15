//! `doctor --slurm`: the settings of a cluster, and what a compute node sees.

mod meaning;
mod node;
mod ping;
mod probe;
mod programs;
mod settings;

use crate::cli::commands::doctor::check::Check;
use crate::config::hint::hinted;
pub use node::report_of_node;
pub use probe::probe;
use settings::Settings;

/// Returns the checks of the cluster.
///
/// # Errors
/// If there is no Slurm, or if it does not answer.
pub fn checks() -> anyhow::Result<Vec<Check>> {
    let missing = programs::missing();
    let has_scontrol = !missing.contains(&"scontrol");
    if missing.contains(&"sbatch") && !has_scontrol {
        let hint = "run this where jobs are submitted (often after `module load slurm`); under another scheduler, a job of a \
                    sweep is `runner sweep work DIR`";
        return Err(hinted("no Slurm on this machine: neither `sbatch` nor `scontrol` is on PATH", hint));
    }
    let mut checks = vec![meaning::programs(&missing)];
    if has_scontrol {
        checks.extend(meaning::checks(&Settings::ask()?));
    }
    Ok(checks)
}
