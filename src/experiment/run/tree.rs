//! Trains the trials of a decision tree, one per fold and seed, and records each in a history.
//!
//! A tree is fitted in one step, so its curves have one epoch: the metrics on training and validation rows.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tch::Device;

use crate::classical::decision_tree::TreeSpec;
use crate::classical::tree::Tree;
use crate::config::hint::Hint;
use crate::data::prepare::prepared::Prepared;
use crate::data::{Rows, Training};
use crate::device::fault::{catch_fault, contained};
use crate::experiment::plan::Plan;
use crate::experiment::run::context::RunContext;
use crate::experiment::run::error;
use crate::experiment::run::progress::{RunProgress, StackInfo};
use crate::experiment::run::scheduler::{TrialResults, unfinished_stacks};
use crate::experiment::run::source_rows::Fold;
use crate::experiment::run::{baselines, test_metrics};
use crate::experiment::store::history_fields;
use crate::experiment::store::stack_record::TrialName;
use crate::history::baseline::Baseline;
use crate::history::curves::Curves;
use crate::history::{Environment, History, Status};
use crate::tensor::predictor::Predictor;

/// Trains the trials of a plan with this tree, and writes their histories and trees; in a resumed run, only the
/// unfinished trials.
///
/// # Errors
/// When the run record names trials that the experiment does not have. Errors of trees are in [`TrialResults`].
pub fn run(
    group: usize,
    plan: &Plan,
    spec: &TreeSpec,
    folds: &[Fold],
    context: &RunContext,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<TrialResults> {
    let mut ended = TrialResults::default();
    let recorded = context.run_state.stacks(group);
    let names: Vec<TrialName> = if recorded.is_empty() {
        trial_names(plan, folds)
    } else {
        unfinished_stacks(&recorded, context.run_state, &mut ended.histories, watch)
            .into_iter()
            .flat_map(|stack| stack.trials)
            .collect()
    };
    context.run_state.set_waiting(group, names.iter().map(|name| vec![name.clone()]).collect());
    for name in &names {
        let (_, data) = folds
            .iter()
            .find(|(fold, _)| *fold == name.fold)
            .with_context(|| format!("the run record is damaged: there is no trial `{}`", name.stem()))?;
        let what = format!("failed to fit the tree `{}` of `{}`", name.stem(), plan.name);
        let train = || train_trial(plan, spec, name, data, context, &mut *watch);
        let outcome = match contained(|| catch_fault(train)) {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(fault)) => {
                let less = "use fewer training rows (`split.train_rows`), or free memory";
                Err(error::into_run_error(fault, &what, Some(less.to_owned())))
            }
            Err(panic) => Err(error::from_panic(&*panic, &what)),
        };
        let trials = std::slice::from_ref(name);
        match outcome {
            Ok(history) => {
                ended.is_over = history.status.is_unfinished();
                ended.histories.push(history);
                if ended.is_over {
                    break;
                }
                context.run_state.mark_done(group, trials, ["json", "tree.json"]);
            }
            Err(error) => {
                context.run_state.mark_failed(group, trials, &error);
                ended.failures.push(if error.is::<Hint>() { error } else { error.context(what) });
            }
        }
    }
    Ok(ended)
}

/// Returns the trials of a plan: one per fold and seed.
pub(in crate::experiment) fn trial_names(plan: &Plan, folds: &[Fold]) -> Vec<TrialName> {
    let name = |fold: Option<usize>, seed: i64| TrialName { variant: plan.variant.clone(), fold, seed };
    let of_fold = |(fold, _): &Fold| plan.spec.seeds.iter().map(|&seed| name(*fold, seed)).collect::<Vec<_>>();
    folds.iter().flat_map(of_fold).collect()
}

fn train_trial(
    plan: &Plan,
    spec: &TreeSpec,
    name: &TrialName,
    data: &Prepared,
    context: &RunContext,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<History> {
    let clock = Instant::now();
    let TrialName { fold, seed, .. } = *name;
    let record = history_fields::data(plan, data);
    let info = StackInfo::new(std::slice::from_ref(name), &record, Device::Cpu, context.options.threads);
    watch.starting(&[plan], &info);
    let positive = record.positive_index();
    let (spec, classes) = (spec.clone(), data.classes.len());
    let training = Training::from(data.training.rows().shallow_clone());
    let tree = run_in_thread(move || spec.fit(&training, classes, seed), &context.options.signals.stop)?;
    let fitted = clock.elapsed().as_secs_f64();
    let environment = Environment {
        precision: None, // metrics are f64, computed on the CPU
        deterministic: None,
        ..history_fields::environment(Device::Cpu, context.options.threads, 1)
    };
    let started = history_fields::new_history(plan, seed, fold, context.started, environment, record)?;
    let status = match tree {
        Some(_) => Status::Completed,
        None if context.options.signals.has_timed_out() => Status::TimeLimit,
        None => Status::Interrupted,
    };
    let mut history = History { status, seconds: fitted, ..started };
    if let Some(tree) = tree {
        history.tree = Some(tree.record(&data.features));
        history.history = curves(plan, &tree, data, positive, fitted);
        let validation = data.validation.as_ref();
        let of_validation = validation.map(|rows| tree.outputs(&rows.rows().features).unsqueeze(0));
        let choice = test_metrics::choose_thresholds(plan, of_validation.as_ref(), &[validation], positive).remove(0);
        let test = data.test.as_ref().map(|test| test.clone_for_stack().open());
        let baseline = |rows: &Rows| Baseline::of_counts(&baselines::class_counts(&rows.targets, data.classes.len()));
        let validation_baseline = validation.and_then(|rows| baseline(rows.rows()));
        let test_baseline = test.as_ref().and_then(baseline);
        history.test = test.map(|rows| test_metrics::tree_record(plan, &tree, &rows, positive, choice));
        baselines::record(&mut history, validation_baseline, test_baseline);
        context.folder.write(&format!("{}.tree.json", history.stem()), &tree.to_json()?);
        history.seconds = clock.elapsed().as_secs_f64();
    }
    context.folder.write(&format!("{}.json", history.stem()), history.to_json()?.as_bytes());
    watch.trials_started(std::slice::from_ref(&history));
    watch.trial_ended(&history);
    Ok(history)
}

/// Runs `work` in a new thread, which is abandoned when the run is stopped: fitting a tree does not check for a stop. Returns
/// `None` then.
///
/// A panic in that thread is resumed in this one.
fn run_in_thread<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    stop: &AtomicBool,
) -> anyhow::Result<Option<T>> {
    let (done, finished) = channel();
    thread::spawn(move || done.send(contained(work)));
    loop {
        match finished.recv_timeout(Duration::from_millis(50)) {
            Ok(Ok(outcome)) => return outcome.map(Some),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(RecvTimeoutError::Timeout) if stop.load(Ordering::Relaxed) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(anyhow!("the thread that fits the tree ended without a tree"));
            }
        }
    }
}

/// Returns the metrics of the tree on training and validation rows, as curves of one epoch.
fn curves(plan: &Plan, tree: &Tree, data: &Prepared, positive: usize, seconds: f64) -> Curves {
    let mut metrics = test_metrics::tree_metrics(plan, tree, data.training.rows(), positive);
    let validation = data.validation.as_ref().map(|rows| test_metrics::tree_metrics(plan, tree, rows.rows(), positive));
    metrics.extend(validation.into_iter().flatten().map(|(name, value)| (format!("val_{name}"), value)));
    metrics.push(("seconds".to_owned(), seconds));
    let row: Vec<(&str, f64)> = metrics.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let mut curves = Curves::default();
    curves.push(1, &row);
    curves
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;
    use crate::cli::text::terminal;
    use crate::config::hint::in_a_line;
    use crate::device::fault::Fault;

    type CaughtResult = thread::Result<Result<anyhow::Result<Option<()>>, Fault>>;

    /// Runs `work` as a tree is fitted and returns what is caught, with the panic hook of the program.
    fn in_thread(work: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> CaughtResult {
        let hook = std::panic::take_hook();
        terminal::install_panic_hook();
        let caught = contained(|| catch_fault(|| run_in_thread(work, &AtomicBool::new(false))));
        std::panic::set_hook(hook);
        caught
    }

    #[test]
    fn a_fault_of_libtorch_in_the_trees_thread_keeps_its_text() {
        let matrix = |rows: i64, columns: i64| Tensor::ones([rows, columns], (Kind::Float, Device::Cpu));
        let misshapen = in_thread(move || {
            drop(matrix(2, 3).mm(&matrix(4, 5)));
            Ok(())
        });
        assert_eq!(
            misshapen.unwrap().unwrap_err().to_string(),
            "libtorch failed: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"
        );
        let huge = in_thread(|| {
            drop(Tensor::empty([100_000_000_000_000], (Kind::Float, Device::Cpu)));
            Ok(())
        });
        assert_eq!(
            huge.unwrap().unwrap_err().to_string(),
            "the machine is out of memory: failed to allocate 363.7 TiB"
        );
        let of_ours = in_thread(|| Fault::out_of_memory(4 << 20).throw());
        assert!(of_ours.unwrap().unwrap_err().is_out_of_memory());
    }

    #[test]
    fn a_panic_in_the_trees_thread_is_the_error_of_this_tree_alone() {
        let panic = in_thread(|| panic!("index out of bounds: the len is 0 but the index is 5")).unwrap_err();
        let error = error::from_panic(&*panic, "failed to fit the tree `a`");
        let wanted =
            "failed to fit the tree `a`: a bug in runner: index out of bounds: the len is 0 but the index is 5";
        assert_eq!(in_a_line(&error), wanted);
        assert!(error.downcast_ref::<Hint>().unwrap().0.contains("RUNNER_BACKTRACE"));
        assert_eq!(in_thread(|| Ok(())).unwrap().unwrap().unwrap(), Some(()));
    }
}
