//! File formats: the committed JSON Schemas, and files of the last version.

mod committed;
mod former_files;
