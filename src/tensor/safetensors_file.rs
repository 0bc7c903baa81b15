//! Writes a safetensors file tensor by tensor, so that a large file needs no second copy in memory.
//!
//! The layout is that of the `safetensors` crate: the length of the header, the header as JSON padded with blanks to a
//! multiple of eight bytes, then the values of all tensors, ordered by type and then by name.

use std::collections::HashMap;
use std::io::{Result, Write};

use anyhow::Context;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use tch::{Device, Kind, Tensor};

/// Maximum number of values of a tensor that are copied at once.
const VALUES_AT_ONCE: i64 = 1 << 20;

/// Maximum memory in bytes that writing a file of f32 tensors takes.
pub const BYTES_AT_ONCE: u64 = 4 * VALUES_AT_ONCE as u64;

/// A safetensors file that can be written any number of times.
#[derive(Debug)]
pub struct SafetensorsFile {
    /// The header: JSON, padded with blanks.
    pub header: Vec<u8>,
    tensors: Vec<(String, Tensor)>, // in the order of the file
}

impl SafetensorsFile {
    /// Prepares a file with these tensors and metadata.
    ///
    /// # Errors
    /// When the header cannot be serialized as JSON.
    pub fn new(tensors: Vec<(String, Tensor)>, metadata: HashMap<String, String>) -> anyhow::Result<Self> {
        let mut tensors = tensors;
        let key = |(name, tensor): &(String, Tensor)| (std::cmp::Reverse(dtype(tensor)), name.clone());
        tensors.sort_by_cached_key(key);
        let mut end = 0;
        let infos = tensors.iter().map(|(name, tensor)| {
            let start = end;
            end += length(tensor);
            (name.clone(), TensorInfo { dtype: dtype(tensor), shape: shape(tensor), data_offsets: (start, end) })
        });
        let header = Metadata::new(Some(metadata), infos.collect()).context("failed to describe the tensors")?;
        let mut header = serde_json::to_vec(&header).context("failed to write the header of a safetensors file")?;
        header.resize(header.len().next_multiple_of(8), b' ');
        Ok(SafetensorsFile { header, tensors })
    }

    /// Writes the length of the header and the header.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_header_to(&self, writer: &mut dyn Write) -> Result<()> {
        writer.write_all(&(self.header.len() as u64).to_le_bytes())?;
        writer.write_all(&self.header)
    }

    /// Returns the tensors in the order of the file, each with its name and the offset of its values in the file.
    pub fn tensors(&self) -> Vec<(&str, &Tensor, u64)> {
        let mut offset = 8 + self.header.len() as u64;
        let with_offset = self.tensors.iter().map(|(name, tensor)| {
            let start = offset;
            offset += length(tensor) as u64;
            (name.as_str(), tensor, start)
        });
        with_offset.collect()
    }

    /// Number of bytes of the file.
    pub fn size(&self) -> u64 {
        8 + self.header.len() as u64 + self.tensors.iter().map(|(_, tensor)| length(tensor) as u64).sum::<u64>()
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, writer: &mut dyn Write) -> Result<()> {
        self.write_header_to(writer)?;
        self.tensors.iter().try_for_each(|(_, tensor)| parts(tensor, |part| writer.write_all(part)))
    }

    /// Returns the file as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes).expect("memory can be written to");
        bytes
    }
}

/// Passes a tensor's values to `each` as bytes, in row-major order, one part at a time.
///
/// # Errors
/// Those of `each`.
pub fn parts(tensor: &Tensor, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let flat = tensor.detach().reshape([-1]); // a view if the tensor is contiguous
    let mut bytes = Vec::new();
    for start in (0..flat.size()[0]).step_by(VALUES_AT_ONCE as usize) {
        let part = flat.narrow(0, start, VALUES_AT_ONCE.min(flat.size()[0] - start));
        let part = part.to_device(Device::Cpu).contiguous();
        bytes.resize(length(&part), 0);
        part.copy_data_u8(&mut bytes, part.numel());
        each(&bytes)?;
    }
    Ok(())
}

/// Returns a tensor of this shape. `fill` fills it with bytes, in the same parts as in [`parts`].
///
/// # Errors
/// Those of `fill`.
pub fn from_parts(shape: &[i64], kind: Kind, mut fill: impl FnMut(&mut [u8]) -> Result<()>) -> Result<Tensor> {
    let tensor = Tensor::empty(shape, (kind, Device::Cpu));
    let flat = tensor.view([-1]);
    let mut bytes = Vec::new();
    for start in (0..flat.size()[0]).step_by(VALUES_AT_ONCE as usize) {
        let mut part = flat.narrow(0, start, VALUES_AT_ONCE.min(flat.size()[0] - start));
        bytes.resize(length(&part), 0);
        fill(&mut bytes)?;
        part.copy_(&Tensor::from_data_size(&bytes, &part.size(), kind));
    }
    Ok(tensor)
}

/// Returns the number of bytes of a tensor's values.
pub fn length(tensor: &Tensor) -> usize {
    tensor.numel() * tensor.kind().elt_size_in_bytes()
}

/// Returns a tensor's shape in the type of the safetensors crate.
pub fn shape(tensor: &Tensor) -> Vec<usize> {
    tensor.size().iter().map(|&length| length as usize).collect()
}

/// Types of the tensors that a file can hold, in libtorch and in safetensors.
const TYPES: [(Kind, Dtype); 10] = [
    (Kind::Bool, Dtype::BOOL),
    (Kind::Uint8, Dtype::U8),
    (Kind::Int8, Dtype::I8),
    (Kind::Int16, Dtype::I16),
    (Kind::Int, Dtype::I32),
    (Kind::Int64, Dtype::I64),
    (Kind::Half, Dtype::F16),
    (Kind::BFloat16, Dtype::BF16),
    (Kind::Float, Dtype::F32),
    (Kind::Double, Dtype::F64),
];

/// Returns the safetensors type of a network's tensor.
///
/// # Panics
/// When a file cannot hold the type, which is a bug: a TorchScript module with such a tensor is refused.
pub fn dtype(tensor: &Tensor) -> Dtype {
    let kind = tensor.kind();
    dtype_of(kind).unwrap_or_else(|| unreachable!("networks hold no {kind:?}"))
}

/// Returns the safetensors type of a libtorch type; `None` if a file cannot hold it.
pub fn dtype_of(kind: Kind) -> Option<Dtype> {
    TYPES.iter().find(|(known, _)| *known == kind).map(|(_, dtype)| *dtype)
}

/// Returns the libtorch type of a safetensors type; `None` if networks have no tensors of it.
pub fn kind(dtype: Dtype) -> Option<Kind> {
    TYPES.iter().find(|(_, known)| *known == dtype).map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::{SafeTensors, TensorView, serialize};

    use super::*;

    fn tensors() -> Vec<(String, Tensor)> {
        let floats = |count: i64| Tensor::arange(count, (Kind::Float, Device::Cpu)).sin();
        vec![
            ("b".to_owned(), floats(6).view([2, 3]).transpose(0, 1)), // not contiguous
            ("step".to_owned(), Tensor::from_slice(&[3_i64, -1])),
            ("a".to_owned(), floats(VALUES_AT_ONCE + 3).view([1, -1])), // more than one part
            ("none".to_owned(), floats(0).view([0, 4])),
            ("one".to_owned(), floats(1).squeeze()),
        ]
        .into_iter()
        .chain(TYPES.map(|(kind, dtype)| (format!("{dtype:?}"), floats(5).g_mul_scalar(9).to_kind(kind))))
        .collect()
    }

    fn bytes(tensor: &Tensor) -> Vec<u8> {
        let mut bytes = Vec::new();
        parts(tensor, |part| bytes.write_all(part)).unwrap();
        bytes
    }

    #[test]
    fn the_file_is_the_one_that_the_crate_writes() {
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let held: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = tensors()
            .into_iter()
            .map(|(name, tensor)| {
                let contiguous = tensor.contiguous();
                let mut bytes = vec![0; length(&contiguous)];
                contiguous.copy_data_u8(&mut bytes, contiguous.numel());
                (name, dtype(&tensor), shape(&tensor), bytes)
            })
            .collect();
        let views = held.iter().map(|(n, d, shape, bytes)| (n, TensorView::new(*d, shape.clone(), bytes).unwrap()));
        let wanted = serialize(views, Some(metadata.clone())).unwrap();
        assert!(SafetensorsFile::new(tensors(), metadata).unwrap().to_bytes() == wanted);
        assert_eq!(SafeTensors::deserialize(&wanted).unwrap().len(), 5 + TYPES.len());
    }

    #[test]
    fn a_tensor_is_read_back_from_its_parts() {
        for (name, tensor) in tensors() {
            let mut left = &bytes(&tensor)[..];
            let read = from_parts(&tensor.size(), tensor.kind(), |part| std::io::Read::read_exact(&mut left, part));
            assert_eq!(read.unwrap(), tensor.contiguous(), "{name}");
            let cut = from_parts(&[5], Kind::Float, |part| std::io::Read::read_exact(&mut &[0; 19][..], part));
            assert!(cut.is_err());
        }
    }

    #[test]
    fn a_writer_that_fails_ends_it() {
        let file = SafetensorsFile::new(tensors(), HashMap::new()).unwrap();
        let mut room = [0; 1000];
        assert!(file.write_to(&mut &mut room[..]).is_err());
    }
}
