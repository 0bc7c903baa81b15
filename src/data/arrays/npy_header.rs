//! The header of NumPy's format for one array (`.npy`, and each member of `.npz`): the type, the order and the shape.

use std::io::{ErrorKind, Read};

use crate::data::arrays::element::Element;
use crate::data::file_error::FileError;

/// First bytes of the format.
pub const MAGIC: &[u8] = b"\x93NUMPY";

/// Maximum length of a header in bytes; NumPy writes at most a few hundred for arrays of numbers.
const MAX_HEADER: usize = 1 << 16;

/// Description of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayHeader {
    /// Length of each dimension.
    pub shape: Vec<i64>,
    /// Type of the values, or what the array contains instead of numbers.
    pub element: Result<Element, String>,
    /// Whether the first index changes fastest (Fortran order).
    pub is_fortran: bool,
    /// Number of bytes before the values.
    pub start: u64,
}

impl ArrayHeader {
    /// Returns the number of rows: the length of the first dimension.
    pub fn rows(&self) -> i64 {
        self.shape.first().copied().unwrap_or(0)
    }

    /// Returns the shape as Python writes it.
    pub fn shape_text(&self) -> String {
        let lengths: Vec<String> = self.shape.iter().map(i64::to_string).collect();
        if lengths.len() == 1 { format!("({},)", lengths[0]) } else { format!("({})", lengths.join(", ")) }
    }

    /// Returns the name of the type.
    pub fn type_name(&self) -> &str {
        match &self.element {
            Ok(element) => element.name(),
            Err(what) => what,
        }
    }

    /// Returns the number of values; `None` if there is no such number.
    pub fn count(&self) -> Option<i64> {
        self.shape.iter().try_fold(1_i64, |product, &length| product.checked_mul(length))
    }
}

/// Reads a header and leaves the reader at the values.
///
/// # Errors
/// When it is incomplete or not that of NumPy; the message follows the name of the array or file.
pub fn read(reader: &mut dyn Read) -> Result<ArrayHeader, FileError> {
    let mut beginning = [0; 8];
    fill(reader, &mut beginning)?;
    if !beginning.starts_with(MAGIC) {
        return Err(FileError::new("is not in NumPy's format"));
    }
    let mut length = [0; 4];
    let width = if beginning[6] == 1 { 2 } else { 4 };
    if !(1..=3).contains(&beginning[6]) {
        return Err(FileError::new(format!("has version {} of NumPy's format, but 1 to 3 are read", beginning[6])));
    }
    fill(reader, &mut length[..width])?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_HEADER {
        return Err(FileError::new(format!("has a header of {length} bytes, but at most {MAX_HEADER} are read")));
    }
    let mut text = vec![0; length];
    fill(reader, &mut text)?;
    parse(&String::from_utf8_lossy(&text), (8 + width + length) as u64)
        .ok_or_else(|| FileError::new("has a damaged NumPy header"))
}

fn fill(reader: &mut dyn Read, bytes: &mut [u8]) -> Result<(), FileError> {
    reader.read_exact(bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => FileError::new("is truncated: its NumPy header is incomplete"),
        _ => FileError::new(format!("cannot be read: {error}")),
    })
}

/// Parses the Python dictionary of a header: `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse(text: &str, start: u64) -> Option<ArrayHeader> {
    let text = text.replace('"', "'");
    let value_of = |key: &str| {
        let (_, rest) = text.split_once(&format!("'{key}'"))?;
        rest.trim_start().strip_prefix(':').map(str::trim_start)
    };
    let descr = value_of("descr")?;
    let element = match descr.strip_prefix('\'') {
        Some(rest) => Element::from_descr(rest.split_once('\'')?.0),
        None if descr.starts_with('[') => Err("records with named fields".to_owned()),
        None => return None,
    };
    let order = value_of("fortran_order")?;
    let is_fortran = order.starts_with("True");
    if !is_fortran && !order.starts_with("False") {
        return None;
    }
    let (shape, _) = value_of("shape")?.strip_prefix('(')?.split_once(')')?;
    let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
    let length = |length: &str| length.trim_end_matches('L').parse().ok().filter(|length: &i64| *length >= 0);
    Some(ArrayHeader { shape: lengths.map(length).collect::<Option<_>>()?, element, is_fortran, start })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: u8, text: &str) -> Vec<u8> {
        let length = (text.len() as u32).to_le_bytes();
        let width = if version == 1 { 2 } else { 4 };
        [MAGIC, &[version, 0], &length[..width], text.as_bytes()].concat()
    }

    #[test]
    fn headers_of_all_versions_are_read() {
        for version in 1..=3 {
            let bytes = header(version, "{'descr': '>i4', 'fortran_order': True, 'shape': (3, 4), }  \n");
            let found = read(&mut &bytes[..]).unwrap();
            assert_eq!((&found.shape[..], found.is_fortran, found.start), (&[3, 4][..], true, bytes.len() as u64));
            assert_eq!((found.type_name(), found.shape_text()), ("int32", "(3, 4)".to_owned()));
            for cut in 0..bytes.len() {
                assert!(read(&mut &bytes[..cut]).is_err());
            }
        }
        let shape_of = |text: &str| parse(text, 0).unwrap().shape;
        assert_eq!(shape_of("{\"shape\":(5L,),\"fortran_order\":False,\"descr\":\"|b1\"}"), [5]);
        assert_eq!(shape_of("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': ()}"), [0_i64; 0]);
    }

    #[test]
    fn other_headers_are_refused() {
        for text in [
            "",
            "{'descr': '<f8', 'shape': (3,)}",
            "{'descr': '<f8', 'fortran_order': Maybe, 'shape': (3,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (-3,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (3",
            "{'descr': 8, 'fortran_order': False, 'shape': (3,)}",
        ] {
            let fault = read(&mut &header(1, text)[..]).unwrap_err();
            assert_eq!(fault.message, "has a damaged NumPy header", "{text}");
        }
        assert_eq!(
            read(&mut &header(9, "")[..]).unwrap_err().message,
            "has version 9 of NumPy's format, but 1 to 3 are read"
        );
        let long = [MAGIC, &[2, 0], &u32::MAX.to_le_bytes()].concat();
        assert!(read(&mut &long[..]).unwrap_err().message.starts_with("has a header of 4294967295 bytes"));
    }
}
