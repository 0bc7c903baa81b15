//! The parameters and buffers of a TorchScript module.

use tch::{Kind, Tensor};

use crate::network::torchscript::inspection::Problem;
use crate::tensor::safetensors_file::dtype_of;
use crate::tensor::script_module::{ScriptModule, is_dense, is_same};

/// A module's parameters and buffers by kind.
#[derive(Debug)]
pub struct ModuleTensors {
    /// Parameters that are trained, each once.
    pub parameters: Vec<(String, Tensor)>,
    /// Buffers, then parameters that are not trained.
    pub buffers: Vec<(String, Tensor)>,
    /// Number of buffers among these.
    pub true_buffers: usize,
    /// Further names of shared parameters, each with the first name.
    pub shared: Vec<(String, String)>,
}

impl ModuleTensors {
    /// Lists the tensors of a module.
    ///
    /// # Errors
    /// libtorch's message.
    pub fn of(module: &ScriptModule) -> Result<ModuleTensors, String> {
        let mut buffers = module.buffers()?;
        let true_buffers = buffers.len();
        let (mut parameters, mut shared): (Vec<(String, Tensor)>, Vec<_>) = (Vec::new(), Vec::new());
        for (name, tensor) in module.parameters()? {
            let mut known = parameters.iter().chain(&buffers);
            let first = known.find_map(|(first, known)| match is_same(known, &tensor) {
                Ok(false) => None,
                same => Some(same.map(|_| first.clone())),
            });
            match first.transpose()? {
                Some(first) => shared.push((name, first)),
                None if tensor.requires_grad() => parameters.push((name, tensor)),
                None => buffers.push((name, tensor)),
            }
        }
        Ok(ModuleTensors { parameters, buffers, true_buffers, shared })
    }

    /// Checks that parameters can be trained, that files of weights can hold all tensors, and that no parameter shares its
    /// memory.
    ///
    /// # Errors
    /// The first tensor that cannot be used.
    pub fn check(&self) -> Result<(), Problem> {
        let kinds = [("parameter", &self.parameters), ("buffer", &self.buffers)];
        for (what, (name, tensor)) in kinds.into_iter().flat_map(|(what, all)| all.iter().map(move |one| (what, one))) {
            let is_dense = is_dense(tensor)?;
            let kind = tensor.f_kind().ok();
            if !is_dense || kind.and_then(dtype_of).is_none() {
                let found = match kind {
                    Some(kind) if is_dense => format!("of type {kind:?}"),
                    _ => "that is sparse or quantized".to_owned(),
                };
                let message = format!(
                    "has a {what} `{name}` {found}, but files of weights hold dense tensors of booleans, integers and \
                     floating-point numbers"
                );
                let hint = "convert it before exporting the module: `torch.view_as_real`, `to_dense`, `dequantize`";
                return Err(Problem::new(message).hint(hint));
            }
        }
        if let Some((name, tensor)) = self.parameters.iter().find(|(_, tensor)| tensor.kind() != Kind::Float) {
            let message = format!("has a parameter `{name}` of type {:?}, but training uses float32", tensor.kind());
            return Err(Problem::new(message).hint("call `.float()` on the module before exporting it"));
        }
        self.check_memory()
    }

    /// Checks that no trained parameter shares its memory with another tensor: as views of the arena they would part.
    fn check_memory(&self) -> Result<(), Problem> {
        let _no_grad = tch::no_grad_guard();
        let all: Vec<&(String, Tensor)> = self.parameters.iter().chain(&self.buffers).collect();
        for (number, (name, tensor)) in self.parameters.iter().enumerate() {
            let is_repeated = tensor.size().iter().zip(tensor.stride()).any(|(&length, step)| length > 1 && step == 0);
            if is_repeated {
                let message = format!("has a parameter `{name}` whose values share memory");
                let hint = format!("copy it before exporting the module: `{name} = nn.Parameter({name}.clone())`");
                return Err(Problem { message, hint: Some(hint) });
            }
            if let Some((other, _)) = all[number + 1..].iter().find(|(_, other)| shares_memory(tensor, other)) {
                let message = format!("has two tensors in the same memory: `{name}` and `{other}`");
                let hint =
                    "share the parameter itself (`self.b.weight = self.a.weight`), or copy its values with `clone()`";
                return Err(Problem::new(message).hint(hint));
            }
        }
        Ok(())
    }
}

/// Returns whether writing to a float tensor changes another one.
fn shares_memory(tensor: &Tensor, other: &Tensor) -> bool {
    let (one, two) = (memory(tensor), memory(other));
    if one.start >= two.end || two.start >= one.end {
        return false;
    }
    // their ranges overlap, but columns of a matrix can lie between each other
    let (values, before) = (tensor.copy(), other.copy());
    let _ = tensor.shallow_clone().fill_(f64::NAN);
    let is_shared = !other.equal(&before);
    tensor.shallow_clone().copy_(&values);
    is_shared
}

/// Returns the range of bytes from the first to the last value.
fn memory(tensor: &Tensor) -> std::ops::Range<usize> {
    let start = tensor.data_ptr() as usize;
    if tensor.numel() == 0 {
        return start..start;
    }
    let last: i64 = tensor.size().iter().zip(tensor.stride()).map(|(&length, step)| (length - 1) * step).sum();
    start..start + (last as usize + 1) * tensor.kind().elt_size_in_bytes()
}
