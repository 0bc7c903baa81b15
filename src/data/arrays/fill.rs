//! Reads the values of an array a part at a time, so that no second copy is in memory.

use std::io::{ErrorKind, Read};

use tch::{Device, Kind, Tensor};

use crate::data::arrays::element::{BadValue, Element};
use crate::data::arrays::npy_header::ArrayHeader;
use crate::data::arrays::targets::{ArrayValues, TargetArray};
use crate::data::file_error::FileError;

/// Number of bytes of the file that are converted at once.
const AT_ONCE: usize = 256 << 10;

/// Returns the values as a contiguous tensor with the shape of the array: u8 for bytes and yes-or-no values, else f32. The
/// reader is at the values and ends after them. The caller has checked that the array fits into memory.
///
/// # Errors
/// When the reader ends early or late, or a value is not finite; the message follows the name of the array.
pub fn tensor(reader: &mut dyn Read, header: &ArrayHeader, element: Element) -> Result<Tensor, FileError> {
    let count = count(header)?;
    let is_bytes = element.largest_byte().is_some();
    let tensor = Tensor::empty([count], (if is_bytes { Kind::Uint8 } else { Kind::Float }, Device::Cpu));
    let (mut floats, mut place) = (Vec::new(), 0);
    read(reader, header, element, |bytes| {
        let part = if is_bytes {
            Tensor::from_slice(bytes)
        } else {
            floats.clear();
            element.floats(bytes, &mut floats)?;
            Tensor::from_slice(&floats)
        };
        let values = part.numel() as i64;
        tensor.narrow(0, place, values).copy_(&part);
        place += values;
        Ok(())
    })?;
    if !is_transposed(header) {
        return Ok(tensor.view(&header.shape[..]));
    }
    let reversed: Vec<i64> = header.shape.iter().rev().copied().collect();
    let axes: Vec<i64> = (0..header.shape.len() as i64).rev().collect();
    Ok(tensor.view(&reversed[..]).permute(&axes[..]).contiguous())
}

/// Returns the values of targets, an array of one or two dimensions. No tensor is used, because experiments are also
/// checked without libtorch.
///
/// # Errors
/// As for [`tensor`], and when the array has another number of dimensions.
pub fn targets(reader: &mut dyn Read, header: &ArrayHeader, element: Element) -> Result<TargetArray, FileError> {
    let width = match header.shape[..] {
        [_] => 1,
        [_, width] if width > 0 => width as usize,
        _ => {
            let shape = header.shape_text();
            return Err(FileError::new(format!("has the shape {shape}, but targets have one or two dimensions")));
        }
    };
    let (mut integers, mut floats) = (Vec::new(), Vec::new());
    read(reader, header, element, |bytes| match element.is_float() {
        true => element.doubles(bytes, &mut floats),
        false => element.integers(bytes, &mut integers),
    })?;
    let is_transposed = is_transposed(header);
    let values = match element.is_float() {
        true if is_transposed => ArrayValues::Floats(by_rows(&floats, width)),
        true => ArrayValues::Floats(floats),
        false if is_transposed => ArrayValues::Integers(by_rows(&integers, width)),
        false => ArrayValues::Integers(integers),
    };
    Ok(TargetArray { width, values })
}

/// Returns whether the values are in another order than row by row.
fn is_transposed(header: &ArrayHeader) -> bool {
    header.is_fortran && header.shape.len() > 1
}

/// Puts values that are stored column by column into rows.
fn by_rows<T: Copy>(values: &[T], width: usize) -> Vec<T> {
    let rows = values.len() / width;
    (0..values.len()).map(|place| values[place % width * rows + place / width]).collect()
}

fn count(header: &ArrayHeader) -> Result<i64, FileError> {
    header.count().ok_or_else(|| FileError::new(format!("has the impossible shape {}", header.shape_text())))
}

/// Passes the values to `convert`, a part at a time, in the order of the file.
fn read(
    reader: &mut dyn Read,
    header: &ArrayHeader,
    element: Element,
    mut convert: impl FnMut(&[u8]) -> Result<(), BadValue>,
) -> Result<(), FileError> {
    let count = count(header)? as usize;
    let at_once = AT_ONCE / element.bytes();
    let mut bytes = vec![0; at_once.min(count) * element.bytes()];
    for start in (0..count).step_by(at_once) {
        let part = &mut bytes[..at_once.min(count - start) * element.bytes()];
        reader.read_exact(part).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => {
                let shape = header.shape_text();
                FileError::new(format!("is truncated: its shape {shape} needs more bytes than there are"))
            }
            _ => FileError::new(format!("is damaged: {error}")),
        })?;
        convert(part).map_err(|bad| {
            let (index, rows) = (start + bad.index, header.rows() as usize);
            let row = if header.is_fortran { index % rows } else { index / (count / rows) };
            let fault = FileError::new(format!("has {} in row {row}{}", bad.found, bad.reason));
            match bad.found == "NaN" {
                true => fault.hint("drop or fill in these rows before you save the array, with `numpy.isnan`"),
                false => fault,
            }
        })?;
    }
    // the last read also checks the checksum of a ZIP member
    match reader.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(FileError::new(format!("has more bytes than its shape {} needs", header.shape_text()))),
        Err(error) => Err(FileError::new(format!("is damaged: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(bytes: &[u8], shape: &[i64], descr: &str, is_fortran: bool) -> Result<Vec<f32>, FileError> {
        let element = Element::from_descr(descr).unwrap();
        let header = ArrayHeader { shape: shape.to_vec(), element: Ok(element), is_fortran, start: 0 };
        let tensor = tensor(&mut &bytes[..], &header, element)?;
        assert!(tensor.is_contiguous() && tensor.size() == shape);
        Ok(Vec::try_from(tensor.to_kind(Kind::Float).flatten(0, -1)).unwrap())
    }

    #[test]
    fn values_in_fortran_order_are_put_into_rows() {
        let numbers: Vec<u8> = (0..12).collect();
        let rows = |is_fortran| filled(&numbers, &[2, 3, 2], "|u1", is_fortran).unwrap();
        assert_eq!(rows(false), (0..12_u8).map(f32::from).collect::<Vec<_>>());
        // the value at [i, j, k] is at i + 2 j + 6 k
        assert_eq!(rows(true), [0., 6., 2., 8., 4., 10., 1., 7., 3., 9., 5., 11.]);
        let element = Element::from_descr("|i1").unwrap();
        let header = ArrayHeader { shape: vec![3, 2], element: Ok(element), is_fortran: true, start: 0 };
        let array = targets(&mut &numbers[..6], &header, element).unwrap();
        let ArrayValues::Integers(values) = array.values else { panic!("they are integers") };
        assert_eq!((array.width, values), (2, vec![0, 3, 1, 4, 2, 5]));
    }

    #[test]
    fn more_values_than_are_converted_at_once_are_read() {
        let count = AT_ONCE / 8 + 5;
        let bytes: Vec<u8> = (0..count).flat_map(|index| (index as f64).to_be_bytes()).collect();
        let values = filled(&bytes, &[count as i64, 1], ">f8", false).unwrap();
        assert!(values == (0..count).map(|index| index as f32).collect::<Vec<_>>());
    }

    #[test]
    fn a_wrong_length_and_the_row_of_a_bad_value_are_named() {
        let message = |bytes: &[u8], shape: &[i64], descr, is_fortran| {
            filled(bytes, shape, descr, is_fortran).unwrap_err().message
        };
        let cut = message(&[1, 2, 3], &[2, 2], "|u1", false);
        assert_eq!(cut, "is truncated: its shape (2, 2) needs more bytes than there are");
        assert_eq!(message(&[1, 2, 3], &[2], "|u1", false), "has more bytes than its shape (2,) needs");
        let floats = [0.0, 1.0, f32::NAN, 3.0, 4.0, 5.0].map(f32::to_le_bytes).concat();
        assert_eq!(message(&floats, &[3, 2], "<f4", false), "has NaN in row 1");
        assert_eq!(message(&floats, &[3, 2], "<f4", true), "has NaN in row 2");
        let large = [0.0, 1e300].map(f64::to_le_bytes).concat();
        assert_eq!(message(&large, &[2], "<f8", false), "has 1e300 in row 1, which is too large for a 32-bit float");
    }
}
