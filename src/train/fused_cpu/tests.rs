//! Training without autograd gives what autograd gives.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use tch::{Device, Kind, Tensor};

use crate::data::Target;
use crate::data::prepare::batches::DeviceRows;
use crate::history::Status;
use crate::network::init::Init;
use crate::network::layer::Layer;
use crate::network::stack::{Architecture, Stack};
use crate::tensor::shape::Shape;
use crate::train::TrainSpec;
use crate::train::backend::Backend;
use crate::train::evaluate::Measure;
use crate::train::fit::{by_way, fit};
use crate::train::report::Outcome;
use crate::train::task::Task;

thread_local! {
    /// How many steps this thread takes before the run is stopped; none where it is not.
    static STEPS_LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Called in each step before it is known whether the run is stopped: stops it where a test has said so.
pub(crate) fn at_step(stop: &AtomicBool) {
    if let Some(left) = STEPS_LEFT.get() {
        STEPS_LEFT.set(left.checked_sub(1));
        if left == 0 {
            stop.store(true, Ordering::Relaxed);
        }
    }
}

const ROWS: i64 = 75;
const INPUTS: i64 = 7;
const OUTPUTS: i64 = 3;

/// A study of a few rows: its layers, settings, and how many replicas and threads it has.
struct Case {
    layers: &'static str,
    settings: &'static str,
    replicas: usize,
    threads: usize,
    folds: bool,
}

impl Case {
    /// Trains by both ways: what became of each, and the parameters that each has found.
    fn by_both(&self) -> [(Vec<Outcome>, Vec<f32>); 2] {
        let settings: TrainSpec = toml_edit::de::from_str(&format!("epochs = 4\n{}", self.settings)).unwrap();
        let parameters = |stack: &Stack| Vec::try_from(stack.arena().values().flatten(0, -1)).unwrap();
        let stop = AtomicBool::new(false);
        let dense = self.with_task(&settings, |stack, task| {
            assert!(crate::train::fused_cpu::plan::Plan::of(stack, task).is_some(), "it is trained without autograd");
            (fit(stack, task, &stop, &mut (), &mut ()).unwrap(), parameters(stack))
        });
        let autograd = self.with_task(&settings, |stack, task| {
            let batch = settings.batch.size(task.training.len());
            let mut way = Backend::autograd(stack, task, batch);
            let outcomes = by_way(&mut way, stack, task, batch, &stop, &mut (), &mut ());
            (outcomes.unwrap(), parameters(stack))
        });
        [dense, autograd]
    }

    /// A fresh stack, and what it is to be trained with.
    fn with_task<R>(&self, settings: &TrainSpec, then: impl FnOnce(&Stack, &Task) -> R) -> R {
        let layers: Vec<Layer> = self.layers().into_iter().map(|text| toml(&text)).collect();
        let architecture = Architecture::follow(&layers, Init::Pytorch, &Shape::from([INPUTS])).unwrap();
        let seeds: Vec<i64> = (0..self.replicas as i64).collect();
        let target = match settings.loss.name() {
            "cross_entropy" => Target::Classes(OUTPUTS as usize),
            "mse" => Target::Values(OUTPUTS as usize),
            _ => Target::Labels(OUTPUTS as usize),
        };
        let [training, validation] = [ROWS, 40].map(|rows| self.rows(rows, settings, target));
        let measure = Measure {
            loss: settings.loss.criterion(&training.truth.unsqueeze(0), OUTPUTS as usize, 1),
            metrics: settings.metrics(target),
            decision: settings.loss.decision(OUTPUTS as usize, target),
            positive: 1,
            score: None,
        };
        let task = Task {
            settings,
            measure: &measure,
            monitor: settings.monitored(true, target),
            seeds: &seeds,
            optimizers: &vec![&settings.optimizer; self.replicas],
            training: &training,
            validation: Some(&validation),
            layers: &layers,
            device: Device::Cpu,
            threads: self.threads,
        };
        then(&architecture.build(&seeds, Device::Cpu), &task)
    }

    fn layers(&self) -> Vec<String> {
        self.layers.split_whitespace().map(str::to_owned).collect()
    }

    /// Rows that a network can learn something from, the same each time.
    fn rows(&self, rows: i64, settings: &TrainSpec, target: Target) -> DeviceRows {
        let features = (Tensor::arange(rows * INPUTS, (Kind::Float, Device::Cpu)) * 0.7).sin().view([rows, INPUTS]);
        let signs = features.narrow(1, 0, OUTPUTS) + features.narrow(1, 3, OUTPUTS).square();
        let truth = match target {
            Target::Classes(_) => signs.argmax(1, false),
            Target::Values(_) => signs,
            Target::Labels(_) => signs.gt(0.5).to_kind(Kind::Float),
        };
        let folds = |rows: i64| {
            let each: Vec<Tensor> = (0..self.replicas as i64)
                .map(|fold| Tensor::arange(rows, (Kind::Int64, Device::Cpu)).roll([fold], [0]))
                .collect();
            Tensor::stack(&each, 0).narrow(1, 0, rows - 5)
        };
        DeviceRows {
            targets: settings.loss.targets(&truth, OUTPUTS as usize),
            features,
            truth,
            weights: None,
            chosen: self.folds.then(|| folds(rows)),
        }
    }
}

fn toml(text: &str) -> Layer {
    #[derive(serde::Deserialize)]
    struct One {
        layer: Layer,
    }
    toml_edit::de::from_str::<One>(&format!("layer = {text}")).unwrap().layer
}

#[track_caller]
fn assert_alike(case: &Case) {
    let what = format!("{} with {}, {} replicas, {} threads", case.layers, case.settings, case.replicas, case.threads);
    let [(dense, weights), (autograd, wanted)] = case.by_both();
    for (dense, autograd) in dense.iter().zip(&autograd) {
        assert_eq!((dense.status, dense.best_epoch), (autograd.status, autograd.best_epoch), "{what}");
        assert_eq!(dense.curves.len(), autograd.curves.len(), "{what}");
        for name in ["loss", "val_loss"] {
            let pairs = dense.curves.metric(name).unwrap().into_iter().zip(autograd.curves.metric(name).unwrap());
            pairs.for_each(|(found, wanted)| {
                assert!(is_near(found, wanted), "{what}, {name}: {found}, {wanted}");
            });
        }
    }
    for (&found, &wanted) in weights.iter().zip(&wanted) {
        assert!(is_near(found.into(), wanted.into()), "{what}: a parameter is {found}, not {wanted}");
    }
}

/// Whether both are nearly the same, or both are no longer numbers.
fn is_near(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() < 2e-5 || (!found.is_finite() && !wanted.is_finite())
}

const SGD: &str = "optimizer = { sgd = { lr = 0.1, momentum = 0.9, weight_decay = 0.01 } }\nkeep = \"last\"\n";

#[test]
fn every_activation_and_loss_trains_as_by_autograd() {
    for activation in ["\"relu\"", "{leaky_relu=0.2}", "\"sigmoid\"", "\"tanh\""] {
        for loss in ["cross_entropy", "bce_with_logits", "mse"] {
            let layers = format!("{{linear=9}} {activation} {{linear={{units=5,bias=false}}}} {{linear={OUTPUTS}}}");
            let settings = format!("{SGD}batch = 16\nloss = \"{loss}\"");
            let case = Case { layers: layers.leak(), settings: settings.leak(), replicas: 1, threads: 1, folds: false };
            assert_alike(&case);
        }
    }
}

const LAYERS: &str = "{linear=9} \"relu\" {linear=5} \"tanh\" {linear=3}";

#[test]
fn every_optimizer_schedule_and_batch_trains_as_by_autograd() {
    for settings in [
        "optimizer = \"adam\"\nbatch = 75\nloss = \"cross_entropy\"",
        "optimizer = { adamw = { lr = 0.01, amsgrad = true } }\nbatch = \"full\"\nshuffle = false\nloss = \"cross_entropy\"",
        "optimizer = \"adagrad\"\nbatch = 1\nloss = \"mse\"\nschedule = \"cosine\"",
        "optimizer = { rmsprop = { momentum = 0.5 } }\nbatch = 20\nloss = \"bce_with_logits\"\nschedule = { warm_up = 2 }",
        "optimizer = { sgd = { lr = 0.5 } }\nbatch = 20\nloss = \"cross_entropy\"\nearly_stopping = { patience = 1, min_delta = 0.3 }",
    ] {
        assert_alike(&Case { layers: LAYERS, settings, replicas: 1, threads: 1, folds: false });
    }
}

#[test]
fn replicas_threads_and_folds_train_as_by_autograd() {
    // a last batch of 11 rows, of 1 for several threads, and of all of them
    for batch in ["64", "74", "75"] {
        let settings: &str = format!("{SGD}batch = {batch}\nloss = \"cross_entropy\"").leak();
        for (replicas, threads, folds) in
            [(1, 2, false), (1, 4, false), (2, 2, false), (3, 2, false), (5, 3, true), (2, 8, true)]
        {
            assert_alike(&Case { layers: LAYERS, settings, replicas, threads, folds });
        }
    }
    let unshuffled: &str = format!("{SGD}batch = 74\nshuffle = false\nloss = \"mse\"").leak();
    assert_alike(&Case { layers: LAYERS, settings: unshuffled, replicas: 1, threads: 4, folds: false });
}

#[test]
fn replicas_that_stop_early_leave_the_others_as_they_are() {
    let settings: &str =
        format!("{SGD}batch = 32\nloss = \"cross_entropy\"\nearly_stopping = {{ patience = 1, min_delta = 0.13 }}")
            .replace("keep = \"last\"\n", "")
            .leak();
    let case = Case { layers: LAYERS, settings, replicas: 5, threads: 2, folds: false };
    let epochs: Vec<usize> = case.by_both()[0].0.iter().map(|outcome| outcome.curves.len()).collect();
    assert!(epochs.iter().min() < epochs.iter().max(), "some end before others: {epochs:?}");
    assert_alike(&case);
}

#[test]
fn what_diverges_by_autograd_diverges_without_it() {
    let layers = "{linear=9} \"relu\" {linear=5} \"relu\" {linear=3}";
    let settings = "optimizer = { sgd = { lr = 1e38 } }\nbatch = 20\nloss = \"cross_entropy\"";
    let [dense, autograd] = Case { layers, settings, replicas: 2, threads: 2, folds: false }.by_both();
    for (outcomes, _) in [dense, autograd] {
        assert!(outcomes.iter().all(|outcome| outcome.status == Status::Diverged), "{outcomes:?}");
    }
}

#[test]
fn training_ends_in_the_middle_of_an_epoch_when_it_is_told_to() {
    let settings: TrainSpec = toml_edit::de::from_str(&format!("epochs = 4\n{SGD}batch = 64\nloss = \"mse\"")).unwrap();
    let case = Case { layers: LAYERS, settings: "", replicas: 3, threads: 2, folds: false };
    case.with_task(&settings, |stack, task| {
        let before = stack.arena().values().copy();
        let outcomes = fit(stack, task, &AtomicBool::new(true), &mut (), &mut ()).unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.status == Status::Interrupted && outcome.curves.is_empty()));
        assert_eq!(*stack.arena().values(), before, "as at the end of the last whole epoch");
    });
}

/// How many epochs are kept of two replicas where the run is stopped in their step of this number, counted from 0.
fn epochs_kept(batch: &str, step: usize) -> usize {
    let settings: TrainSpec =
        toml_edit::de::from_str(&format!("epochs = 9\n{SGD}batch = {batch}\nloss = \"mse\"")).unwrap();
    let case = Case { layers: LAYERS, settings: "", replicas: 2, threads: 1, folds: false };
    case.with_task(&settings, |stack, task| {
        STEPS_LEFT.set(Some(step));
        let outcomes = fit(stack, task, &AtomicBool::new(false), &mut (), &mut ()).unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.status == Status::Interrupted));
        assert_eq!(outcomes[0].curves.len(), outcomes[1].curves.len());
        outcomes[0].curves.len()
    })
}

#[test]
fn an_epoch_that_has_taken_its_last_step_is_kept_when_the_run_is_stopped_in_it() {
    // 75 rows: an epoch of each replica has one step, or four, and one replica is trained after the other
    assert_eq!([0, 1, 2, 3].map(|step| epochs_kept("\"full\"", step)), [1, 1, 2, 2]);
    assert_eq!([4, 6, 7, 8, 15].map(|step| epochs_kept("20", step)), [0, 0, 1, 1, 2]);
}
