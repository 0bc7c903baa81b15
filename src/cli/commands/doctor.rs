//! `runner doctor`: what this machine can run, why a GPU can or cannot be used, and the remedy for each fault.

use serde::Serialize;
use tch::Device;

use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::data::store::cache::Cache;
use crate::device;
use crate::device::{byte_size, memory};
use crate::io::atomic_write;
use crate::tensor::threads::{self, Available};

/// Arguments of `runner doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    found: String,
    well: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    fn well(what: &'static str, found: impl Into<String>) -> Self {
        Finding { what, found: found.into(), well: true, remedy: None }
    }

    fn fault(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding { what, found: found.into(), well: false, remedy: Some(remedy.into()) }
    }
}

/// Looks at everything, and tells.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let findings = [
        Finding::well(
            "runner",
            format!("{} ({}), {}", env!("CARGO_PKG_VERSION"), env!("RUNNER_COMMIT"), std::env::consts::ARCH),
        ),
        libtorch(),
        cuda(),
        threads(),
        memory(),
        cache(),
        runs(),
    ];
    if args.json {
        terminal::json(&findings);
        return Ok(Exit::Done);
    }
    for finding in &findings {
        let mark = if finding.well { terminal::green("✓") } else { terminal::red("✗") };
        terminal::out(&format!("{mark} {:<9} {}", finding.what, finding.found));
        finding.remedy.iter().for_each(|remedy| terminal::out(&format!("            hint: {remedy}")));
    }
    Ok(Exit::Done)
}

fn libtorch() -> Finding {
    let folder = device::libtorch_folder();
    Finding::well("libtorch", format!("{} in {}", env!("RUNNER_LIBTORCH_VERSION"), folder.display()))
}

fn cuda() -> Finding {
    match device::open_cuda() {
        Ok(count) => {
            let each = (0..count).map(|number| {
                let free = memory::free(Device::Cuda(number));
                format!("cuda:{number} ({} free)", byte_size::in_words(free))
            });
            Finding::well("cuda", format!("usable: {}", each.collect::<Vec<_>>().join(", ")))
        }
        Err(fault) => Finding::fault("cuda", format!("not usable: {fault}"), fault.hint()),
    }
}

fn threads() -> Finding {
    let Available { threads, source } = threads::available();
    let cores = match threads::cores() {
        1 => "1 core".to_owned(),
        cores => format!("{cores} cores"),
    };
    Finding::well("threads", format!("at most {threads} ({source}) of {cores}; `--threads N` changes it"))
}

fn memory() -> Finding {
    let free = byte_size::in_words(memory::free(Device::Cpu));
    Finding::well("memory", format!("{free} free; a stack takes half of it at most, `--stack N` changes it"))
}

fn cache() -> Finding {
    let cache = Cache::of_user();
    let folder = cache.folder();
    match atomic_write::can_write(folder) {
        Ok(()) => Finding::well("data", format!("cached in {}", folder.display())),
        Err(error) => Finding::fault(
            "data",
            format!("the cache {} cannot be written to: {error}", folder.display()),
            "set `RUNNER_DATA_DIR` to a folder that you can write to",
        ),
    }
}

fn runs() -> Finding {
    match std::env::current_dir().and_then(|folder| atomic_write::can_write(&folder).map(|()| folder)) {
        Ok(folder) => Finding::well("runs", format!("put in {}", folder.join("runs").display())),
        Err(error) => Finding::fault(
            "runs",
            format!("this folder cannot be written to: {error}"),
            "name another one: `runner exp NAME --out DIR`",
        ),
    }
}
