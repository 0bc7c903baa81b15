//! What a run leaves in its folder.

pub mod newest;
pub mod preprocessing_file;
