//! The fused CPU backend: trains networks of linear layers, normalization, activations and dropout, also after
//! convolutions with max pooling, on the CPU without autograd.
//!
//! The forward and backward pass of these networks are a few matrix products with some elementwise arithmetic between
//! them. Autograd takes about twenty operations, each of which allocates memory, is dispatched and is recorded; for a
//! small network that is most of the time. Here the matrix products write into preallocated buffers, and each
//! elementwise part is one pass over memory (`workspace`). Losses, weights and curves equal those of autograd up to
//! rounding, as tests check. All other networks, losses and settings are left to autograd (`plan`).
//!
//! The work is distributed among threads in the largest possible parts (`group`): replicas, which need not wait for
//! each other during an epoch; with fewer replicas than threads, parts of each batch. libtorch itself uses one thread
//! meanwhile.

/// Runs a block with the widest vector instructions of the processor.
macro_rules! vectorized {
    ($block:block) => {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || $block,
        )
    };
}

mod activation;
mod barrier;
mod clip;
mod convolution;
mod dropout;
pub(super) mod epoch;
mod gather;
mod group;
mod log_softmax;
mod loss;
mod normalization;
pub mod plan;
mod pool;
#[cfg(test)]
mod tests;
mod view;
mod workspace;
