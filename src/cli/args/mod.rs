//! Arguments that several commands share.

pub mod compute_args;
pub mod experiments;
pub mod log_args;
pub mod lookup;
pub mod output_args;
pub mod plot_args;
pub mod run_args;
pub mod runs_dir;
pub mod sweeps_dir;
pub mod time_limit;
pub mod user_defaults;
