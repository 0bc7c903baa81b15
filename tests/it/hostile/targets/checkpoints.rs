//! Checkpoints, and a training that goes on from one.

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
    static TRAINING_OF_FOUR_EPOCHS: Training = Training::new();
    /// The checkpoint of its second epoch.
    static SOUND: Checkpoint = TRAINING_OF_FOUR_EPOCHS.with(|training| {
        let kept = training.goes_on_from(None).expect("nothing is in its way");
        kept.expect("it is kept after the second epoch")
    });
}

/// A training of four epochs on four rows, with all that a checkpoint holds something of.
const TRAINING: &str = r#"title = "Four epochs"
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

/// What a training is made of.
struct Training {
    plan: Plan,
    rows: DeviceRows,
}

impl Training {
    fn new() -> Training {
        let name = || "training".to_owned();
        let source = SourceText { name: name(), origin: name(), text: TRAINING.to_owned(), folder: None };
        let plan = Study::new(&source, &[]).unwrap_or_else(|error| panic!("{error}")).plans.remove(0);
        let loaded = plan.spec.data.load(&Cache::at("nowhere"), &mut ()).expect("the points are in the program");
        let prepared = Prepared::new(&loaded, &plan.spec.data.split(), plan.spec.data.scale()).expect("they are sound");
        let network = plan.network().expect("it is one");
        let rows = on_device(prepared.training.rows(), &network.train.loss, network.outputs(), Device::Cpu);
        let rows = DeviceRows::from_folds(vec![rows], &vec![0; plan.spec.seeds.len()]);
        Training { plan, rows }
    }

    /// Trains to the end, from a checkpoint where there is one. The last one that was kept comes back.
    fn goes_on_from(&self, checkpoint: Option<Checkpoint>) -> anyhow::Result<Option<Checkpoint>> {
        struct Last(Option<Checkpoint>, Option<Checkpoint>);
        impl Checkpointer for Last {
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
        }
        let network = self.plan.network().expect("it is one");
        let (train, seeds) = (&network.train, &self.plan.spec.seeds);
        let target = self.plan.info.target;
        let stack = network.architecture.build(seeds, Device::Cpu);
        let measure = measure(network, target, &self.rows.of_each_replica(&self.rows.truth, seeds.len()), 1);
        let task = Task {
            settings: train,
            measure: &measure,
            monitor: train.monitored(false, target),
            seeds,
            optimizers: &vec![&train.optimizer; seeds.len()],
            training: &self.rows,
            validation: None,
            layers: &network.spec.layers,
            device: Device::Cpu,
            threads: 1,
        };
        let mut keeper = Last(checkpoint, None);
        let outcomes = fit(&stack, &task, &AtomicBool::new(false), &mut keeper, &mut ())?;
        assert!(outcomes.iter().all(|outcome| outcome.curves.len() <= train.epochs));
        Ok(keeper.1)
    }
}

/// The same in memory of its own.
fn copy(checkpoint: &Checkpoint) -> Checkpoint {
    let tensors = checkpoint.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.copy())).collect();
    Checkpoint { state: checkpoint.state.clone(), tensors }
}

/// What stands in a checkpoint beside the tensors, as far as training needs it.
#[derive(Deserialize)]
struct Kept {
    training: State,
}

/// A checkpoint that training goes on from. As it is (where the first byte is even), or with a checksum that is right: two
/// bytes say how long its JSON is, and the rest is written into the tensors of a sound one; the first byte says what else
/// is done to them.
pub fn checkpoint(bytes: &[u8]) {
    let [how, rest @ ..] = bytes else { return };
    let file = match how % 2 {
        0 => rest.to_vec(),
        _ => {
            let [high, low, rest @ ..] = rest else { return };
            let (state, values) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(rest.len()));
            let Checkpoint { state: of_sound, mut tensors } = SOUND.with(copy);
            let state: Value = match state {
                [] => json!({ "training": of_sound }),
                state => match serde_json::from_slice(state) {
                    Ok(state) => state,
                    Err(_) => return,
                },
            };
            let place = usize::from(how >> 4) % tensors.len();
            overwrite(&tensors[place].1, values);
            match (how >> 1) % 8 {
                1 => drop(tensors.remove(place)),
                2 => tensors[place].0.push('x'),
                3 => tensors[place].1 = tensors[place].1.to_kind(Kind::Int64),
                4 => tensors[place].1 = tensors[place].1.flatten(0, -1),
                5 => tensors.push(("memory.9".to_owned(), Tensor::from_slice(&[1.0_f32]))),
                6 => tensors[place].1 = tensors[place].1.narrow(0, 0, 1).copy(),
                _ => {}
            }
            encode(&state, &tensors).expect("it is JSON, with tensors of floats and whole numbers")
        }
    };
    let _ = RunCheckpoint::parse(&file).map(|found| (found.epoch(), found.seconds()));
    if let Ok((Kept { training: state }, tensors)) = decode(&file) {
        TRAINING_OF_FOUR_EPOCHS.with(|training| {
            let _ = training.goes_on_from(Some(Checkpoint { state, tensors }));
        });
    }
}

/// Writes bytes over the beginning of a tensor.
fn overwrite(tensor: &Tensor, bytes: &[u8]) {
    if tensor.kind() == Kind::Float {
        let values: Vec<f32> =
            bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().expect("four bytes"))).collect();
        let count = values.len().min(tensor.numel());
        let _no_grad = tch::no_grad_guard();
        tensor.view(-1).narrow(0, 0, count as i64).copy_(&Tensor::from_slice(&values[..count]));
    }
}
