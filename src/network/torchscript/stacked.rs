//! A TorchScript module for each replica of a stack.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::tensor::generators::with_replica;
use crate::tensor::script_module::{ScriptModule, set_data};
use anyhow::anyhow;
use tch::nn::ModuleT;
use tch::{Device, Tensor};

use crate::network::arena::{LayerTensors, Leaf};
use crate::network::layer::Module;
use crate::network::torchscript::TorchScript;
use crate::network::torchscript::error_text::{explain_call, fault_of_call};
use crate::network::torchscript::inspection::Problem;
use crate::network::torchscript::inspector::{check_output, run};
use crate::network::torchscript::module_tensors::ModuleTensors;
use crate::tensor::shape::Shape;

/// The modules of a stack: `[replicas, batch, …]` → `[replicas, batch, …output]`.
pub struct StackedModule {
    path: String,
    replicas: Vec<Mutex<Replica>>,
}

/// The module of one replica.
struct Replica {
    module: ScriptModule,
    is_training: Option<bool>,
    buffers: Vec<Tensor>, // views of the arena
}

impl fmt::Debug for StackedModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackedModule").field("replicas", &self.replicas.len()).finish_non_exhaustive()
    }
}

impl TorchScript {
    /// Returns the initial parameters and buffers for a seed, on the CPU: those of `reset_parameters` if the module
    /// exports it, else those of the file. The generator must be seeded before.
    ///
    /// # Errors
    /// When the file has changed, or `reset_parameters` fails.
    pub fn draw(&self, input: &Shape, seed: i64) -> anyhow::Result<LayerTensors> {
        let module = ScriptModule::load(&self.file_of(seed)?.read()?, Device::Cpu).map_err(|error| anyhow!(error))?;
        if self.checked(input).draws_parameters {
            tch::no_grad(|| module.call("reset_parameters", &[]))
                .map_err(|error| anyhow!("`reset_parameters` fails: {}", explain_call(&error)))?;
        }
        let tensors = ModuleTensors::of(&module).map_err(|error| anyhow!(error))?;
        let values =
            |tensors: Vec<(String, Tensor)>| tensors.into_iter().map(|(_, tensor)| tensor.detach().copy()).collect();
        Ok(LayerTensors { parameters: values(tensors.parameters), buffers: values(tensors.buffers) })
    }

    /// Runs rows through the module of the first file in evaluation mode, on the CPU: `[rows, …]`, f32.
    ///
    /// # Errors
    /// When it fails.
    pub fn try_rows(&self, rows: &Tensor) -> Result<(), Problem> {
        let file = self.files().first().expect("`locate` finds a file");
        let bytes = file.read().map_err(|error| Problem::new(format!("cannot be read: {error:#}")))?;
        let mut module = ScriptModule::load(&bytes, Device::Cpu)?;
        module.set_training(false)?;
        tch::no_grad(|| run(&module, rows)).map(drop)
    }

    /// Builds a module for each replica. Its parameters and buffers are views of `parameters` and `buffers`, each
    /// `[replicas, …shape]`. Returns the modules and the leaves of each parameter.
    ///
    /// # Errors
    /// When the file has changed.
    pub fn build(
        &self,
        seeds: &[i64],
        parameters: &[Tensor],
        buffers: &[Tensor],
        device: Device,
    ) -> anyhow::Result<(Module, Vec<Leaf>)> {
        let failed = |error: String| anyhow!(error);
        let mut leaves: Vec<Vec<Tensor>> = parameters.iter().map(|_| Vec::new()).collect();
        let mut replicas = Vec::with_capacity(seeds.len());
        for (replica, &seed) in seeds.iter().enumerate() {
            let module = ScriptModule::load(&self.file_of(seed)?.read()?, device).map_err(failed)?;
            let tensors = ModuleTensors::of(&module).map_err(failed)?;
            let row = |values: &Tensor| values.get(replica as i64).detach();
            for (((_, leaf), values), leaves) in tensors.parameters.into_iter().zip(parameters).zip(&mut leaves) {
                set_data(&leaf, &row(values)).map_err(failed)?;
                leaves.push(leaf);
            }
            let places: Vec<Tensor> = buffers.iter().map(row).collect();
            for ((_, buffer), place) in tensors.buffers.iter().zip(&places) {
                set_data(buffer, place).map_err(failed)?;
            }
            let buffers = places.into_iter().take(tensors.true_buffers).collect();
            replicas.push(Mutex::new(Replica { module, is_training: None, buffers }));
        }
        let leaves = leaves.into_iter().map(Leaf::OfEachReplica).collect();
        Ok((Box::new(StackedModule { path: self.path.clone(), replicas }), leaves))
    }
}

impl Replica {
    /// `[batch, …]` → `[batch, …output]`.
    fn forward(&mut self, xs: &Tensor, train: bool) -> Result<Tensor, String> {
        if self.is_training != Some(train) {
            self.module.set_training(train)?;
            self.is_training = Some(train);
        }
        let output = self.module.call("forward", &[xs])?.ok_or("`forward` returned no tensor")?;
        let output = check_output(output, xs).map_err(|found| format!("`forward` returned {found}"))?;
        if train {
            self.module.keep_buffers(&self.buffers.iter().collect::<Vec<_>>())?;
        }
        Ok(output)
    }
}

impl ModuleT for StackedModule {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let outputs = self.replicas.iter().zip(0..).map(|(replica, number)| {
            let mut replica = replica.lock().unwrap_or_else(PoisonError::into_inner);
            let output = with_replica(number as usize, || replica.forward(&xs.get(number), train));
            output.unwrap_or_else(|error| fault_of_call(&self.path, &error).throw())
        });
        Tensor::stack(&outputs.collect::<Vec<_>>(), 0)
    }
}
