//! The trials of one stack: trained in step, tested, and each recorded in a history of its own.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Context;
use indexmap::IndexMap;
use tch::{Device, Tensor};

use crate::config::hint::Hint;
use crate::data::prepare::batches::DeviceRows;
use crate::data::prepare::prepared::Prepared;
use crate::data::store::checksum::sha256;
use crate::data::{Rows, Test, Validation};
use crate::experiment::plan::Plan;
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::experiment::run::baselines::Constant;
use crate::experiment::run::checkpointing::stack_keeper::StackKeeper;
use crate::experiment::run::checkpointing::{FILE, Found};
use crate::experiment::run::place::Place;
use crate::experiment::run::source_rows::Fold;
use crate::experiment::run::test_metrics::{choices, measure, tested};
use crate::experiment::run::watch::{StackInfo, Watch};
use crate::experiment::store::history_fields;
use crate::experiment::store::stack_record::TrialName;
use crate::history::baseline::{Baselines, caution};
use crate::history::diagnosis::diagnose;
use crate::history::number::Number;
use crate::history::{Best, History, Learned, Prediction, SCHEMA, Status};
use crate::network::stack::{Architecture, Stack};
use crate::network::state_dict;
use crate::train::evaluate::{on_device, outputs};
use crate::train::fit::fit;
use crate::train::optimizer::Optimizer;
use crate::train::report::Outcome;
use crate::train::task::Task;

/// One replica of a stack.
pub(crate) struct Replica<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) network: &'a NetworkPlan,
    /// Which of the folds it has.
    pub(crate) place: usize,
    pub(crate) seed: i64,
}

/// Trains one stack, from its checkpoint where there is one. `trials` are the replicas by name.
pub(crate) fn run_stack(
    replicas: &[Replica],
    trials: &[TrialName],
    folds: &[Fold],
    place: &Place,
    watch: &mut dyn Watch,
) -> anyhow::Result<Vec<History>> {
    let found = place.found.borrow_mut().take_if(|found| found.is_of(trials));
    let seconds_before = found.as_ref().map_or(0.0, Found::seconds);
    let clock = Instant::now();
    let plans: Vec<&Plan> = {
        let mut plans: Vec<&Plan> = replicas.iter().map(|replica| replica.plan).collect();
        plans.dedup_by(|a, b| a.variant == b.variant);
        plans
    };
    let (plan, network) = (plans[0], replicas[0].network); // what is not its own in each replica, they share
    let train = &network.train;
    let (loss, target, width) = (&train.loss, plan.card.target, network.outputs());
    let seeds: Vec<i64> = replicas.iter().map(|replica| replica.seed).collect();
    let used: BTreeSet<usize> = replicas.iter().map(|replica| replica.place).collect();
    let parts: Vec<&Prepared> = used.iter().map(|&place| &folds[place].1).collect();
    let place_in_parts = |replica: &Replica| used.range(..replica.place).count();
    let places: Vec<usize> = replicas.iter().map(place_in_parts).collect();
    let together = |rows: Vec<DeviceRows>| DeviceRows::of_folds(rows, &places);
    let on_device = |rows: &Rows| on_device(rows, loss, width, place.device);

    let training = together(parts.iter().map(|data| on_device(data.training.rows())).collect());
    let validation: Option<Vec<DeviceRows>> =
        parts.iter().map(|data| data.validation.as_ref().map(|rows| on_device(rows.rows()))).collect();
    let validation = validation.map(together);
    let first = parts[0];
    let data = history_fields::data(plan, first);
    let info = StackInfo {
        replicas: replicas.len(),
        seeds: seeds.iter().copied().collect::<BTreeSet<i64>>().into_iter().collect(),
        variants: replicas
            .iter()
            .map(|replica| plans.iter().position(|plan| plan.variant == replica.plan.variant).unwrap_or_default())
            .collect(),
        folds: folds[0].0.map(|_| used.len()),
        rows: data.rows,
        resampled: data.resample.clone(),
        positive: data.positive.clone(),
        device: place.device,
        threads: place.threads,
    };
    watch.starting(&plans, &info);

    let architectures: Vec<&Architecture> = replicas.iter().map(|replica| &replica.network.architecture).collect();
    let stack = Architecture::build_each(&architectures, &seeds, place.device);
    let optimizers: Vec<&Optimizer> = replicas.iter().map(|replica| &replica.network.train.optimizer).collect();
    let positive = data.positive_index();
    let measure = measure(network, target, &training.of_each_replica(&training.truth, replicas.len()), positive);
    let task = Task {
        settings: train,
        measure: &measure,
        monitor: train.monitored(plan.has_validation(), target),
        seeds: &seeds,
        optimizers: &optimizers,
        training: &training,
        validation: validation.as_ref(),
        layers: &network.spec.layers,
        device: place.device,
        threads: place.threads,
    };
    let environment = history_fields::environment(place.device, place.threads, replicas.len());
    let settings = settings(replicas, folds)?;
    let hint =
        || format!("without it its trials are trained from the start: `rm '{}'`", place.folder.file(FILE).display());
    let outcomes = found
        .as_ref()
        .map_or(Ok(()), |found| {
            let is_earlier =
                || settings_of_earlier_versions(replicas, folds).flatten().any(|s| found.check(&s).is_ok());
            found.check(&settings).or_else(|error| if is_earlier() { Ok(()) } else { Err(error) })
        })
        .and_then(|()| {
            let environment = environment.clone();
            let mut keeper = StackKeeper::new(place, trials, settings, environment, found);
            fit(&stack, &task, &place.requests.stop, &mut keeper, &mut *watch)
        });
    let outcomes = outcomes.context("the checkpoint is not one of this run").with_context(|| Hint(hint()))?;

    let targets = training.of_each_replica(&training.targets, replicas.len());
    let row_weights = training.weights.as_ref().map(|weights| training.of_each_replica(weights, replicas.len()));
    let constant_losses = measure.loss.of_constant_prediction(&targets, width, row_weights.as_ref());
    let interrupted = outcomes.iter().any(|outcome| outcome.status == Status::Interrupted);
    let truth = training.of_each_replica(&training.truth, replicas.len());
    let constant = Constant { target, measure: &measure, training: &truth, outputs: width };
    let none = || vec![None; replicas.len()];
    let of_validation = validation.as_ref().map_or_else(none, |rows| constant.on(rows));
    let mut of_test = none();
    let tests: Option<Vec<Test>> = parts.iter().map(|data| data.test.as_ref().map(Test::for_a_stack)).collect();
    let tests = match tests.filter(|_| !interrupted) {
        Some(tests) => {
            let validated = validation.as_ref().filter(|_| plan.spec.threshold.is_some());
            let validated = validated.map(|rows| outputs(&stack, rows));
            let validations: Vec<Option<&Validation>> =
                replicas.iter().map(|replica| folds[replica.place].1.validation.as_ref()).collect();
            let choices = choices(plan, validated.as_ref(), &validations, positive);
            let rows = together(tests.into_iter().map(|test| on_device(&test.open())).collect());
            of_test = constant.on(&rows);
            tested(&stack, &rows, &measure, train.keep, &choices).into_iter().map(Some).collect()
        }
        None => vec![None; replicas.len()],
    };
    let seconds = seconds_before + clock.elapsed().as_secs_f64();
    let mut histories = Vec::with_capacity(replicas.len());
    for (number, (replica, (outcome, test))) in replicas.iter().zip(outcomes.into_iter().zip(tests)).enumerate() {
        let plan = replica.plan;
        let mut history = History {
            schema: SCHEMA.to_owned(),
            experiment: plan.name.clone(),
            variant: plan.variant.clone(),
            seed: replica.seed,
            fold: folds[replica.place].0,
            status: outcome.status,
            started: history_fields::started(place.started)?,
            seconds,
            environment: environment.clone(),
            data: history_fields::data(plan, &folds[replica.place].1),
            network: Some(replica.network.record()),
            tree: None,
            config: serde_json::to_value(&plan.spec).context("failed to lay out the settings")?,
            asked: plan.asked.clone(),
            best: best(replica, &outcome),
            diagnosis: diagnose(&outcome.curves, constant_losses[number]),
            history: outcome.curves,
            test: test.filter(|_| outcome.status != Status::Diverged),
            baselines: None,
            learned: learned(replica, &stack, &training, number),
            expectations: Vec::new(), // verified when the whole study is there
            theirs: Vec::new(),
        };
        let mut baselines =
            Baselines { validation: of_validation[number].clone(), test: of_test[number].clone(), caution: None };
        baselines.caution = caution(&history, &baselines)
            .filter(|_| matches!(outcome.status, Status::Completed | Status::EarlyStopped));
        history.baselines = Some(baselines).filter(|baselines| !baselines.is_empty());
        let weights = state_dict::file_of(&stack, number)?;
        place.folder.write_with(&format!("{}.safetensors", history.stem()), &|file| weights.write_to(file));
        place.folder.write(&format!("{}.json", history.stem()), history.to_json()?.as_bytes());
        histories.push(history);
    }
    Ok(histories)
}

/// SHA-256 over the settings of each trial and over its data, wherever the files of these lie.
fn settings(replicas: &[Replica], folds: &[Fold]) -> anyhow::Result<String> {
    settings_with(replicas, folds, |path| path.clear())
}

/// The same as earlier versions took it: over the paths of data files as the experiment wrote them, relative to a folder
/// that is not known here, so one for each folder that they may have been relative to.
fn settings_of_earlier_versions<'a>(
    replicas: &'a [Replica],
    folds: &'a [Fold],
) -> impl Iterator<Item = anyhow::Result<String>> + 'a {
    let mut data = replicas[0].plan.spec.data.clone();
    let path = data.paths_mut().into_iter().next().map(|(_, path)| path.clone()).unwrap_or_default();
    let ends: Vec<usize> =
        path.char_indices().filter(|(_, c)| std::path::is_separator(*c)).map(|(at, _)| at + 1).collect();
    std::iter::once(0).chain(ends).map(move |end| {
        settings_with(replicas, folds, |written| {
            if let Some(relative) = written.strip_prefix(&path[..end]) {
                *written = relative.to_owned();
            }
        })
    })
}

/// SHA-256 over the settings of each trial, with the paths of its data files changed, and over its data.
fn settings_with(replicas: &[Replica], folds: &[Fold], change: impl Fn(&mut String)) -> anyhow::Result<String> {
    let of_each = replicas.iter().map(|replica| {
        let mut written = replica.plan.spec.clone();
        written.data.paths_mut().into_iter().for_each(|(_, path)| change(path));
        let mut spec = serde_json::to_value(&written)?;
        if replica.plan.is_before_momentum_cycles() {
            // its checkpoints are of a version that had none of these settings
            let one_cycle = spec.pointer_mut("/train/schedule/one_cycle").and_then(serde_json::Value::as_object_mut);
            one_cycle.into_iter().for_each(|settings| settings.retain(|key, _| !key.ends_with("_momentum")));
        }
        Ok((spec, &folds[replica.place].1.sha256))
    });
    let written = of_each.collect::<Result<Vec<_>, serde_json::Error>>().and_then(|each| serde_json::to_vec(&each));
    Ok(sha256(&written.context("failed to lay out the settings")?))
}

fn best(Replica { plan, network, .. }: &Replica, outcome: &Outcome) -> Option<Best> {
    let epoch = outcome.best_epoch?;
    let (monitor, _) = network.train.monitored(plan.has_validation(), plan.card.target);
    let metrics: IndexMap<String, Number> = outcome
        .curves
        .series
        .keys()
        .filter(|name| !matches!(name.as_str(), "lr" | "seconds"))
        .filter_map(|name| Some((name.clone(), Number(outcome.curves.at(epoch, name)?))))
        .collect();
    Some(Best { epoch, monitor: monitor.to_owned(), metrics })
}

/// All that a tiny network has learned.
fn learned(replica: &Replica, stack: &Stack, rows: &DeviceRows, number: usize) -> Option<Learned> {
    let is_resampled = replica.plan.spec.resample.is_some();
    if !replica.network.is_tiny(rows.len()) || rows.chosen.is_some() || is_resampled {
        return None;
    }
    let replica = number as i64;
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
