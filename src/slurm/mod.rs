//! Slurm: jobs that train, and what a process inside a job asks of it.
//!
//! Only `sbatch`, `squeue`, `scontrol` and `scancel` are called, never `sacct`: without a database it fails.

pub mod duration;
pub mod job;
pub mod job_clock;
pub mod job_log;
pub mod job_state;
pub mod program;
pub mod queue;
pub mod sbatch;
pub mod sbatch_options;
pub mod submission;
