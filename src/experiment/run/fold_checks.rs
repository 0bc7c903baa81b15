//! Checks of the prepared rows against the network, before a run directory exists and rows are on a device.

use tch::{Kind, Tensor};

use crate::config::check::Invalid;
use crate::data::prepare::prepared::{FeatureRange, Prepared};
use crate::experiment::plan::Plan;
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::experiment::run::source_rows::Fold;
use crate::network::layer::Layer;

/// Checks that the network of a plan can take all rows of the folds: token ids are in the vocabulary of its first layer, and a
/// module can be trained on the last batch.
///
/// # Errors
/// The setting that does not fit the rows, with its full key.
pub fn check(plan: &Plan, folds: &[Fold]) -> Result<(), Invalid> {
    let Some(network) = plan.network() else { return Ok(()) };
    folds.iter().try_for_each(|(_, prepared)| check_last_batch(plan, network, prepared))?;
    let first = &network.layers[0];
    if first.input_tokens().is_none() && !matches!(first, Layer::TorchScript(_)) {
        return Ok(());
    }
    // the parts of all folds have the same rows
    let ranges = folds[0].1.feature_ranges();
    match first {
        Layer::TorchScript(_) => try_extremes(plan, &ranges),
        _ => check_ids(plan, first, &ranges),
    }
}

/// Checks that modules can be trained on the last batch of an epoch if it has one row.
fn check_last_batch(plan: &Plan, network: &NetworkPlan, prepared: &Prepared) -> Result<(), Invalid> {
    let rows = prepared.training.rows().len();
    let batch = network.train.batch.size(rows);
    if batch != 1 && rows % batch != 1 {
        return Ok(());
    }
    let layers = network.architecture.layers().iter();
    let problems = layers.filter_map(|planned| match &planned.layer {
        Layer::TorchScript(module) => Some(module.checked(&planned.input).lone_row_problem),
        _ => None,
    });
    let keys = plan.modules().into_iter().map(|(key, _)| key); // those of the layers come first
    let Some((key, problem)) = keys.zip(problems).find_map(|(key, problem)| Some((key, problem?))) else {
        return Ok(());
    };
    let (which, hint) = match batch {
        1 => ("each batch has", "set `train.batch` to at least 2".to_owned()),
        _ => ("the last batch of an epoch has", {
            let other = (batch + 1..).find(|other| rows % other != 1).unwrap_or(rows);
            format!("set `train.batch = {other}`, or let the module accept one row")
        }),
    };
    let message = format!(
        "cannot be trained: {which} one row ({rows} training rows, `train.batch` is {batch}), and the module {problem}"
    );
    Err(Invalid::new(key, message).hint(hint))
}

/// Checks that all values are ids of the embeddings that take the rows.
fn check_ids(plan: &Plan, first: &Layer, ranges: &[(&str, FeatureRange)]) -> Result<(), Invalid> {
    let (tokens, data) = (first.input_tokens().unwrap_or(usize::MAX), plan.spec.data.name());
    for (part, range) in ranges {
        let invalid = |message: String| Invalid::new("network.layers.0", message);
        if let Some(fraction) = range.fraction {
            let message =
                format!("takes token ids, whole numbers from 0, but the {part} rows of `{data}` have {fraction}");
            return Err(invalid(message).hint("begin with another layer, or store token ids in the data"));
        }
        let (low, high) = (range.low.min().double_value(&[]), range.high.max().double_value(&[]));
        if low < 0.0 || high >= tokens as f64 {
            let message = format!(
                "takes token ids from 0 to {}, but the {part} rows of `{data}` have ids from {low} to {high}",
                tokens - 1
            );
            let hint = match low < 0.0 {
                true => "correct the data: ids start at 0".to_owned(),
                false => format!("set `tokens` to at least {}, or correct the data", high + 1.0),
            };
            return Err(invalid(message).hint(hint));
        }
    }
    Ok(())
}

/// Checks that the module in the first layer takes the lowest and the highest values of the rows if they are whole numbers,
/// such as token ids.
fn try_extremes(plan: &Plan, ranges: &[(&str, FeatureRange)]) -> Result<(), Invalid> {
    if ranges.iter().any(|(_, range)| range.fraction.is_some()) {
        return Ok(());
    }
    let all = |each: fn(&FeatureRange) -> &Tensor| -> Tensor {
        Tensor::stack(&ranges.iter().map(|(_, range)| each(range)).collect::<Vec<_>>(), 0)
    };
    let (low, high) = (all(|range| &range.low).amin([0_i64], false), all(|range| &range.high).amax([0_i64], false));
    let rows = Tensor::stack(&[&low, &high], 0).to_kind(Kind::Float);
    let modules = plan.modules();
    let (key, module) = modules.first().expect("the first layer is a module");
    module.try_rows(&rows).map_err(|problem| {
        let [low, high] = [low.min(), high.max()].map(|value| value.double_value(&[]));
        let data = plan.spec.data.name();
        let message = format!("{}; the values of `{data}` are from {low} to {high}", problem.message);
        let hint = match message.contains("index out of range") {
            true if low < 0.0 => Some("correct the data: ids start at 0".to_owned()),
            true => Some(format!("an embedding needs a vector for each id: `nn.Embedding({}, …)`", high + 1.0)),
            false => problem.hint,
        };
        Invalid { key: key.clone(), message, hint }
    })
}
