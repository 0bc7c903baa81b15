//! Inspects a TorchScript module with libtorch: loads it, runs two rows forward and backward, and lists its tensors.

use crate::network::layer::layer_spec::RowMemory;
use crate::tensor::script_module::{MemoryCount, ScriptModule};
use tch::{Device, Kind, Tensor};

use crate::network::torchscript::error_text::{explain_call, explain_load, is_raised};
use crate::network::torchscript::fixed_mode::layers_of_fixed_mode;
use crate::network::torchscript::function_inspector::{inspect_loss, inspect_metric};
use crate::network::torchscript::inspection::{Inspected, Inspection, Problem, Role};
use crate::network::torchscript::module_state::{ModuleState, check_repeats};
use crate::network::torchscript::module_tensors::ModuleTensors;
use crate::network::torchscript::output_range::output_kind;

/// Number of rows of the trial run. Two, so that batch normalization has a variance.
const ROWS: i64 = 2;

/// Number of rows of a second run, which shows how much memory a row takes.
const MORE_ROWS: i64 = 8;

/// Hint for a module with state that checkpoints do not hold.
const STATE_HINT: &str =
    "keep what `forward` changes in a buffer (`self.register_buffer`): checkpoints hold no other attributes";

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
    let mut count = MemoryCount::start()?;
    let mut module = ScriptModule::load(bytes, Device::Cpu).map_err(|error| explain_load(&error, bytes))?;
    match module.arguments("forward")? {
        None => return Err(Problem::new("has no method `forward`")),
        Some(arguments) if arguments.required > 1 || arguments.all == 0 => {
            let message =
                format!("has a `forward` with {} arguments, but only the rows are passed", arguments.required);
            return Err(Problem::new(message).hint("wrap it in a module whose `forward(self, x)` takes the rows only"));
        }
        Some(_) => {}
    }
    let draws_parameters = match module.arguments("reset_parameters")? {
        Some(arguments) if arguments.required > 0 => {
            return Err(Problem::new("has a `reset_parameters` with arguments, but it is called without any"));
        }
        found => found.is_some(),
    };
    let tensors = ModuleTensors::of(&module)?;
    tensors.check()?;
    let state = ModuleState::of(&module)?;
    let layers_of_fixed_mode = layers_of_fixed_mode(bytes);
    let output = inspect_evaluation(&mut module, &state, sample, &layers_of_fixed_mode)?;
    inspect_training(&mut module, &state, sample, &tensors.parameters)?;
    state.restore(&module)?;
    module.set_training(true)?;
    let lone_row_problem = run(&module, &draw_rows(1, sample)).err().map(|problem| problem.message);
    state.restore(&module)?;
    let again = evaluate(&mut module, sample)?;
    check_repeats(&output, &again, "gives other outputs in evaluation after rows were trained on", STATE_HINT)?;
    let memory = measure_rows(&mut module, sample, &mut count)?;
    state.restore(&module)?;
    module.set_training(false)?;
    let output_kind = output_kind(&module, &tensors.parameters, sample, |module, rows| run(module, rows).ok());
    let ModuleTensors { parameters, buffers, shared, .. } = tensors;
    let sizes =
        |tensors: Vec<(String, Tensor)>| tensors.into_iter().map(|(name, tensor)| (name, tensor.size())).collect();
    Ok(Inspection {
        output: output.size()[1..].to_vec(),
        output_kind,
        lone_row_problem,
        parameters: sizes(parameters),
        buffers: sizes(buffers),
        shared,
        draws_parameters,
        layers_of_fixed_mode,
        memory,
    })
}

/// Returns the outputs of the same rows in evaluation mode, with the same random numbers in each call.
fn evaluate(module: &mut ScriptModule, sample: &[i64]) -> Result<Tensor, Problem> {
    module.set_training(false)?;
    tch::no_grad(|| run_seeded(module, sample))
}

/// Runs the same rows with the same random numbers in each call.
fn run_seeded(module: &ScriptModule, sample: &[i64]) -> Result<Tensor, Problem> {
    tch::manual_seed(0);
    run(module, &draw_rows(ROWS, sample))
}

/// Returns the outputs of two rows in evaluation mode, which must repeat and change no buffer. `fixed` are the layers that keep the
/// mode in which the module was traced.
fn inspect_evaluation(
    module: &mut ScriptModule,
    state: &ModuleState,
    sample: &[i64],
    fixed: &[String],
) -> Result<Tensor, Problem> {
    let output = evaluate(module, sample)?;
    if let Some(name) = state.changed_buffer(module)? {
        if !fixed.is_empty() {
            let message = format!("was traced in training mode: it changes its buffer `{name}` in evaluation, too");
            let hint = format!(
                "use `torch.jit.script(net)`, so that the mode applies to {}; or call `net.eval()` before `torch.jit.trace`, which \
                 fixes it in evaluation mode",
                fixed.join(" and ")
            );
            return Err(Problem::new(message).hint(hint));
        }
        let message =
            format!("changes its buffer `{name}` in evaluation, so that results depend on earlier evaluations");
        return Err(Problem::new(message).hint("change it in training only: `if self.training:`"));
    }
    let again = evaluate(module, sample)?;
    check_repeats(&output, &again, "gives other outputs when it is called again with the same rows", STATE_HINT)?;
    Ok(output)
}

/// Checks in training mode that each parameter gets a gradient, that buffers keep their shapes, and that outputs repeat.
fn inspect_training(
    module: &mut ScriptModule,
    state: &ModuleState,
    sample: &[i64],
    parameters: &[(String, Tensor)],
) -> Result<(), Problem> {
    module.set_training(true)?;
    let trained = run_seeded(module, sample)?;
    state.check_layout(module)?;
    if !parameters.is_empty() {
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
            let hint = "use them in `forward`, remove them, or set `requires_grad = False` before exporting";
            return Err(Problem::new(message).hint(hint));
        }
    }
    state.restore(module)?;
    let again = run_seeded(module, sample)?;
    check_repeats(&trained, &again, "gives other outputs when it trains again on the same rows", STATE_HINT)
}

/// Measures the memory of a row: the difference between runs of two and of more rows.
fn measure_rows(module: &mut ScriptModule, sample: &[i64], count: &mut MemoryCount) -> Result<RowMemory, Problem> {
    let [few, many] = [ROWS, MORE_ROWS].map(|count| draw_rows(count, sample));
    let mut per_row = |run: &dyn Fn(&Tensor) -> Result<(), Problem>| -> Result<u64, Problem> {
        let mut peak = |rows: &Tensor| {
            count.take_peak();
            run(rows).map(|()| count.take_peak())
        };
        peak(&few)?; // allocates what is kept for later, such as gradients
        Ok(peak(&many)?.saturating_sub(peak(&few)?) / (MORE_ROWS - ROWS) as u64)
    };
    module.set_training(false)?;
    let evaluation = tch::no_grad(|| per_row(&|rows| run(module, rows).map(drop)))?;
    module.set_training(true)?;
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
pub fn run(module: &ScriptModule, rows: &Tensor) -> Result<Tensor, Problem> {
    let sample = &rows.size()[1..];
    let output = module.call("forward", &[rows]).map_err(|error| {
        let lengths: Vec<String> = sample.iter().map(i64::to_string).collect();
        let reason = explain_call(&error);
        // libtorch's words for an operation that takes indices, such as an embedding
        let takes_indices = reason.contains("to have one of the following scalar types: Long, Int");
        let hint = match takes_indices {
            true => Some("rows are float32: convert token ids in `forward` with `x.long()`".to_owned()),
            false if is_raised(&reason) => None,
            false if sample.len() == 1 => {
                let hint = "export a module for rows of this shape, which are float32; for images, set `flatten = false` in the data";
                Some(hint.to_owned())
            }
            false => Some("export a module for rows of this shape, which are float32".to_owned()),
        };
        let message = format!("fails on rows of {}: {reason}", lengths.join("×"));
        Problem { message, hint }
    })?;
    let output = output.ok_or_else(|| "no tensor".to_owned()).and_then(|output| check_output(output, rows));
    output.map_err(|found| {
        Problem::new(format!("returns {found}, but must return a float tensor with one row for each input row"))
    })
}

/// Checks that there is one float output for each row.
///
/// # Errors
/// A description of the output that was found.
pub fn check_output(output: Tensor, rows: &Tensor) -> Result<Tensor, String> {
    match output.kind() {
        Kind::Float if output.size().first() == rows.size().first() && output.dim() > 1 => Ok(output),
        Kind::Float => Err(format!("the shape {:?} for an input of shape {:?}", output.size(), rows.size())),
        kind => Err(format!("a tensor of type {kind:?}")),
    }
}
