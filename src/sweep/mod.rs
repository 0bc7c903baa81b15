//! Sweeps: many configurations of an experiment, each trained on several seeds by one or more workers.
//!
//! A sweep is planned whole before training starts: its record `sweep.json` lists all configurations and the stacks that
//! train them. (A search that learns from results is planned round by round.) Workers claim stacks, and train each one as an ordinary run whose variants are configurations. So every
//! worker may be killed at any time, and the results do not depend on the number of workers.

pub mod confirmation;
pub mod dir;
pub mod estimate;
pub mod expectation;
pub mod export;
pub mod importance;
pub mod labels;
pub mod plan;
pub mod record;
pub mod results;
pub mod rounds;
pub mod sampler;
pub mod space;
pub mod spec;
pub mod supervise;
pub mod sweep_seeds;
pub mod trial_counts;
pub mod verify;
pub mod work;
