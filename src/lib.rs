//! `runner`: an experiment runner for deep learning on libtorch.
//!
//! How a run works, step by step:
//!
//! 1. An experiment file is read into a [`experiment::spec::Spec`], command-line overrides are applied, and the result
//!    is checked into a [`experiment::plan::Plan`].
//! 2. The data set is loaded, split and scaled ([`data`]).
//! 3. A stack of networks, one replica per seed, is initialized ([`network`]) and trained in step ([`train`]); metrics
//!    are computed after each epoch ([`metrics`]).
//! 4. Each replica's [`history`] gets a diagnosis, is checked against the experiment's expectations, and is written
//!    into the run directory ([`run_dir`]).
//! 5. A trained network is rebuilt from its history and weights, evaluated again, and used to predict new rows
//!    ([`experiment::store`], [`experiment::predict`]).
//! 6. Runs are compared with each other and with results of other programs ([`mod@compare`]), plotted ([`plot`]),
//!    summarized as an HTML page ([`report`]) and exported ([`export`]).
//!
//! Many settings are trained by a [`sweep`], and the stacks of one run in several processes by [`workers`].
//!
//! [`cli`] is the command line. The program `runner` ([`cli::process::front`]) is linked without libtorch, so that
//! commands without tensors start quickly; for all others it becomes `runner-engine` ([`cli::process::engine`]).

pub mod classical;
pub mod cli;
pub mod compare;
pub mod config;
pub mod data;
pub mod device;
pub mod experiment;
pub mod export;
pub mod history;
pub mod io;
pub mod metrics;
pub mod network;
pub mod observe;
pub mod plot;
pub mod report;
pub mod run_dir;
pub mod serve;
pub mod slurm;
pub mod sweep;
pub mod tensor;
pub mod train;
pub mod views;
pub mod workers;
