//! Inspects a TorchScript loss or metric with libtorch: calls it with some rows, and a loss backward too.

use tch::{Device, Kind, Tensor};

use crate::data::target::Target;
use crate::network::torchscript::error_text::{explain_call, explain_load};
use crate::network::torchscript::function::load_frozen;
use crate::network::torchscript::inspection::{FunctionInspection, Problem};
use crate::network::torchscript::module_state::{ModuleState, check_repeats, same_values};
use crate::tensor::script_module::ScriptModule;

/// Minimum and maximum number of rows of the trial run. Between them, each class has two rows.
const ROWS: [i64; 2] = [8, 512];

/// Problem of a module with state.
const STATE: &str = "returns another result for the same output and target when it is called again";

/// Hint for a module with state.
const STATE_HINT: &str = "compute the result from the output and the target alone, without a counter in the module";

/// Inspects a loss for outputs of this width and this target.
///
/// # Errors
/// When the module cannot be used.
pub fn inspect_loss(bytes: &[u8], outputs: usize, target: Target) -> Result<FunctionInspection, Problem> {
    let module = load(bytes)?;
    let (outputs, targets) = rows(outputs, target);
    let outputs = outputs.set_requires_grad(true);
    let wanted = "must return a float tensor: a scalar, or a value for each row";
    let call = || {
        tch::manual_seed(0);
        run(&module, &outputs, &targets, wanted)
    };
    let losses = call()?;
    let count = outputs.size()[0];
    let is_per_row = losses.dim() > 0;
    if is_per_row && (losses.size()[0], losses.numel() as i64) != (count, count) {
        return Err(Problem::new(format!("returns the shape {:?} for {count} rows, but {wanted}", losses.size())));
    }
    if !losses.is_floating_point() {
        return Err(Problem::new(format!("returns a tensor of type {:?}, but {wanted}", losses.kind())));
    }
    let has_gradient = losses.requires_grad() && losses.sum(None).f_backward().is_ok() && outputs.grad().defined();
    if !has_gradient {
        let hint = "compute it from `output` with differentiable operations: not `argmax`, `detach`, `item` or `round`";
        let message = "gives no gradient to the output, so nothing can be trained with it".to_owned();
        return Err(Problem { message, hint: Some(hint.to_owned()) });
    }
    check_repeats(&losses, &call()?, STATE, STATE_HINT)?;
    Ok(FunctionInspection { is_per_row, broadcasts: broadcasts(&module, &outputs, &targets) })
}

/// Inspects a metric for outputs of this width and this target.
///
/// # Errors
/// When the module cannot be used.
pub fn inspect_metric(bytes: &[u8], outputs: usize, target: Target) -> Result<FunctionInspection, Problem> {
    let _no_grad = tch::no_grad_guard();
    let module = load(bytes)?;
    let (outputs, targets) = rows(outputs, target);
    let wanted = "must return one number for all rows";
    let call = || run(&module, &outputs, &targets, wanted);
    let value = call()?;
    if value.numel() != 1 {
        return Err(Problem::new(format!("returns the shape {:?}, but {wanted}", value.size())));
    }
    check_repeats(&value, &call()?, STATE, STATE_HINT)?;
    Ok(FunctionInspection { is_per_row: false, broadcasts: false })
}

/// Loads a module and checks that it takes an output and a target.
fn load(bytes: &[u8]) -> Result<ScriptModule, Problem> {
    let module = load_frozen(bytes, Device::Cpu).map_err(|error| explain_load(&error, bytes))?;
    match module.arguments("forward")? {
        None => Err(Problem::new("has no method `forward`")),
        Some(arguments) if arguments.required > 2 || arguments.all < 2 => {
            let count = if arguments.required > 2 { arguments.required } else { arguments.all };
            let arguments = if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") };
            let message =
                format!("has a `forward` with {arguments}, but it is called with 2: the output and the target");
            Err(Problem::new(message).hint("write `def forward(self, output, target)`"))
        }
        Some(_) => Ok(module),
    }
}

/// Returns outputs and targets for a trial run. The outputs of a row are positive and sum to at most 1, so that they can be
/// probabilities as well as logits.
fn rows(outputs: usize, target: Target) -> (Tensor, Tensor) {
    let [least, most] = ROWS;
    let count = (2 * target.outputs() as i64).clamp(least, most);
    let on_cpu = (Kind::Float, Device::Cpu);
    tch::manual_seed(0);
    let drawn = Tensor::rand([count, outputs as i64], on_cpu) + 0.1;
    let drawn = &drawn / (drawn.sum_dim_intlist(-1, true, None) + 0.1);
    let numbers = Tensor::arange(count, (Kind::Int64, Device::Cpu));
    let targets = match target {
        Target::Classes(classes) => numbers.remainder(classes as i64),
        Target::Labels(labels) => Tensor::rand([count, labels as i64], on_cpu).round(),
        Target::Values(values) => Tensor::rand([count, values as i64], on_cpu),
    };
    (drawn, targets)
}

/// Calls the module, and checks that it returns a tensor and does not change its buffers.
fn run(module: &ScriptModule, outputs: &Tensor, targets: &Tensor, wanted: &str) -> Result<Tensor, Problem> {
    let before = ModuleState::of(module)?;
    let result = module.call("forward", &[outputs, targets]).map_err(|error| {
        let (output, target) = (outputs.size(), targets.size());
        let kind = if targets.kind() == Kind::Int64 { "int64" } else { "float32" };
        let reason = explain_call(&error);
        Problem::new(format!(
            "fails on an output of shape {output:?} and a target of shape {target:?} ({kind}): {reason}"
        ))
    })?;
    if let Some(name) = before.changed_buffer(module)? {
        let message = format!("changes its buffer `{name}`, but checkpoints hold no state of losses and metrics");
        return Err(Problem::new(message).hint("compute the result from the output and the target alone"));
    }
    result.ok_or_else(|| Problem::new(format!("returns no tensor, but {wanted}")))
}

/// Returns whether a loss of one output combines each row with the targets of all rows because the shapes `[rows]` and
/// `[rows, 1]` broadcast: the gradient of row 0 depends on the targets of other rows, and no longer does when the target
/// has the other of the two shapes.
fn broadcasts(module: &ScriptModule, outputs: &Tensor, targets: &Tensor) -> bool {
    if outputs.size()[1] != 1 {
        return false;
    }
    let gradient = |targets: &Tensor| {
        tch::manual_seed(0);
        let losses = module.call("forward", &[outputs, targets]).ok()??;
        let gradients = Tensor::f_run_backward(&[losses.sum(None)], &[outputs], false, false).ok()?;
        Some(gradients.first()?.narrow(0, 0, 1)).filter(Tensor::defined)
    };
    let is_first = Tensor::arange(targets.size()[0], (Kind::Int64, Device::Cpu)).eq(0).view_as(targets);
    let changed = targets.where_self(&is_first, &(1 - targets));
    let depends_on_others = |targets: &Tensor, changed: &Tensor| {
        let (one, other) = (gradient(targets)?, gradient(changed)?);
        Some(!same_values(&one, &other))
    };
    let reshaped = |targets: &Tensor| if targets.dim() == 1 { targets.unsqueeze(1) } else { targets.squeeze_dim(1) };
    depends_on_others(targets, &changed) == Some(true)
        && depends_on_others(&reshaped(targets), &reshaped(&changed)) == Some(false)
}
