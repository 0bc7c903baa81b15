//! Trains the trials of one stack in step, tests them, and records each in a history.

pub(super) mod replica;
mod rungs;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use indexmap::IndexMap;
use tch::{Device, Tensor};

use crate::config::hint::{Hint, in_a_line};
use crate::data::prepare::batches::DeviceRows;
use crate::data::prepare::prepared::Prepared;
use crate::data::{Rows, Test, Validation};
use crate::experiment::plan::Plan;
use crate::experiment::run::baselines;
use crate::experiment::run::checkpointing::checkpoint_writer::StackKeeper;
use crate::experiment::run::checkpointing::{FILE, HashedTrial, RunCheckpoint, final_file, settings_hash};
use crate::experiment::run::context::RunContext;
use crate::experiment::run::progress::{RunProgress, StackInfo};
use crate::experiment::run::source_rows::Fold;
use crate::experiment::run::stack::replica::Replica;
use crate::experiment::run::stack::rungs::WholeStack;
use crate::experiment::run::test_metrics::{choose_thresholds, measure, test_records};
use crate::experiment::store::stack_record::TrialName;
use crate::experiment::store::{history_fields, pretrained};
use crate::history::diagnosis::diagnose;
use crate::history::number::Number;
use crate::history::{Best, History, Learned, Prediction, Status};
use crate::network::stack::{Architecture, Stack};
use crate::network::state_dict;
use crate::train::TrainSpec;
use crate::train::callback::ReplicaResult;
use crate::train::evaluate::{on_device, outputs};
use crate::train::fit::fit;
use crate::train::task::Task;

/// Trains one stack, from its checkpoint if there is one. `trials` are the names of the replicas.
pub(crate) fn run_stack(
    replicas: &[Replica],
    trials: &[TrialName],
    folds: &[Fold],
    context: &RunContext,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<Vec<History>> {
    let (checkpoint, file) = match context.resume_from.borrow_mut().take_if(|checkpoint| checkpoint.is_of(trials)) {
        None if context.run_state.record().continued_from.is_some() => {
            (RunCheckpoint::read_final(context.folder.path(), trials)?, final_file(trials))
        }
        found => (found, FILE.to_owned()),
    };
    let seconds_before = checkpoint.as_ref().map_or(0.0, RunCheckpoint::seconds);
    let clock = Instant::now();
    let plans: Vec<&Plan> = {
        let mut plans: Vec<&Plan> = replicas.iter().map(|replica| replica.plan).collect();
        plans.dedup_by(|a, b| a.variant == b.variant);
        plans
    };
    let (plan, network) = (plans[0], replicas[0].network); // all other settings are the same in all replicas
    let train = &network.train;
    let (loss, target, width) = (&train.loss, plan.info.target, network.outputs());
    let seeds: Vec<i64> = replicas.iter().map(|replica| replica.seed).collect();
    let used: BTreeSet<usize> = replicas.iter().map(|replica| replica.fold_index).collect();
    let parts: Vec<&Prepared> = used.iter().map(|&fold_index| &folds[fold_index].1).collect();
    let part_index = |replica: &Replica| used.range(..replica.fold_index).count();
    let part_indices: Vec<usize> = replicas.iter().map(part_index).collect();
    let together = |rows: Vec<DeviceRows>| DeviceRows::from_folds(rows, &part_indices);
    let on_device =
        |data: &Prepared, rows: &Rows| on_device(rows, data.scaler_of_bytes(), loss, width, context.options.device);

    let training = together(parts.iter().map(|data| on_device(data, data.training.rows())).collect());
    let validation: Option<Vec<DeviceRows>> =
        parts.iter().map(|data| data.validation.as_ref().map(|rows| on_device(data, rows.rows()))).collect();
    let validation = validation.map(together);
    let first = parts[0];
    let data = history_fields::data(plan, first);
    watch.starting(&plans, &StackInfo::new(trials, &data, context.options.device, context.options.threads));

    let architectures: Vec<&Architecture> = replicas.iter().map(|replica| &replica.network.architecture).collect();
    let stack = Architecture::build_each(&architectures, &seeds, context.options.device)?;
    if let Some(from) = network.spec.from.as_ref().filter(|_| checkpoint.is_none()) {
        let weights = pretrained::read(from)?;
        let file = Path::new(from.file.as_deref().unwrap_or(&from.run));
        (0..replicas.len()).try_for_each(|replica| {
            state_dict::load_bytes(&stack, replica, &weights, file, |name| from.excepts(name))
        })?;
    }
    let settings: Vec<&TrainSpec> = replicas.iter().map(|replica| &replica.network.train).collect();
    let positive = data.positive_index();
    let measure =
        measure(network, &settings, target, &training.of_each_replica(&training.truth, replicas.len()), positive);
    let task = Task {
        settings: train,
        measure: &measure,
        monitor: train.monitored(plan.has_validation(), target),
        seeds: &seeds,
        replicas: &settings,
        training: &training,
        validation: validation.as_ref(),
        layers: &network.layers,
        device: context.options.device,
        threads: context.options.threads,
    };
    let environment = history_fields::environment(context.options.device, context.options.threads, replicas.len());
    let mut started = Vec::with_capacity(replicas.len());
    let earlier = checkpoint.as_ref().map(RunCheckpoint::curves).unwrap_or_default();
    for (number, replica) in replicas.iter().enumerate() {
        let (fold, prepared) = &folds[replica.fold_index];
        let data = history_fields::data(replica.plan, prepared);
        let (environment, seed) = (environment.clone(), replica.seed);
        let history = history_fields::new_history(replica.plan, seed, *fold, context.started, environment, data)?;
        started.push(History { history: earlier.get(number).cloned().unwrap_or_default(), ..history });
    }
    let hashed: Vec<HashedTrial> =
        replicas.iter().map(|replica| (replica.plan, folds[replica.fold_index].1.sha256.as_str())).collect();
    let settings = settings_hash(&hashed)?;
    let hint =
        || format!("remove it to train its trials from the start: `rm '{}'`", context.folder.file(&file).display());
    let checked = checkpoint.as_ref().map_or(Ok(()), |checkpoint| checkpoint.check(&settings, &hashed));
    let outcomes = checked.and_then(|()| {
        watch.trials_started(&started);
        let mut keeper = StackKeeper::new(context, trials, settings, environment.clone(), checkpoint);
        let halving = context.run_state.record().halving.clone();
        let outcomes = match halving {
            None => fit(&stack, &task, &context.options.signals.stop, &mut keeper, &mut *watch)?,
            Some(rule) => {
                let stop = &context.options.signals.stop;
                let whole = WholeStack { replicas, stack: &stack, task: &task, target, positive, stop };
                let (outcomes, rungs) = whole.train(&rule, &mut keeper, &mut *watch)?;
                context.run_state.set_rungs(trials, rungs);
                outcomes
            }
        };
        Ok((outcomes, keeper.last_epoch))
    });
    let (mut outcomes, last_epoch) =
        outcomes.context("the checkpoint belongs to another run").with_context(|| Hint(hint()))?;
    if context.options.signals.has_timed_out() {
        let unfinished = outcomes.iter_mut().filter(|outcome| outcome.status == Status::Interrupted);
        unfinished.for_each(|outcome| outcome.status = Status::TimeLimit);
    }

    let targets = training.of_each_replica(&training.targets, replicas.len());
    let row_weights = training.weights.as_ref().map(|weights| training.of_each_replica(weights, replicas.len()));
    let constant_losses = measure.loss.constant_prediction_loss(&targets, width, row_weights.as_ref());
    // without an epoch, the weights are those of the initialization
    let is_untested =
        |outcome: &ReplicaResult| outcome.status == Status::Interrupted || outcome.curves.epoch.is_empty();
    let is_untested = outcomes.iter().any(is_untested);
    let truth = training.of_each_replica(&training.truth, replicas.len());
    let constant = |rows: &DeviceRows| baselines::of_stack(target, &measure, &truth, width, rows);
    let none = || vec![None; replicas.len()];
    let of_validation = validation.as_ref().map_or_else(none, constant);
    let mut of_test = none();
    let tests: Option<Vec<Test>> = parts.iter().map(|data| data.test.as_ref().map(Test::clone_for_stack)).collect();
    let tests = match tests.filter(|_| !is_untested) {
        Some(tests) => {
            let validated = validation.as_ref().filter(|_| plan.spec.threshold.is_some());
            let validated = validated.map(|rows| outputs(&stack, rows));
            let validations: Vec<Option<&Validation>> =
                replicas.iter().map(|replica| folds[replica.fold_index].1.validation.as_ref()).collect();
            let choices = choose_thresholds(plan, validated.as_ref(), &validations, positive);
            let opened = parts.iter().zip(tests).map(|(data, test)| on_device(data, &test.open()));
            let rows = together(opened.collect());
            of_test = constant(&rows);
            test_records(&stack, &rows, &measure, train.keep, &choices).into_iter().map(Some).collect()
        }
        None => vec![None; replicas.len()],
    };
    let seconds = seconds_before + clock.elapsed().as_secs_f64();
    let mut histories = Vec::with_capacity(replicas.len());
    let ended = replicas.iter().zip(started).zip(outcomes.into_iter().zip(tests));
    for (number, ((replica, started), (outcome, test))) in ended.enumerate() {
        let mut history = History {
            status: outcome.status,
            seconds,
            network: Some(replica.network.record()),
            best: best(replica, &outcome),
            diagnosis: diagnose(&outcome.curves, constant_losses[number]),
            history: outcome.curves,
            test: test.filter(|_| !matches!(outcome.status, Status::Diverged | Status::Dropped)),
            learned: learned(replica, &stack, &training, number),
            ..started
        };
        baselines::record(&mut history, of_validation[number].clone(), of_test[number].clone());
        let weights = state_dict::file_of(&stack, number)?;
        context.folder.write_with(&format!("{}.safetensors", history.stem()), &|file| weights.write_to(file));
        context.folder.write(&format!("{}.json", history.stem()), history.to_json()?.as_bytes());
        watch.trial_ended(&history);
        histories.push(history);
    }
    if let Some(last_epoch) = last_epoch {
        let written = context.folder.try_write_with(&final_file(trials), &|file| last_epoch.write_to(file));
        if let Err(error) = written {
            let why = in_a_line(&error);
            watch.note(&format!("no checkpoint of the last epoch, which `runner resume --epochs` needs: {why}"));
        }
    }
    Ok(histories)
}

/// The best epoch of a replica and its metrics.
fn best(Replica { plan, network, .. }: &Replica, outcome: &ReplicaResult) -> Option<Best> {
    let epoch = outcome.best_epoch?;
    let (monitor, _) = network.train.monitored(plan.has_validation(), plan.info.target);
    let metrics: IndexMap<String, Number> = outcome
        .curves
        .series
        .keys()
        .filter(|name| !matches!(name.as_str(), "lr" | "seconds"))
        .filter_map(|name| Some((name.clone(), Number(outcome.curves.at(epoch, name)?))))
        .collect();
    Some(Best { epoch, monitor: monitor.to_owned(), metrics })
}

/// Parameters and predictions of a tiny network.
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
    let inputs = rows.features.all();
    let predictions = (0..rows.len() as i64).map(|row| Prediction {
        input: numbers(values(inputs.get(row))),
        target: numbers(values(rows.truth.get(row))),
        output: numbers(values(all.get(row))),
    });
    Some(Learned { parameters, predictions: predictions.collect() })
}
