//! `runner`: an experiment runner for deep learning on libtorch.
//!
//! The flow, in the order in which it happens:
//!
//! 1. an experiment file is read into a [`experiment::spec::Spec`], overrides are applied to it, and it is checked
//!    whole into a [`experiment::plan::Plan`];
//! 2. its data set is loaded, split and scaled ([`data`]);
//! 3. a stack of networks, one replica for each seed, is drawn ([`network`]) and trained in step ([`train`]), while
//!    metrics are taken ([`metrics`]);
//! 4. each replica's [`history`] is written into the run's folder ([`run_dir`]), read as a teacher would, and held
//!    against what the experiment expects;
//! 5. from its history and weights a network is rebuilt, tested again, and asked what it makes of other rows
//!    ([`experiment::store`], [`experiment::predict`]);
//! 6. runs are set beside each other, and beside what other programs wrote ([`mod@compare`]), drawn ([`plot`]), written up as a
//!    page ([`report`]), and handed on ([`export`]).
//!
//! [`cli`] is the terminal's side of it: `runner` itself ([`cli::process::front`]) is linked without libtorch, and becomes
//! `runner-engine` ([`cli::process::engine`]) for what needs tensors.

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
pub mod tensor;
pub mod train;
