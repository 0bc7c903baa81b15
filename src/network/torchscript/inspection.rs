//! What is known of a TorchScript module before training: of a network its parameters, buffers and output shape, of a loss
//! whether it has a value for each row.
//!
//! Only libtorch can load a module, and `runner` is linked without it. So the engine sets the function that inspects
//! modules, and `runner` calls the engine and keeps the answer in the cache directory.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use serde::{Deserialize, Serialize};

use crate::data::store::cache::Cache;
use crate::data::target::Target;
use crate::io::{atomic_write, bounded_file};
use crate::network::layer::layer_spec::{OutputKind, RowMemory};

/// First argument of the engine when it inspects a module; a file and its [`Role`] as JSON follow.
pub const COMMAND: &str = "inspect-torchscript";

/// Version of what an inspection checks and finds; inspections of other versions in the cache are not used.
const VERSION: u32 = 3;

/// What a module is used as, which decides how it is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A network, `forward(rows)`, for rows of this shape.
    Network(Vec<i64>),
    /// A loss, `forward(output, target)`, for this number of outputs.
    Loss(usize, Target),
    /// A metric, `forward(output, target)`, for this number of outputs.
    Metric(usize, Target),
}

impl Role {
    /// Returns the role as a part of a file name.
    fn file_name(&self) -> String {
        let of = |target: &Target| match target {
            Target::Classes(count) => format!("classes{count}"),
            Target::Labels(count) => format!("labels{count}"),
            Target::Values(count) => format!("values{count}"),
        };
        match self {
            Role::Network(row) => row.iter().map(i64::to_string).collect::<Vec<_>>().join("x"),
            Role::Loss(outputs, target) => format!("loss-{outputs}-{}", of(target)),
            Role::Metric(outputs, target) => format!("metric-{outputs}-{}", of(target)),
        }
    }
}

/// What is known of a module in its role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inspected {
    /// A network.
    Network(Inspection),
    /// A loss or a metric.
    Function(FunctionInspection),
}

/// What is known of a loss or a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionInspection {
    /// Whether a loss has a value for each row.
    pub is_per_row: bool,
    /// Whether a loss combines the output of a row with the targets of all rows, because their shapes `[rows]` and
    /// `[rows, 1]` broadcast.
    pub broadcasts: bool,
}

/// What is known of a network before training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// Shape of an output row.
    pub output: Vec<i64>,
    /// What the outputs are.
    pub output_kind: OutputKind,
    /// Reason why the module cannot be trained on a batch of one row, if it cannot.
    pub lone_row_problem: Option<String>,
    /// Name and shape of each trained parameter.
    pub parameters: Vec<(String, Vec<i64>)>,
    /// Name and shape of each buffer, then of each parameter that is not trained.
    pub buffers: Vec<(String, Vec<i64>)>,
    /// Further names of parameters that several parts of the module share, each with the name in `parameters`.
    pub shared: Vec<(String, String)>,
    /// Whether the module exports a method `reset_parameters`, which draws new parameters for each seed.
    pub draws_parameters: bool,
    /// Layers that depend on the training mode, which is fixed in the module: it was traced.
    pub layers_of_fixed_mode: Vec<String>,
    /// Memory of a row.
    pub memory: RowMemory,
}

/// Reason why a module cannot be used, and a hint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Continues a sentence about the module.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Problem {
    /// Creates a problem from its message.
    pub fn new(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), hint: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Problem {
        Problem { hint: Some(hint.into()), ..self }
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Problem {
        Problem::new(message)
    }
}

/// Inspects a module: the bytes of its file, and its role.
pub type Inspector = fn(&[u8], &Role) -> Result<Inspected, Problem>;

type Found = Result<Arc<Inspected>, Problem>;
type Known = HashMap<(String, Role), Found>;

static INSPECTOR: OnceLock<Inspector> = OnceLock::new();

/// Inspections by the module's checksum and role.
static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// Sets the function that inspects modules in this process.
pub fn set_inspector(inspector: Inspector) {
    let _ = INSPECTOR.set(inspector); // set once, at the start of the engine
}

/// Inspects a module, or returns what is known of it from earlier.
///
/// # Errors
/// When the module cannot be used.
pub fn inspect(bytes: impl FnOnce() -> anyhow::Result<Vec<u8>>, sha256: &str, role: &Role) -> Found {
    let key = (sha256.to_owned(), role.clone());
    if let Some(known) = KNOWN.lock().ok().and_then(|known| known.as_ref()?.get(&key).cloned()) {
        return known;
    }
    let failed = |error: anyhow::Error| Problem::new(format!("cannot be inspected: {error:#}"));
    let found = bytes().map_err(failed).and_then(|bytes| match INSPECTOR.get() {
        Some(inspector) => inspector(&bytes, role),
        None => by_engine(&bytes, sha256, role).map_err(failed)?,
    });
    let found = found.map(Arc::new);
    if let Ok(mut known) = KNOWN.lock() {
        known.get_or_insert_default().insert(key, found.clone());
    }
    found
}

/// Lets the engine inspect a module. The answer is kept in a file, since loading libtorch takes a third of a second.
fn by_engine(bytes: &[u8], sha256: &str, role: &Role) -> anyhow::Result<Result<Inspected, Problem>> {
    let libtorch = env!("RUNNER_LIBTORCH_VERSION");
    let name = format!("{sha256}-{}-{libtorch}-{VERSION}.json", role.file_name());
    let file = Cache::for_user().folder().join("torchscript").join(name);
    let kept = bounded_file::read(&file, bounded_file::JSON).ok();
    if let Some(found) = kept.and_then(|text| serde_json::from_slice(&text).ok()) {
        return Ok(Ok(found));
    }
    let module = tempfile::NamedTempFile::new()?;
    std::fs::write(module.path(), bytes)?;
    let engine = std::env::current_exe()?.with_file_name(format!("runner-engine{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(engine);
    command.arg(COMMAND).arg(module.path()).arg(serde_json::to_string(role)?);
    let output = command.output()?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        let first = reason.lines().next().unwrap_or("runner-engine printed no reason");
        anyhow::bail!("{}", first.trim_start_matches("error: "));
    }
    let found: Result<Inspected, Problem> = serde_json::from_slice(&output.stdout)?;
    if let Ok(found) = &found {
        let _ = keep(&file, found); // without a cache, the next command asks the engine again
    }
    Ok(found)
}

fn keep(file: &Path, found: &Inspected) -> anyhow::Result<()> {
    file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    atomic_write::write_whole(file, serde_json::to_string(found)?.as_bytes())
}

/// Answers the engine's command: prints the inspection of a module, or the problem, as JSON.
///
/// # Errors
/// When the arguments are not those of [`COMMAND`], or the file cannot be read.
pub fn answer(arguments: &[String]) -> anyhow::Result<String> {
    let [file, role] = arguments else { anyhow::bail!("expected a file and a role") };
    let role: Role = serde_json::from_str(role)?;
    let inspector = INSPECTOR.get().ok_or_else(|| anyhow::anyhow!("there is no inspector"))?;
    Ok(serde_json::to_string(&inspector(&std::fs::read(file)?, &role))?)
}
