//! Jobs of Slurm, in a cluster of each test; skipped where Slurm is not installed.

mod cluster;
mod complete;
mod doctor;
mod failures;
mod interrupted;
mod jobs;
mod single_run;
mod sweep_jobs;
