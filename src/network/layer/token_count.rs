//! Number of tokens of embeddings that take it from the data.

use crate::network::layer::Layer;

impl Layer {
    /// Sets the number of tokens of embeddings that do not state it.
    pub fn set_tokens(&mut self, tokens: usize) {
        let all = |layers: &mut Vec<Layer>| layers.iter_mut().for_each(|layer| layer.set_tokens(tokens));
        match self {
            Layer::Embedding(embedding) => embedding.tokens = embedding.tokens.or(Some(tokens)),
            Layer::Residual(block) => [&mut block.layers, &mut block.projection].into_iter().for_each(all),
            Layer::Repeat(block) => all(&mut block.layers),
            Layer::Parallel(block) => block.branches.iter_mut().for_each(all),
            _ => {}
        }
    }
}
