//! How much memory a stack takes, by its network and its rows, estimated before it is built.
//!
//! What is counted is what training holds at its peak, once for the stack or once for each replica. Libraries need some
//! working space beside it (cuDNN's, the allocator's rounding), so a stack is given a share of what is free, not all.
//! Measured on a CPU with autograd, a replica of `overfit_mnist` took 0.6 of what is estimated here, and one of 64-4000-10
//! in full batches 0.7.

use tch::Device;

use crate::experiment::plan::network_plan::NetworkPlan;
use crate::history::RowCounts;
use crate::tensor::safetensors_file::BYTES_AT_ONCE;

/// Bytes of a float.
const FLOAT: u128 = 4;

/// Bytes of a row's number, of its class, and of a class that was predicted.
const NUMBER: u128 = 8;

/// How many rows are evaluated at once: over all replicas, and of each replica at least.
const EVALUATED: (u128, u128) = (16_384, 256);

/// What a stack takes, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Once, however many replicas there are.
    pub shared: u128,
    /// For each replica.
    pub replica: u128,
}

/// What a stack is made for.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many rows each part has.
    pub rows: RowCounts,
    /// Whether rows count differently in the loss.
    pub weighted: bool,
    /// How many folds ride together.
    pub folds: usize,
    /// Where it is to be.
    pub device: Device,
}

impl Footprint {
    /// The footprint of this network with these rows.
    pub fn of(network: &NetworkPlan, load: &Load) -> Footprint {
        let layers = network.architecture.layers();
        let sample = layers[0].input.elements() as u128;
        let outputs = network.outputs() as u128;
        let all_layers: u128 = layers.iter().map(|layer| layer.output.elements() as u128).sum();
        let widest = layers.iter().map(|layer| (layer.input.elements() + layer.output.elements()) as u128).max();
        let [train, validation, test] =
            [load.rows.train, load.rows.validation, load.rows.test].map(|rows| rows as u128);
        let batch = network.train.batch.size(load.rows.train) as u128;

        // the values, their gradient in parts and as one, the step's own, the best weights and those of a whole epoch;
        // the optimizer's memory, now and at the end of the last epoch
        let copies = 6 + 2 * network.train.starting_optimizer().memory().0 as u128;
        let parameters = network.architecture.parameters() as u128 * FLOAT * copies;
        // the batch's rows, and what each layer makes of them, forward and backward
        let step = batch * FLOAT * (sample + 2 * all_layers);
        // each row's number, class and prediction; its outputs as they came, joined, and as a metric takes them
        let told = (train + validation.max(test)) * (3 * NUMBER + 3 * outputs * FLOAT);
        let evaluated = FLOAT * widest.unwrap_or(0);

        // on a CPU a lone fold's rows stay where they were read to
        let copied = if load.device == Device::Cpu && load.folds == 1 { 0 } else { train + validation + test };
        let rows = copied * load.folds as u128 * (FLOAT * sample + NUMBER + FLOAT * outputs);
        // checkpoints and weights are written part by part from where they are; the tensors of a checkpoint that is read
        // come and go before there are gradients: fewer copies than are counted above
        let written = if load.device == Device::Cpu { u128::from(BYTES_AT_ONCE) } else { 0 };
        Footprint {
            shared: rows + EVALUATED.0 * evaluated + written,
            replica: parameters + step + told + EVALUATED.1 * evaluated,
        }
    }

    /// What a stack of so many replicas takes.
    pub fn bytes(self, replicas: usize) -> u128 {
        self.shared + self.replica * replicas as u128
    }

    /// How many replicas fit into so many bytes; one is always tried.
    pub fn width(self, bytes: u64) -> usize {
        usize::try_from(u128::from(bytes).saturating_sub(self.shared) / self.replica.max(1))
            .unwrap_or(usize::MAX)
            .max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::plan::study::Study;
    use crate::experiment::spec::source_text::SourceText;

    const ROWS: RowCounts = RowCounts { train: 1000, validation: 200, test: 300 };

    /// Of a network of 64-8-10 and its like on the images of `digits`.
    fn footprint(layers: &str, optimizer: &str, load: &Load) -> Footprint {
        let text = format!(
            "title = \"t\"\n[data.digits]\n[network]\nlayers = {layers}\n[train]\nepochs = 1\nbatch = 100\n\
             loss = \"cross_entropy\"\noptimizer = {optimizer}\n"
        );
        let study =
            Study::new(&SourceText { name: "t".to_owned(), origin: "t.toml".to_owned(), text, folder: None }, &[])
                .unwrap();
        Footprint::of(study.baseline().network().unwrap(), load)
    }

    const LAYERS: &str = "[{ linear = 8 }, \"relu\", { linear = 10 }]";

    fn on(device: Device, folds: usize) -> Load {
        Load { rows: ROWS, weighted: false, folds, device }
    }

    #[test]
    fn every_tensor_that_training_holds_is_counted() {
        let found = footprint(LAYERS, "\"adam\"", &on(Device::Cpu, 1));
        let parameters = (64 * 8 + 8 + 8 * 10 + 10) * 4 * (6 + 2 * 2);
        let step = 100 * 4 * (64 + 2 * (8 + 8 + 10));
        let told = (1000 + 300) * (3 * 8 + 3 * 10 * 4);
        let evaluated = 4 * (64 + 8); // the widest layer's rows and what it makes of them
        assert_eq!(found.replica, parameters + step + told + 256 * evaluated);
        assert_eq!(found.shared, 16_384 * evaluated + (4 << 20), "and 4 MiB of a checkpoint at once");
        assert_eq!(found.bytes(3), found.shared + 3 * found.replica);
    }

    #[test]
    fn each_optimizer_remembers_what_it_has_to() {
        let bytes = |optimizer: &str| footprint(LAYERS, optimizer, &on(Device::Cpu, 1)).replica;
        let of_one = 2 * 610 * 4; // now, and at the end of the last epoch
        let plain = bytes("{ sgd = { lr = 0.1 } }");
        for (optimizer, remembered) in [
            ("{ sgd = { lr = 0.1, momentum = 0.9 } }", 1),
            ("\"adagrad\"", 1),
            ("\"rmsprop\"", 1),
            ("{ rmsprop = { momentum = 0.9, centered = true } }", 3),
            ("\"adam\"", 2),
            ("{ adamw = { amsgrad = true } }", 3),
        ] {
            assert_eq!(bytes(optimizer) - plain, remembered * of_one, "{optimizer}");
        }
    }

    #[test]
    fn rows_are_copied_onto_a_gpu_and_where_folds_ride_together() {
        let shared = |device, folds| footprint(LAYERS, "\"adam\"", &on(device, folds)).shared;
        let rows = 1500 * (64 * 4 + 8 + 10 * 4);
        assert_eq!(shared(Device::Cuda(0), 1) - (shared(Device::Cpu, 1) - (4 << 20)), rows);
        assert_eq!(shared(Device::Cpu, 5) - shared(Device::Cpu, 1), 5 * rows);
    }

    #[test]
    fn as_many_replicas_as_fit_and_at_least_one_are_a_stack() {
        let footprint = Footprint { shared: 100, replica: 30 };
        assert_eq!(footprint.width(190), 3);
        assert_eq!(footprint.width(189), 2);
        assert_eq!(footprint.width(50), 1);
        assert_eq!(footprint.bytes(3), 190);
    }
}
