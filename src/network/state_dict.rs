//! Reads and writes weights as safetensors files, with the names and layout of the `state_dict` of PyTorch's
//! `nn.Sequential`.
//!
//! `0.weight` of a linear layer is `[out, in]`, f32, and batch normalization's running averages are included, so
//! `load_state_dict` accepts the file unchanged.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use safetensors::tensor::{Metadata, SafeTensors};
use tch::Tensor;

use crate::history::number::count;
use crate::io::{atomic_write, bounded_file};
use crate::network::stack::Stack;
use crate::tensor::safetensors_file::{SafetensorsFile, dtype, length};

/// Maximum size in bytes of a file's header: names, types, shapes, and metadata of other programs.
const LONGEST_HEADER: u64 = 16 << 20;

/// Writes one replica's weights to a file.
///
/// # Errors
/// When the file cannot be written; an existing file is then unchanged.
pub fn save(stack: &Stack, replica: usize, path: &Path) -> anyhow::Result<()> {
    atomic_write::write_whole(path, &file_of(stack, replica)?.to_bytes())
}

/// Returns the file of one replica's weights.
///
/// # Errors
/// When the header cannot be serialized.
pub fn file_of(stack: &Stack, replica: usize) -> anyhow::Result<SafetensorsFile> {
    SafetensorsFile::new(entries(stack, replica), HashMap::from([("format".to_owned(), "pt".to_owned())]))
}

/// Loads weights into one replica of a stack with the same architecture.
///
/// # Errors
/// When the file cannot be read, or a name, type or shape differs from the network's; the network is then unchanged.
pub fn load(stack: &Stack, replica: usize, path: &Path) -> anyhow::Result<()> {
    let entries = entries(stack, replica);
    let numbers: usize = entries.iter().map(|(_, tensor)| length(tensor)).sum();
    let bytes = bounded_file::read(path, numbers as u64 + LONGEST_HEADER)
        .with_context(|| format!("failed to read `{}`", path.display()))?;
    load_bytes(stack, replica, &bytes, path, |_| false)
}

/// Returns the length in bytes that the header of a safetensors file declares; `None` if the header is damaged.
fn declared_length(bytes: &[u8]) -> Option<usize> {
    let header = usize::try_from(u64::from_le_bytes(bytes.first_chunk().copied()?)).ok()?;
    let start = header.checked_add(8)?;
    let tensors: Metadata = serde_json::from_slice(bytes.get(8..start)?).ok()?;
    start.checked_add(tensors.data_len())
}

/// Loads the weights of a file with these bytes, like [`load`]. Leaves out those whose names `excepts` accepts.
///
/// # Errors
/// As for [`load`].
pub fn load_bytes(
    stack: &Stack,
    replica: usize,
    bytes: &[u8],
    path: &Path,
    excepts: impl Fn(&str) -> bool,
) -> anyhow::Result<()> {
    let entries: Vec<_> = entries(stack, replica).into_iter().filter(|(name, _)| !excepts(name)).collect();
    let file = SafeTensors::deserialize(bytes).map_err(|error| {
        let what = match declared_length(bytes).filter(|length| *length != bytes.len()) {
            Some(length) => format!("is damaged: {} bytes instead of {}", count(bytes.len()), count(length)),
            None => format!("is damaged, or not a safetensors file: {error}"),
        };
        anyhow!("`{}` {what}", path.display())
    })?;
    let is_unknown = |name: &&str| entries.iter().all(|(known, _)| known != *name) && !excepts(name);
    if let Some(unknown) = file.names().into_iter().find(is_unknown) {
        bail!("`{}` holds `{unknown}`, which the network does not have", path.display());
    }
    let mut read = Vec::with_capacity(entries.len());
    for (name, tensor) in &entries {
        let found =
            file.tensor(name).with_context(|| format!("`{}` lacks `{name}`, which the network has", path.display()))?;
        let shape: Vec<i64> = found.shape().iter().map(|&length| length as i64).collect();
        if found.dtype() != dtype(tensor) || shape != tensor.size() {
            bail!(
                "`{name}` in `{}` is {:?} {shape:?}, and the network's is {:?} {:?}",
                path.display(),
                found.dtype(),
                dtype(tensor),
                tensor.size()
            );
        }
        read.push(Tensor::from_data_size(found.data(), &shape, tensor.kind()));
    }
    let _no_grad = tch::no_grad_guard();
    for ((_, tensor), values) in entries.iter().zip(&read) {
        tensor.shallow_clone().copy_(values);
    }
    Ok(())
}

/// Returns one replica's parameters and buffers by name, as views of the stack's tensors.
fn entries(stack: &Stack, replica: usize) -> Vec<(String, Tensor)> {
    let arena = stack.arena();
    let buffers = arena.buffers().iter().map(|buffer| (buffer.name.clone(), buffer.values.get(replica as i64)));
    arena.named_parameters(replica).into_iter().chain(buffers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::shorthand::NamedList;
    use crate::network::init::Init;
    use crate::network::layer::Layer;
    use crate::network::stack::Architecture;
    use crate::tensor::shape::Shape;
    use safetensors::tensor::Dtype;
    use tch::nn::ModuleT;
    use tch::{Device, Kind};

    fn stack(layers: &str, seeds: &[i64]) -> Stack {
        let NamedList(layers): NamedList<Layer> = serde_json::from_str(layers).unwrap();
        Architecture::follow(&layers, Init::Pytorch, &Shape::from([3])).unwrap().build(seeds, Device::Cpu).unwrap()
    }

    const NORMALIZED: &str = r#"[{ "linear": 4 }, { "batch_norm": {} }, "relu", { "linear": 2 }]"#;

    #[test]
    fn a_saved_replica_comes_back_running_averages_included() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let trained = stack(NORMALIZED, &[1, 2]);
        let rows = Tensor::arange(2 * 5 * 3, (Kind::Float, Device::Cpu)).sin().view([2, 5, 3]);
        for _ in 0..3 {
            let _ = trained.forward_t(&rows, true);
        }
        save(&trained, 1, &path).unwrap();
        let fresh = stack(NORMALIZED, &[7]);
        load(&fresh, 0, &path).unwrap();
        let rows = rows.narrow(0, 1, 1);
        let wanted = trained.forward_t(&rows.expand([2, 5, 3], false), false).get(1);
        assert!(fresh.forward_t(&rows, false).get(0).allclose(&wanted, 1e-6, 1e-6, false));

        let file = std::fs::read(&path).unwrap();
        let file = SafeTensors::deserialize(&file).unwrap();
        let batches = file.tensor("1.num_batches_tracked").unwrap();
        assert_eq!((batches.dtype(), batches.shape(), batches.data()), (Dtype::I64, &[][..], &3_i64.to_le_bytes()[..]));
        let mut names = file.names();
        names.sort_unstable();
        assert_eq!(names[2..7], ["1.bias", "1.num_batches_tracked", "1.running_mean", "1.running_var", "1.weight"]);
    }

    #[test]
    fn a_file_of_another_network_is_refused_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let without = r#"[{ "linear": 4 }, "relu", "relu", { "linear": 2 }]"#;
        let refusal = |file: &str, network: &str| {
            save(&stack(file, &[1]), 0, &path).unwrap();
            let network = stack(network, &[2]);
            let before = network.arena().values().copy();
            let refusal = load(&network, 0, &path).unwrap_err().to_string();
            assert_eq!(network.arena().values(), &before);
            refusal
        };
        assert!(refusal(NORMALIZED, without).contains("holds `1."), "a surplus tensor");
        assert!(refusal(without, NORMALIZED).contains("lacks `1.weight`"), "a missing tensor");
        let wider = r#"[{ "linear": 5 }, "relu", "relu", { "linear": 2 }]"#;
        assert!(refusal(wider, without).contains("`0.weight`"), "another shape");
    }
}
