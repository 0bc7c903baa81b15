//! Tensors: memory, shapes, files, seeds and threads.

pub mod generators;
pub mod matrix_product;
pub mod mersenne_twister;
pub mod predictor;
pub mod raw_values;
pub mod safetensors_file;
pub mod script_module;
pub mod seed;
pub mod select;
pub mod shape;
pub mod threads;
