//! Device, threads and data sets of a job, which this machine may not have.

use anyhow::anyhow;
use tch::Device;

use crate::cli::args::user_defaults;
use crate::config::hint::Hint;
use crate::data::store::cache::Cache;
use crate::device::{self, DeviceChoice};
use crate::experiment::dry_run::is_missing;
use crate::experiment::plan::Plan;
use crate::slurm::sbatch_options::SbatchOptions;
use crate::tensor::threads::{self, Source};

/// Returns the device of a job. `auto` is a GPU if the options of `sbatch` ask for some: the machine from which a job is submitted
/// often has none.
pub fn device_of_job(choice: DeviceChoice, options: SbatchOptions) -> Device {
    match choice {
        DeviceChoice::Cuda(index) => Device::Cuda(index),
        DeviceChoice::Auto if options.has_gpus() => Device::Cuda(0),
        DeviceChoice::Auto | DeviceChoice::Cpu => Device::Cpu,
    }
}

/// Checks that libtorch supports the device with this name: the machines of a job load the same libtorch as this one.
///
/// # Errors
/// If it is a GPU, and libtorch has no CUDA library.
pub fn check_libtorch_supports(device: &str) -> anyhow::Result<()> {
    if device::gpu_with_name(device).is_none() {
        return Ok(());
    }
    device::cuda_library().map(drop).map_err(|error| {
        let hint = Hint(error.hint().to_owned());
        anyhow::Error::new(error).context("the jobs are to train on a GPU").context(hint)
    })
}

/// Returns the number of threads of a job: those asked for, else one for each CPU of a task, else `OMP_NUM_THREADS`, else `threads`
/// of runner.toml, else one.
pub fn threads_of_job(asked: Option<usize>, options: SbatchOptions) -> usize {
    let is_default = asked.map(|threads| threads.to_string()).as_deref() == user_defaults::threads();
    let (asked, default) = if is_default { (None, asked) } else { (asked, None) };
    let available = || Some(threads::available()).filter(|available| available.source == Source::Variable);
    let of_variable = || available().map(|available| available.threads);
    asked.or_else(|| options.cpus()).or(default).or_else(of_variable).unwrap_or(1).clamp(1, threads::MAX)
}

/// Checks that the data sets of these plans are in the data cache: the machines of a cluster may have no network.
///
/// # Errors
/// When one is not.
pub fn check_is_cached<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> anyhow::Result<()> {
    let cache = Cache::for_user();
    match plans.into_iter().map(|plan| plan.spec.data.name()).find(|name| is_missing(&cache, name)) {
        None => Ok(()),
        Some(name) => {
            let hint = format!("download it first: `runner data fetch {name}`");
            Err(anyhow!("the data set `{name}` is not in the data cache").context(Hint(hint)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_sbatch_decide() {
        let of = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let (none, gpu) = (of("--mem=4G"), of("--gres=gpu:1 -c 8"));
        let (none, gpu) = (SbatchOptions(&none), SbatchOptions(&gpu));
        assert_eq!(device_of_job(DeviceChoice::Auto, none), Device::Cpu);
        assert_eq!(device_of_job(DeviceChoice::Auto, gpu), Device::Cuda(0));
        assert_eq!(device_of_job(DeviceChoice::Cpu, gpu), Device::Cpu);
        assert_eq!(device_of_job(DeviceChoice::Cuda(1), none), Device::Cuda(1));
        assert_eq!(threads_of_job(None, gpu), 8);
        assert_eq!(threads_of_job(Some(2), gpu), 2);
    }
}
