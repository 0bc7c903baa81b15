//! libtorch: find the user's own, or download it with pip.

pub mod compiler;
pub mod files;
pub mod setup;
pub mod user_libtorch;
