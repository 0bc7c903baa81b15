//! `preprocessing.json` in a run's folder: the form of its data and what was fitted to the training rows, for each variant
//! and fold. With it a trained model takes new rows where the training data are not there.

use std::path::Path;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::config::hint::Hint;
use crate::data::prepare::fitted_data::{FittedData, FittedDataRecord};
use crate::history::{History, json};
use crate::io::bounded_file;
use crate::run_dir::RunDir;

/// The value of `schema` in every file of this version.
pub const SCHEMA: &str = "runner.preprocessing/1";

/// The file in a run's folder.
pub const FILE: &str = "preprocessing.json";

/// What was fitted in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreprocessingFile {
    /// `runner.preprocessing/1`.
    pub schema: String,
    /// An entry for each fold of variants that share their data.
    pub fitted: Vec<Entry>,
}

/// What was fitted to the training rows of one fold, for variants that share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The variants.
    pub variants: Vec<String>,
    /// The fold, in cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// What was fitted.
    #[serde(flatten)]
    pub fitted: FittedDataRecord,
}

impl Entry {
    fn is_of(&self, variant: &str, fold: Option<usize>) -> bool {
        self.fold == fold && self.variants.iter().any(|name| name == variant)
    }
}

impl PreprocessingFile {
    /// Reads the file in a run's folder; `None` where there is none.
    ///
    /// # Errors
    /// When it is damaged, or of another version.
    pub fn read(folder: &Path) -> anyhow::Result<Option<PreprocessingFile>> {
        let path = folder.join(FILE);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let shown = path.display();
        let bytes = bounded_file::read(&path, bounded_file::JSON);
        let file = bytes.map_err(anyhow::Error::new).and_then(|bytes| Self::of_json(&bytes));
        let hint = "without this file the model is rebuilt from the training data";
        file.with_context(|| format!("failed to read `{shown}`")).context(Hint(hint.to_owned())).map(Some)
    }

    /// Reads the text of such a file.
    ///
    /// # Errors
    /// When it is damaged, or of another version.
    pub fn of_json(bytes: &[u8]) -> anyhow::Result<PreprocessingFile> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let Head { schema } = serde_json::from_slice(bytes).context("it is damaged")?;
        ensure!(schema == SCHEMA, "its schema is `{schema}`, and this version reads `{SCHEMA}`");
        serde_json::from_slice(bytes).context("it is damaged")
    }

    /// What was fitted for a trial, checked; `None` where the file has no entry for it.
    ///
    /// # Errors
    /// When it contradicts itself or the trial's history.
    pub fn of_trial(&self, history: &History) -> anyhow::Result<Option<FittedData>> {
        let of_trial = |entry: &&Entry| entry.is_of(&history.variant, history.fold);
        let Some(entry) = self.fitted.iter().find(of_trial) else { return Ok(None) };
        let data = &history.data;
        let is_same = (&entry.fitted.sha256, &entry.fitted.classes) == (&data.sha256, &data.classes);
        ensure!(is_same, "it was fitted to other data than those of `{}`", history.stem());
        FittedData::of_record(entry.fitted.clone()).context("it is damaged").map(Some)
    }

    /// Writes what was fitted to each fold of these variants, beside what the folder's file holds of others.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn add(folder: &RunDir, variants: &[String], folds: Vec<(Option<usize>, FittedData)>) -> anyhow::Result<()> {
        let before = Self::read(folder.path()).ok().flatten(); // one that is damaged is replaced
        let mut file = before.unwrap_or_else(|| PreprocessingFile { schema: SCHEMA.to_owned(), fitted: Vec::new() });
        let entry = |(fold, fitted): (Option<usize>, FittedData)| Entry {
            variants: variants.to_vec(),
            fold,
            fitted: fitted.record(),
        };
        let entries: Vec<Entry> = folds.into_iter().map(entry).collect();
        if entries.iter().all(|entry| file.fitted.contains(entry)) {
            return Ok(()); // the run is resumed
        }
        for entry in &mut file.fitted {
            entry.variants.retain(|variant| !variants.contains(variant));
        }
        file.fitted.retain(|entry| !entry.variants.is_empty());
        file.fitted.extend(entries);
        let text = json::readable(&file).context("failed to write the preprocessing")?;
        folder.write(FILE, text.as_bytes());
        Ok(())
    }
}

/// What was fitted for the trial of this history, whose run lies in `folder`; `None` where the run has no such file, as
/// runs of earlier versions.
///
/// # Errors
/// When the file is damaged, of another version, or of another run.
pub fn of_trial(folder: &Path, history: &History) -> anyhow::Result<Option<FittedData>> {
    let Some(file) = PreprocessingFile::read(folder)? else { return Ok(None) };
    file.of_trial(history).map_err(|error| {
        let hint = "without this file the model is rebuilt from the training data";
        error.context(format!("failed to use `{}`", folder.join(FILE).display())).context(Hint(hint.to_owned()))
    })
}
