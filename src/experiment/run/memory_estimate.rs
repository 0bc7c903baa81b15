//! Estimates how much memory a stack takes, from its network and its rows, before it is built.
//!
//! Counted is the peak of training: once per stack, and once per replica. Libraries need additional working memory
//! (cuDNN workspaces, rounding of the allocator), so a stack gets only a share of the free memory. The memory of a row in a
//! TorchScript module is measured when the module is inspected. Measured on a CPU
//! with autograd, a replica took 0.6 of this estimate for `overfit_mnist`, and 0.7 for 64-4000-10 in full batches.

use tch::Device;

use crate::experiment::plan::network_plan::NetworkPlan;
use crate::history::RowCounts;
use crate::network::layer::layer_spec::RowMemory;
use crate::network::stack::{ROWS_AT_ONCE, rows_at_once};
use crate::tensor::safetensors_file::BYTES_AT_ONCE;

/// Bytes of an f32.
const FLOAT: u128 = 4;

/// Bytes of an int64: a row index, a class or a predicted class.
const NUMBER: u128 = 8;

/// Memory of a stack, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryEstimate {
    /// Once per stack.
    pub shared: u128,
    /// Per replica.
    pub replica: u128,
}

/// Size of the work of a stack.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Number of rows in each part.
    pub rows: RowCounts,
    /// Whether rows are weighted in the loss.
    pub weighted: bool,
    /// Number of folds that are trained together.
    pub folds: usize,
    /// Device of the tensors.
    pub device: Device,
}

impl MemoryEstimate {
    /// Estimates the memory of this network for this work.
    pub fn new(network: &NetworkPlan, workload: &Workload) -> MemoryEstimate {
        let layers = network.architecture.layers();
        let sample = layers[0].input.elements() as u128;
        let outputs = network.outputs() as u128;
        let measured: Vec<RowMemory> =
            layers.iter().filter_map(|planned| planned.layer.spec().row_memory(&planned.input)).collect();
        let all_layers: u128 = layers.iter().map(|layer| layer.output.elements() as u128).sum();
        let widest = layers.iter().map(|layer| (layer.input.elements() + layer.output.elements()) as u128).max();
        let [train, validation, test] =
            [workload.rows.train, workload.rows.validation, workload.rows.test].map(|rows| rows as u128);
        let batch = network.train.batch.size(workload.rows.train) as u128;

        // values, gradients per parameter and as one tensor, update of the step, best weights, and weights at the end
        // of an epoch; plus the state of the optimizer, now and at the end of the last epoch
        let copies = 6 + 2 * network.train.starting_optimizer().memory().0 as u128;
        let parameters = network.architecture.parameters() as u128 * FLOAT * copies;
        // rows of a batch, and the activations of each layer, forward and backward
        let step = batch
            * (FLOAT * (sample + 2 * all_layers) + measured.iter().map(|row| u128::from(row.training)).sum::<u128>());
        // index, class and prediction of each row; its outputs in batches, concatenated, and as a metric takes them
        let predictions = (train + validation.max(test)) * (3 * NUMBER + 3 * outputs * FLOAT);
        let evaluated = FLOAT * widest.unwrap_or(0);

        // on a CPU the rows of a single fold are not copied
        let copied_rows =
            if workload.device == Device::Cpu && workload.folds == 1 { 0 } else { train + validation + test };
        let rows = copied_rows * workload.folds as u128 * (FLOAT * sample + NUMBER + FLOAT * outputs);
        // checkpoints and weights are written in chunks without a copy; the tensors of a checkpoint that is read are
        // freed before gradients exist, so they take less than is counted above
        let write_buffer = if workload.device == Device::Cpu { u128::from(BYTES_AT_ONCE) } else { 0 };
        let [all_rows, least_rows] = ROWS_AT_ONCE.map(|rows| rows as u128);
        // a measured module is evaluated with fewer rows if they are large, and its replicas one after the other
        let modules = network.architecture.evaluation_bytes().map_or(0, |row| {
            let rows = rows_at_once(1, Some(row)).min(train.max(validation).max(test) as usize);
            rows as u128 * u128::from(row)
        });
        MemoryEstimate {
            shared: rows + all_rows * evaluated + modules + write_buffer,
            replica: parameters + step + predictions + least_rows * evaluated,
        }
    }

    /// Memory of a stack with this number of replicas.
    pub fn bytes(self, replicas: usize) -> u128 {
        self.shared + self.replica * replicas as u128
    }

    /// Number of replicas that fit into this number of bytes, at least 1.
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

    /// MemoryEstimate of a network such as 64-8-10 on the images of `digits`.
    fn memory_estimate(layers: &str, optimizer: &str, workload: &Workload) -> MemoryEstimate {
        let text = format!(
            "title = \"t\"\n[data.digits]\n[network]\nlayers = {layers}\n[train]\nepochs = 1\nbatch = 100\n\
             loss = \"cross_entropy\"\noptimizer = {optimizer}\n"
        );
        let study = Study::new(
            &SourceText { name: "t".to_owned(), origin: "t.toml".to_owned(), text, ..SourceText::default() },
            &[],
        )
        .unwrap();
        MemoryEstimate::new(study.baseline().network().unwrap(), workload)
    }

    const LAYERS: &str = "[{ linear = 8 }, \"relu\", { linear = 10 }]";

    fn on(device: Device, folds: usize) -> Workload {
        Workload { rows: ROWS, weighted: false, folds, device }
    }

    #[test]
    fn every_tensor_that_training_holds_is_counted() {
        let found = memory_estimate(LAYERS, "\"adam\"", &on(Device::Cpu, 1));
        let parameters = (64 * 8 + 8 + 8 * 10 + 10) * 4 * (6 + 2 * 2);
        let step = 100 * 4 * (64 + 2 * (8 + 8 + 10));
        let predictions = (1000 + 300) * (3 * 8 + 3 * 10 * 4);
        let evaluated = 4 * (64 + 8); // input and output of the widest layer
        assert_eq!(found.replica, parameters + step + predictions + 256 * evaluated);
        assert_eq!(found.shared, 16_384 * evaluated + (4 << 20), "and 4 MiB of a checkpoint at once");
        assert_eq!(found.bytes(3), found.shared + 3 * found.replica);
    }

    #[test]
    fn each_optimizer_remembers_what_it_has_to() {
        let bytes = |optimizer: &str| memory_estimate(LAYERS, optimizer, &on(Device::Cpu, 1)).replica;
        let of_one = 2 * 610 * 4; // the state now and at the end of the last epoch
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
        let shared = |device, folds| memory_estimate(LAYERS, "\"adam\"", &on(device, folds)).shared;
        let rows = 1500 * (64 * 4 + 8 + 10 * 4);
        assert_eq!(shared(Device::Cuda(0), 1) - (shared(Device::Cpu, 1) - (4 << 20)), rows);
        assert_eq!(shared(Device::Cpu, 5) - shared(Device::Cpu, 1), 5 * rows);
    }

    #[test]
    fn as_many_replicas_as_fit_and_at_least_one_are_a_stack() {
        let memory_estimate = MemoryEstimate { shared: 100, replica: 30 };
        assert_eq!(memory_estimate.width(190), 3);
        assert_eq!(memory_estimate.width(189), 2);
        assert_eq!(memory_estimate.width(50), 1);
        assert_eq!(memory_estimate.bytes(3), 190);
    }
}
