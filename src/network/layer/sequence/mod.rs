//! Layers for sequences: rows of shape `[time, features]`, or of token ids `[time]`.

mod embedding;
mod mean_over_time;
mod multi_head_attention;
mod recurrent;

pub use embedding::{Embedding, StackedEmbedding};
pub use mean_over_time::MeanOverTime;
pub use multi_head_attention::{MultiHeadAttention, StackedAttention};
pub use recurrent::{Gru, Lstm, Nonlinearity, Recurrent, Returns, Rnn, StackedRecurrent};
