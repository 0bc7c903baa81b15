//! Fields that every history has, whatever its model: data, environment and start time; and the program that started a run.

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tch::Device;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::data::Test;
use crate::data::prepare::prepared::Prepared;
use crate::device;
use crate::device::compute_mode::ComputeMode;
use crate::experiment::plan::Plan;
use crate::history::curves::Curves;
use crate::history::{DataRecord, Environment, History, ModuleRecord, RowCounts, SCHEMA, Status};
use crate::network::torchscript::TorchScript;

/// The program that started a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Version of runner.
    pub runner: String,
    /// The commit that it was built from; `+` marks uncommitted changes.
    pub commit: String,
    /// Version of libtorch.
    pub libtorch: String,
}

impl Program {
    /// This program.
    pub fn this() -> Program {
        Program {
            runner: env!("CARGO_PKG_VERSION").to_owned(),
            commit: env!("RUNNER_COMMIT").to_owned(),
            libtorch: env!("RUNNER_LIBTORCH_VERSION").to_owned(),
        }
    }

    /// Lists the versions that differ between a run's program and `this` one, as text.
    pub fn differences(&self, this: &Program) -> Vec<String> {
        let differs = [
            ("libtorch", &self.libtorch, &this.libtorch),
            ("runner", &self.runner, &this.runner),
            ("commit", &self.commit, &this.commit),
        ];
        let differs = differs.into_iter().filter(|(_, then, now)| then != now);
        differs.map(|(what, then, now)| format!("{what} {then} then, {now} now")).collect()
    }
}

/// Returns the history of a trial that has started: without results, and with the status of an interrupted trial.
///
/// # Errors
/// When the time or the settings cannot be serialized.
pub fn new_history(
    plan: &Plan,
    seed: i64,
    fold: Option<usize>,
    started: OffsetDateTime,
    environment: Environment,
    data: DataRecord,
) -> anyhow::Result<History> {
    let module = |(key, module): (String, &TorchScript)| {
        let sha256 = module.file_of(seed)?.sha256.clone();
        Ok(ModuleRecord { key, path: module.path.clone(), sha256 })
    };
    Ok(History {
        schema: SCHEMA.to_owned(),
        experiment: plan.name.clone(),
        variant: plan.variant.clone(),
        seed,
        fold,
        status: Status::Interrupted,
        started: format_start(started)?,
        seconds: 0.0,
        environment,
        data,
        network: None,
        tree: None,
        modules: plan.modules().into_iter().map(module).collect::<anyhow::Result<_>>()?,
        config: serde_json::to_value(&plan.spec).context("failed to serialize the settings")?,
        asked: plan.asked.clone(),
        history: Curves::default(),
        best: None,
        diagnosis: None,
        test: None,
        baselines: None,
        learned: None,
        expectations: Vec::new(), // filled in when all trials have ended
        theirs: Vec::new(),
    })
}

/// Returns the record of a trial's data. Trials on the same data share it.
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

/// Number of rows in each part.
pub fn rows(prepared: &Prepared) -> RowCounts {
    RowCounts {
        train: prepared.training.rows().len(),
        validation: prepared.validation.as_ref().map_or(0, |validation| validation.rows().len()),
        test: prepared.test.as_ref().map_or(0, Test::len),
    }
}

/// Describes the machine, the versions and the arithmetic of this process, for this number of CPU threads and of
/// replicas per stack.
pub fn environment(device: Device, threads: usize, replicas: usize) -> Environment {
    let (mode, Program { runner, commit, libtorch }) = (ComputeMode::current(), Program::this());
    Environment {
        runner,
        commit,
        libtorch,
        device: device::name(device),
        threads,
        os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        replicas,
        precision: Some(mode.precision_on(device).name().to_owned()),
        deterministic: Some(mode.deterministic),
        cpu: device::processor::name(),
    }
}

/// Start time of a run: UTC, RFC 3339, to the second.
///
/// # Errors
/// When the time cannot be formatted.
pub fn format_start(started: OffsetDateTime) -> anyhow::Result<String> {
    started.replace_nanosecond(0).unwrap_or(started).format(&Rfc3339).context("failed to format the time")
}
