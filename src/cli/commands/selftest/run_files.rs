//! Files of a run: whether they are intact, and whether those of two runs are identical.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use safetensors::SafeTensors;
use serde_json::Value;

use crate::experiment::run::checkpointing;
use crate::experiment::store::newest;
use crate::experiment::store::preprocessing_file::{self, PreprocessingFile};
use crate::experiment::store::run_record::{self, RunRecord};
use crate::history::{History, readable_json};

/// Returns the folder of the newest run under `out`, which has the runs of one experiment.
pub(crate) fn newest_run(out: &Path) -> Option<PathBuf> {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !path.is_symlink()).collect();
        found.sort();
        found
    };
    folders(folders(out).last()?).pop()
}

/// Checks that every file of a killed run is intact. Returns the epoch of its checkpoint, if there is one.
pub(crate) fn check(folder: &Path) -> anyhow::Result<Option<usize>> {
    let mut epoch = None;
    for file in files(folder)? {
        let name = name(&file);
        if name.ends_with(".part") || name.starts_with('.') {
            continue; // incomplete file: it gets its final name when it is complete
        }
        let damaged = || format!("`{}` is damaged", file.display());
        if name == checkpointing::FILE {
            epoch = Some(epoch_of(&std::fs::read(&file)?).with_context(damaged)?);
        } else if name.ends_with(".safetensors") {
            SafeTensors::deserialize(&std::fs::read(&file)?).with_context(damaged)?;
        } else if name == run_record::FILE {
            RunRecord::read(folder)?;
        } else if name == preprocessing_file::FILE {
            PreprocessingFile::read(folder)?;
        } else if name.ends_with(".tree.json") {
            serde_json::from_slice::<Value>(&std::fs::read(&file)?).with_context(damaged)?;
        } else if name.ends_with(".json") {
            History::read(&file)?;
        }
    }
    Ok(epoch)
}

/// Returns the epoch of a checkpoint, from its metadata.
fn epoch_of(bytes: &[u8]) -> anyhow::Result<usize> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    SafeTensors::deserialize(bytes)?;
    let state =
        header.metadata().as_ref().and_then(|metadata| metadata.get("state")).context("the checkpoint has no state")?;
    let state: Value = serde_json::from_str(state)?;
    let epoch = state.pointer("/training/epoch").and_then(Value::as_u64).context("the checkpoint has no epoch")?;
    Ok(usize::try_from(epoch)?)
}

/// Checks that the files of two runs are identical except for times. Returns the number of trials.
pub(crate) fn compare(expected: &Path, found: &Path) -> anyhow::Result<usize> {
    let trials = |folder: &Path| -> anyhow::Result<Vec<PathBuf>> {
        let is_result = |file: &PathBuf| {
            let name = name(file);
            name != run_record::FILE && (name.ends_with(".json") || name.ends_with(".safetensors"))
        };
        Ok(files(folder)?.into_iter().filter(is_result).collect())
    };
    let (expected, found) = (trials(expected)?, trials(found)?);
    let names = |files: &[PathBuf]| files.iter().map(|file| name(file)).collect::<Vec<_>>();
    let (wanted, there) = (names(&expected), names(&found));
    ensure!(wanted == there, "the files are {there:?}, but those of the uninterrupted run are {wanted:?}");
    let mut histories = 0;
    for (expected, found) in expected.iter().zip(&found) {
        let shown = found.display();
        if !newest::may_be_history(found) {
            ensure!(
                std::fs::read(expected)? == std::fs::read(found)?,
                "`{shown}` differs from that of the uninterrupted run"
            );
            continue;
        }
        let (expected, found) = (without_times(expected)?, without_times(found)?);
        histories += 1;
        if let Some((one, other)) = expected.lines().zip(found.lines()).find(|(one, other)| one != other) {
            let (one, other) = (one.trim(), other.trim());
            return Err(anyhow!("`{shown}` differs from that of the uninterrupted run\n  {one}\n  {other}"));
        }
        ensure!(expected == found, "`{shown}` has another length than that of the uninterrupted run");
    }
    ensure!(histories > 0, "the runs have no histories");
    Ok(histories)
}

/// Returns a history as JSON text, without its start time and durations.
fn without_times(file: &Path) -> anyhow::Result<String> {
    let mut history = History::read(file)?;
    history.started.clear();
    history.seconds = 0.0;
    history.history.series.shift_remove("seconds");
    if let Some(best) = &mut history.best {
        best.metrics.shift_remove("seconds");
    }
    Ok(readable_json::readable(&history)?)
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the files in a folder, sorted by name.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut files: Vec<PathBuf> = entries.with_context(|| format!("failed to read `{}`", folder.display()))?;
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::trial_for_tests;

    /// Returns a folder with one trial that has this loss.
    fn run(loss: f64, seconds: f64) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut history = trial_for_tests("base", 0, loss);
        history.seconds = seconds;
        history.write(&folder.path().join("base-seed0.json")).unwrap();
        std::fs::write(folder.path().join("base-seed0.safetensors"), "weights").unwrap();
        folder
    }

    #[test]
    fn two_runs_are_identical_except_for_times() {
        assert_eq!(compare(run(0.5, 1.0).path(), run(0.5, 2.0).path()).unwrap(), 1);
        let difference = compare(run(0.5, 1.0).path(), run(0.5 + 1e-17, 1.0).path());
        assert_eq!(difference.unwrap(), 1, "the same number");
        let difference = compare(run(0.5, 1.0).path(), run(0.500_000_000_000_000_1, 1.0).path()).unwrap_err();
        assert!(difference.to_string().contains("\"loss\": [0.5000000000000001]"), "{difference}");
    }

    #[test]
    fn different_weights_and_a_missing_file_are_reported() {
        let (one, other) = (run(0.5, 1.0), run(0.5, 1.0));
        std::fs::write(other.path().join("base-seed0.safetensors"), "weightz").unwrap();
        assert!(compare(one.path(), other.path()).unwrap_err().to_string().contains("base-seed0.safetensors"));
        std::fs::remove_file(other.path().join("base-seed0.safetensors")).unwrap();
        assert!(compare(one.path(), other.path()).is_err());
    }

    #[test]
    fn an_incomplete_file_is_damaged() {
        let folder = run(0.5, 1.0);
        assert!(check(folder.path()).is_err(), "no weights");
        std::fs::remove_file(folder.path().join("base-seed0.safetensors")).unwrap();
        assert_eq!(check(folder.path()).unwrap(), None);
        std::fs::write(folder.path().join("base-seed1.json"), "{\"schema\": \"runner.hist").unwrap();
        assert!(check(folder.path()).is_err());
    }
}
