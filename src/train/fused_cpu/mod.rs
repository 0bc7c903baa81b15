//! Networks of linear layers and activations, trained on the CPU without autograd.
//!
//! Such a network's forward and backward pass are a handful of matrix products, with a little arithmetic between them.
//! Autograd takes some twenty operations for it, each of which allocates, dispatches and is taken down for the way back;
//! for a small network that is most of the time. Here the products go into buffers that were allocated once, and what
//! lies between them is done in single passes over memory (`shard`). Losses, weights and curves are those of autograd up
//! to rounding, which tests hold; every other network, loss or setting is left to autograd (`plan`).
//!
//! Work is shared out among threads in the largest pieces there are (`team`): whole replicas first, which need not wait
//! for each other in an epoch; where there are fewer replicas than threads, the rows of a batch. libtorch itself is kept
//! to one thread meanwhile.

mod activation;
mod barrier;
mod crew;
pub(super) mod epoch;
mod gather;
mod loss;
pub mod plan;
mod shard;
mod team;
#[cfg(test)]
mod tests;
