//! Tensors and their memory.

pub mod safetensors_file;
