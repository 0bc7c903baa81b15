//! Data files: downloads, the cache, checksums and file formats.

pub mod cache;
pub mod checksum;
pub mod download_progress;
pub mod fetch;
pub mod file_state;
pub mod hashed_file;
pub mod idx;
pub mod kept_info;
pub mod kept_table;
pub mod manifest;
pub mod mnist_csv;
pub mod user_file;
pub mod wheel;
