//! Weights on disk: safetensors files, named and laid out as the `state_dict` of PyTorch's `nn.Sequential`.
//!
//! `0.weight` of a linear layer is `[out, in]`, f32, so `load_state_dict` takes the file as it is.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, bail};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use tch::{Device, Kind, Tensor};

use crate::files;
use crate::network::stack::Stack;

/// Writes one replica's weights.
///
/// # Errors
/// When the file cannot be written; a file that was there before stays whole.
pub fn save(stack: &Stack, replica: usize, path: &Path) -> anyhow::Result<()> {
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = stack
        .arena()
        .slots()
        .iter()
        .map(|slot| {
            let values = slot.view(stack.arena().values()).get(replica as i64);
            let values = values.detach().to_device(Device::Cpu).contiguous().flatten(0, -1);
            let values: Vec<f32> = Vec::try_from(&values).expect("weights are f32");
            let shape = slot.shape.iter().map(|&length| length as usize).collect();
            (slot.name.clone(), shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .context("failed to lay out the weights")?;
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes = serialize(views, Some(metadata)).context("failed to lay out the weights")?;
    files::write_whole(path, &bytes)
}

/// Reads weights into one replica of a stack of the same architecture.
///
/// # Errors
/// When the file cannot be read, or a name, type or shape differs from the network's.
pub fn load(stack: &Stack, replica: usize, path: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    let file = SafeTensors::deserialize(&bytes)
        .with_context(|| format!("failed to read `{}` as safetensors", path.display()))?;
    let slots = stack.arena().slots();
    if let Some(unknown) = file.names().into_iter().find(|name| slots.iter().all(|slot| slot.name != **name)) {
        bail!("`{}` holds `{unknown}`, which the network does not have", path.display());
    }
    let _no_grad = tch::no_grad_guard();
    for slot in slots {
        let tensor = file
            .tensor(&slot.name)
            .with_context(|| format!("`{}` lacks `{}`, which the network has", path.display(), slot.name))?;
        let shape: Vec<i64> = tensor.shape().iter().map(|&length| length as i64).collect();
        if tensor.dtype() != Dtype::F32 || shape != slot.shape {
            bail!(
                "`{}` in `{}` is {:?} {shape:?}, and the network's is F32 {:?}",
                slot.name,
                path.display(),
                tensor.dtype(),
                slot.shape
            );
        }
        let values = Tensor::from_data_size(tensor.data(), &shape, Kind::Float);
        slot.view(stack.arena().values()).get(replica as i64).copy_(&values);
    }
    Ok(())
}
