//! The user's own images: PNG and JPEG files in a folder for each class, or listed in a CSV file.

pub mod convert;
pub mod image_set;
pub mod listing;
pub mod manifest;
mod parts;
pub mod pixel_cache;
pub mod resize;
pub mod settings;
