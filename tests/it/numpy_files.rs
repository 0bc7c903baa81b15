//! Files of arrays as NumPy writes them.

use std::io::{Cursor, Write};

use zip::write::{SimpleFileOptions, ZipWriter};

/// An array as NumPy writes it.
pub fn npy(descr: &str, shape: &[usize], is_fortran: bool, values: &[u8]) -> Vec<u8> {
    let order = if is_fortran { "True" } else { "False" };
    let shape: String = shape.iter().map(|length| format!("{length}, ")).collect();
    let text = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({shape}), }}");
    let text = format!("{text:<117}\n");
    [b"\x93NUMPY\x01\0", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), values].concat()
}

/// An archive as `numpy.savez` or `numpy.savez_compressed` writes it.
pub fn npz(arrays: &[(&str, Vec<u8>)], is_compressed: bool) -> Vec<u8> {
    let method = if is_compressed { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
    let options = SimpleFileOptions::default().compression_method(method);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
