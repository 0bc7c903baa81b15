//! A training on a few rows with both backends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tch::{Device, Kind, Tensor};

use crate::data::Target;
use crate::data::prepare::batches::DeviceRows;
use crate::data::prepare::features::Features;
use crate::network::init::Init;
use crate::network::layer::{Layer, OutputKind};
use crate::network::stack::{Architecture, Stack};
use crate::tensor::shape::Shape;
use crate::train::TrainSpec;
use crate::train::backend::Backend;
use crate::train::callback::{Callback, EpochReport, ReplicaResult};
use crate::train::evaluate::Measure;
use crate::train::fit::{fit, run_epochs};
use crate::train::loss::Loss;
use crate::train::loss::criterion::Criterion;
use crate::train::state::epoch_counter::EpochCounter;
use crate::train::task::Task;

/// Checks that at the end of each epoch the steps have advanced the counter by one epoch.
#[derive(Default)]
struct Counting(Arc<EpochCounter>);

impl Callback for Counting {
    fn epoch(&mut self, report: &EpochReport) {
        let counted = self.0.epochs().unwrap();
        assert!((counted - report.epoch as f64).abs() < 1e-9, "{counted} after epoch {}", report.epoch);
    }

    fn epoch_counter(&mut self) -> Arc<EpochCounter> {
        Arc::clone(&self.0)
    }
}

pub(super) const ROWS: i64 = 75;
pub(super) const INPUTS: i64 = 7;
pub(super) const IMAGE: [i64; 3] = [2, 7, 6];
pub(super) const OUTPUTS: i64 = 3;

/// A training on a few rows: layers, settings, number of replicas and threads, and whether replicas are folds.
pub(super) struct Case {
    pub(super) layers: &'static str,
    pub(super) settings: &'static str,
    pub(super) replicas: usize,
    pub(super) threads: usize,
    pub(super) folds: bool,
}

/// Result and parameters of a replica.
pub(super) type Trained = (ReplicaResult, Vec<f32>);

pub(super) fn trained(outcomes: anyhow::Result<Vec<ReplicaResult>>, stack: &Stack) -> Vec<Trained> {
    let parameters = Vec::<Vec<f32>>::try_from(stack.arena().values()).unwrap();
    outcomes.unwrap().into_iter().zip(parameters).collect()
}

impl Case {
    /// Trains with both backends. Returns the results and the parameters of each.
    pub(super) fn train_with_both_backends(&self) -> [Vec<Trained>; 2] {
        let seeds: Vec<i64> = (0..self.replicas as i64).collect();
        self.train(&vec![read(self.settings); self.replicas], &seeds)
    }

    /// Trains a stack with these settings and seeds of the replicas with both backends.
    pub(super) fn train(&self, replicas: &[TrainSpec], seeds: &[i64]) -> [Vec<Trained>; 2] {
        let stop = AtomicBool::new(false);
        let fused = self.with_task(replicas, seeds, |stack, task| {
            assert!(
                crate::train::fused_cpu::plan::Plan::from_task(stack, task).is_some(),
                "the fused CPU backend supports it"
            );
            trained(fit(stack, task, &stop, &mut (), &mut Counting::default()), stack)
        });
        [fused, self.train_with_autograd(replicas, seeds)]
    }

    pub(super) fn train_with_autograd(&self, replicas: &[TrainSpec], seeds: &[i64]) -> Vec<Trained> {
        self.with_task(replicas, seeds, |stack, task| {
            let batch = task.settings.batch.size(task.training.len());
            let mut backend = Backend::autograd(stack, task, batch);
            let stop = AtomicBool::new(false);
            let epochs = task.settings.epochs;
            let fitted = run_epochs(&mut backend, stack, task, batch, epochs, &stop, &mut (), &mut Counting::default());
            trained(fitted.map(|fitted| fitted.results), stack)
        })
    }

    /// Trains with both backends. Returns the buffers of each, by name, `[replicas, …]`.
    pub(super) fn buffers_of_both_backends(&self) -> [BTreeMap<String, Tensor>; 2] {
        let settings = vec![read(self.settings); self.replicas];
        let seeds: Vec<i64> = (0..self.replicas as i64).collect();
        [true, false].map(|is_fused| {
            self.with_task(&settings, &seeds, |stack, task| {
                let batch = task.settings.batch.size(task.training.len());
                let mut backend =
                    if is_fused { Backend::new(stack, task, batch) } else { Backend::autograd(stack, task, batch) };
                assert_eq!(matches!(backend, Backend::FusedCpu { .. }), is_fused);
                let (stop, epochs) = (AtomicBool::new(false), task.settings.epochs);
                run_epochs(&mut backend, stack, task, batch, epochs, &stop, &mut (), &mut Counting::default()).unwrap();
                let buffers = stack.arena().buffers().iter();
                buffers.map(|buffer| (buffer.name.clone(), buffer.values.copy())).collect()
            })
        })
    }

    /// Builds a new stack and its task, and calls `then` with them.
    pub(super) fn with_task<R>(
        &self,
        replicas: &[TrainSpec],
        seeds: &[i64],
        then: impl FnOnce(&Stack, &Task) -> R,
    ) -> R {
        let settings = &replicas[0];
        let layers: Vec<Layer> = self.layers().into_iter().map(|text| toml(&text)).collect();
        let architecture = Architecture::follow(&layers, Init::Pytorch, &Shape::from(&self.sample()[..])).unwrap();
        let target = match settings.loss.name() {
            "cross_entropy" => Target::Classes(OUTPUTS as usize),
            "mse" | "mae" | "huber" => Target::Values(OUTPUTS as usize),
            _ => Target::Labels(OUTPUTS as usize),
        };
        let [training, validation] = [ROWS, 40].map(|rows| self.rows(rows, settings, target));
        let losses: Vec<&Loss> = replicas.iter().map(|settings| &settings.loss).collect();
        let measure = Measure {
            loss: Criterion::new(
                &losses,
                &training.of_each_replica(&training.truth, replicas.len()),
                OUTPUTS as usize,
                1,
            ),
            metrics: settings.metrics(target),
            decision: settings.loss.decision(OutputKind::Values, OUTPUTS as usize, target),
            positive: 1,
            score: None,
        };
        let task = Task {
            settings,
            replicas: &replicas.iter().collect::<Vec<_>>(),
            measure: &measure,
            monitor: settings.monitored(true, target),
            seeds,
            training: &training,
            validation: Some(&validation),
            layers: &layers,
            device: Device::Cpu,
            threads: self.threads,
        };
        then(&architecture.build(seeds, Device::Cpu).unwrap(), &task)
    }

    pub(super) fn layers(&self) -> Vec<String> {
        self.layers.split_whitespace().map(str::to_owned).collect()
    }

    /// Returns the shape of a row: an image if the network has a convolution.
    fn sample(&self) -> Vec<i64> {
        if self.layers.contains("conv2d") { IMAGE.to_vec() } else { vec![INPUTS] }
    }

    /// Returns the same learnable rows each time.
    pub(super) fn rows(&self, rows: i64, settings: &TrainSpec, target: Target) -> DeviceRows {
        let sample = self.sample();
        let count = rows * sample.iter().product::<i64>();
        let features = (Tensor::arange(count, (Kind::Float, Device::Cpu)) * 0.7).sin().view([rows, -1]);
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
            features: Features::new(&features.view(&[&[rows], &sample[..]].concat()[..])),
            truth,
            weights: None,
            chosen: self.folds.then(|| folds(rows)),
        }
    }
}

/// Reads settings of training with 4 epochs, unless they state others.
pub(super) fn read(settings: &str) -> TrainSpec {
    let epochs = if settings.starts_with("epochs") { "" } else { "epochs = 4\n" };
    toml_edit::de::from_str(&format!("{epochs}{settings}")).unwrap()
}

pub(super) fn toml(text: &str) -> Layer {
    #[derive(serde::Deserialize)]
    struct One {
        #[serde(deserialize_with = "crate::config::shorthand::named")]
        layer: Layer,
    }
    toml_edit::de::from_str::<One>(&format!("layer = {text}")).unwrap().layer
}
