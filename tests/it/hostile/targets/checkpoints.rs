//! Checkpoints, and training that resumes from them.

use std::sync::atomic::AtomicBool;

use runner::data::prepare::batches::DeviceRows;
use runner::data::prepare::prepared::Prepared;
use runner::data::store::cache::Cache;
use runner::experiment::plan::Plan;
use runner::experiment::plan::study::Study;
use runner::experiment::run::checkpointing::RunCheckpoint;
use runner::experiment::run::test_metrics::measure;
use runner::experiment::spec::source_text::SourceText;
use runner::train::checkpoint::file::{decode, encode};
use runner::train::checkpoint::{Checkpoint, Checkpointer, State};
use runner::train::evaluate::on_device;
use runner::train::fit::fit;
use runner::train::task::Task;
use serde::Deserialize;
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

thread_local! {
    static TRAINING: Training = Training::new();
    /// The checkpoint after its second epoch.
    static VALID_CHECKPOINT: Checkpoint = TRAINING.with(|training| {
        let kept = training.train_from(None).expect("training succeeds");
        kept.expect("the second epoch has a checkpoint")
    });
}

/// An experiment with four epochs and four rows. Its checkpoints contain every kind of state.
const EXPERIMENT: &str = r#"title = "Four epochs"
seeds = [0, 1]
[data.logic]
gate = "xor"
[network]
layers = [{ linear = 3 }, { batch_norm = {} }, "relu", { dropout = 0.1 }, { linear = 2 }]
[train]
epochs = 4
batch = 2
loss = "cross_entropy"
optimizer = { adam = { lr = 0.1 } }
schedule = { reduce_on_plateau = { patience = 1, monitor = "loss" } }
early_stopping = { patience = 3, monitor = "loss" }
"#;

/// Everything needed for training.
struct Training {
    plan: Plan,
    rows: DeviceRows,
}

impl Training {
    fn new() -> Training {
        let name = || "training".to_owned();
        let source = SourceText { name: name(), origin: name(), text: EXPERIMENT.to_owned(), ..SourceText::default() };
        let plan = Study::new(&source, &[]).unwrap_or_else(|error| panic!("{error}")).plans.remove(0);
        let loaded = plan.spec.data.load(&Cache::at("nowhere"), &mut ()).expect("the data set is built in");
        let prepared =
            Prepared::new(&loaded, &plan.spec.data.split(), plan.spec.data.scale()).expect("the data set is valid");
        let network = plan.network().expect("the plan has a network");
        let rows = on_device(prepared.training.rows(), None, &network.train.loss, network.outputs(), Device::Cpu);
        let rows = DeviceRows::from_folds(vec![rows], &vec![0; plan.spec.seeds.len()]);
        Training { plan, rows }
    }

    /// Trains to the end, optionally from a checkpoint. Returns the last saved checkpoint.
    fn train_from(&self, checkpoint: Option<Checkpoint>) -> anyhow::Result<Option<Checkpoint>> {
        struct TestKeeper(Option<Checkpoint>, Option<Checkpoint>);
        impl Checkpointer for TestKeeper {
            fn resume_from(&mut self) -> Option<Checkpoint> {
                self.0.take()
            }
            fn is_due(&mut self, epoch: usize) -> bool {
                epoch == 2
            }
            fn keep(&mut self, checkpoint: &Checkpoint) -> Option<String> {
                self.1 = Some(copy(checkpoint));
                None
            }
            fn keep_last(&mut self, checkpoint: &Checkpoint) -> Option<String> {
                self.keep(checkpoint)
            }
            fn keep_final(&mut self, _checkpoint: &Checkpoint) -> Option<String> {
                None
            }
        }
        let network = self.plan.network().expect("the plan has a network");
        let (train, seeds) = (&network.train, &self.plan.spec.seeds);
        let target = self.plan.info.target;
        let stack = network.architecture.build(seeds, Device::Cpu)?;
        let measure = measure(network, &[train], target, &self.rows.of_each_replica(&self.rows.truth, seeds.len()), 1);
        let task = Task {
            settings: train,
            measure: &measure,
            monitor: train.monitored(false, target),
            seeds,
            replicas: &vec![train; seeds.len()],
            training: &self.rows,
            validation: None,
            layers: &network.layers,
            device: Device::Cpu,
            threads: 1,
        };
        let mut keeper = TestKeeper(checkpoint, None);
        let outcomes = fit(&stack, &task, &AtomicBool::new(false), &mut keeper, &mut ())?;
        assert!(outcomes.iter().all(|outcome| outcome.curves.len() <= train.epochs));
        Ok(keeper.1)
    }
}

/// A deep copy of the checkpoint.
fn copy(checkpoint: &Checkpoint) -> Checkpoint {
    let tensors = checkpoint.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.copy())).collect();
    Checkpoint { state: checkpoint.state.clone(), tensors }
}

/// The part of a checkpoint's JSON header that training needs.
#[derive(Deserialize)]
struct CheckpointHeader {
    training: State,
}

/// A checkpoint to resume from. If the first byte is even, the rest is the file. If it is odd, the file gets a correct
/// checksum: two bytes give the length of the JSON header, and the rest overwrites the tensors of a valid checkpoint.
/// The first byte also selects further changes to the tensors.
pub fn checkpoint(bytes: &[u8]) {
    let [how, rest @ ..] = bytes else { return };
    let file = match how % 2 {
        0 => rest.to_vec(),
        _ => {
            let [high, low, rest @ ..] = rest else { return };
            let (state, values) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(rest.len()));
            let Checkpoint { state: of_sound, mut tensors } = VALID_CHECKPOINT.with(copy);
            let state: Value = match state {
                [] => json!({ "training": of_sound }),
                state => match serde_json::from_slice(state) {
                    Ok(state) => state,
                    Err(_) => return,
                },
            };
            let index = usize::from(how >> 4) % tensors.len();
            overwrite(&tensors[index].1, values);
            match (how >> 1) % 8 {
                1 => drop(tensors.remove(index)),
                2 => tensors[index].0.push('x'),
                3 => tensors[index].1 = tensors[index].1.to_kind(Kind::Int64),
                4 => tensors[index].1 = tensors[index].1.flatten(0, -1),
                5 => tensors.push(("memory.9".to_owned(), Tensor::from_slice(&[1.0_f32]))),
                6 => tensors[index].1 = tensors[index].1.narrow(0, 0, 1).copy(),
                _ => {}
            }
            encode(&state, &tensors).expect("the checkpoint can be encoded")
        }
    };
    let _ = RunCheckpoint::parse(&file).map(|found| (found.epoch(), found.seconds()));
    if let Ok((CheckpointHeader { training: state }, tensors)) = decode(&file) {
        TRAINING.with(|training| {
            let _ = training.train_from(Some(Checkpoint { state, tensors }));
        });
    }
}

/// Overwrites the start of a tensor with these bytes.
fn overwrite(tensor: &Tensor, bytes: &[u8]) {
    if tensor.kind() == Kind::Float {
        let values: Vec<f32> =
            bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().expect("four bytes"))).collect();
        let count = values.len().min(tensor.numel());
        let _no_grad = tch::no_grad_guard();
        tensor.view(-1).narrow(0, 0, count as i64).copy_(&Tensor::from_slice(&values[..count]));
    }
}
