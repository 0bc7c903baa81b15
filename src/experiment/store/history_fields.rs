//! What the history of every trial states, whatever model it fits: its data, what it ran on, and when.

use anyhow::Context;
use tch::Device;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::data::Test;
use crate::data::prepare::prepared::Prepared;
use crate::device;
use crate::device::arithmetic::Arithmetic;
use crate::experiment::plan::Plan;
use crate::history::{DataRecord, Environment, RowCounts};

/// The data of a trial; trials on the same data share it.
pub fn data(plan: &Plan, prepared: &Prepared) -> DataRecord {
    DataRecord {
        name: plan.spec.data.name().to_owned(),
        sha256: prepared.sha256.clone(),
        rows: rows(prepared),
        classes: prepared.classes.clone(),
        resample: prepared.resampled.clone(),
        positive: prepared.positive.clone(),
    }
}

/// How many rows each part has.
pub fn rows(prepared: &Prepared) -> RowCounts {
    RowCounts {
        train: prepared.training.rows().len(),
        validation: prepared.validation.as_ref().map_or(0, |validation| validation.rows().len()),
        test: prepared.test.as_ref().map_or(0, Test::len),
    }
}

/// What this process runs on, with so many CPU threads and so many replicas in one stack.
pub fn environment(device: Device, threads: usize, replicas: usize) -> Environment {
    let arithmetic = Arithmetic::in_use();
    Environment {
        runner: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("RUNNER_COMMIT").to_owned(),
        libtorch: env!("RUNNER_LIBTORCH_VERSION").to_owned(),
        device: device::name(device),
        threads,
        os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        replicas,
        precision: Some(arithmetic.precision(device).to_owned()),
        deterministic: Some(arithmetic.deterministic),
        cpu: device::processor::name(),
    }
}

/// When a run started, to the second.
///
/// # Errors
/// When the time cannot be written.
pub fn started(started: OffsetDateTime) -> anyhow::Result<String> {
    started.replace_nanosecond(0).unwrap_or(started).format(&Rfc3339).context("failed to write the time")
}
