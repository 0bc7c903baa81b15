//! Jobs of Slurm, in a cluster of each test; skipped where Slurm is not installed.

mod cluster;
mod doctor;
mod jobs;
