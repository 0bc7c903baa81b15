//! State of a TorchScript module, which is restored between trial runs, so that state outside of parameters and buffers
//! shows: checkpoints would not hold it.

use tch::Tensor;

use crate::network::torchscript::inspection::Problem;
use crate::tensor::script_module::{ScriptModule, set_data};

/// Maximum relative difference of two results that count as the same.
const TOLERANCE: f64 = 1e-5;

/// Copies of a module's parameters and buffers.
#[derive(Debug)]
pub struct ModuleState {
    parameters: Vec<Tensor>,
    buffers: Vec<(String, Tensor)>,
}

impl ModuleState {
    /// Copies the state of a module.
    ///
    /// # Errors
    /// libtorch's message.
    pub fn of(module: &ScriptModule) -> Result<ModuleState, Problem> {
        let copy = |tensor: &Tensor| tensor.detach().copy();
        let parameters = module.parameters()?;
        let buffers = module.buffers()?;
        Ok(ModuleState {
            parameters: parameters.iter().map(|(_, tensor)| copy(tensor)).collect(),
            buffers: buffers.into_iter().map(|(name, tensor)| (name, copy(&tensor))).collect(),
        })
    }

    /// Returns the name of the first buffer that the module has changed since.
    ///
    /// # Errors
    /// libtorch's message.
    pub fn changed_buffer(&self, module: &ScriptModule) -> Result<Option<&str>, Problem> {
        let now = module.buffers()?;
        let mut pairs = self.buffers.iter().zip(&now);
        let changed =
            pairs.find(|((_, before), (_, after))| !is_same_layout(before, after) || !are_close(before, after, 0.0));
        Ok(changed.map(|((name, _), _)| name.as_str()))
    }

    /// Checks that buffers still have their shapes and types.
    ///
    /// # Errors
    /// The first buffer with another one, which checkpoints could not hold.
    pub fn check_layout(&self, module: &ScriptModule) -> Result<(), Problem> {
        let now = module.buffers()?;
        let mut pairs = self.buffers.iter().zip(&now);
        let Some(((name, before), (_, after))) = pairs.find(|((_, before), (_, after))| !is_same_layout(before, after))
        else {
            return Ok(());
        };
        let layout = |tensor: &Tensor| format!("{:?} of type {:?}", tensor.size(), tensor.kind());
        let message = format!("changes its buffer `{name}` from {} to {}", layout(before), layout(after));
        Err(Problem::new(message).hint("keep the shape and the type of a buffer, or use a local variable"))
    }

    /// Sets the parameters and buffers of the module to copies of these.
    ///
    /// # Errors
    /// libtorch's message, if a buffer has another type by now.
    pub fn restore(&self, module: &ScriptModule) -> Result<(), Problem> {
        let _no_grad = tch::no_grad_guard();
        for ((_, tensor), values) in module.parameters()?.iter().zip(&self.parameters) {
            tensor.shallow_clone().copy_(values);
        }
        for ((_, tensor), (_, values)) in module.buffers()?.iter().zip(&self.buffers) {
            set_data(tensor, &values.copy())?;
        }
        Ok(())
    }
}

/// Checks that two calls with the same arguments, state and random numbers have the same result.
///
/// # Errors
/// A problem with the message and the hint if they differ.
pub fn check_repeats(first: &Tensor, second: &Tensor, message: &str, hint: &str) -> Result<(), Problem> {
    match same_values(&first.detach(), &second.detach()) {
        true => Ok(()),
        false => Err(Problem { message: message.to_owned(), hint: Some(hint.to_owned()) }),
    }
}

/// Returns whether two results have the same shape and, but for rounding, the same values.
pub fn same_values(one: &Tensor, other: &Tensor) -> bool {
    is_same_layout(one, other) && are_close(one, other, TOLERANCE)
}

fn is_same_layout(one: &Tensor, other: &Tensor) -> bool {
    (one.size(), one.kind()) == (other.size(), other.kind())
}

/// Returns whether values are equal, or differ by at most this share; NaN is equal to NaN.
fn are_close(one: &Tensor, other: &Tensor, tolerance: f64) -> bool {
    one.equal(other) || one.is_floating_point() && one.allclose(other, tolerance, tolerance * 1e-3, true)
}
