//! Tensors: memory, shapes, files, seeds and threads.

pub mod generators;
pub mod predictor;
pub mod raw_f32;
pub mod safetensors_file;
pub mod seed;
pub mod shape;
pub mod threads;
