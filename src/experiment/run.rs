//! Running a plan: load, train, test, write.
//!
//! All seeds train as one stack. A run's folder is made before training starts, so that a folder that cannot be
//! written to is found while nothing is lost yet.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Context;
use indexmap::IndexMap;
use tch::{Device, Tensor};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::data::batches::DeviceRows;
use crate::data::cache::Cache;
use crate::data::{Prepared, fetch};
use crate::experiment::plan::Plan;
use crate::history::number::Number;
use crate::history::{
    Best, DataRecord, Environment, History, Learned, Prediction, RowCounts, SCHEMA, Status, TestRecord,
};
use crate::metrics::confusion::Confusion;
use crate::metrics::{Metric, regression};
use crate::network::stack::Stack;
use crate::network::state_dict;
use crate::run_dir::RunDir;
use crate::train::Keep;
use crate::train::evaluate::{Measure, figures, on_device, outputs};
use crate::train::fit::{self, Outcome, Task, fit};
use crate::{device, files, history::diagnosis::diagnose};

/// The variant's name where an experiment has no variants.
pub const BASE: &str = "base";

/// A network is tiny, and shown in full, up to so many parameters and training rows.
const TINY: (usize, usize) = (256, 16);

/// What a run is given beside its plan.
#[derive(Debug)]
pub struct Options<'a> {
    /// Where tensors live.
    pub device: Device,
    /// The folder that runs are put in.
    pub out: &'a Path,
    /// Where data sets are kept.
    pub cache: &'a Cache,
    /// Set when the run is to end early.
    pub stop: &'a AtomicBool,
}

/// Told what a run is doing.
pub trait Watch: fetch::Watch + fit::Watch {
    /// Training starts.
    fn starting(&mut self, plan: &Plan, rows: RowCounts, device: Device);
}

/// What a run has left.
#[derive(Debug)]
pub struct Finished {
    /// Its folder.
    pub folder: RunDir,
    /// The history of each trial.
    pub histories: Vec<History>,
}

/// Runs a plan.
///
/// # Errors
/// When the data cannot be had, or the folder not be written to.
pub fn run(plan: &Plan, options: &Options, watch: &mut dyn Watch) -> anyhow::Result<Finished> {
    let spec = &plan.spec;
    let loaded = spec.data.load(options.cache, &mut *watch)?;
    let data = Prepared::new(loaded, &spec.data.split(), spec.data.scale());
    let started = OffsetDateTime::now_utc();
    let folder = RunDir::create(options.out, &plan.name, &spec.to_toml(), started)?;
    files::write_whole(&folder.file("experiment.toml"), spec.to_toml().as_bytes())?;

    let clock = Instant::now();
    let (loss, outputs) = (&spec.train.loss, plan.architecture.output().elements());
    let training = on_device(data.training.rows(), loss, outputs, options.device);
    let validation = data.validation.as_ref().map(|rows| on_device(rows.rows(), loss, outputs, options.device));
    let rows = RowCounts {
        train: training.len(),
        validation: validation.as_ref().map_or(0, |rows| rows.len()),
        test: data.test.as_ref().map_or(0, |rows| rows.len()),
    };
    watch.starting(plan, rows, options.device);
    let stack = plan.architecture.build(&spec.seeds, options.device);
    let target = plan.card.target;
    let replicas = stack.replicas();
    let measure = Measure {
        loss: loss.criterion(&training.of_each_replica(&training.truth, replicas), outputs),
        metrics: spec.train.metrics(target),
        decision: loss.decision(outputs, target),
    };
    let task = Task {
        settings: &spec.train,
        measure: &measure,
        monitor: spec.train.monitored(plan.has_validation(), target),
        seeds: &spec.seeds,
        training: &training,
        validation: validation.as_ref(),
        device: options.device,
    };
    let outcomes = fit(&stack, &task, options.stop, &mut *watch);

    let targets = training.of_each_replica(&training.targets, replicas);
    let constant_losses = measure.loss.of_constant_prediction(&targets, outputs);
    let interrupted = outcomes.iter().any(|outcome| outcome.status == Status::Interrupted);
    let tests = match data.test {
        Some(test) if !interrupted => {
            let rows = on_device(&test.open(), loss, outputs, options.device);
            tested(&stack, &rows, &measure, spec.train.keep)
        }
        _ => vec![None; spec.seeds.len()],
    };
    let seconds = clock.elapsed().as_secs_f64();
    let data_record =
        DataRecord { name: spec.data.name().to_owned(), sha256: data.sha256, rows, classes: data.classes };
    let mut histories = Vec::with_capacity(outcomes.len());
    for (replica, (outcome, test)) in outcomes.into_iter().zip(tests).enumerate() {
        let mut history = History {
            schema: SCHEMA.to_owned(),
            experiment: plan.name.clone(),
            variant: BASE.to_owned(),
            seed: spec.seeds[replica],
            fold: None,
            status: outcome.status,
            started: started
                .replace_nanosecond(0)
                .unwrap_or(started)
                .format(&Rfc3339)
                .context("failed to write the time")?,
            seconds,
            environment: environment(options.device, spec.seeds.len()),
            data: data_record.clone(),
            network: plan.network_record(),
            config: serde_json::to_value(spec).context("failed to lay out the settings")?,
            best: best(plan, &outcome),
            diagnosis: diagnose(&outcome.curves, constant_losses[replica]),
            history: outcome.curves,
            test: test.filter(|_| outcome.status != Status::Diverged),
            learned: learned(plan, &stack, &training, replica),
            expectations: Vec::new(),
        };
        history.expectations = spec
            .expect
            .iter()
            .filter(|expectation| expectation.concerns(history.seed))
            .map(|expectation| expectation.verify(&history))
            .collect();
        let name = format!("{BASE}-seed{}", history.seed);
        state_dict::save(&stack, replica, &folder.file(&format!("{name}.safetensors")))?;
        history.write(&folder.file(&format!("{name}.json")))?;
        histories.push(history);
    }
    Ok(Finished { folder, histories })
}

/// What this process runs on.
fn environment(device: Device, replicas: usize) -> Environment {
    Environment {
        runner: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("RUNNER_COMMIT").to_owned(),
        libtorch: env!("RUNNER_LIBTORCH_VERSION").to_owned(),
        device: device::name(device),
        threads: usize::try_from(tch::get_num_threads()).unwrap_or(1),
        os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        replicas,
    }
}

fn best(plan: &Plan, outcome: &Outcome) -> Option<Best> {
    let epoch = outcome.best_epoch?;
    let (monitor, _) = plan.spec.train.monitored(plan.has_validation(), plan.card.target);
    let metrics: IndexMap<String, Number> = outcome
        .curves
        .series
        .keys()
        .filter(|name| !matches!(name.as_str(), "lr" | "seconds"))
        .filter_map(|name| Some((name.clone(), Number(outcome.curves.at(epoch, name)?))))
        .collect();
    Some(Best { epoch, monitor: monitor.to_owned(), metrics })
}

/// Each replica's figures on the test rows, which are opened here and nowhere else.
fn tested(stack: &Stack, rows: &DeviceRows, measure: &Measure, keep: Keep) -> Vec<Option<TestRecord>> {
    let outputs = outputs(stack, rows);
    let truth = rows.of_each_replica(&rows.truth, stack.replicas());
    let confusions = Confusion::of_replicas(&outputs, &truth, measure.decision);
    let targets_near_zero = measure.metrics.contains(&Metric::Mape).then(|| regression::targets_near_zero(&rows.truth));
    let figures: Vec<(String, Vec<f64>)> = figures(&outputs, rows, measure)
        .into_iter()
        .map(|(name, figure)| (name, Vec::try_from(figure.to_device(Device::Cpu)).expect("figures are f64")))
        .collect();
    let weights = match keep {
        Keep::Best => "best",
        Keep::Last => "last",
    };
    let of_replica = |replica: usize| TestRecord {
        weights: weights.to_owned(),
        metrics: figures.iter().map(|(name, values)| (name.clone(), Number(values[replica]))).collect(),
        confusion: confusions.as_ref().map(|confusions| confusions[replica].0.clone()),
        targets_near_zero,
    };
    (0..stack.replicas()).map(|replica| Some(of_replica(replica))).collect()
}

/// All that a tiny network has learned.
fn learned(plan: &Plan, stack: &Stack, rows: &DeviceRows, replica: usize) -> Option<Learned> {
    if plan.architecture.parameters() > TINY.0 || rows.len() > TINY.1 {
        return None;
    }
    let replica = replica as i64;
    let values = |tensor: Tensor| -> Vec<f64> {
        let tensor = tensor.detach().to_device(Device::Cpu).to_kind(tch::Kind::Double).contiguous();
        Vec::try_from(tensor.flatten(0, -1)).expect("just made f64")
    };
    let numbers = |values: Vec<f64>| values.into_iter().map(Number).collect::<Vec<_>>();
    let arena = stack.arena();
    let parameters = arena
        .slots()
        .iter()
        .map(|slot| (slot.name.clone(), numbers(values(slot.view(arena.values()).get(replica)))))
        .collect();
    let all = outputs(stack, rows).get(replica); // [rows, outputs]
    let predictions = (0..rows.len() as i64).map(|row| Prediction {
        input: numbers(values(rows.features.get(row))),
        target: numbers(values(rows.truth.get(row))),
        output: numbers(values(all.get(row))),
    });
    Some(Learned { parameters, predictions: predictions.collect() })
}
