//! Checks of this machine.

use tch::Device;

use crate::cli::args::user_defaults::{self, Setting, UserDefaults};
use crate::cli::commands::doctor::check::Check;
use crate::config::hint::{Hint, in_a_line};
use crate::data::store::cache::Cache;
use crate::device::memory;
use crate::device::{self, CudaError};
use crate::io::atomic_write;
use crate::io::byte_size::format_bytes;
use crate::tensor::threads;

/// Returns the results of all checks.
pub fn checks() -> Vec<Check> {
    let (defaults, broken) = match user_defaults::get() {
        Ok(defaults) => (defaults, None),
        Err(error) => {
            let remedy =
                error.downcast_ref::<Hint>().map_or_else(|| "correct the file".to_owned(), |hint| hint.0.clone());
            (&UserDefaults::default(), Some(Check::failed("defaults", in_a_line(&error), remedy)))
        }
    };
    let checks = [
        program(),
        libtorch(),
        cuda(),
        threads(defaults),
        memory(),
        cache(),
        runs(defaults),
        device(defaults),
        log_every(defaults),
    ];
    checks.into_iter().chain(broken).collect()
}

/// The program and its processor.
pub fn program() -> Check {
    let found = format!("{} ({}), {}", env!("CARGO_PKG_VERSION"), env!("RUNNER_COMMIT"), std::env::consts::ARCH);
    Check::passed("runner", found)
}

/// libtorch and its folder.
pub fn libtorch() -> Check {
    let folder = device::libtorch_folder();
    Check::passed("libtorch", format!("{} in {}", env!("RUNNER_LIBTORCH_VERSION"), folder.display()))
}

pub fn cuda() -> Check {
    match device::open_cuda() {
        Ok(count) => {
            let device = |number| format!("cuda:{number} ({} free)", format_bytes(memory::free(Device::Cuda(number))));
            let devices: Vec<String> = (0..count).map(device).collect();
            Check::passed("cuda", format!("usable: {}", devices.join(", ")))
        }
        Err(CudaError::NoDriver) => {
            let found = format!("none: {}; networks are trained on the CPU", CudaError::NoDriver);
            Check::absent("cuda", found, "if the machine has an NVIDIA GPU, install its driver")
        }
        Err(fault) => Check::failed("cuda", format!("not usable: {fault}"), fault.hint()),
    }
}

fn threads(defaults: &UserDefaults) -> Check {
    let available = threads::available();
    let (threads, source) = match defaults.get("threads") {
        Some(Setting { value, source }) => (value.display().to_string(), source.to_string()),
        None => (available.threads.to_string(), available.source.to_string()),
    };
    let cores = match threads::cores() {
        1 => "1 core".to_owned(),
        cores => format!("{cores} cores"),
    };
    Check::passed("threads", format!("at most {threads} ({source}) of {cores}; change with `--threads N`"))
}

pub fn memory() -> Check {
    let free = format_bytes(memory::free(Device::Cpu));
    let found = format!("{free} free; models trained together use at most half of it; change with `--stack N`");
    Check::passed("memory", found)
}

pub fn cache() -> Check {
    let cache = Cache::for_user();
    let folder = cache.folder();
    let (is_writable, found) = match atomic_write::can_write(folder) {
        Ok(()) => (true, format!("cached in {}", folder.display())),
        Err(error) => (false, format!("the cache {} is not writable: {error}", folder.display())),
    };
    Check::of("data", is_writable, found, "set `RUNNER_DATA_DIR` to a writable directory")
}

fn runs(defaults: &UserDefaults) -> Check {
    let source = source_of(defaults.get("out"));
    let folder = std::path::absolute(user_defaults::out()).unwrap_or_else(|_| user_defaults::out().into());
    let existing = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(&folder);
    let (is_writable, found) = match atomic_write::can_write(existing) {
        Ok(()) => (true, format!("saved in {} ({source}); change with `--out DIR`", folder.display())),
        Err(error) => (false, format!("the directory {} ({source}) is not writable: {error}", folder.display())),
    };
    let remedy = "name another directory: `runner exp NAME --out DIR`, or `out` in runner.toml";
    Check::of("runs", is_writable, found, remedy)
}

fn device(defaults: &UserDefaults) -> Check {
    let source = source_of(defaults.get("device"));
    Check::passed("device", format!("{} ({source}); change with `--device DEVICE`", user_defaults::device()))
}

fn log_every(defaults: &UserDefaults) -> Check {
    let every = match user_defaults::log_every() {
        Some(every) if every.parse::<usize>().is_ok() => format!("every {every} epochs"),
        Some(every) => format!("every {every}"),
        None => "automatic".to_owned(),
    };
    Check::passed("log_every", format!("{every} ({})", source_of(defaults.get("log_every"))))
}

/// Returns where a setting comes from.
fn source_of(setting: Option<&Setting>) -> String {
    setting.map_or_else(|| "default".to_owned(), |setting| setting.source.to_string())
}
