//! `runner doctor`: checks what this machine can run and whether a GPU can be used, and suggests a fix for each problem.

use serde::Serialize;
use tch::Device;

use crate::cli::args::lookup::resolve_device;
use crate::cli::args::user_defaults::{self, Setting, UserDefaults};
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::config::hint::{Hint, in_a_line};
use crate::data::store::cache::Cache;
use crate::device::memory;
use crate::device::{self, CudaError, DeviceChoice};
use crate::io::atomic_write;
use crate::io::byte_size::format_bytes;
use crate::tensor::threads::{self, Available};

/// Arguments of `runner doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print only the number of free bytes on a device
    #[arg(long, value_name = "DEVICE", hide = true)]
    free_memory: Option<DeviceChoice>,
}

/// Result of one check.
#[derive(Debug, Serialize)]
struct Check {
    what: &'static str,
    found: String,
    #[serde(rename = "well")]
    passed: bool,
    /// Whether the machine lacks it without a fault.
    #[serde(skip)]
    is_absent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Check {
    /// A check that passed.
    fn passed(what: &'static str, found: impl Into<String>) -> Self {
        Check { what, found: found.into(), passed: true, is_absent: false, remedy: None }
    }

    /// A check that failed, with a fix.
    fn failed(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { what, found: found.into(), passed: false, is_absent: false, remedy: Some(remedy.into()) }
    }
}

/// Runs all checks and prints their results.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Some(choice) = args.free_memory {
        terminal::out(&memory::free(resolve_device(choice)?).to_string());
        return Ok(Exit::Done);
    }
    let (defaults, broken) = match user_defaults::get() {
        Ok(defaults) => (defaults, None),
        Err(error) => {
            let remedy =
                error.downcast_ref::<Hint>().map_or_else(|| "correct the file".to_owned(), |hint| hint.0.clone());
            (&UserDefaults::default(), Some(Check::failed("defaults", in_a_line(&error), remedy)))
        }
    };
    let checks: Vec<Check> = [
        Check::passed(
            "runner",
            format!("{} ({}), {}", env!("CARGO_PKG_VERSION"), env!("RUNNER_COMMIT"), std::env::consts::ARCH),
        ),
        libtorch(),
        cuda(),
        threads(defaults),
        memory(),
        cache(),
        runs(defaults),
        device(defaults),
        log_every(defaults),
    ]
    .into_iter()
    .chain(broken)
    .collect();
    if args.json {
        terminal::json(&checks);
        return Ok(Exit::Done);
    }
    let page = TextStyle::of_output();
    for check in &checks {
        let mark = match check.passed {
            true => terminal::green("✓"),
            false if check.is_absent => "–".to_owned(),
            false => terminal::red("✗"),
        };
        terminal::out(&page.wrapped(&format!("{mark} {:<9} {}", check.what, check.found), 12));
        check.remedy.iter().for_each(|remedy| terminal::out(&page.wrapped(&format!("            hint: {remedy}"), 12)));
    }
    Ok(Exit::Done)
}

fn libtorch() -> Check {
    let folder = device::libtorch_folder();
    Check::passed("libtorch", format!("{} in {}", env!("RUNNER_LIBTORCH_VERSION"), folder.display()))
}

fn cuda() -> Check {
    match device::open_cuda() {
        Ok(count) => {
            let devices = (0..count).map(|number| {
                let free = memory::free(Device::Cuda(number));
                format!("cuda:{number} ({} free)", format_bytes(free))
            });
            Check::passed("cuda", format!("usable: {}", devices.collect::<Vec<_>>().join(", ")))
        }
        Err(CudaError::NoDriver) => {
            let found = format!("none: {}; networks are trained on the CPU", CudaError::NoDriver);
            let remedy = "if the machine has an NVIDIA GPU, install its driver";
            Check { is_absent: true, ..Check::failed("cuda", found, remedy) }
        }
        Err(fault) => Check::failed("cuda", format!("not usable: {fault}"), fault.hint()),
    }
}

fn threads(defaults: &UserDefaults) -> Check {
    let (threads, source) = match &defaults.threads {
        Some(Setting { value, source }) => (*value, source.to_string()),
        None => {
            let Available { threads, source } = threads::available();
            (threads, source.to_string())
        }
    };
    let cores = match threads::cores() {
        1 => "1 core".to_owned(),
        cores => format!("{cores} cores"),
    };
    Check::passed("threads", format!("at most {threads} ({source}) of {cores}; change with `--threads N`"))
}

fn memory() -> Check {
    let free = format_bytes(memory::free(Device::Cpu));
    Check::passed(
        "memory",
        format!("{free} free; models trained together use at most half of it; change with `--stack N`"),
    )
}

fn cache() -> Check {
    let cache = Cache::for_user();
    let folder = cache.folder();
    match atomic_write::can_write(folder) {
        Ok(()) => Check::passed("data", format!("cached in {}", folder.display())),
        Err(error) => Check::failed(
            "data",
            format!("the cache {} is not writable: {error}", folder.display()),
            "set `RUNNER_DATA_DIR` to a writable directory",
        ),
    }
}

fn runs(defaults: &UserDefaults) -> Check {
    let source = source_of(defaults.out.as_ref());
    let folder = std::path::absolute(user_defaults::out()).unwrap_or_else(|_| user_defaults::out().into());
    let existing = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(&folder);
    match atomic_write::can_write(existing) {
        Ok(()) => Check::passed("runs", format!("saved in {} ({source}); change with `--out DIR`", folder.display())),
        Err(error) => Check::failed(
            "runs",
            format!("the directory {} ({source}) is not writable: {error}", folder.display()),
            "name another directory: `runner exp NAME --out DIR`, or `out` in runner.toml",
        ),
    }
}

fn device(defaults: &UserDefaults) -> Check {
    let source = source_of(defaults.device.as_ref());
    Check::passed("device", format!("{} ({source}); change with `--device DEVICE`", user_defaults::device()))
}

fn log_every(defaults: &UserDefaults) -> Check {
    let every = match user_defaults::log_every() {
        Some(every) if every.parse::<usize>().is_ok() => format!("every {every} epochs"),
        Some(every) => format!("every {every}"),
        None => "automatic".to_owned(),
    };
    Check::passed("log_every", format!("{every} ({})", source_of(defaults.log_every.as_ref())))
}

/// Returns where a setting comes from.
fn source_of<T>(setting: Option<&Setting<T>>) -> String {
    setting.map_or_else(|| "default".to_owned(), |setting| setting.source.to_string())
}
