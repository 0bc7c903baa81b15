//! Trials of a decision tree: one for each fold and seed, each recorded in a history as a network's is.
//!
//! A tree is fitted at once, so its curves have one epoch: its figures on training and validation rows.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tch::Device;

use crate::classical::decision_tree::TreeSpec;
use crate::classical::tree::Tree;
use crate::config::hint::{Hint, in_a_line};
use crate::data::prepare::prepared::Prepared;
use crate::data::{Rows, Training};
use crate::device::fault::{contained, guarded};
use crate::experiment::plan::Plan;
use crate::experiment::run::error::{self, Work};
use crate::experiment::run::place::Place;
use crate::experiment::run::scheduler::{Ended, left};
use crate::experiment::run::source_rows::Fold;
use crate::experiment::run::watch::{StackInfo, Watch};
use crate::experiment::run::{baselines, test_metrics};
use crate::experiment::store::history_fields;
use crate::experiment::store::stack_record::{StackState, TrialName};
use crate::history::baseline::{Baselines, caution};
use crate::history::curves::Curves;
use crate::history::{Environment, History, SCHEMA, Status};
use crate::tensor::predictor::Predictor;

/// Runs the trials of a plan whose model is this tree, and writes each one's history and tree; of a run that goes on,
/// those that are not done.
///
/// # Errors
/// When the run's record names trials that the experiment does not have. What a tree fails in is told in [`Ended`].
pub fn run(
    group: usize,
    plan: &Plan,
    spec: &TreeSpec,
    folds: &[Fold],
    place: &Place,
    watch: &mut dyn Watch,
) -> anyhow::Result<Ended> {
    let mut ended = Ended::default();
    let recorded = place.ledger.stacks(group);
    let names: Vec<TrialName> = if recorded.is_empty() {
        let name = |fold: Option<usize>, seed: i64| TrialName { variant: plan.variant.clone(), fold, seed };
        let of_fold = |(fold, _): &Fold| plan.spec.seeds.iter().map(|&seed| name(*fold, seed)).collect::<Vec<_>>();
        folds.iter().flat_map(of_fold).collect()
    } else {
        left(&recorded, place.ledger, &mut ended.histories, watch).into_iter().flat_map(|stack| stack.trials).collect()
    };
    place.ledger.plan(group, names.iter().map(|name| vec![name.clone()]).collect());
    for name in &names {
        let (fold, data) = folds
            .iter()
            .find(|(fold, _)| *fold == name.fold)
            .with_context(|| format!("the run's record is damaged: there is no trial `{}`", name.stem()))?;
        let trial_of = Trial { plan, spec, fold: *fold, seed: name.seed, data };
        let what = format!("failed to fit the tree `{}` of `{}`", name.stem(), plan.name);
        let outcome = match contained(|| guarded(|| trial(&trial_of, place, &mut *watch))) {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(fault)) => Err(error::told(fault, &what, Work::Tree)),
            Err(panic) => Err(error::of_panic(&*panic, &what)),
        };
        let trials = std::slice::from_ref(name);
        match outcome {
            Ok(history) => {
                ended.is_over = history.status == Status::Interrupted;
                ended.histories.push(history);
                if ended.is_over {
                    break;
                }
                place.ledger.end(group, trials, ["json", "tree.json"]);
            }
            Err(error) => {
                place.ledger.set(group, trials, StackState::Failed, Some(in_a_line(&error)));
                ended.failures.push(if error.is::<Hint>() { error } else { error.context(what) });
            }
        }
        place.ledger.write();
    }
    Ok(ended)
}

struct Trial<'a> {
    plan: &'a Plan,
    spec: &'a TreeSpec,
    fold: Option<usize>,
    seed: i64,
    data: &'a Prepared,
}

fn trial(trial: &Trial, place: &Place, watch: &mut dyn Watch) -> anyhow::Result<History> {
    let Trial { plan, fold, seed, data, .. } = *trial;
    let clock = Instant::now();
    let record = history_fields::data(plan, data);
    let info = StackInfo {
        replicas: 1,
        seeds: vec![seed],
        variants: vec![0],
        folds: fold.map(|_| 1),
        rows: record.rows,
        resampled: record.resample.clone(),
        positive: record.positive.clone(),
        device: Device::Cpu,
        threads: place.threads,
    };
    watch.starting(&[plan], &info);
    let positive = record.positive_index();
    let tree = fit(trial, &place.requests.stop)?;
    let fitted = clock.elapsed().as_secs_f64();
    let mut history = History {
        schema: SCHEMA.to_owned(),
        experiment: plan.name.clone(),
        variant: plan.variant.clone(),
        seed,
        fold,
        status: if tree.is_some() { Status::Completed } else { Status::Interrupted },
        started: history_fields::started(place.started)?,
        seconds: fitted,
        environment: Environment {
            precision: None, // its figures are f64, and no GPU takes part
            deterministic: None,
            ..history_fields::environment(Device::Cpu, place.threads, 1)
        },
        data: record,
        network: None,
        tree: None,
        config: serde_json::to_value(&plan.spec).context("failed to lay out the settings")?,
        asked: plan.asked.clone(),
        best: None,
        diagnosis: None,
        history: Curves::default(),
        test: None,
        baselines: None,
        learned: None,
        expectations: Vec::new(), // verified when the whole study is there
        theirs: Vec::new(),
    };
    if let Some(tree) = tree {
        history.tree = Some(tree.record(&data.features));
        history.history = curves(plan, &tree, data, positive, fitted);
        let validation = data.validation.as_ref();
        let of_validation = validation.map(|rows| tree.outputs(&rows.rows().features).unsqueeze(0));
        let choice = test_metrics::choices(plan, of_validation.as_ref(), &[validation], positive).remove(0);
        let test = data.test.as_ref().map(|test| test.for_a_stack().open());
        let baseline = |rows: &Rows| baselines::of_classes(rows, data.classes.len());
        let mut of_rows = Baselines {
            validation: validation.and_then(|rows| baseline(rows.rows())),
            test: test.as_ref().and_then(baseline),
            caution: None,
        };
        history.test = test.map(|rows| test_metrics::of_tree(plan, &tree, &rows, positive, choice));
        of_rows.caution = caution(&history, &of_rows);
        history.baselines = Some(of_rows).filter(|baselines| !baselines.is_empty());
        place.folder.write(&format!("{}.tree.json", history.stem()), &tree.to_json()?);
        history.seconds = clock.elapsed().as_secs_f64();
    }
    place.folder.write(&format!("{}.json", history.stem()), history.to_json()?.as_bytes());
    Ok(history)
}

/// The tree; `None` where the run is stopped before it is there.
fn fit(trial: &Trial, stop: &AtomicBool) -> anyhow::Result<Option<Tree>> {
    let (spec, classes, seed) = (trial.spec.clone(), trial.data.classes.len(), trial.seed);
    let training = Training::from(trial.data.training.rows().shallow_clone());
    in_own_thread(move || spec.fit(&training, classes, seed), stop)
}

/// Does the work in a thread of its own, which is left behind when the run is stopped: fitting does not look for that.
///
/// A panic in the thread goes on in this one.
fn in_own_thread<T: Send + 'static>(
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
            Err(RecvTimeoutError::Disconnected) => return Err(anyhow!("the tree's thread ended without a tree")),
        }
    }
}

/// The tree's figures on training and validation rows, as of one epoch.
fn curves(plan: &Plan, tree: &Tree, data: &Prepared, positive: usize, seconds: f64) -> Curves {
    let mut figures = test_metrics::figures_of_tree(plan, tree, data.training.rows(), positive);
    let validation =
        data.validation.as_ref().map(|rows| test_metrics::figures_of_tree(plan, tree, rows.rows(), positive));
    figures.extend(validation.into_iter().flatten().map(|(name, value)| (format!("val_{name}"), value)));
    figures.push(("seconds".to_owned(), seconds));
    let row: Vec<(&str, f64)> = figures.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let mut curves = Curves::default();
    curves.push(1, &row);
    curves
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;
    use crate::cli::text::terminal;
    use crate::device::fault::Fault;

    type Caught = thread::Result<Result<anyhow::Result<Option<()>>, Fault>>;

    /// What is caught of this work in the tree's thread, where the program's own hook would end it.
    fn in_thread(work: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> Caught {
        let hook = std::panic::take_hook();
        terminal::shorten_panics();
        let caught = contained(|| guarded(|| in_own_thread(work, &AtomicBool::new(false))));
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
            "libtorch fails: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"
        );
        let huge = in_thread(|| {
            drop(Tensor::empty([100_000_000_000_000], (Kind::Float, Device::Cpu)));
            Ok(())
        });
        assert_eq!(
            huge.unwrap().unwrap_err().to_string(),
            "the machine has not enough memory: 363.80 TiB more were asked for"
        );
        let of_ours = in_thread(|| Fault::no_memory_for(4 << 20).throw());
        assert!(of_ours.unwrap().unwrap_err().is_of_memory());
    }

    #[test]
    fn a_panic_in_the_trees_thread_is_the_error_of_this_tree_alone() {
        let panic = in_thread(|| panic!("index out of bounds: the len is 0 but the index is 5")).unwrap_err();
        let error = error::of_panic(&*panic, "failed to fit the tree `a`");
        let wanted = "failed to fit the tree `a`: a fault in runner itself: index out of bounds: the len is 0 but the index is 5";
        assert_eq!(in_a_line(&error), wanted);
        assert!(error.downcast_ref::<Hint>().unwrap().0.contains("RUNNER_BACKTRACE"));
        assert_eq!(in_thread(|| Ok(())).unwrap().unwrap().unwrap(), Some(()));
    }
}
