//! Arguments that several commands share.

pub mod about_args;
pub mod compute_args;
pub mod dry_run;
pub mod experiments;
pub mod log_args;
pub mod lookup;
pub mod output_args;
pub mod plot_args;
pub mod run_args;
pub mod runs_dir;
pub mod sweeps_dir;
pub mod time_limit;
pub(crate) mod unknown_arg;
pub mod user_defaults;
pub mod variant_args;
