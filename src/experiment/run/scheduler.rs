//! Trains the trials of a group (variants × folds × seeds) as stacks, and records each in a history.
//!
//! Folds whose parts have equal sizes share a stack. If the rows do not divide evenly, sizes differ by one row, so there
//! are two stacks.
//! If a stack fails, the others are still trained.

use std::collections::{BTreeSet, VecDeque};

use anyhow::{Context, anyhow};
use tch::Device;

use crate::device::fault::{Fault, catch_fault};
use crate::device::{self, memory};
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::experiment::plan::{BASE, Plan};
use crate::experiment::run::checkpointing;
use crate::experiment::run::context::RunContext;
use crate::experiment::run::error::{self, FEWER_REPLICAS};
use crate::experiment::run::grouping;
use crate::experiment::run::memory_estimate::{MemoryEstimate, Workload};
use crate::experiment::run::progress::RunProgress;
use crate::experiment::run::source_rows::Fold;
use crate::experiment::run::split_stacks::{narrowed, split_evenly};
use crate::experiment::run::stack::replica::Replica;
use crate::experiment::run::stack::run_stack;
use crate::experiment::store::history_fields;
use crate::experiment::store::run_state::RunState;
use crate::experiment::store::stack_record::{StackRecord, StackState, TrialName};
use crate::history::History;

/// Result of training several trials.
#[derive(Debug, Default)]
pub struct TrialResults {
    /// Histories of finished and interrupted trials.
    pub histories: Vec<History>,
    /// Errors of failed trials.
    pub failures: Vec<anyhow::Error>,
    /// Whether the remaining trials must not be trained: the run was stopped, or its device is lost.
    pub is_over: bool,
    /// Epoch of the checkpoint that an interrupted stack left in the run directory.
    pub checkpoint: Option<usize>,
}

/// Trains all trials of plans that can share stacks, and writes their histories and weights; in a resumed run, only the
/// unfinished trials.
///
/// If a stack does not fit into memory, smaller ones are tried, unless the user has set its size.
///
/// # Errors
/// When the run record names trials that the experiment does not have. Errors of stacks are in [`TrialResults`].
pub fn run_group(
    group: usize,
    plans: &[&Plan],
    folds: &[Fold],
    context: &RunContext,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<TrialResults> {
    let (networks, network, workload) = work_of(plans, folds, context.options.device);
    let free = memory::free(context.options.device);
    let mut ended = TrialResults::default();
    let stacks = match context.run_state.stacks(group) {
        recorded if recorded.is_empty() => plan_stacks(
            &networks,
            folds,
            context.options.stack.unwrap_or_else(|| grouping::width(network, &workload, free)),
        ),
        recorded => unfinished_stacks(&recorded, context.run_state, &mut ended.histories, watch)
            .iter()
            .map(|stack| find_replicas(stack, &networks, folds))
            .collect::<Result<_, _>>()?,
    };
    let mut waiting = VecDeque::from(stacks);
    context.run_state.set_waiting(group, waiting.iter().map(|stack| trial_names(stack, folds)).collect());
    while !ended.is_over
        && let Some(replicas) = waiting.pop_front()
    {
        if context.options.signals.is_stopped() {
            ended.is_over = true;
            break;
        }
        let trials = trial_names(&replicas, folds);
        let outcome = catch_fault(|| run_stack(&replicas, &trials, folds, context, &mut *watch));
        let error = match outcome {
            Ok(Ok(histories)) => {
                ended.is_over = histories.iter().any(|history| history.status.is_unfinished());
                ended.histories.extend(histories);
                if !ended.is_over {
                    context.run_state.mark_done(group, &trials, ["json", "safetensors"]);
                    context.folder.remove(checkpointing::FILE); // this stack is done
                }
                continue;
            }
            Err(fault) if fault.is_out_of_memory() && context.options.narrows && replicas.len() > 1 => {
                let half = replicas.len() / 2;
                watch.note(&format!(
                    "{fault}; continuing with at most {half} replicas in a stack instead of {}",
                    replicas.len()
                ));
                waiting.push_front(replicas);
                waiting = narrowed(waiting, half);
                context.run_state.set_waiting(group, waiting.iter().map(|stack| trial_names(stack, folds)).collect());
                continue;
            }
            Err(fault) => {
                let fitting = grouping::width_after_out_of_memory(network, &workload, free, replicas.len());
                ended.is_over = matches!(fault, Fault::DeviceLost(_));
                let less = fitting.map(|width| format!("{FEWER_REPLICAS} `--stack {width}`"));
                error::into_run_error(fault, &describe_failure(&replicas, context.options.device), less)
            }
            Ok(Err(error)) => match error.is::<crate::config::hint::Hint>() {
                true => error,
                false => error.context(describe_failure(&replicas, context.options.device)),
            },
        };
        context.run_state.mark_failed(group, &trials, &error);
        ended.failures.push(error);
    }
    Ok(ended)
}

/// Returns the trials of each stack of a group, as [`run_group`] trains them if `free` bytes of memory are free.
pub(in crate::experiment) fn planned_stacks(
    plans: &[&Plan],
    folds: &[Fold],
    stack: Option<usize>,
    device: Device,
    free: u64,
) -> Vec<Vec<TrialName>> {
    let (networks, network, workload) = work_of(plans, folds, device);
    let width = stack.unwrap_or_else(|| grouping::width(network, &workload, free));
    plan_stacks(&networks, folds, width).iter().map(|replicas| trial_names(replicas, folds)).collect()
}

/// Returns the number of replicas of each stack of these plans, and the estimated memory of the largest one in bytes.
pub(in crate::experiment) fn stack_sizes(
    plans: &[&Plan],
    folds: &[Fold],
    stack: Option<usize>,
    device: Device,
) -> (Vec<usize>, u128) {
    let (networks, network, workload) = work_of(plans, folds, device);
    let width = stack.unwrap_or_else(|| grouping::width(network, &workload, memory::free(device)));
    let sizes: Vec<usize> = plan_stacks(&networks, folds, width).iter().map(Vec::len).collect();
    let largest = sizes.iter().copied().max().unwrap_or(0);
    (sizes, MemoryEstimate::new(network, &workload).bytes(largest))
}

/// Returns the plans with their networks, the network that needs the most memory, and the size of the work of a stack with these
/// folds. Optimizers with a momentum need more memory.
fn work_of<'a>(
    plans: &[&'a Plan],
    folds: &[Fold],
    device: Device,
) -> (Vec<(&'a Plan, &'a NetworkPlan)>, &'a NetworkPlan, Workload) {
    let networks: Vec<(&Plan, &NetworkPlan)> = plans.iter().filter_map(|plan| Some((*plan, plan.network()?))).collect();
    let memory = |(_, network): &&(&Plan, &NetworkPlan)| network.train.starting_optimizer().memory().0;
    let (_, largest) = *networks.iter().max_by_key(memory).expect("a group has a plan with a network");
    let first = &folds[0].1;
    let weighted = first.training.rows().weights.is_some();
    (networks, largest, Workload { rows: history_fields::rows(first), weighted, folds: folds.len(), device })
}

/// Returns the unfinished stacks, and reads the histories of the finished ones into `histories`.
pub(crate) fn unfinished_stacks(
    recorded: &[StackRecord],
    run_state: &RunState,
    histories: &mut Vec<History>,
    watch: &mut dyn RunProgress,
) -> Vec<StackRecord> {
    let mut unfinished_stacks = Vec::new();
    for stack in recorded {
        match (stack.state == StackState::Done).then(|| run_state.histories(stack)) {
            Some(Ok(done)) => {
                histories.extend(done);
                continue;
            }
            Some(Err(why)) => watch.note(&format!("{why}; its stack is trained again")),
            None => {}
        }
        unfinished_stacks.push(stack.clone());
    }
    unfinished_stacks
}

/// Puts trials into stacks of at most `width` replicas; folds with parts of the same sizes can be together.
fn plan_stacks<'a>(plans: &[(&'a Plan, &'a NetworkPlan)], folds: &[Fold], width: usize) -> Vec<Vec<Replica<'a>>> {
    let sizes = |fold_index: usize| {
        let data = &folds[fold_index].1;
        (data.training.rows().len(), data.validation.as_ref().map(|rows| rows.rows().len()))
    };
    let mut alike: Vec<Vec<usize>> = Vec::new();
    for fold_index in 0..folds.len() {
        match alike.iter_mut().find(|indices| sizes(indices[0]) == sizes(fold_index)) {
            Some(indices) => indices.push(fold_index),
            None => alike.push(vec![fold_index]),
        }
    }
    let mut stacks: Vec<Vec<Replica>> = Vec::new();
    for indices in alike {
        let in_order = plans.iter().flat_map(|&(plan, network)| {
            let trials =
                indices.iter().flat_map(move |&fold_index| plan.spec.seeds.iter().map(move |&seed| (fold_index, seed)));
            trials.map(move |(fold_index, seed)| Replica { plan, network, fold_index, seed })
        });
        stacks.extend(split_evenly(in_order.collect(), width));
    }
    stacks
}

/// Returns the names of the trials of a stack.
fn trial_names(replicas: &[Replica], folds: &[Fold]) -> Vec<TrialName> {
    let name = |replica: &Replica| TrialName {
        variant: replica.plan.variant.clone(),
        fold: folds[replica.fold_index].0,
        seed: replica.seed,
    };
    replicas.iter().map(name).collect()
}

/// Returns the replicas of a recorded stack.
fn find_replicas<'a>(
    stack: &StackRecord,
    plans: &[(&'a Plan, &'a NetworkPlan)],
    folds: &[Fold],
) -> anyhow::Result<Vec<Replica<'a>>> {
    let replica = |trial: &TrialName| {
        let (plan, network) = *plans.iter().find(|(plan, _)| plan.variant == trial.variant)?;
        let fold_index = folds.iter().position(|(fold, _)| *fold == trial.fold)?;
        plan.spec.seeds.contains(&trial.seed).then_some(Replica { plan, network, fold_index, seed: trial.seed })
    };
    let unknown = |trial: &TrialName| {
        anyhow!("there is no trial `{}` in the experiment", trial.stem()).context("the run record is damaged")
    };
    let replicas = stack.trials.iter().map(|trial| replica(trial).ok_or_else(|| unknown(trial)));
    let replicas = replicas.collect::<anyhow::Result<Vec<_>>>()?;
    replicas.first().context("the run record is damaged: it has a stack without trials")?;
    Ok(replicas)
}

/// Describes a failed stack: what was trained, and on what device.
fn describe_failure(replicas: &[Replica], device: Device) -> String {
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
