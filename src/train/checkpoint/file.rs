//! A checkpoint as bytes: a safetensors file whose metadata hold what is no tensor, and a checksum over all of it.
//!
//! `format` is [`FORMAT`], `state` is JSON, and `sha256` is taken over the state and over each tensor's name, type, shape
//! and values, in the order of their names. So any tool for safetensors can look into a checkpoint, and one flipped bit
//! is found.

use std::collections::HashMap;

use anyhow::{Context, anyhow, bail, ensure};
use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorView, serialize};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tch::Tensor;

use super::Tensors;
use crate::data::cache::hexadecimal;
use crate::network::state_dict::{bytes, dtype, kind};

/// What a checkpoint's metadata call it.
pub const FORMAT: &str = "runner.checkpoint/1";

/// Lays out a checkpoint.
///
/// # Errors
/// When the state cannot be JSON.
pub fn encode<S: Serialize>(state: &S, tensors: &Tensors) -> anyhow::Result<Vec<u8>> {
    let state = serde_json::to_string(state).context("failed to lay out a checkpoint")?;
    let mut parts: Vec<Part> = tensors
        .iter()
        .map(|(name, tensor)| {
            let shape = tensor.size().iter().map(|&length| length as usize).collect();
            Part { name, dtype: dtype(tensor), shape, bytes: bytes(tensor) }
        })
        .collect();
    parts.sort_by_key(|part| part.name);
    let sum = checksum(&state, parts.iter().map(|part| (part.name, part.dtype, &part.shape[..], &part.bytes[..])));
    let metadata = HashMap::from(
        [("format", FORMAT.to_owned()), ("state", state), ("sha256", sum)].map(|(key, value)| (key.to_owned(), value)),
    );
    let views = parts.iter().map(|part| Ok((part.name, TensorView::new(part.dtype, part.shape.clone(), &part.bytes)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
    views.and_then(|views| serialize(views, Some(metadata))).context("failed to lay out a checkpoint")
}

struct Part<'a> {
    name: &'a str,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// Reads a checkpoint.
///
/// # Errors
/// When it is no checkpoint of this version, is damaged, or holds another state than is wanted.
pub fn decode<S: DeserializeOwned>(file: &[u8]) -> anyhow::Result<(S, Tensors)> {
    let (_, header) = SafeTensors::read_metadata(file).context("it is damaged, or no safetensors file")?;
    let stated = |key: &str| stated(&header, key);
    match stated("format") {
        Some(FORMAT) => {}
        Some(other) => bail!("it is a `{other}`, and this version reads `{FORMAT}`"),
        None => bail!("it is no checkpoint: its metadata name no `format`"),
    }
    let lacks = |key: &str| anyhow!("it is damaged: its metadata lack `{key}`");
    let (state, sum) =
        (stated("state").ok_or_else(|| lacks("state"))?, stated("sha256").ok_or_else(|| lacks("sha256"))?);
    let read = SafeTensors::deserialize(file).context("it is damaged")?;
    let mut views = read.tensors();
    views.sort_by(|(a, _), (b, _)| a.cmp(b));
    let found =
        checksum(state, views.iter().map(|(name, view)| (name.as_str(), view.dtype(), view.shape(), view.data())));
    ensure!(found == sum, "it is damaged: its SHA-256 is {found}, and it states {sum}");
    let tensors = views.iter().map(|(name, view)| {
        let kind = kind(view.dtype()).with_context(|| format!("`{name}` is of the type {:?}", view.dtype()))?;
        let shape = view.shape().iter().map(|&length| i64::try_from(length)).collect::<Result<Vec<_>, _>>()?;
        Ok((name.clone(), Tensor::from_data_size(view.data(), &shape, kind)))
    });
    let tensors = tensors.collect::<anyhow::Result<_>>()?;
    let state = serde_json::from_str(state).context("another version of runner wrote its state")?;
    Ok((state, tensors))
}

fn stated<'a>(header: &'a Metadata, key: &str) -> Option<&'a str> {
    header.metadata().as_ref()?.get(key).map(String::as_str)
}

/// Hexadecimal SHA-256 over a checkpoint; tensors are in the order of their names.
fn checksum<'a>(state: &str, tensors: impl Iterator<Item = (&'a str, Dtype, &'a [usize], &'a [u8])>) -> String {
    let mut sum = Sha256::new();
    let mut add = |bytes: &[u8]| {
        sum.update((bytes.len() as u64).to_le_bytes()); // so that no two ways to cut the same bytes are alike
        sum.update(bytes);
    };
    add(state.as_bytes());
    for (name, dtype, shape, bytes) in tensors {
        add(name.as_bytes());
        add(format!("{dtype:?} {shape:?}").as_bytes());
        add(bytes);
    }
    hexadecimal(&sum.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    fn tensors() -> Tensors {
        let values = Tensor::from_slice(&[1.0_f32, f32::NAN, -0.0]).view([1, 3]);
        vec![("values".to_owned(), values), ("batches".to_owned(), Tensor::from_slice(&[3_i64]))]
    }

    #[test]
    fn what_was_laid_out_comes_back_to_the_bit() {
        let file = encode(&vec!["state".to_owned()], &tensors()).unwrap();
        let (state, found) = decode::<Vec<String>>(&file).unwrap();
        assert_eq!(state, ["state"]);
        let bits = |tensor: &Tensor| bytes(tensor);
        let values = &found.iter().find(|(name, _)| name == "values").unwrap().1;
        assert_eq!((bits(values), values.size(), values.kind()), (bits(&tensors()[0].1), vec![1, 3], Kind::Float));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let file = encode(&7, &tensors()).unwrap();
        for place in 0..file.len() {
            for bit in 0..8 {
                let mut damaged = file.clone();
                damaged[place] ^= 1 << bit;
                // a blank of the header's padding may become another white space, and nothing else may change
                if let Ok((state, found)) = decode::<i32>(&damaged) {
                    assert_eq!(state, 7);
                    assert_eq!(found.iter().map(|(_, t)| bytes(t)).collect::<Vec<_>>(), {
                        let mut sorted = tensors();
                        sorted.sort_by(|a, b| a.0.cmp(&b.0));
                        sorted.iter().map(|(_, t)| bytes(t)).collect::<Vec<_>>()
                    });
                }
            }
            assert!(decode::<i32>(&file[..place]).is_err(), "cut at {place}");
        }
    }

    #[test]
    fn another_file_is_told_from_a_checkpoint() {
        let weights = serialize(Vec::<(String, TensorView)>::new(), None).unwrap();
        assert!(decode::<i32>(&weights).unwrap_err().to_string().contains("no checkpoint"));
        let of_another_state = encode(&"text", &tensors()).unwrap();
        assert!(decode::<i32>(&of_another_state).unwrap_err().to_string().contains("another version"));
    }
}
