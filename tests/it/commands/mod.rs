//! Output of the commands that neither train nor read runs.

mod data;
mod doctor;
#[cfg(target_os = "linux")]
mod doctor_slurm;
mod help;
pub mod json_output;
mod lessons;
mod list_and_show;
mod new;
mod schema;
