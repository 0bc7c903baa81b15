//! TorchScript modules that are called as functions of outputs and targets: losses and metrics.

use std::sync::{Arc, Mutex, PoisonError};

use tch::{Device, Tensor};

use crate::device::fault::Fault;
use crate::network::torchscript::TorchScript;
use crate::network::torchscript::error_text::fault_of_call;
use crate::tensor::script_module::ScriptModule;

/// A loaded module with its checksum and device.
type Loaded = (String, Device, Arc<Mutex<ScriptModule>>);

/// Modules that were called before.
static LOADED: Mutex<Vec<Loaded>> = Mutex::new(Vec::new());

impl TorchScript {
    /// Calls `forward(output, target)` on their device. The parameters of the module are not trained.
    ///
    /// # Errors
    /// When the call fails, the result is no tensor, or the file has changed.
    pub fn call(&self, output: &Tensor, target: &Tensor) -> Result<Tensor, Fault> {
        let module = self.load(output.device())?;
        let module = module.lock().unwrap_or_else(PoisonError::into_inner);
        let result = module.call("forward", &[output, target]);
        let result = result.map_err(|message| fault_of_call(&self.path, &message))?;
        result.ok_or_else(|| Fault::Module(format!("`{}`: `forward` returned no tensor", self.path)))
    }

    /// Returns the module on a device.
    fn load(&self, device: Device) -> Result<Arc<Mutex<ScriptModule>>, Fault> {
        let failed = |message: String| Fault::Module(format!("`{}`: {message}", self.path));
        let file = self.files().first().ok_or_else(|| failed("was not found".to_owned()))?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((.., module)) = loaded.iter().find(|(sum, on, _)| (sum, *on) == (&file.sha256, device)) {
            return Ok(module.clone());
        }
        let bytes = file.read().map_err(|error| failed(format!("{error:#}")))?;
        let module = load_frozen(&bytes, device).map_err(failed)?;
        let module = Arc::new(Mutex::new(module));
        loaded.push((file.sha256.clone(), device, module.clone()));
        Ok(module)
    }
}

/// Loads a module whose parameters get no gradient.
///
/// # Errors
/// libtorch's message.
pub fn load_frozen(bytes: &[u8], device: Device) -> Result<ScriptModule, String> {
    let module = ScriptModule::load(bytes, device)?;
    for (_, parameter) in module.parameters()? {
        let _ = parameter.set_requires_grad(false);
    }
    Ok(module)
}
