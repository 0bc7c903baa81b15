//! A worker: trains the stacks that it gets by orders on stdin, and reports on stdout.

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use anyhow::{Context, anyhow};

use crate::data::store::download_progress::DownloadProgress;
use crate::device::fault::{Fault, contained};
use crate::experiment::plan::study::Study;
use crate::experiment::run::error;
use crate::experiment::run::parts::{Part, run_part};
use crate::experiment::run::progress::RunProgress;
use crate::experiment::run::{Finished, LoadedData, Options};
use crate::experiment::store::pretrained;
use crate::experiment::store::run_record::RunRecord;
use crate::io::signals::Signals;
use crate::train::callback::Callback;
use crate::workers::message::{ErrorRecord, Order, Report};

/// Reads the orders of a worker. Those about the stack in training take effect at once; the others are returned in order.
///
/// # Errors
/// When the system starts no thread.
pub fn read_orders(signals: &Arc<Signals>) -> anyhow::Result<Receiver<Order>> {
    let (sender, orders) = mpsc::channel();
    let signals = Arc::clone(signals);
    let read = move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(Order::SaveCheckpoint) => signals.checkpoint.store(true, Ordering::SeqCst),
                Ok(Order::Stop) => signals.stop.store(true, Ordering::SeqCst),
                Ok(Order::EndTime) => signals.end_time(),
                Ok(order @ (Order::Start { .. } | Order::Train { .. })) => drop(sender.send(order)),
                Err(_) => break, // it was cut off
            }
        }
        signals.stop.store(true, Ordering::SeqCst); // the process that started this one is gone, or needs it no more
    };
    thread::Builder::new().name("orders".to_owned()).spawn(read).context("failed to start a thread")?;
    Ok(orders)
}

/// Trains stacks of the run in this directory until there are no more orders or the worker is stopped. `runs` is the directory
/// of the runs that pretrained weights are from.
///
/// # Errors
/// When the run cannot be read. Errors of stacks are reported.
pub fn work(run: &Path, runs: &Path, options: &Options, orders: &Receiver<Order>) -> anyhow::Result<()> {
    let record = RunRecord::read(run)?;
    let mut study = record.study()?;
    pretrained::resolve(&mut study.plans, runs)?;
    let mut loaded = LoadedData::default();
    while let Ok(order) = orders.recv() {
        let Order::Train { group, trials } = order else { continue };
        if options.signals.is_stopped() {
            break;
        }
        // the groups that are planned later are in the record later
        let record = RunRecord::read(run)?;
        let part = Part { group, trials };
        let outcome = contained(|| run_part(&study, &record, run, &part, options, &mut loaded, &mut Notes));
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(panic) => Err(from_panic(&*panic, &study, &part)),
        };
        let is_device_lost =
            |error: &anyhow::Error| matches!(error.downcast_ref::<Fault>(), Some(Fault::DeviceLost(_)));
        let is_lost = match &outcome {
            Ok(finished) => finished.failures.iter().any(is_device_lost),
            Err(error) => is_device_lost(error),
        };
        report(&ended(outcome, options.signals));
        if is_lost {
            break; // another process may find it again
        }
    }
    Ok(())
}

/// Returns the report about a stack.
fn ended(outcome: anyhow::Result<Finished>, signals: &Signals) -> Report {
    match outcome {
        Ok(mut finished) => {
            let is_stopped = finished.interrupted || finished.timed_out;
            if let Some(problem) = missing_files(&finished) {
                finished.failures.push(problem);
            }
            let failures = finished.failures.iter().map(ErrorRecord::new).collect();
            Report::Ended { failures, is_stopped, checkpoint: finished.checkpoint }
        }
        Err(_) if signals.is_stopped() => Report::Ended { failures: Vec::new(), is_stopped: true, checkpoint: None },
        Err(error) => Report::Ended { failures: vec![ErrorRecord::new(&error)], is_stopped: false, checkpoint: None },
    }
}

/// Returns an error if files of a stack could not be written to its directory.
fn missing_files(finished: &Finished) -> Option<anyhow::Error> {
    let errors = finished.folder.write_errors().filter(|errors| errors.is_incomplete())?;
    let reason = errors.reason.unwrap_or_else(|| "files were removed during the run".to_owned());
    Some(anyhow!(reason).context("failed to write the files of the run"))
}

/// Converts a panic into the error of a stack.
fn from_panic(panic: &(dyn std::any::Any + Send), study: &Study, part: &Part) -> anyhow::Error {
    let what = format!("failed to train `{}` of `{}`", part.trials[0].stem(), study.name);
    match Fault::from_panic(panic) {
        Some(fault) => error::into_run_error(fault, &what, None),
        None => error::from_panic(panic, &what),
    }
}

/// Writes a report. If nobody reads it, the orders end, too.
fn report(report: &Report) {
    let mut line = serde_json::to_vec(report).expect("a report has JSON types only");
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(&line).and_then(|()| out.flush());
}

/// Passes the warnings of a run on.
struct Notes;

impl Callback for Notes {
    fn note(&mut self, text: &str) {
        report(&Report::Note(text.to_owned()));
    }
}

impl DownloadProgress for Notes {}

impl RunProgress for Notes {}
