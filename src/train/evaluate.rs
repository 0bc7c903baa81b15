//! A network's figures on rows that it is not trained on: no gradients, evaluation mode, large blocks.

use tch::nn::ModuleT;
use tch::{Device, Kind, Tensor};

use crate::data::Rows;
use crate::data::batches::{DeviceRows, for_each_replica};
use crate::metrics::accuracy;
use crate::network::stack::Stack;
use crate::train::loss::Loss;

/// How many rows go through the network at once, over all replicas.
const BLOCK: usize = 16_384;

/// The figures of each replica, still on the device.
#[derive(Debug)]
pub struct Figures {
    /// `[replicas]`, f64.
    pub loss: Tensor,
    /// `[replicas]`, f64.
    pub acc: Tensor,
}

/// Rows on the device, with targets as the loss takes them.
pub fn on_device(rows: &Rows, loss: Loss, outputs: usize, device: Device) -> DeviceRows {
    let rows = rows.to(device);
    let targets = loss.targets(&rows.labels, outputs);
    DeviceRows { features: rows.features.to_kind(Kind::Float), targets, labels: rows.labels }
}

/// What the network makes of every row, in evaluation mode: `[replicas, rows, outputs]`.
pub fn outputs(stack: &Stack, rows: &DeviceRows) -> Tensor {
    let _no_grad = tch::no_grad_guard();
    let block = (BLOCK / stack.replicas()).max(256);
    let blocks: Vec<Tensor> = (0..rows.len())
        .step_by(block)
        .map(|start| stack.forward_t(&rows.shared(&(start..rows.len().min(start + block)), stack.replicas()), false))
        .collect();
    Tensor::cat(&blocks, 1)
}

/// Loss and accuracy of each replica on these rows.
pub fn evaluate(stack: &Stack, rows: &DeviceRows, loss: Loss) -> Figures {
    let _no_grad = tch::no_grad_guard();
    let outputs = outputs(stack, rows);
    let replicas = stack.replicas();
    let decision = loss.decision(outputs.size()[2] as usize);
    Figures {
        loss: loss.of_each_replica(&outputs, &for_each_replica(&rows.targets, replicas)).to_kind(Kind::Double),
        acc: accuracy::of_each_replica(&outputs, &for_each_replica(&rows.labels, replicas), decision),
    }
}
