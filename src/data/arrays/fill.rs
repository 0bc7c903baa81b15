//! Reads the values of an array into a tensor, a few megabytes at a time, so that no second copy is in memory.

use std::io::{ErrorKind, Read};

use tch::{Device, Kind, Tensor};

use crate::data::arrays::element::Element;
use crate::data::arrays::npy_header::ArrayHeader;
use crate::data::table::csv_text::TableError;

/// Number of bytes of the file that are converted at once.
const AT_ONCE: usize = 4 << 20;

/// Returns the values as a contiguous tensor with the shape of the array; `kind` as for [`Element::convert`]. The reader
/// is at the values and ends after them. The caller has checked that the array fits into memory.
///
/// # Errors
/// When the reader ends early or late, or a value cannot be converted; the message follows the name of the array.
pub fn read(reader: &mut dyn Read, header: &ArrayHeader, element: Element, kind: Kind) -> Result<Tensor, TableError> {
    let count = header.count().ok_or_else(|| TableError::new(format!("has the shape {}", header.shape_text())))?;
    let tensor = Tensor::empty([count], (kind, Device::Cpu));
    let at_once = AT_ONCE / element.bytes();
    let mut bytes = vec![0; AT_ONCE.min(element.bytes() * count as usize)];
    for start in (0..count).step_by(at_once) {
        let values = at_once.min((count - start) as usize);
        let part = &mut bytes[..values * element.bytes()];
        reader.read_exact(part).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => TableError::new(format!(
                "is truncated: its shape {} needs more bytes than there are",
                header.shape_text()
            )),
            _ => TableError::new(format!("is damaged: {error}")),
        })?;
        let converted = element.convert(part, kind).map_err(|bad| {
            let index = start + bad.index as i64;
            let row = if header.is_fortran { index % header.rows() } else { index / (count / header.rows()) };
            TableError::new(format!("has {} in row {row}", bad.message))
        })?;
        tensor.narrow(0, start, values as i64).copy_(&converted);
    }
    // the last read also checks the checksum of a ZIP member
    match reader.read(&mut [0]) {
        Ok(0) => {}
        Ok(_) => {
            let message = format!("has more bytes than its shape {} needs", header.shape_text());
            return Err(TableError::new(message));
        }
        Err(error) => return Err(TableError::new(format!("is damaged: {error}"))),
    }
    Ok(in_row_order(&tensor, header))
}

/// Gives the values of a file their shape, in row-major order.
fn in_row_order(values: &Tensor, header: &ArrayHeader) -> Tensor {
    if !header.is_fortran || header.shape.len() < 2 {
        return values.view(&header.shape[..]);
    }
    let reversed: Vec<i64> = header.shape.iter().rev().copied().collect();
    let axes: Vec<i64> = (0..header.shape.len() as i64).rev().collect();
    values.view(&reversed[..]).permute(&axes[..]).contiguous()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(bytes: &[u8], shape: &[i64], descr: &str, is_fortran: bool) -> Result<Tensor, TableError> {
        let element = Element::from_descr(descr).unwrap();
        let header = ArrayHeader { shape: shape.to_vec(), element: Ok(element), is_fortran, start: 0 };
        read(&mut &bytes[..], &header, element, Kind::Float)
    }

    #[test]
    fn values_in_fortran_order_are_put_into_rows() {
        let numbers: Vec<u8> = (0..12).collect();
        let rows = |is_fortran| {
            let tensor = filled(&numbers, &[2, 3, 2], "|u1", is_fortran).unwrap();
            assert!(tensor.is_contiguous());
            Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap()
        };
        assert_eq!(rows(false), (0..12_u8).map(f32::from).collect::<Vec<_>>());
        // the value at [i, j, k] is at i + 2 j + 6 k
        assert_eq!(rows(true), [0., 6., 2., 8., 4., 10., 1., 7., 3., 9., 5., 11.]);
    }

    #[test]
    fn more_values_than_are_converted_at_once_are_read() {
        let count = AT_ONCE / 8 + 5;
        let bytes: Vec<u8> = (0..count).flat_map(|index| (index as f64).to_be_bytes()).collect();
        let tensor = filled(&bytes, &[count as i64, 1], ">f8", false).unwrap();
        let wanted: Vec<f32> = (0..count).map(|index| index as f32).collect();
        assert!(Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap() == wanted);
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
    }
}
