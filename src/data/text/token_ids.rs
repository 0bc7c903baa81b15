//! Texts as token ids.

use std::collections::HashMap;

use tch::Tensor;

use crate::data::file_error::FileError;
use crate::data::table::csv_table::Table;
use crate::data::table::external_table::{Unknown, missing_column};
use crate::data::table::form::TextForm;
use crate::data::text::tokenizer::{SPECIAL, TokenKind, UNKNOWN};

impl TextForm {
    /// Returns the ids of texts, `[texts, length]`, int32.
    pub fn ids<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Tensor {
        let places = self.tokens.iter().zip(SPECIAL as i32..);
        let known: HashMap<&str, i32> = places.map(|(token, id)| (token.as_str(), id)).collect();
        let (mut ids, mut rows) = (Vec::new(), Vec::new());
        for text in texts {
            ids.clear();
            self.tokenizer.tokenize(text, &mut ids, |token| known.get(token).copied().unwrap_or(UNKNOWN));
            self.tokenizer.push_row(&ids, &mut rows);
        }
        Tensor::from_slice(&rows).view([-1, self.tokenizer.length as i64])
    }

    /// Returns the ids of the texts of a table, `[rows, length]`, int32.
    ///
    /// # Errors
    /// When the column or a text is missing, or a text has no token of the vocabulary and `unknown` does not allow it.
    pub fn read(&self, table: &Table, unknown: Unknown) -> Result<Tensor, FileError> {
        let column = table.column(&self.text).ok_or_else(|| missing_column(table, &self.text))?;
        if let Some((row, _)) = column.first_missing() {
            let message = format!("has no text in {}, column `{}`", table.place(row), self.text);
            return Err(FileError::new(message).hint("fill it in, or remove the row"));
        }
        let texts: Vec<String> = (0..table.rows()).filter_map(|row| column.text(row)).collect();
        let ids = self.ids(texts.iter().map(String::as_str));
        let unknown_row = (0..texts.len()).find(|&row| !TextForm::has_known(&ids.get(row as i64)));
        match unknown_row.filter(|_| unknown != Unknown::Ignore) {
            Some(row) => {
                let message = format!("has no token of the vocabulary in {}: `{}`", table.place(row), texts[row]);
                Err(FileError::new(message).hint("remove the row, or use `--unknown ignore`"))
            }
            None => Ok(ids),
        }
    }

    /// Returns whether a row of ids has a token of the vocabulary.
    pub fn has_known(ids: &Tensor) -> bool {
        ids.max().int64_value(&[]) > i64::from(UNKNOWN)
    }

    /// Returns the number of ids, with those of padding and unknown tokens.
    pub fn id_count(&self) -> usize {
        self.tokenizer.id_count(self.tokens.len())
    }

    /// Returns the tokens of a row of ids as text, with `�` for unknown ones.
    pub fn text(&self, ids: &[i64]) -> String {
        let tokens = ids.iter().copied().filter(|&id| id > 0);
        let token = |id: i64| match usize::try_from(id - SPECIAL as i64).ok().and_then(|place| self.tokens.get(place)) {
            Some(token) => token.as_str(),
            None => "�",
        };
        match self.tokenizer.tokens {
            TokenKind::Words => tokens.map(token).collect::<Vec<_>>().join(" "),
            TokenKind::Characters => tokens.map(token).collect(),
            TokenKind::Bytes => {
                let bytes: Vec<u8> = tokens.map(|id| (id - SPECIAL as i64) as u8).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
        }
    }
}
