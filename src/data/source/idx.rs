//! The IDX format of the MNIST family: a magic number, the dimensions, then the bytes, all big-endian.

use anyhow::{Context, ensure};

/// An IDX file of unsigned bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Idx {
    /// The length of each dimension.
    pub shape: Vec<usize>,
    /// The values in row-major order.
    pub values: Vec<u8>,
}

/// Reads an IDX file of unsigned bytes with `dimensions` dimensions.
///
/// # Errors
/// When the header is another's, or the length is not what it declares.
pub fn parse(bytes: &[u8], dimensions: usize) -> anyhow::Result<Idx> {
    let word = |number: usize| -> anyhow::Result<u32> {
        let word = bytes.get(4 * number..4 * number + 4).context("the IDX header is cut short")?;
        Ok(u32::from_be_bytes(word.try_into().expect("four bytes")))
    };
    let wanted = 0x0800 | dimensions as u32; // unsigned bytes, so many dimensions
    let magic = word(0)?;
    ensure!(magic == wanted, "expected the IDX magic number {wanted:#06x}, found {magic:#06x}");
    let shape = (1..=dimensions).map(|d| Ok(word(d)? as usize)).collect::<anyhow::Result<Vec<_>>>()?;
    let declared = shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length));
    let values = &bytes[4 * (1 + dimensions)..];
    ensure!(declared == Some(values.len()), "the IDX header declares {shape:?}, and {} bytes follow it", values.len());
    Ok(Idx { shape, values: values.to_vec() })
}

/// Writes the IDX file of these dimensions and bytes.
pub fn write(shape: &[usize], values: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 * (1 + shape.len()) + values.len());
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
        assert_eq!(parse(&bytes, 2).unwrap(), Idx { shape: vec![2, 3], values: vec![1, 2, 3, 4, 5, 6] });
        for cut in 0..bytes.len() {
            assert!(parse(&bytes[..cut], 2).is_err());
        }
        assert!(parse(&bytes, 3).is_err());
        let huge = write(&[0xffff_ffff, 0xffff_ffff, 0xffff_ffff], &[]);
        assert!(parse(&huge, 3).is_err());
    }
}
