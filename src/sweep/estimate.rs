//! Estimate of the duration of a sweep: some of its stacks are trained for a second in a temporary directory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::data::store::download_progress::DownloadProgress;
use crate::experiment::dry_run::{is_missing, split_rows};
use crate::experiment::halving::rule::Segment;
use crate::experiment::plan::Plan;
use crate::experiment::run::progress::RunProgress;
use crate::experiment::run::{Options, run};
use crate::experiment::store::pretrained;
use crate::io::signals::Signals;
use crate::sweep::plan::PlannedSweep;
use crate::sweep::record::StackPlan;
use crate::train::callback::{Callback, EpochReport};
use crate::train::state::epoch_counter::EpochCounter;

/// Time for which a stack is trained.
const MEASURED: Duration = Duration::from_secs(1);

/// Time after which a stack that has not finished a step is left out.
const LONGEST: Duration = Duration::from_secs(20);

/// Time between two looks at the progress.
const LOOK: Duration = Duration::from_millis(5);

/// Estimated duration of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeEstimate {
    /// Seconds of training with all epochs.
    pub seconds: f64,
    /// Names of the stacks that were trained for a moment.
    pub measured: Vec<String>,
}

/// Work of one epoch of a stack.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    /// Number of steps.
    steps: f64,
    /// Number of rows × parameters × models.
    products: f64,
    /// Number of rows × parameters.
    products_of_model: f64,
    /// Number of epochs on each further seed.
    further_epochs: f64,
    /// Number of epochs of the stack.
    epochs: f64,
    /// Mean number of epochs of its models, which is smaller with halving.
    epochs_of_model: f64,
}

/// What the seconds of an epoch are proportional to.
const STEPS: fn(&Work) -> f64 = |work| work.steps;
const PRODUCTS: fn(&Work) -> f64 = |work| work.products;

/// Returns the estimated duration with this number of workers, or why it is unknown. `runs` is the directory of the runs that
/// pretrained weights are from.
///
/// # Errors
/// When the data cannot be loaded, or training fails.
pub fn estimate(
    sweep: &PlannedSweep,
    options: &Options,
    runs: &Path,
    workers: usize,
) -> anyhow::Result<Result<TimeEstimate, &'static str>> {
    let stacks = &sweep.record.stacks;
    let Some(work) = stacks.iter().map(|stack| work_of(sweep, stack)).collect::<Option<Vec<Work>>>() else {
        return Ok(Err("it is estimated for networks only"));
    };
    if sweep.plans.iter().any(|plan| is_missing(options.cache, plan.spec.data.name())) {
        return Ok(Err("the data are not downloaded yet"));
    }
    let mut measured = Vec::new();
    for place in extremes(&work) {
        if let Some(seconds) = measure(sweep, &stacks[place], options, runs)? {
            measured.push((place, seconds));
        }
        if options.signals.is_stopped() {
            return Ok(Err("interrupted"));
        }
    }
    if measured.is_empty() {
        return Ok(Err("no step ended within 20 seconds"));
    }
    let samples: Vec<(Work, f64)> = measured.iter().map(|(place, seconds)| (work[*place], *seconds)).collect();
    let (per_step, per_product) = fit(&samples);
    // later rounds train as much as the first configurations
    let share = sweep.record.all_configurations() as f64 / sweep.plans.len() as f64;
    let seconds =
        |work: &Work| per_step * work.steps * work.epochs + per_product * work.products * work.epochs_of_model;
    let all: f64 = work.iter().map(seconds).sum::<f64>() + further(sweep, &work, per_step, per_product);
    let longest = work.iter().map(seconds).fold(0.0, f64::max);
    let names = measured.iter().map(|(place, _)| stacks[*place].name.clone()).collect();
    // workers share the stacks, and none is faster than its longest one
    Ok(Ok(TimeEstimate { seconds: share * (all / workers as f64).max(longest), measured: names }))
}

/// Returns the work of an epoch of a stack; `None` for trees.
fn work_of(sweep: &PlannedSweep, stack: &StackPlan) -> Option<Work> {
    let plans: Vec<&Plan> = stack
        .configurations
        .iter()
        .map(|name| sweep.plans.iter().find(|plan| plan.variant == *name))
        .collect::<Option<_>>()?;
    let first = plans.first()?;
    let mut work = Work { further_epochs: finished_epochs(sweep, stack) as f64, ..Work::default() };
    let mut all_models = 0;
    for plan in &plans {
        let network = plan.network()?;
        let split = plan.spec.data.split();
        let rows = split_rows(&split, plan.info.rows, plan.info.test_rows).train;
        let models = split.folds.unwrap_or(1) * plan.spec.seeds.len();
        all_models += models;
        work.products_of_model = (rows * network.architecture.parameters()) as f64;
        work.products += work.products_of_model * models as f64;
        work.epochs = work.epochs.max(network.train.epochs as f64);
    }
    let rows = split_rows(&first.spec.data.split(), first.info.rows, first.info.test_rows).train;
    work.steps = rows.div_ceil(first.network()?.train.batch.size(rows)) as f64;
    // a stack with more models than its width is trained in parts, one after the other
    let parts = sweep.record.options.stack.map_or(1, |width| all_models.div_ceil(width.max(1))).max(1) as f64;
    let epochs = planned_epochs(sweep, stack) as f64 / stack.configurations.len().max(1) as f64;
    Some(Work { products: work.products / parts, epochs: work.epochs * parts, epochs_of_model: epochs * parts, ..work })
}

/// Returns the seconds of the configurations that are trained to the end on the further seeds, in stacks of their own.
fn further(sweep: &PlannedSweep, work: &[Work], per_step: f64, per_product: f64) -> f64 {
    let seeds = sweep.record.further_seeds.len() as f64;
    let width = sweep.record.options.stack.unwrap_or(1).max(1) as f64;
    let models = |work: &Work| seeds * work.further_epochs / work.epochs.max(1.0);
    let products: f64 = work.iter().map(|work| work.products_of_model * seeds * work.further_epochs).sum();
    let stacks = (work.iter().map(models).sum::<f64>() / width).ceil();
    let steps = work.iter().map(|work| work.steps * work.epochs).fold(0.0, f64::max);
    per_product * products + per_step * steps * stacks
}

/// Returns the number of epochs on one seed of the configurations of a stack that are trained to the end, if as few as possible
/// are.
pub fn finished_epochs(sweep: &PlannedSweep, stack: &StackPlan) -> usize {
    epochs_with_rungs(sweep, stack, |segments, epochs| epochs * segments.last().map_or(0, |last| last.configurations))
}

/// Returns the number of epochs of the configurations of a stack on one seed, if as few as possible continue at each rung.
pub fn planned_epochs(sweep: &PlannedSweep, stack: &StackPlan) -> usize {
    epochs_with_rungs(sweep, stack, |segments, _| {
        segments.iter().map(|segment| segment.epochs * segment.configurations).sum()
    })
}

/// Returns the number of epochs of all configurations of a stack, or with halving what `count` returns for the parts of
/// their training and their number of epochs.
fn epochs_with_rungs(sweep: &PlannedSweep, stack: &StackPlan, count: impl Fn(&[Segment], usize) -> usize) -> usize {
    let epochs = epochs_of_each(sweep, stack);
    let Some(halving) = sweep.record.halving else { return epochs.sum() };
    let epochs = epochs.max().unwrap_or(0);
    count(&halving.segments(stack.configurations.len(), epochs), epochs)
}

/// Returns the number of epochs of each configuration of a stack; with halving, they are equal.
fn epochs_of_each(sweep: &PlannedSweep, stack: &StackPlan) -> impl Iterator<Item = usize> {
    let plan = |name: &String| sweep.plans.iter().find(|plan| plan.variant == *name);
    stack.configurations.iter().map(move |name| {
        let network = plan(name).and_then(|plan| plan.network());
        network.map_or(0, |network| network.train.epochs)
    })
}

/// Returns the places of the stacks with the fewest and most steps and with the least and most products, each once.
fn extremes(work: &[Work]) -> Vec<usize> {
    let place = |key: fn(&Work) -> f64, sign: f64| {
        let order = |a: &(usize, &Work), b: &(usize, &Work)| (sign * key(a.1)).total_cmp(&(sign * key(b.1)));
        work.iter().enumerate().min_by(order).map(|(place, _)| place)
    };
    let mut places: Vec<usize> = [place(PRODUCTS, -1.0), place(PRODUCTS, 1.0), place(STEPS, -1.0), place(STEPS, 1.0)]
        .into_iter()
        .flatten()
        .collect();
    places.sort_unstable();
    places.dedup();
    // stacks with the same work take the same time
    let mut distinct: Vec<usize> = Vec::new();
    for place in places {
        let is_same =
            |other: &usize| work[*other].steps == work[place].steps && work[*other].products == work[place].products;
        if !distinct.iter().any(is_same) {
            distinct.push(place);
        }
    }
    distinct
}

/// Returns the seconds per step and per product that fit the measured seconds of an epoch best (least squares); none is
/// negative.
fn fit(samples: &[(Work, f64)]) -> (f64, f64) {
    // relative errors count, so that short epochs are as important as long ones
    let sum = |term: fn(&Work) -> f64, other: fn(&Work) -> f64| -> f64 {
        samples.iter().map(|(work, seconds)| term(work) * other(work) / (seconds * seconds)).sum()
    };
    let right = |term: fn(&Work) -> f64| -> f64 { samples.iter().map(|(work, seconds)| term(work) / seconds).sum() };
    let (aa, ab, bb) = (sum(STEPS, STEPS), sum(STEPS, PRODUCTS), sum(PRODUCTS, PRODUCTS));
    let (a, b) = (right(STEPS), right(PRODUCTS));
    let determinant = aa * bb - ab * ab;
    if determinant > 1e-9 * aa * bb {
        let (per_step, per_product) = ((a * bb - b * ab) / determinant, (b * aa - a * ab) / determinant);
        if per_step >= 0.0 && per_product >= 0.0 {
            return (per_step, per_product);
        }
    }
    // one of both explains it alone
    let error = |(per_step, per_product): (f64, f64)| -> f64 {
        let relative =
            |(work, seconds): &(Work, f64)| (per_step * work.steps + per_product * work.products) / seconds - 1.0;
        samples.iter().map(relative).map(|error| error * error).sum()
    };
    let (by_steps, by_products) = ((a / aa, 0.0), (0.0, b / bb));
    if error(by_steps) < error(by_products) { by_steps } else { by_products }
}

/// Trains a stack for a moment, and returns the seconds of one epoch; `None` if no step has ended in time.
fn measure(sweep: &PlannedSweep, stack: &StackPlan, options: &Options, runs: &Path) -> anyhow::Result<Option<f64>> {
    let mut study = sweep.record.study_of_stack(stack)?;
    pretrained::resolve(&mut study.plans, runs)?;
    let scratch = tempfile::tempdir().context("failed to create a temporary directory")?;
    let signals = Signals::default();
    let own = Options { signals: &signals, stack: sweep.record.options.stack, ..*options };
    let counter: Arc<EpochCounter> = Arc::default();
    let mut watch = Watch { counter: Arc::clone(&counter), seconds: Vec::new() };
    let is_over = AtomicBool::new(false);
    let (outcome, rate) = thread::scope(|threads| {
        let observer = threads.spawn(|| observe(&counter, &signals, options.signals, &is_over));
        let outcome = run(&study, scratch.path(), &own, &mut watch);
        is_over.store(true, Ordering::SeqCst);
        (outcome, observer.join().unwrap_or(None))
    });
    let finished = outcome?;
    if let Some(error) = finished.failures.into_iter().next() {
        return Err(error);
    }
    Ok(match &watch.seconds[..] {
        // the first epoch also starts threads and fills caches
        [_, rest @ ..] if rest.len() >= 2 => Some(rest.iter().sum::<f64>() / rest.len() as f64),
        [one] if rate.is_none() => Some(*one),
        [_, second] if rate.is_none() => Some(*second),
        _ => rate,
    })
}

/// Waits until enough of a stack is trained, stops it, and returns the seconds of an epoch.
fn observe(counter: &EpochCounter, own: &Signals, of_process: &Signals, is_over: &AtomicBool) -> Option<f64> {
    let begin = Instant::now();
    let mut first: Option<(Instant, f64)> = None;
    let mut rate = None;
    while !is_over.load(Ordering::SeqCst) {
        match (counter.epochs().filter(|epochs| *epochs > 0.0), first) {
            (Some(epochs), None) => first = Some((Instant::now(), epochs)),
            (Some(epochs), Some((since, before))) if epochs > before => {
                rate = Some(since.elapsed().as_secs_f64() / (epochs - before));
            }
            _ => {}
        }
        let is_enough = rate.is_some() && first.is_some_and(|(since, _)| since.elapsed() >= MEASURED);
        if is_enough || begin.elapsed() >= LONGEST || of_process.is_stopped() {
            own.end_time();
        }
        thread::sleep(LOOK);
    }
    rate
}

/// Collects the durations of epochs.
struct Watch {
    counter: Arc<EpochCounter>,
    seconds: Vec<f64>,
}

impl Callback for Watch {
    fn epoch(&mut self, report: &EpochReport) {
        self.seconds.push(report.seconds);
    }

    fn epoch_counter(&mut self) -> Arc<EpochCounter> {
        Arc::clone(&self.counter)
    }
}

impl DownloadProgress for Watch {}

impl RunProgress for Watch {}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::device::compute_mode::ComputeMode;
    use crate::experiment::run_options::RunOptions;
    use crate::experiment::spec::source_text::SourceText;
    use crate::sweep::plan::plan;
    use crate::sweep::plan::request::SweepRequest;
    use crate::sweep::sweep_seeds::SweepSeeds;

    fn work(steps: f64, products: f64) -> Work {
        let (products_of_model, further_epochs) = (products, 0.0);
        Work { steps, products, products_of_model, further_epochs, epochs: 1.0, epochs_of_model: 1.0 }
    }

    #[test]
    fn seconds_of_steps_and_products_are_found_again_and_are_never_negative() {
        let seconds = |work: Work| 0.002 * work.steps + 1e-9 * work.products;
        let samples = [work(10.0, 1e6), work(100.0, 1e6), work(10.0, 1e9)].map(|work| (work, seconds(work)));
        let (per_step, per_product) = fit(&samples);
        assert!((per_step / 0.002 - 1.0).abs() < 1e-6 && (per_product / 1e-9 - 1.0).abs() < 1e-6);
        assert_eq!(fit(&[(work(10.0, 100.0), 2.0)]), (0.0, 0.02), "one stack");
        let (per_step, per_product) = fit(&[(work(10.0, 1e6), 1.0), (work(10.0, 1e9), 0.9)]);
        assert!(per_product == 0.0 && (0.08..0.11).contains(&per_step), "{per_step} {per_product}");
    }

    #[test]
    fn the_extremes_are_measured_each_once() {
        let all = [work(10.0, 5.0), work(10.0, 9.0), work(10.0, 7.0), work(20.0, 7.0)];
        assert_eq!(extremes(&all), [0, 1, 3]);
        assert_eq!(extremes(&[work(10.0, 5.0), work(10.0, 5.0)]), [0]);
    }

    #[test]
    fn a_stack_that_is_wider_than_allowed_is_trained_in_parts_one_after_the_other() {
        let text = "title = \"t\"\n[data.digits]\nsplit = { validation = 0.2 }\n[network]\nlayers = [{ linear = 10 }]\n\
                    [train]\nepochs = 5\nbatch = 64\nloss = \"cross_entropy\"\noptimizer = \"adam\"\n";
        let planned = |width| {
            let source = SourceText { name: "t".to_owned(), text: text.to_owned(), ..SourceText::default() };
            let options = RunOptions::new(Device::Cpu, 1, Some(width), ComputeMode::default());
            let request = SweepRequest {
                source,
                space: vec!["lr=0.1,0.2".to_owned()],
                trials: None,
                method: None,
                round: None,
                metric: None,
                halving: None,
                seeds: Some(SweepSeeds::same(vec![0, 1, 2, 3])),
                search_seed: None,
                overrides: Vec::new(),
                variant: None,
                device: Device::Cpu,
                options,
                free_memory: 1 << 40,
                command: None,
            };
            plan(&request).unwrap()
        };
        let work = |width| {
            let sweep = planned(width);
            assert_eq!(sweep.stacks.replicas, [4, 4], "all seeds of a configuration are in one stack");
            work_of(&sweep, &sweep.record.stacks[0]).unwrap()
        };
        let (whole, halves, single) = (work(4), work(2), work(1));
        assert_eq!([whole.epochs, halves.epochs, single.epochs], [5.0, 10.0, 20.0]);
        assert_eq!([halves.products * 2.0, single.products * 4.0], [whole.products; 2]);
        assert_eq!([halves.steps, single.steps], [whole.steps; 2]);
    }
}
