//! Inspects a TorchScript module with libtorch: loads it, runs two rows forward and backward, and lists its tensors.

use crate::network::layer::layer_spec::RowMemory;
use crate::tensor::script_module::{MemoryCount, ScriptModule};
use tch::{Device, Kind, Tensor};

use crate::network::torchscript::error_text::{explain_call, explain_load};
use crate::network::torchscript::function_inspector::{inspect_loss, inspect_metric};
use crate::network::torchscript::inspection::{Inspected, Inspection, Problem, Role};

/// Number of rows of the trial run. Two, so that batch normalization has a variance.
const ROWS: i64 = 2;

/// Number of rows of a second run, which shows how much memory a row takes.
const MORE_ROWS: i64 = 8;

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
            let is_same = |(_, known): &&(String, Tensor)| known.data_ptr() == tensor.data_ptr() && tensor.numel() > 0;
            match parameters.iter().chain(&buffers).find(is_same) {
                Some((first, _)) => shared.push((name, first.clone())),
                None if tensor.requires_grad() => parameters.push((name, tensor)),
                None => buffers.push((name, tensor)),
            }
        }
        Ok(ModuleTensors { parameters, buffers, true_buffers, shared })
    }
}

/// Inspects a module: the bytes of its file, and its role.
///
/// # Errors
/// When the module cannot be used.
pub fn inspect(bytes: &[u8], role: &Role) -> Result<Inspected, Problem> {
    match *role {
        Role::Network(ref sample) => inspect_network(bytes, sample).map(Inspected::Network),
        Role::Loss(outputs, target) => inspect_loss(bytes, outputs, target).map(Inspected::Function),
        Role::Metric(outputs, target) => inspect_metric(bytes, outputs, target).map(Inspected::Function),
    }
}

/// Inspects a network for rows of shape `sample`.
fn inspect_network(bytes: &[u8], sample: &[i64]) -> Result<Inspection, Problem> {
    let problem = |message: String| Problem { message, hint: None };
    let mut count = MemoryCount::start().map_err(problem)?;
    let mut module = ScriptModule::load(bytes, Device::Cpu).map_err(|error| explain_load(&error, bytes))?;
    match module.arguments("forward").map_err(problem)? {
        None => return Err(problem("has no method `forward`".to_owned())),
        Some(arguments) if arguments.required > 1 || arguments.all == 0 => {
            let message =
                format!("has a `forward` with {} arguments, but only the rows are passed", arguments.required);
            let hint = "wrap it in a module whose `forward(self, x)` takes the rows only".to_owned();
            return Err(Problem { message, hint: Some(hint) });
        }
        Some(_) => {}
    }
    let draws_parameters = match module.arguments("reset_parameters").map_err(problem)? {
        Some(arguments) if arguments.required > 0 => {
            return Err(problem("has a `reset_parameters` with arguments, but it is called without any".to_owned()));
        }
        found => found.is_some(),
    };
    let ModuleTensors { parameters, buffers, shared, .. } = ModuleTensors::of(&module).map_err(problem)?;
    if let Some((name, tensor)) = parameters.iter().find(|(_, tensor)| tensor.kind() != Kind::Float) {
        let message = format!("has a parameter `{name}` of type {:?}, but training uses float32", tensor.kind());
        return Err(Problem { message, hint: Some("call `.float()` on the module before exporting it".to_owned()) });
    }
    let rows = draw_rows(ROWS, sample);
    module.set_training(false).map_err(problem)?;
    let output = tch::no_grad(|| run(&module, &rows))?;
    let output = output.size()[1..].to_vec();
    module.set_training(true).map_err(problem)?;
    if !parameters.is_empty() {
        let trained = run(&module, &rows)?;
        let has_gradients = trained.requires_grad() && trained.sum(Kind::Float).f_backward().is_ok();
        let without: Vec<&str> = parameters
            .iter()
            .filter(|(_, tensor)| !has_gradients || !tensor.grad().defined())
            .map(|(name, _)| name.as_str())
            .collect();
        if !without.is_empty() {
            let shown: Vec<String> = without.iter().take(5).map(|name| format!("`{name}`")).collect();
            let more = without.len().saturating_sub(5);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let message = format!("has parameters that get no gradient from its output: {}{more}", shown.join(", "));
            let hint = "use them in `forward`, remove them, or set `requires_grad = False` before exporting".to_owned();
            return Err(Problem { message, hint: Some(hint) });
        }
    }
    let memory = measure_rows(&mut module, sample, &mut count)?;
    let sizes =
        |tensors: Vec<(String, Tensor)>| tensors.into_iter().map(|(name, tensor)| (name, tensor.size())).collect();
    Ok(Inspection { output, parameters: sizes(parameters), buffers: sizes(buffers), shared, draws_parameters, memory })
}

/// Measures the memory of a row: the difference between runs of two and of more rows.
fn measure_rows(module: &mut ScriptModule, sample: &[i64], count: &mut MemoryCount) -> Result<RowMemory, Problem> {
    let problem = |message: String| Problem { message, hint: None };
    let [few, many] = [ROWS, MORE_ROWS].map(|count| draw_rows(count, sample));
    let mut per_row = |run: &dyn Fn(&Tensor) -> Result<(), Problem>| {
        let mut peak = |rows: &Tensor| {
            count.take_peak();
            run(rows).map(|()| count.take_peak())
        };
        peak(&few)?; // allocates what is kept for later, such as gradients
        Ok(peak(&many)?.saturating_sub(peak(&few)?) / (MORE_ROWS - ROWS) as u64)
    };
    module.set_training(false).map_err(problem)?;
    let evaluation = tch::no_grad(|| per_row(&|rows| run(module, rows).map(drop)))?;
    module.set_training(true).map_err(problem)?;
    let training = per_row(&|rows| {
        let output = run(module, rows)?;
        if output.requires_grad() {
            let _ = output.sum(Kind::Float).f_backward(); // succeeded before
        }
        Ok(())
    })?;
    Ok(RowMemory { training, evaluation })
}

fn draw_rows(count: i64, sample: &[i64]) -> Tensor {
    Tensor::rand([&[count], sample].concat(), (Kind::Float, Device::Cpu))
}

/// Runs rows through the module and checks that there is one float output for each.
fn run(module: &ScriptModule, rows: &Tensor) -> Result<Tensor, Problem> {
    let sample = &rows.size()[1..];
    let output = module.call("forward", &[rows]).map_err(|error| {
        let lengths: Vec<String> = sample.iter().map(i64::to_string).collect();
        let message = format!("fails on rows of {}: {}", lengths.join("×"), explain_call(&error));
        Problem { message, hint: Some("export a module for rows of this shape".to_owned()) }
    })?;
    let wrong = |found: String| Problem {
        message: format!("returns {found}, but must return a float tensor with one row for each input row"),
        hint: None,
    };
    let output = output.ok_or_else(|| wrong("no tensor".to_owned()))?;
    match output.kind() {
        Kind::Float if output.size().first() == rows.size().first() && output.dim() > 1 => Ok(output),
        Kind::Float => Err(wrong(format!("the shape {:?} for an input of shape {:?}", output.size(), rows.size()))),
        kind => Err(wrong(format!("a tensor of type {kind:?}"))),
    }
}
