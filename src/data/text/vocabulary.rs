//! Vocabulary: the tokens of the training rows, the most frequent ones first.

use anyhow::anyhow;
use tch::Tensor;

use crate::config::hint::Hint;
use crate::data::subsets::Training;
use crate::data::table::form::TextForm;
use crate::data::text::tokenizer::{PADDING, SPECIAL, TokenKind, UNKNOWN};

/// Vocabulary that was fitted to training rows.
#[derive(Debug)]
pub struct Vocabulary {
    /// Tokens with the ids 2, 3, ….
    pub tokens: Vec<String>,
    /// Id in the vocabulary for each id of the source, int64.
    ids: Tensor,
}

impl Vocabulary {
    /// Fits to the ids of the training rows, `[rows, length]`, whose tokens are those of `form`; `None` for bytes, whose
    /// ids are always the same.
    ///
    /// # Errors
    /// When no token is frequent enough.
    pub fn fit(form: &TextForm, training: &Training) -> anyhow::Result<Option<Vocabulary>> {
        if form.tokenizer.tokens == TokenKind::Bytes {
            return Ok(None);
        }
        let count = form.id_count() as i64;
        let counts = training.rows().features.flatten(0, -1).bincount::<Tensor>(None, count);
        let counts = Vec::<i64>::try_from(counts)?.into_iter().skip(SPECIAL).map(|count| count as u64);
        let chosen = form.limits.chosen(&form.tokens, &counts.collect::<Vec<_>>());
        if chosen.is_empty() {
            let message = "no token occurs often enough in the training rows: the vocabulary would be empty";
            return Err(anyhow!(message).context(Hint("lower `min_count`".to_owned())));
        }
        let mut ids = vec![i64::from(UNKNOWN); count as usize];
        ids[PADDING as usize] = i64::from(PADDING);
        chosen.iter().enumerate().for_each(|(number, &place)| ids[SPECIAL + place] = (SPECIAL + number) as i64);
        let tokens = chosen.into_iter().map(|place| form.tokens[place].clone()).collect();
        Ok(Some(Vocabulary { tokens, ids: Tensor::from_slice(&ids) }))
    }

    /// Converts ids of the source to ids of the vocabulary, `[rows, length]`, int64.
    pub fn ids(&self, raw: &Tensor) -> Tensor {
        self.ids.index_select(0, &raw.flatten(0, -1)).view(&raw.size()[..])
    }

    /// Returns the same vocabulary; the tensors share memory.
    pub fn shallow_clone(&self) -> Vocabulary {
        Vocabulary { tokens: self.tokens.clone(), ids: self.ids.shallow_clone() }
    }
}
