//! Trials: variants × folds × seeds, trained as stacks, each recorded in a history.
//!
//! Folds whose parts have the same sizes ride one stack together; where the rows do not divide evenly there are two. A
//! stack that fails is told, and the others go on.

use std::collections::BTreeSet;

use anyhow::{Context, anyhow};
use tch::Device;

use crate::config::hint::in_a_line;
use crate::device::fault::{Fault, guarded};
use crate::device::{self, memory};
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::experiment::plan::{BASE, Plan};
use crate::experiment::run::checkpointing;
use crate::experiment::run::error::{self, Work};
use crate::experiment::run::footprint::Load;
use crate::experiment::run::grouping;
use crate::experiment::run::place::Place;
use crate::experiment::run::source_rows::Fold;
use crate::experiment::run::stack::{Replica, run_stack};
use crate::experiment::run::stack_queue::{StackQueue, parted};
use crate::experiment::run::watch::Watch;
use crate::experiment::store::history_fields;
use crate::experiment::store::run_state::RunState;
use crate::experiment::store::stack_record::{StackRecord, StackState, TrialName};
use crate::history::{History, Status};

/// What has become of trials.
#[derive(Debug, Default)]
pub struct Ended {
    /// The history of each one that has ended, or was interrupted.
    pub histories: Vec<History>,
    /// Why others have failed.
    pub failures: Vec<anyhow::Error>,
    /// Whether those that are left are not to be trained: the run was stopped, or its device is lost.
    pub is_over: bool,
    /// The epoch of the checkpoint that an interrupted stack has left in the run's folder.
    pub checkpoint: Option<usize>,
}

/// Runs all trials of plans that can share stacks, and writes each one's history and weights; of a run that goes on,
/// those that are not done.
///
/// Where memory does not suffice for a stack whose width was found here, narrower ones are tried.
///
/// # Errors
/// When the run's record names trials that the experiment does not have. What a stack fails in is told in [`Ended`].
pub fn run_group(
    group: usize,
    plans: &[&Plan],
    folds: &[Fold],
    place: &Place,
    watch: &mut dyn Watch,
) -> anyhow::Result<Ended> {
    let networks: Vec<(&Plan, &NetworkPlan)> = plans.iter().filter_map(|plan| Some((*plan, plan.network()?))).collect();
    let network = networks[0].1;
    let first = &folds[0].1;
    let weighted = first.training.rows().weights.is_some();
    let load = Load { rows: history_fields::rows(first), weighted, folds: folds.len(), device: place.device };
    let free = memory::free(place.device);
    let mut ended = Ended::default();
    let stacks = match place.ledger.stacks(group) {
        recorded if recorded.is_empty() => {
            stacks(&networks, folds, place.stack.unwrap_or_else(|| grouping::width(network, &load, free)))
        }
        recorded => left(&recorded, place.ledger, &mut ended.histories, watch)
            .iter()
            .map(|stack| replicas_of(stack, &networks, folds))
            .collect::<Result<_, _>>()?,
    };
    let mut waiting = StackQueue::new(stacks);
    place.ledger.plan(group, waiting.all().map(|stack| names(stack, folds)).collect());
    while let Some(replicas) = waiting.pop() {
        if place.requests.is_stopped() {
            ended.is_over = true;
            break;
        }
        let trials = names(&replicas, folds);
        let outcome = guarded(|| run_stack(&replicas, &trials, folds, place, &mut *watch));
        let error = match outcome {
            Ok(Ok(histories)) => {
                let interrupted = histories.iter().any(|history| history.status == Status::Interrupted);
                ended.histories.extend(histories);
                if interrupted {
                    ended.is_over = true;
                    break;
                }
                place.ledger.end(group, &trials, ["json", "safetensors"]);
                let _ = std::fs::remove_file(place.folder.file(checkpointing::FILE)); // one of this stack; it would be passed over
                continue;
            }
            Err(fault) if fault.is_of_memory() && place.stack.is_none() && replicas.len() > 1 => {
                let half = replicas.len() / 2;
                watch.note(&format!("{fault}; going on with at most {half} in a stack, not {}", replicas.len()));
                waiting.narrow(replicas, half);
                place.ledger.plan(group, waiting.all().map(|stack| names(stack, folds)).collect());
                continue;
            }
            Err(fault) => {
                let fitting = grouping::narrower(network, &load, free, replicas.len());
                ended.is_over = matches!(fault, Fault::DeviceLost(_));
                error::told(fault, &what_failed(&replicas, place.device), Work::Stack(fitting))
            }
            Ok(Err(error)) => match error.is::<crate::config::hint::Hint>() {
                true => error,
                false => error.context(what_failed(&replicas, place.device)),
            },
        };
        place.ledger.set(group, &trials, StackState::Failed, Some(in_a_line(&error)));
        place.ledger.write();
        ended.failures.push(error);
        if ended.is_over {
            break;
        }
    }
    Ok(ended)
}

/// The stacks that are not done; of those that are, the histories are read.
pub(crate) fn left(
    recorded: &[StackRecord],
    ledger: &RunState,
    histories: &mut Vec<History>,
    watch: &mut dyn Watch,
) -> Vec<StackRecord> {
    let mut left = Vec::new();
    for stack in recorded {
        match (stack.state == StackState::Done).then(|| ledger.histories(stack)) {
            Some(Ok(done)) => {
                histories.extend(done);
                continue;
            }
            Some(Err(why)) => watch.note(&format!("{why}; its stack is trained again")),
            None => {}
        }
        left.push(stack.clone());
    }
    left
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

/// The trials of a stack by name.
fn names(replicas: &[Replica], folds: &[Fold]) -> Vec<TrialName> {
    let name = |replica: &Replica| TrialName {
        variant: replica.plan.variant.clone(),
        fold: folds[replica.place].0,
        seed: replica.seed,
    };
    replicas.iter().map(name).collect()
}

/// The trials of a stack by its record.
fn replicas_of<'a>(
    stack: &StackRecord,
    plans: &[(&'a Plan, &'a NetworkPlan)],
    folds: &[Fold],
) -> anyhow::Result<Vec<Replica<'a>>> {
    let replica = |trial: &TrialName| {
        let (plan, network) = *plans.iter().find(|(plan, _)| plan.variant == trial.variant)?;
        let place = folds.iter().position(|(fold, _)| *fold == trial.fold)?;
        plan.spec.seeds.contains(&trial.seed).then_some(Replica { plan, network, place, seed: trial.seed })
    };
    let unknown = |trial: &TrialName| {
        anyhow!("there is no trial `{}` in the experiment", trial.stem()).context("the run's record is damaged")
    };
    let replicas = stack.trials.iter().map(|trial| replica(trial).ok_or_else(|| unknown(trial)));
    let replicas = replicas.collect::<anyhow::Result<Vec<_>>>()?;
    replicas.first().context("the run's record is damaged: it has a stack without trials")?;
    Ok(replicas)
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
