//! What is known of a TorchScript module before training: its parameters, buffers and output shape.
//!
//! Only libtorch can load a module, and `runner` is linked without it. So the engine sets the function that inspects
//! modules, and `runner` calls the engine and keeps the answer in the cache directory.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use serde::{Deserialize, Serialize};

use crate::data::store::cache::Cache;
use crate::io::{atomic_write, bounded_file};
use crate::tensor::shape::Shape;

/// First argument of the engine when it inspects a module; a file and the lengths of a row's dimensions follow.
pub const COMMAND: &str = "inspect-torchscript";

/// What is known of a module before training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// Shape of an output row.
    pub output: Vec<i64>,
    /// Name and shape of each trained parameter.
    pub parameters: Vec<(String, Vec<i64>)>,
    /// Name and shape of each buffer, then of each parameter that is not trained.
    pub buffers: Vec<(String, Vec<i64>)>,
    /// Further names of parameters that several parts of the module share, each with the name in `parameters`.
    pub shared: Vec<(String, String)>,
    /// Whether the module exports a method `reset_parameters`, which draws new parameters for each seed.
    pub draws_parameters: bool,
}

/// Reason why a module cannot be used, and a hint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Continues a sentence about the module.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Inspects a module: the bytes of its file, and the shape of a row.
pub type Inspector = fn(&[u8], &[i64]) -> Result<Inspection, Problem>;

type Found = Result<Arc<Inspection>, Problem>;
type Known = HashMap<(String, Vec<i64>), Found>;

static INSPECTOR: OnceLock<Inspector> = OnceLock::new();

/// Inspections by the module's checksum and the shape of a row.
static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// Sets the function that inspects modules in this process.
pub fn set_inspector(inspector: Inspector) {
    let _ = INSPECTOR.set(inspector); // set once, at the start of the engine
}

/// Inspects a module, or returns what is known of it from earlier.
///
/// # Errors
/// When the module cannot be used.
pub fn inspect(bytes: impl FnOnce() -> anyhow::Result<Vec<u8>>, sha256: &str, input: &Shape) -> Found {
    let key = (sha256.to_owned(), input.dimensions().to_vec());
    if let Some(known) = KNOWN.lock().ok().and_then(|known| known.as_ref()?.get(&key).cloned()) {
        return known;
    }
    let failed = |error: anyhow::Error| Problem { message: format!("cannot be inspected: {error:#}"), hint: None };
    let found = bytes().map_err(failed).and_then(|bytes| match INSPECTOR.get() {
        Some(inspector) => inspector(&bytes, input.dimensions()),
        None => by_engine(&bytes, sha256, input).map_err(failed)?,
    });
    let found = found.map(Arc::new);
    if let Ok(mut known) = KNOWN.lock() {
        known.get_or_insert_default().insert(key, found.clone());
    }
    found
}

/// Lets the engine inspect a module. The answer is kept in a file, since loading libtorch takes a third of a second.
fn by_engine(bytes: &[u8], sha256: &str, input: &Shape) -> anyhow::Result<Result<Inspection, Problem>> {
    let version = env!("RUNNER_LIBTORCH_VERSION");
    let file = Cache::for_user().folder().join("torchscript").join(format!("{sha256}-{input}-{version}.json"));
    let kept = bounded_file::read(&file, bounded_file::JSON).ok();
    if let Some(found) = kept.and_then(|text| serde_json::from_slice(&text).ok()) {
        return Ok(Ok(found));
    }
    let module = tempfile::NamedTempFile::new()?;
    std::fs::write(module.path(), bytes)?;
    let engine = std::env::current_exe()?.with_file_name(format!("runner-engine{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(engine);
    command.arg(COMMAND).arg(module.path()).args(input.dimensions().iter().map(i64::to_string));
    let output = command.output()?;
    let found: Result<Inspection, Problem> = serde_json::from_slice(&output.stdout)?;
    if let Ok(found) = &found {
        let _ = keep(&file, found); // without a cache, the next command asks the engine again
    }
    Ok(found)
}

fn keep(file: &Path, found: &Inspection) -> anyhow::Result<()> {
    file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    atomic_write::write_whole(file, serde_json::to_string(found)?.as_bytes())
}

/// Answers the engine's command: prints the inspection of a module, or the problem, as JSON.
///
/// # Errors
/// When the arguments are not those of [`COMMAND`], or the file cannot be read.
pub fn answer(arguments: &[String]) -> anyhow::Result<String> {
    let [file, input @ ..] = arguments else { anyhow::bail!("expected a file") };
    let input: Vec<i64> = input.iter().map(|length| length.parse()).collect::<Result<_, _>>()?;
    let inspector = INSPECTOR.get().ok_or_else(|| anyhow::anyhow!("there is no inspector"))?;
    Ok(serde_json::to_string(&inspector(&std::fs::read(file)?, &input))?)
}
