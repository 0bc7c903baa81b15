//! Files, file names, file formats and process signals.

pub mod atomic_write;
pub mod bounded_file;
pub mod byte_size;
pub mod csv_line;
pub mod file_format;
pub mod file_names;
pub mod host_name;
pub mod separator;
pub mod signals;
