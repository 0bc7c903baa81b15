//! `preprocessing.json` in the run directory: columns and fitted preprocessing of each variant and fold. With this file
//! a trained model predicts new rows without its training data.

use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use serde::{Deserialize, Serialize};

use crate::config::hint::Hint;
use crate::data::prepare::fitted_data::{FittedData, FittedDataRecord};
use crate::history::{History, readable_json};
use crate::io::bounded_file;
use crate::run_dir::RunDir;

/// Value of `schema` in files of this version.
pub const SCHEMA: &str = "runner.preprocessing/1";

/// File name in the run directory.
pub const FILE: &str = "preprocessing.json";

/// Fitted preprocessing of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreprocessingFile {
    /// `runner.preprocessing/1`.
    pub schema: String,
    /// One entry per fold and set of variants with the same data.
    pub fitted: Vec<Entry>,
}

/// Preprocessing fitted to the training rows of one fold, shared by several variants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The variants.
    pub variants: Vec<String>,
    /// Index of the fold, with cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// The fitted preprocessing.
    #[serde(flatten)]
    pub fitted: FittedDataRecord,
}

impl PreprocessingFile {
    /// Reads the file in a run directory; `None` if there is none.
    ///
    /// # Errors
    /// When it is damaged or of another version.
    pub fn read(folder: &Path) -> anyhow::Result<Option<PreprocessingFile>> {
        let path = folder.join(FILE);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let shown = path.display();
        let bytes = bounded_file::read(&path, bounded_file::JSON);
        let file = bytes.map_err(anyhow::Error::new).and_then(|bytes| Self::parse(&bytes));
        let hint = "remove this file: the preprocessing is then fitted again to the training data";
        file.with_context(|| format!("failed to read `{shown}`")).context(Hint(hint.to_owned())).map(Some)
    }

    /// Parses the contents of this file.
    ///
    /// # Errors
    /// When it is damaged or of another version.
    pub fn parse(bytes: &[u8]) -> anyhow::Result<PreprocessingFile> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let Head { schema } = serde_json::from_slice(bytes).map_err(damaged)?;
        ensure!(schema == SCHEMA, "its schema is `{schema}`, but this version reads `{SCHEMA}`");
        serde_json::from_slice(bytes).map_err(damaged)
    }

    /// Returns the checked preprocessing of a trial; `None` if the file has no entry for it.
    ///
    /// # Errors
    /// When it contradicts itself or the trial's history.
    pub fn for_trial(&self, history: &History) -> anyhow::Result<Option<FittedData>> {
        let is_of_trial = |entry: &&Entry| entry.fold == history.fold && entry.variants.contains(&history.variant);
        let Some(entry) = self.fitted.iter().find(is_of_trial) else { return Ok(None) };
        let data = &history.data;
        let is_same = (&entry.fitted.sha256, &entry.fitted.classes) == (&data.sha256, &data.classes);
        ensure!(is_same, "it was fitted to other data than trial `{}`", history.stem());
        FittedData::from_record(entry.fitted.clone()).map(Some)
    }

    /// Writes the preprocessing of each fold of these variants, and keeps the entries of other variants.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn add(folder: &RunDir, variants: &[String], folds: Vec<(Option<usize>, FittedData)>) -> anyhow::Result<()> {
        let before = Self::read(folder.path()).ok().flatten(); // a damaged file is replaced
        let mut file = before.unwrap_or_else(|| PreprocessingFile { schema: SCHEMA.to_owned(), fitted: Vec::new() });
        let entry = |(fold, fitted): (Option<usize>, FittedData)| Entry {
            variants: variants.to_vec(),
            fold,
            fitted: fitted.record(),
        };
        let entries: Vec<Entry> = folds.into_iter().map(entry).collect();
        if entries.iter().all(|entry| file.fitted.contains(entry)) {
            return Ok(()); // already written before the run was resumed
        }
        for entry in &mut file.fitted {
            entry.variants.retain(|variant| !variants.contains(variant));
        }
        file.fitted.retain(|entry| !entry.variants.is_empty());
        file.fitted.extend(entries);
        let text = readable_json::readable(&file).context("failed to serialize the preprocessing")?;
        folder.write(FILE, text.as_bytes());
        Ok(())
    }
}

/// The error of a file that is not JSON or lacks fields.
fn damaged(error: serde_json::Error) -> anyhow::Error {
    anyhow!("it is damaged: {error}")
}

/// Returns the preprocessing of the trial with this history, whose run directory is `folder`; `None` if the run has no
/// such file, as with runs of older versions.
///
/// # Errors
/// When the file is damaged, of another version, or of another run.
pub fn read_for_trial(folder: &Path, history: &History) -> anyhow::Result<Option<FittedData>> {
    let Some(file) = PreprocessingFile::read(folder)? else { return Ok(None) };
    file.for_trial(history).map_err(|error| {
        let hint = "remove this file: the preprocessing is then fitted again to the training data";
        error.context(format!("failed to use `{}`", folder.join(FILE).display())).context(Hint(hint.to_owned()))
    })
}
