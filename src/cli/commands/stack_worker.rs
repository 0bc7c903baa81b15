//! A worker process of a run, which `runner exp --workers N` starts.

use std::sync::Arc;

use anyhow::{Context, bail};

use crate::cli::args::run_args::ExecutionConfig;
use crate::cli::exit::Exit;
use crate::data::store::cache::Cache;
use crate::experiment::run::Options;
use crate::experiment::run::progress::event_log::EventFiles;
use crate::experiment::store::run_record::RunRecord;
use crate::io::signals::Signals;
use crate::workers::message::Order;
use crate::workers::worker::{read_orders, work};

/// Trains the stacks that the process which started this one orders.
///
/// # Errors
/// If the run cannot be read, or the device cannot be used.
pub fn run() -> anyhow::Result<Exit> {
    let signals = Arc::new(Signals::default());
    let orders = read_orders(&signals)?;
    let Ok(Order::Start { run, runs, device, threads, checkpoint, tensorboard, narrows }) = orders.recv() else {
        bail!("a worker of a run is started by `runner exp --workers N`");
    };
    let record = RunRecord::read(&run)?;
    let device = device.parse().map_err(anyhow::Error::msg).context("failed to read the device of a worker")?;
    let execution = ExecutionConfig::from_run(&record.options, Some(device), Some(threads))?.apply();
    let (events, cache) = (tensorboard.map(EventFiles::In), Cache::for_user());
    let checkpoint_interval = checkpoint.parse().map_err(anyhow::Error::msg)?;
    let options = execution.options(record.options.stack, &cache, &signals);
    let options = Options { narrows, checkpoint_interval, events: events.as_ref(), ..options };
    work(&run, &runs, &options, &orders)?;
    Ok(Exit::Done)
}
