//! Where data files are kept: downloads, cache, checksums.

pub mod cache;
pub mod checksum;
pub mod fetch;
pub mod hashed_file;
pub mod manifest;
