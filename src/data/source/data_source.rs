//! The interface of a data source.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tch::Tensor;

use crate::config::check::Invalid;
use crate::config::hint::into_error;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::prepare::scale::Scale;
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::table::csv_table::Table;

/// Source of the rows of a data set: a built-in or downloaded data set, or the user's own files.
///
/// The implementing type has the settings of `[data.NAME]`, without those that all sources share.
pub trait DataSource: Serialize + DeserializeOwned + JsonSchema {
    /// Name in experiment files.
    const NAME: &'static str;

    /// Title, license, files and download addresses of a named data set, in TOML. `None` for the user's own files.
    const MANIFEST: Option<&'static str> = None;

    /// Whether the table takes `split` and `scale`.
    const HAS_SHARED_SETTINGS: bool = true;

    /// Whether the features are the columns of a table, which have no largest possible value in common.
    const IS_TABLE: bool = false;

    /// Whether the split can name columns (or an array) of the source.
    const HAS_COLUMNS: bool = false;

    /// Column that a named table predicts by default.
    const TARGET_COLUMN: Option<&'static str> = None;

    /// Returns what is known before training. Reads the user's own files.
    ///
    /// # Errors
    /// When a file cannot be used, or a setting or the split names a column that does not exist or does not fit; the key is
    /// relative to the source.
    fn info(&self, split: &Split) -> Result<DatasetInfo, Invalid>;

    /// Loads the rows, and downloads files that the cache lacks. Rows of a split by time are sorted.
    ///
    /// # Errors
    /// When a file cannot be read or downloaded, has another checksum, or has changed since it was checked.
    fn load(&self, split: &Split, cache: &Cache, watch: &mut dyn DownloadProgress) -> anyhow::Result<Loaded>;

    /// Checks the settings of the source.
    ///
    /// # Errors
    /// When a setting is out of its range; the key is relative to the source.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    /// Checks that the features have a largest possible value, by which `scale = "unit"` divides.
    ///
    /// # Errors
    /// When they have none; the key is relative to the source.
    fn check_unit(&self) -> Result<(), Invalid> {
        if !Self::IS_TABLE {
            return Ok(());
        }
        let message = "is `unit`, which is for pixels, but the features are columns of a table";
        let hint = "use `min_max` to scale each column to 0–1, or `standard` for mean 0 and standard deviation 1";
        Err(Invalid::new("scale", message).hint(hint))
    }

    /// Checks the scaling of the features.
    ///
    /// # Errors
    /// When the features cannot be scaled in this way; the key is relative to the source.
    fn check_scale(&self, scale: Scale) -> Result<(), Invalid> {
        match scale {
            Scale::Unit => self.check_unit(),
            Scale::None | Scale::Standard | Scale::MinMax => Ok(()),
        }
    }

    /// Returns the table of a named data set with the checksum of its files; `None` if the data set is no table.
    ///
    /// # Errors
    /// When the table cannot be downloaded.
    fn table(_: &Cache, _: &mut dyn DownloadProgress) -> anyhow::Result<Option<(Table, String)>> {
        Ok(None)
    }

    /// Returns the paths of the user's own files, each with the key of its setting.
    fn paths_mut(&mut self) -> Vec<(&'static str, &mut String)> {
        Vec::new()
    }

    /// Returns the SHA-256 over the user's own files, as in [`Loaded::sha256`]; `None` for named data sets.
    ///
    /// # Errors
    /// When a file cannot be read; the key is relative to the source.
    fn checksum_of_files(&self) -> Result<Option<String>, Invalid> {
        Ok(None)
    }

    /// Returns the name of the column of sample weights.
    fn weights(&self) -> Option<&str> {
        None
    }

    /// Returns the number of classes that images of this source can be labeled with; `classes` is that of the target.
    fn label_count(&self, classes: usize) -> usize {
        classes
    }

    /// Converts class numbers, `[rows]` int64, to targets, as in [`crate::data::Rows`].
    fn targets(&self, classes: &Tensor) -> Tensor {
        classes.shallow_clone()
    }
}

/// Converts a fault of the settings or files of the source `S` to an error with the full key.
pub(super) fn load_error<S: DataSource>(fault: Invalid) -> anyhow::Error {
    into_error(fault.under(format!("data.{}", S::NAME)))
}
