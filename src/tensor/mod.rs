//! Tensors and their memory.

pub mod predictor;
pub mod raw_f32;
pub mod safetensors_file;
pub mod seed;
pub mod shape;
pub mod threads;
