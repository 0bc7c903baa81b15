//! The IDX format of MNIST: a magic number, the dimensions, then the values as bytes, all big-endian.

use anyhow::{Context, ensure};

/// An IDX file of unsigned bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Idx {
    /// Length of each dimension.
    pub shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Idx {
    /// Returns the values in row-major order.
    pub fn values(&self) -> &[u8] {
        &self.bytes[header(self.shape.len())..]
    }
}

/// Returns the number of bytes before the values.
fn header(dimensions: usize) -> usize {
    4 * (1 + dimensions)
}

/// Parses an IDX file of unsigned bytes with `dimensions` dimensions.
///
/// # Errors
/// When the header is another one, or the length does not match it.
pub fn parse(bytes: Vec<u8>, dimensions: usize) -> anyhow::Result<Idx> {
    let word = |number: usize| -> anyhow::Result<u32> {
        let word = bytes.get(4 * number..4 * number + 4).context("the IDX header is incomplete")?;
        Ok(u32::from_be_bytes(word.try_into().expect("four bytes")))
    };
    let wanted = 0x0800 | dimensions as u32; // type "unsigned byte" and the number of dimensions
    let magic = word(0)?;
    ensure!(magic == wanted, "expected the IDX magic number {wanted:#06x}, found {magic:#06x}");
    let shape = (1..=dimensions).map(|d| Ok(word(d)? as usize)).collect::<anyhow::Result<Vec<_>>>()?;
    let declared = shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length));
    let follow = bytes.len() - header(dimensions);
    ensure!(declared == Some(follow), "the IDX header declares {shape:?}, but {follow} bytes follow it");
    Ok(Idx { shape, bytes })
}

/// Returns the IDX file with these dimensions and values.
pub fn write(shape: &[usize], values: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(header(shape.len()) + values.len());
    bytes.extend((0x0800 | shape.len() as u32).to_be_bytes());
    for &length in shape {
        bytes.extend((length as u32).to_be_bytes());
    }
    bytes.extend(values);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_a_cut_file_is_refused() {
        let bytes = write(&[2, 3], &[1, 2, 3, 4, 5, 6]);
        let read = parse(bytes.clone(), 2).unwrap();
        assert_eq!((&read.shape[..], read.values()), (&[2, 3][..], &[1, 2, 3, 4, 5, 6][..]));
        for cut in 0..bytes.len() {
            assert!(parse(bytes[..cut].to_vec(), 2).is_err());
        }
        assert!(parse(bytes, 3).is_err());
        let huge = write(&[0xffff_ffff, 0xffff_ffff, 0xffff_ffff], &[]);
        assert!(parse(huge, 3).is_err());
    }
}
