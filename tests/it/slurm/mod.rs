//! Jobs of Slurm, in a cluster of each test; skipped where Slurm is not installed.

mod all_events;
mod cluster;
mod complete;
mod doctor;
mod failures;
mod guide;
mod interrupted;
mod jobs;
mod single_run;
mod sweep_jobs;
