//! Jobs of Slurm that train: their scripts, and their submission.

pub mod at_exit;
pub mod compute;
pub mod paths;
pub mod script;
pub mod submit;
