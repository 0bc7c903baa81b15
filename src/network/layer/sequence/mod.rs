//! Layers for sequences: rows of shape `[time, features]`, or of token ids `[time]`.

mod embedding;
mod multi_head_attention;
mod positional_encoding;
mod recurrent;
mod time_steps;
mod transformer_encoder;

pub use embedding::{Embedding, check_ids};
pub use multi_head_attention::MultiHeadAttention;
pub use positional_encoding::{PositionalEncoding, StackedPositionalEncoding};
pub use recurrent::{Gru, Lstm, Nonlinearity, Recurrent, Returns, Rnn, StackedRecurrent};
pub use time_steps::MeanOverTime;
pub use transformer_encoder::{EncoderActivation, StackedTransformerEncoder, TransformerEncoder};
