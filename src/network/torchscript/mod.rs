//! Networks written in PyTorch and exported as TorchScript: `torch.jit.script(module).save("net.pt")`.
//!
//! The parameters and buffers of each replica's module become views of the arena, so optimizers, schedules, checkpoints
//! and observers treat them as those of any network. In files of weights they have their names in Python.

pub mod error_text;
mod fixed_mode;
pub mod function;
pub mod function_inspector;
pub mod inspection;
pub mod inspector;
pub mod module_file;
pub mod module_state;
pub mod module_tensors;
mod output_range;
pub mod stacked;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::network::arena::Buffer;
use crate::network::init::{Draw, Init, Parameter};
use crate::network::layer::layer_spec::{LayerSpec, OutputKind, RowMemory, Stacking};
use crate::network::torchscript::inspection::{FunctionInspection, Inspected, Inspection, Problem, Role, inspect};
use crate::network::torchscript::module_file::{ModuleCopy, ModuleFile};
use crate::tensor::shape::{Shape, ShapeError};

/// Replaced by the seed in the path of a module.
const SEED: &str = "{seed}";

/// A module written in PyTorch: the path of its TorchScript file, relative to the experiment file. With `{seed}` in it,
/// each seed has a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub struct TorchScript {
    /// The path.
    pub path: String,
    /// Copies of the files in the directory of a stored run.
    pub copies: Vec<ModuleCopy>,
    /// The file of each seed, or one for all seeds; empty until [`TorchScript::locate`] has found them.
    files: Vec<ModuleFile>,
}

impl From<String> for TorchScript {
    fn from(path: String) -> Self {
        TorchScript { path, copies: Vec::new(), files: Vec::new() }
    }
}

impl From<TorchScript> for String {
    fn from(module: TorchScript) -> Self {
        module.path
    }
}

impl TorchScript {
    /// Finds the file of each seed.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn locate(&mut self, seeds: &[i64], key: &str) -> Result<(), Invalid> {
        if self.path.is_empty() {
            return Err(Invalid::new(key, "is empty").hint("write the path of a TorchScript file: `\"net.pt\"`"));
        }
        let files = match self.path.contains(SEED) {
            true => seeds.iter().map(|&seed| (self.path.replace(SEED, &seed.to_string()), Some(seed))).collect(),
            false => vec![(self.path.clone(), None)],
        };
        let files = files.iter().map(|(path, seed)| ModuleFile::locate(path, *seed, &self.copies, key));
        self.files = files.collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Returns the files that were found.
    pub fn files(&self) -> &[ModuleFile] {
        &self.files
    }

    /// Returns the file of a seed.
    ///
    /// # Errors
    /// When the files are those of other seeds.
    pub fn file_of(&self, seed: i64) -> anyhow::Result<&ModuleFile> {
        let file = self.files.iter().find(|file| file.seed.is_none_or(|of| of == seed));
        file.ok_or_else(|| anyhow::anyhow!("there is no file for seed {seed}"))
    }

    /// Inspects the first file; the files of other seeds are compared with it.
    ///
    /// # Errors
    /// When a module cannot be used for rows of shape `input`, or differs from the first.
    fn inspect(&self, input: &Shape) -> Result<Inspection, Problem> {
        let mut files = self.files.iter();
        let role = Role::Network(input.dimensions().to_vec());
        let inspect_file = |file: &ModuleFile| {
            inspect_file(file, &role).map(|found| match &*found {
                Inspected::Network(found) => found.clone(),
                Inspected::Function(_) => unreachable!("it was inspected as a network"),
            })
        };
        let first = files.next().expect("`locate` finds a file");
        let found = inspect_file(first)?;
        for file in files {
            let other = Inspection { memory: found.memory, ..inspect_file(file)? };
            if other != found {
                let message = format!("has different networks in `{}` and `{}`", first.path, file.path);
                let hint = "export all files from the same module: names and shapes must agree";
                return Err(Problem::new(message).hint(hint));
            }
        }
        Ok(found)
    }

    /// Returns the inspection of a module that was checked before.
    pub fn checked(&self, input: &Shape) -> Inspection {
        self.inspect(input).expect("the module was inspected when the network was checked")
    }

    /// Inspects the module as a loss or a metric.
    ///
    /// # Errors
    /// When it cannot be used. The key is that of the module.
    pub fn inspect_function(&self, role: &Role, key: &str) -> Result<FunctionInspection, Invalid> {
        if self.path.contains(SEED) {
            let message = format!("contains `{SEED}`, but all seeds share a loss and its metrics");
            return Err(Invalid::new(key, message).hint("write the path of one file"));
        }
        let file = self.files.first().expect("`locate` finds a file");
        match inspect_file(file, role).as_deref() {
            Ok(Inspected::Function(found)) => Ok(*found),
            Ok(Inspected::Network(_)) => unreachable!("it was not inspected as a network"),
            Err(Problem { message, hint }) => {
                Err(Invalid { key: key.to_owned(), message: message.clone(), hint: hint.clone() })
            }
        }
    }

    /// Returns whether each seed starts from other weights.
    pub fn differs_by_seed(&self, input: &Shape) -> bool {
        self.path.contains(SEED) || self.inspect(input).is_ok_and(|found| found.draws_parameters)
    }
}

/// Inspects a file in its role. The problem names the file.
fn inspect_file(file: &ModuleFile, role: &Role) -> Result<Arc<Inspected>, Problem> {
    inspect(|| file.read(), &file.sha256, role).map_err(|problem| {
        let message = format!("{} (`{}`)", problem.message, file.path);
        Problem { message, ..problem }
    })
}

impl LayerSpec for TorchScript {
    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        match self.inspect(input) {
            Ok(found) => Ok(Shape::from(&found.output[..])),
            Err(Problem { message, hint }) => Err(ShapeError {
                wanted: String::new(),
                found: input.clone(),
                hint: None,
                problem: Some((message, hint)),
            }),
        }
    }

    fn parameters(&self, input: &Shape, _init: Init) -> Vec<Parameter> {
        let parameters = self.checked(input).parameters.into_iter();
        // the module draws or holds its values, see `draw`
        let draw = Draw::Constant(0.0);
        parameters.map(|(name, shape)| Parameter { name: name.into(), shape, draw }).collect()
    }

    fn buffers(&self, input: &Shape) -> Vec<Buffer> {
        let buffers = self.checked(input).buffers.into_iter();
        let (kind, start) = (tch::Kind::Float, 0); // not used: the module holds its buffers, see `draw`
        buffers.map(|(name, shape)| Buffer { name: name.into(), shape, kind, start }).collect()
    }

    fn output_kind(&self, input: &Shape) -> OutputKind {
        self.checked(input).output_kind
    }

    fn multiply_adds(&self, _input: &Shape) -> Option<u64> {
        None
    }

    fn mixes_rows(&self) -> bool {
        true
    }

    fn reuses_weights(&self) -> bool {
        true
    }

    fn row_memory(&self, input: &Shape) -> Option<RowMemory> {
        Some(self.checked(input).memory)
    }

    /// The modules of a stack run one after the other.
    fn stacking(&self) -> Stacking {
        Stacking::GpuOnly
    }
}
