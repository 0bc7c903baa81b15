//! Trials: variants × folds × seeds, trained as stacks, each recorded in a history.
//!
//! Folds whose parts have the same sizes ride one stack together; where the rows do not divide evenly there are two.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Context;
use indexmap::IndexMap;
use tch::{Device, Tensor};
use time::OffsetDateTime;

use crate::data::batches::DeviceRows;
use crate::data::prepared::Prepared;
use crate::data::{Rows, Test, Validation};
use crate::device::fault::guarded;
use crate::device::{self, memory};
use crate::experiment::failure;
use crate::experiment::footprint::Load;
use crate::experiment::network_plan::NetworkPlan;
use crate::experiment::plan::{BASE, Plan};
use crate::experiment::queue::{Queue, parted};
use crate::experiment::records;
use crate::experiment::run::{StackInfo, Watch};
use crate::experiment::stacking;
use crate::experiment::testing::{choices, measure, tested};
use crate::history::diagnosis::diagnose;
use crate::history::number::Number;
use crate::history::{Best, History, Learned, Prediction, SCHEMA, Status};
use crate::network::stack::{Architecture, Stack};
use crate::network::state_dict;
use crate::run_dir::RunDir;
use crate::train::evaluate::{on_device, outputs};
use crate::train::fit::{Outcome, Task, fit};
use crate::train::optimizer::Optimizer;

/// Where trials run, and where they are written.
#[derive(Debug)]
pub struct Place<'a> {
    /// The run's folder.
    pub folder: &'a RunDir,
    /// Where tensors live.
    pub device: Device,
    /// The most CPU threads that a stack may use.
    pub threads: usize,
    /// The most replicas of a stack; `None` where it is to be found.
    pub stack: Option<usize>,
    /// When the run started.
    pub started: OffsetDateTime,
}

/// Runs all trials of plans that can share stacks, and writes each one's history and weights.
///
/// Where memory does not suffice for a stack whose width was found here, narrower ones are tried.
///
/// # Errors
/// When a file cannot be written, memory does not suffice, or the device fails.
pub fn run_group(
    plans: &[&Plan],
    folds: &[Fold],
    place: &Place,
    stop: &AtomicBool,
    watch: &mut dyn Watch,
) -> anyhow::Result<Vec<History>> {
    let networks: Vec<(&Plan, &NetworkPlan)> = plans.iter().filter_map(|plan| Some((*plan, plan.network()?))).collect();
    let network = networks[0].1;
    let first = &folds[0].1;
    let weighted = first.training.rows().weights.is_some();
    let load = Load { rows: records::rows(first), weighted, folds: folds.len(), device: place.device };
    let free = memory::free(place.device);
    let width = place.stack.unwrap_or_else(|| stacking::width(network, &load, free));
    let mut waiting = Queue::new(stacks(&networks, folds, width));
    let mut histories = Vec::new();
    while let Some(replicas) = waiting.pop() {
        let outcome = guarded(|| run_stack(&replicas, folds, place, stop, &mut *watch));
        let stack_histories = match outcome {
            Ok(outcome) => outcome?,
            Err(fault) if fault.is_of_memory() && place.stack.is_none() && replicas.len() > 1 => {
                let half = replicas.len() / 2;
                watch.note(&format!("{fault}; going on with at most {half} in a stack, not {}", replicas.len()));
                waiting.narrow(replicas, half);
                continue;
            }
            Err(fault) => {
                let fitting = stacking::narrower(network, &load, free, replicas.len());
                return Err(failure::told(fault, &what_failed(&replicas, place.device), fitting));
            }
        };
        let interrupted = stack_histories.iter().any(|history| history.status == Status::Interrupted);
        histories.extend(stack_histories);
        if interrupted {
            break;
        }
    }
    histories.sort_by_key(|history| history.fold);
    Ok(histories)
}

/// Data for one fold, with the fold's number, or for a lone split.
pub type Fold = (Option<usize>, Prepared);

/// One replica of a stack.
struct Replica<'a> {
    plan: &'a Plan,
    network: &'a NetworkPlan,
    /// Which of the folds it has.
    place: usize,
    seed: i64,
}

/// The trials, in stacks of at most `width`; folds whose parts have the same sizes can be together.
fn stacks<'a>(plans: &[(&'a Plan, &'a NetworkPlan)], folds: &[Fold], width: usize) -> Vec<Vec<Replica<'a>>> {
    let sizes = |place: usize| {
        let data = &folds[place].1;
        (data.training.rows().len(), data.validation.as_ref().map(|rows| rows.rows().len()))
    };
    let mut alike: Vec<Vec<usize>> = Vec::new();
    for place in 0..folds.len() {
        match alike.iter_mut().find(|places| sizes(places[0]) == sizes(place)) {
            Some(places) => places.push(place),
            None => alike.push(vec![place]),
        }
    }
    let mut stacks: Vec<Vec<Replica>> = Vec::new();
    for places in alike {
        let in_order = plans.iter().flat_map(|&(plan, network)| {
            let trials = places.iter().flat_map(move |&place| plan.spec.seeds.iter().map(move |&seed| (place, seed)));
            trials.map(move |(place, seed)| Replica { plan, network, place, seed })
        });
        stacks.extend(parted(in_order.collect(), width));
    }
    stacks
}

/// What was being done when a stack failed.
fn what_failed(replicas: &[Replica], device: Device) -> String {
    let name = &replicas[0].plan.name;
    let variants: BTreeSet<&str> = replicas.iter().map(|replica| replica.plan.variant.as_str()).collect();
    let seeds: BTreeSet<i64> = replicas.iter().map(|replica| replica.seed).collect();
    let listed = |what: &str, all: Vec<String>| match &all[..] {
        [one] => format!("{what} {one}"),
        [first, .., last] if all.len() > 4 => format!("{} {what}s from {first} to {last}", all.len()),
        all => format!("{what}s {}", all.join(", ")),
    };
    let variants = match variants.into_iter().map(str::to_owned).collect::<Vec<_>>() {
        only_the_base if only_the_base == [BASE] => String::new(),
        variants => format!(", {}", listed("variant", variants)),
    };
    let listed_seeds = listed("seed", seeds.iter().map(ToString::to_string).collect());
    let stack = match replicas.len() {
        1 => String::new(),
        all if all == seeds.len() => " in one stack".to_owned(),
        all => format!(", {all} replicas in one stack"),
    };
    format!("failed to train `{name}`{variants}, {listed_seeds}{stack}, on {}", device::name(device))
}

/// Trains one stack.
fn run_stack(
    replicas: &[Replica],
    folds: &[Fold],
    place: &Place,
    stop: &AtomicBool,
    watch: &mut dyn Watch,
) -> anyhow::Result<Vec<History>> {
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
    let data = records::data(plan, first);
    let info = StackInfo {
        replicas: replicas.len(),
        seeds: seeds.iter().copied().collect::<BTreeSet<i64>>().into_iter().collect(),
        folds: folds[0].0.map(|_| used.len()),
        rows: data.rows,
        resampled: data.resample.clone(),
        device: place.device,
        threads: place.threads,
    };
    watch.starting(&plans, &info);

    let architectures: Vec<&Architecture> = replicas.iter().map(|replica| &replica.network.architecture).collect();
    let stack = Architecture::build_each(&architectures, &seeds, place.device);
    let optimizers: Vec<&Optimizer> = replicas.iter().map(|replica| &replica.network.train.optimizer).collect();
    let measure = measure(network, target, &training.of_each_replica(&training.truth, replicas.len()));
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
    let outcomes = fit(&stack, &task, stop, &mut *watch);

    let targets = training.of_each_replica(&training.targets, replicas.len());
    let row_weights = training.weights.as_ref().map(|weights| training.of_each_replica(weights, replicas.len()));
    let constant_losses = measure.loss.of_constant_prediction(&targets, width, row_weights.as_ref());
    let interrupted = outcomes.iter().any(|outcome| outcome.status == Status::Interrupted);
    let tests: Option<Vec<Test>> = parts.iter().map(|data| data.test.as_ref().map(Test::for_a_stack)).collect();
    let tests = match tests.filter(|_| !interrupted) {
        Some(tests) => {
            let of_validation = validation.as_ref().filter(|_| plan.spec.threshold.is_some());
            let of_validation = of_validation.map(|rows| outputs(&stack, rows));
            let validations: Vec<Option<&Validation>> =
                replicas.iter().map(|replica| folds[replica.place].1.validation.as_ref()).collect();
            let choices = choices(plan, of_validation.as_ref(), &validations);
            let rows = together(tests.into_iter().map(|test| on_device(&test.open())).collect());
            tested(&stack, &rows, &measure, train.keep, &choices).into_iter().map(Some).collect()
        }
        None => vec![None; replicas.len()],
    };
    let seconds = clock.elapsed().as_secs_f64();
    let mut histories = Vec::with_capacity(replicas.len());
    for (number, (replica, (outcome, test))) in replicas.iter().zip(outcomes.into_iter().zip(tests)).enumerate() {
        let plan = replica.plan;
        let history = History {
            schema: SCHEMA.to_owned(),
            experiment: plan.name.clone(),
            variant: plan.variant.clone(),
            seed: replica.seed,
            fold: folds[replica.place].0,
            status: outcome.status,
            started: records::started(place.started)?,
            seconds,
            environment: records::environment(place.device, place.threads, replicas.len()),
            data: records::data(plan, &folds[replica.place].1),
            network: Some(replica.network.record()),
            tree: None,
            config: serde_json::to_value(&plan.spec).context("failed to lay out the settings")?,
            asked: plan.asked.clone(),
            best: best(replica, &outcome),
            diagnosis: diagnose(&outcome.curves, constant_losses[number]),
            history: outcome.curves,
            test: test.filter(|_| outcome.status != Status::Diverged),
            learned: learned(replica, &stack, &training, number),
            expectations: Vec::new(), // verified when the whole study is there
            theirs: Vec::new(),
        };
        state_dict::save(&stack, number, &place.folder.file(&format!("{}.safetensors", history.stem())))?;
        history.write(&place.folder.file(&format!("{}.json", history.stem())))?;
        histories.push(history);
    }
    Ok(histories)
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
