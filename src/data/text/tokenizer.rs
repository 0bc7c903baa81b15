//! Divides texts into tokens.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Id of the padding after or before the tokens of a short text.
pub const PADDING: i32 = 0;

/// Id of tokens that are not in the vocabulary.
pub const UNKNOWN: i32 = 1;

/// Number of ids that are no tokens: padding and unknown.
pub const SPECIAL: usize = 2;

/// Number of different bytes.
const BYTES: usize = 256;

/// What a token is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Words: text between white space.
    #[default]
    Words,
    /// Characters: Unicode code points.
    Characters,
    /// Bytes of the UTF-8 text; the vocabulary is always all 256 of them.
    Bytes,
}

/// Side on which short texts are padded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaddingSide {
    /// After the last token.
    #[default]
    End,
    /// Before the first token, so that the last step of a recurrent layer is a token.
    Start,
}

/// Settings of the tokens of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tokenizer {
    /// What a token is.
    pub tokens: TokenKind,
    /// Whether texts are converted to lower case.
    pub lowercase: bool,
    /// Number of ids of a row: longer texts are cut at the end, shorter ones padded.
    pub length: usize,
    /// Side of the padding.
    pub padding: PaddingSide,
}

impl Tokenizer {
    /// Appends the id of each token of a text to `ids`, not cut or padded. `id` returns the id of a word or character.
    pub fn tokenize(&self, text: &str, ids: &mut Vec<i32>, mut id: impl FnMut(&str) -> i32) {
        let text = if self.lowercase { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) };
        match self.tokens {
            TokenKind::Words => ids.extend(text.split_whitespace().map(id)),
            TokenKind::Characters => {
                let mut letter = [0; 4];
                ids.extend(text.chars().map(|character| id(character.encode_utf8(&mut letter))));
            }
            TokenKind::Bytes => ids.extend(text.bytes().map(|byte| i32::from(byte) + SPECIAL as i32)),
        }
    }

    /// Appends a row of `length` ids to `rows`: the first ids of a text, padded.
    pub fn push_row(&self, ids: &[i32], rows: &mut Vec<i32>) {
        let kept = &ids[..ids.len().min(self.length)];
        let padding = std::iter::repeat_n(PADDING, self.length - kept.len());
        match self.padding {
            PaddingSide::End => rows.extend(kept.iter().copied().chain(padding)),
            PaddingSide::Start => rows.extend(padding.chain(kept.iter().copied())),
        }
    }

    /// Returns the number of ids, with those of padding and unknown tokens, for a vocabulary of `tokens` tokens. It is
    /// always the same for bytes.
    pub fn id_count(&self, tokens: usize) -> usize {
        SPECIAL + if self.tokens == TokenKind::Bytes { BYTES } else { tokens }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_rows_of_equal_length() {
        let row = |tokens, length, padding, text: &str| {
            let tokenizer = Tokenizer { tokens, lowercase: true, length, padding };
            let (mut ids, mut rows) = (Vec::new(), Vec::new());
            tokenizer.tokenize(text, &mut ids, |token| token.chars().next().unwrap() as i32);
            tokenizer.push_row(&ids, &mut rows);
            rows
        };
        let words = |length, padding| row(TokenKind::Words, length, padding, " A bc\tÄ ");
        assert_eq!(words(2, PaddingSide::End), [97, 98]);
        assert_eq!(words(4, PaddingSide::End), [97, 98, 228, 0]);
        assert_eq!(words(4, PaddingSide::Start), [0, 97, 98, 228]);
        assert_eq!(row(TokenKind::Characters, 3, PaddingSide::End, "Äb"), [228, 98, 0]);
        assert_eq!(row(TokenKind::Bytes, 4, PaddingSide::End, "Äb"), [0xc3 + 2, 0xa4 + 2, 98 + 2, 0]);
    }
}
