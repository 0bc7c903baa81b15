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

    /// Returns the smallest number of tokens of embeddings that take the input of the layer; `None` if it has none.
    pub fn input_tokens(&self) -> Option<usize> {
        let first = |layers: &[Layer]| layers.first().and_then(Layer::input_tokens);
        match self {
            Layer::Embedding(embedding) => embedding.tokens,
            Layer::Residual(block) => [&block.layers, &block.projection].into_iter().filter_map(|all| first(all)).min(),
            Layer::Repeat(block) => first(&block.layers),
            Layer::Parallel(block) => block.branches.iter().filter_map(|branch| first(branch)).min(),
            _ => None,
        }
    }
}
