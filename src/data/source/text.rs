//! The user's own texts, in a column of a CSV table or of JSON lines.

use std::path::Path;

pub use crate::data::text::settings::Text;

use crate::config::check::{Invalid, at_least_one, require};
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::prepare::scale::Scale;
use crate::data::source::data_source::{DataSource, load_error};
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::store::user_file;
use crate::data::store::{kept_info, kept_table};
use crate::data::text::tokenizer::{SPECIAL, TokenKind};

impl DataSource for Text {
    const NAME: &'static str = "text";
    const HAS_COLUMNS: bool = true;

    fn info(&self, split: &Split) -> Result<DatasetInfo, Invalid> {
        self.check()?;
        kept_info::get_or_read(&(self, split), &self.path, || {
            let (table, _, reading) = self.read(split)?;
            self.select(&table, split, reading).map(|selected| selected.info())
        })
    }

    fn load(&self, split: &Split, _: &Cache, _: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
        let (table, sum, reading) = self.read(split).map_err(load_error::<Self>)?;
        kept_table::LAST.release(); // the memory is free once the rows are tensors
        Ok(self.select(&table, split, reading).map_err(load_error::<Self>)?.load(sum))
    }

    fn check(&self) -> Result<(), Invalid> {
        at_least_one("min_count", self.min_count)?;
        self.length.map_or(Ok(()), |length| at_least_one("length", length))?;
        if let Some(vocabulary) = self.vocabulary {
            let wanted = "must be at least 3: the ids of padding and unknown tokens, and a token";
            require(vocabulary > SPECIAL, "vocabulary", wanted, vocabulary)?;
        }
        let is_limited = [("vocabulary", self.vocabulary.is_some()), ("min_count", self.min_count > 1)];
        match is_limited.iter().find(|(_, is_set)| *is_set && self.tokens == TokenKind::Bytes) {
            Some((key, _)) => {
                let message = "is set, but the vocabulary of bytes is always all 256 of them";
                Err(Invalid::new(*key, message).hint(format!("remove `{key}`")))
            }
            None => Ok(()),
        }
    }

    fn check_scale(&self, scale: Scale) -> Result<(), Invalid> {
        match scale {
            Scale::None => Ok(()),
            Scale::Unit | Scale::Standard | Scale::MinMax => {
                let message = "is set, but texts become token ids, which are no measurements";
                Err(Invalid::new("scale", message).hint("remove `scale`"))
            }
        }
    }

    fn paths_mut(&mut self) -> Vec<(&'static str, &mut String)> {
        vec![("path", &mut self.path)]
    }

    fn checksum_of_files(&self) -> Result<Option<String>, Invalid> {
        let file = user_file::read(Path::new(&self.path));
        file.map(|(_, sum)| Some(sum)).map_err(|fault| self.path_error(fault))
    }

    fn weights(&self) -> Option<&str> {
        self.weights.as_deref()
    }
}
