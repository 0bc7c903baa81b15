//! The checkpoint file: a safetensors file with the training state and a checksum in its metadata.
//!
//! `format` is [`FORMAT`], `state` is JSON, and `sha256` is the hash of the state and of each tensor's name, type,
//! shape and values, in the order of the names. Any safetensors tool can read a checkpoint, and a single flipped bit is
//! detected.

use std::collections::HashMap;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use anyhow::{Context, anyhow, bail, ensure};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::Tensors;
use crate::data::store::checksum::hexadecimal;
use crate::device::allocator::may_fail;
use crate::tensor::safetensors_file::{SafetensorsFile, dtype, from_parts, kind, length, parts, shape};

/// Value of `format` in a checkpoint's metadata.
pub const FORMAT: &str = "runner.checkpoint/1";

/// Maximum size in bytes of a checkpoint's header: names, shapes, and the state with all curves.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Length of the checksum in hexadecimal digits.
const DIGITS: usize = 64;

/// What the metadata of a file have before its checksum.
const SUM_KEY: &str = "\"sha256\":\"";

/// The file of a checkpoint, which can be written any number of times.
#[derive(Debug)]
pub struct CheckpointFile {
    /// The file, whose metadata have zeros in place of the checksum.
    file: SafetensorsFile,
    /// Offset of the checksum in the file.
    sum_offset: u64,
    state: String,
}

/// Returns the file of a checkpoint.
///
/// # Errors
/// When the state cannot be serialized as JSON.
pub fn lay_out<S: Serialize>(state: &S, tensors: &Tensors) -> anyhow::Result<CheckpointFile> {
    let state = serde_json::to_string(state).context("failed to write the state of a checkpoint")?;
    let metadata = [("format", FORMAT.to_owned()), ("state", state.clone()), ("sha256", "0".repeat(DIGITS))];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value));
    let tensors = tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
    let file = SafetensorsFile::new(tensors, HashMap::from(metadata))?;
    // quotes within the state are escaped, so that it cannot contain the key
    let place = file.header.windows(SUM_KEY.len()).position(|bytes| bytes == SUM_KEY.as_bytes());
    let place = place.context("the header of a checkpoint has no checksum")?;
    Ok(CheckpointFile { file, sum_offset: (8 + place + SUM_KEY.len()) as u64, state })
}

impl CheckpointFile {
    /// Writes the file. Its checksum is computed from the bytes that are written, and filled in at the end, so that a large
    /// state is read from memory only once.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, writer: &mut (impl Write + Seek)) -> std::io::Result<()> {
        self.file.write_header_to(writer)?;
        let mut in_order = self.file.tensors();
        in_order.sort_by_key(|(name, ..)| *name);
        let mut sum = Checksum::of(&self.state);
        for (name, tensor, offset) in in_order {
            sum.add_tensor(name, dtype(tensor), &shape(tensor), length(tensor));
            writer.seek(SeekFrom::Start(offset))?;
            parts(tensor, |part| {
                sum.0.update(part);
                writer.write_all(part)
            })?;
        }
        writer.seek(SeekFrom::Start(self.sum_offset))?;
        writer.write_all(sum.found().as_bytes())?;
        writer.seek(SeekFrom::Start(self.file.size())).map(drop)
    }
}

/// Returns the bytes of a checkpoint file.
///
/// # Errors
/// As for [`lay_out`].
pub fn encode<S: Serialize>(state: &S, tensors: &Tensors) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    lay_out(state, tensors)?.write_to(&mut bytes)?;
    Ok(bytes.into_inner())
}

/// Reads a checkpoint from bytes.
///
/// # Errors
/// As for [`read`].
pub fn decode<S: DeserializeOwned>(file: &[u8]) -> anyhow::Result<(S, Tensors)> {
    read(&mut Cursor::new(file), file.len() as u64)
}

/// Reads a checkpoint of `size` bytes, one tensor at a time, so that the memory used is that of its tensors.
///
/// # Errors
/// When the file cannot be read, is not a checkpoint of this version, is damaged, or contains a state of another type.
pub fn read<S: DeserializeOwned>(file: &mut (impl Read + Seek), size: u64) -> anyhow::Result<(S, Tensors)> {
    let (header, start) = read_header(file, size).context("it is damaged or not a safetensors file")?;
    let stated = |key: &str| header.metadata().as_ref()?.get(key).map(String::as_str);
    match stated("format") {
        Some(FORMAT) => {}
        Some(other) => bail!("its format is `{other}`, and this version reads `{FORMAT}`"),
        None => bail!("it is not a checkpoint: its metadata has no `format`"),
    }
    let missing = |key: &str| anyhow!("it is damaged: its metadata has no `{key}`");
    let (state, stated_sum) =
        (stated("state").ok_or_else(|| missing("state"))?, stated("sha256").ok_or_else(|| missing("sha256"))?);
    let mut infos: Vec<(String, &TensorInfo)> = header.tensors().into_iter().collect();
    infos.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut sum = Checksum::of(state);
    let mut tensors = Tensors::with_capacity(infos.len());
    for (name, info) in infos {
        let (from, to) = info.data_offsets;
        let kind = kind(info.dtype).with_context(|| format!("`{name}` has the unsupported type {:?}", info.dtype))?;
        let shape = info.shape.iter().map(|&length| i64::try_from(length)).collect::<Result<Vec<_>, _>>()?;
        sum.add_tensor(&name, info.dtype, &info.shape, to - from);
        file.seek(SeekFrom::Start(start + from as u64))?;
        let tensor = from_parts(&shape, kind, |part| {
            file.read_exact(part)?;
            sum.0.update(&*part);
            Ok(())
        });
        tensors.push((name, tensor.context("it cannot be read to its end")?));
    }
    let found = sum.found();
    ensure!(found == stated_sum, "it is damaged: its SHA-256 is {found}, and its metadata has {stated_sum}");
    let state = serde_json::from_str(state).context("another version of runner wrote its state")?;
    Ok((state, tensors))
}

/// Reads the header of a safetensors file of `size` bytes. Returns it and the offset of the first tensor.
fn read_header(file: &mut impl Read, size: u64) -> anyhow::Result<(Metadata, u64)> {
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    ensure!(length <= MAX_HEADER_BYTES.min(size.saturating_sub(8)), "its header cannot have {length} bytes");
    let mut header = Vec::new();
    may_fail(|| header.try_reserve_exact(length as usize))?;
    file.take(length).read_to_end(&mut header)?;
    let header: Metadata = serde_json::from_slice(&header)?; // checks offsets and shapes
    let all = 8 + length + header.data_len() as u64;
    ensure!(all == size, "it must have {all} bytes by its header, found {size}");
    Ok((header, 8 + length))
}

/// SHA-256 of a checkpoint. Tensors are added in the order of their names.
struct Checksum(Sha256);

impl Checksum {
    fn of(state: &str) -> Checksum {
        let mut sum = Checksum(Sha256::new());
        sum.add(state.as_bytes());
        sum
    }

    fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes()); // so that other parts with the same bytes differ
        self.0.update(bytes);
    }

    /// Adds everything but the values of a tensor, which follow.
    fn add_tensor(&mut self, name: &str, dtype: Dtype, shape: &[usize], length: usize) {
        self.add(name.as_bytes());
        self.add(format!("{dtype:?} {shape:?}").as_bytes());
        self.0.update((length as u64).to_le_bytes());
    }

    /// Returns the hash in hexadecimal digits.
    fn found(self) -> String {
        hexadecimal(&self.0.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Kind, Tensor};

    fn bytes(tensor: &Tensor) -> Vec<u8> {
        let mut bytes = vec![0; length(tensor)];
        tensor.copy_data_u8(&mut bytes, tensor.numel());
        bytes
    }

    fn tensors() -> Tensors {
        let values = Tensor::from_slice(&[1.0_f32, f32::NAN, -0.0]).view([1, 3]);
        vec![("values".to_owned(), values), ("batches".to_owned(), Tensor::from_slice(&[3_i64]))]
    }

    #[test]
    fn a_checkpoint_is_read_back_bit_for_bit() {
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
                // A space in the header's padding may become another white space; nothing else may change.
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
    fn other_files_are_no_checkpoints() {
        let weights =
            safetensors::tensor::serialize(Vec::<(String, safetensors::tensor::TensorView)>::new(), None).unwrap();
        assert!(decode::<i32>(&weights).unwrap_err().to_string().contains("not a checkpoint"));
        let of_another_state = encode(&"text", &tensors()).unwrap();
        assert!(decode::<i32>(&of_another_state).unwrap_err().to_string().contains("another version"));
    }

    #[test]
    fn the_checksum_is_that_of_every_version() {
        // Computed with Python's hashlib, over each part's length and bytes: 7, batches, I64 [1], 3, values, F32 [1,
        // 3], and 1, NaN and -0.
        let wanted = "481e013539d9bfbb7ffa4e6f3ea33940cae31b7bf82ebf892db05d6165978a46";
        let file = encode(&7, &tensors()).unwrap();
        let (header, _) = read_header(&mut &file[..], file.len() as u64).unwrap();
        assert_eq!(header.metadata().as_ref().unwrap()["sha256"], wanted);
    }

    #[test]
    fn a_file_is_the_same_each_time_it_is_written() {
        // the state has the key of the checksum, and tensors of several types are not in the order of their names
        let state = vec!["\"sha256\":\"0000".to_owned()];
        let file = lay_out(&state, &tensors()).unwrap();
        let written = || {
            let mut bytes = Cursor::new(Vec::new());
            file.write_to(&mut bytes).unwrap();
            assert_eq!(bytes.position(), bytes.get_ref().len() as u64);
            bytes.into_inner()
        };
        let first = written();
        assert!(first == written());
        assert_eq!(decode::<Vec<String>>(&first).unwrap().0, state);
    }

    #[test]
    fn a_file_that_fails_while_it_is_read_is_no_checkpoint() {
        let file = encode(&7, &tensors()).unwrap();
        let longer = read::<i32>(&mut Cursor::new(&file[..file.len() - 1]), file.len() as u64).unwrap_err();
        assert!(longer.to_string().contains("cannot be read to its end"), "{longer}");
    }
}
