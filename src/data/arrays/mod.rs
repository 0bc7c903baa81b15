//! Arrays in files: `.npz` and `.npy` of NumPy, and `.safetensors`.

pub mod array_file;
pub mod element;
pub mod fill;
pub mod layout;
pub mod new_rows;
pub mod npy_header;
pub mod open_arrays;
pub mod settings;
pub mod targets;
