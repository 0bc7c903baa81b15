//! Workers and runs as jobs of Slurm, whose programs are replaced by scripts.

mod fake_slurm;
mod in_job;
mod memory;
mod status;
mod submit;
