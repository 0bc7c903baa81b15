//! What a run has left: whether its files are whole, and whether two runs have left the same.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use safetensors::SafeTensors;
use serde_json::Value;

use crate::experiment::run::checkpointing;
use crate::experiment::store::newest;
use crate::experiment::store::preprocessing_file::{self, PreprocessingFile};
use crate::experiment::store::run_record::RunRecord;
use crate::history::{History, json};

/// The newest run's folder below `out`, which has those of one experiment.
pub(crate) fn run_in(out: &Path) -> Option<PathBuf> {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !path.is_symlink()).collect();
        found.sort();
        found
    };
    folders(folders(out).last()?).pop()
}

/// Checks that every file of a run that was killed is whole. Says at which epoch its checkpoint stands.
pub(crate) fn check(folder: &Path) -> anyhow::Result<Option<usize>> {
    let mut epoch = None;
    for file in files(folder)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".part") || name.starts_with('.') {
            continue; // half of a file never has its name
        }
        let damaged = || format!("`{}` is damaged", file.display());
        if name == checkpointing::FILE {
            epoch = Some(epoch_of(&std::fs::read(&file)?).with_context(damaged)?);
        } else if name.ends_with(".safetensors") {
            SafeTensors::deserialize(&std::fs::read(&file)?).with_context(damaged)?;
        } else if name == crate::experiment::store::run_record::FILE {
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

/// The epoch of a checkpoint, by its metadata.
fn epoch_of(bytes: &[u8]) -> anyhow::Result<usize> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    SafeTensors::deserialize(bytes)?;
    let state = header.metadata().as_ref().and_then(|metadata| metadata.get("state")).context("it has no state")?;
    let state: Value = serde_json::from_str(state)?;
    let epoch = state.pointer("/training/epoch").and_then(Value::as_u64).context("it names no epoch")?;
    Ok(usize::try_from(epoch)?)
}

/// Checks that a run has left the same as another, but for times. Says how many trials there are.
pub(crate) fn same(wanted: &Path, found: &Path) -> anyhow::Result<usize> {
    let trials = |folder: &Path| -> anyhow::Result<Vec<PathBuf>> {
        let is_kept = |file: &PathBuf| {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name != crate::experiment::store::run_record::FILE
                && (name.ends_with(".json") || name.ends_with(".safetensors"))
        };
        Ok(files(folder)?.into_iter().filter(is_kept).collect())
    };
    let (wanted, found) = (trials(wanted)?, trials(found)?);
    let names = |files: &[PathBuf]| -> Vec<String> {
        files.iter().map(|file| file.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect()
    };
    ensure!(names(&wanted) == names(&found), "it has left {:?}, and in one go {:?}", names(&found), names(&wanted));
    let mut histories = 0;
    for (wanted, found) in wanted.iter().zip(&found) {
        let shown = found.display();
        if !newest::may_be_history(found) {
            ensure!(
                std::fs::read(wanted)? == std::fs::read(found)?,
                "`{shown}` is not what the run in one go has left"
            );
            continue;
        }
        let (wanted, found) = (without_times(wanted)?, without_times(found)?);
        histories += 1;
        if let Some((one, other)) = wanted.lines().zip(found.lines()).find(|(one, other)| one != other) {
            return Err(anyhow!("`{shown}` differs from the run in one go\n  {}\n  {}", one.trim(), other.trim()));
        }
        ensure!(wanted == found, "`{shown}` is longer or shorter than in one go");
    }
    ensure!(histories > 0, "no history was left");
    Ok(histories)
}

/// A history as text, without what tells when it was made and how long it took.
fn without_times(file: &Path) -> anyhow::Result<String> {
    let mut history = History::read(file)?;
    history.started.clear();
    history.seconds = 0.0;
    history.history.series.shift_remove("seconds");
    if let Some(best) = &mut history.best {
        best.metrics.shift_remove("seconds");
    }
    Ok(json::readable(&history)?)
}

/// The files in a folder, sorted by name.
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

    /// A folder with one trial of this loss.
    fn run(loss: f64, seconds: f64) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut history = trial_for_tests("base", 0, loss);
        history.seconds = seconds;
        history.write(&folder.path().join("base-seed0.json")).unwrap();
        std::fs::write(folder.path().join("base-seed0.safetensors"), "weights").unwrap();
        folder
    }

    #[test]
    fn two_runs_are_the_same_up_to_their_times() {
        assert_eq!(same(run(0.5, 1.0).path(), run(0.5, 2.0).path()).unwrap(), 1);
        let difference = same(run(0.5, 1.0).path(), run(0.5 + 1e-17, 1.0).path());
        assert_eq!(difference.unwrap(), 1, "the same number");
        let difference = same(run(0.5, 1.0).path(), run(0.500_000_000_000_000_1, 1.0).path()).unwrap_err();
        assert!(difference.to_string().contains("\"loss\": [0.5000000000000001]"), "{difference}");
    }

    #[test]
    fn weights_that_differ_are_found_and_so_is_a_missing_file() {
        let (one, other) = (run(0.5, 1.0), run(0.5, 1.0));
        std::fs::write(other.path().join("base-seed0.safetensors"), "weightz").unwrap();
        assert!(same(one.path(), other.path()).unwrap_err().to_string().contains("base-seed0.safetensors"));
        std::fs::remove_file(other.path().join("base-seed0.safetensors")).unwrap();
        assert!(same(one.path(), other.path()).is_err());
    }

    #[test]
    fn a_file_that_is_cut_short_is_damaged() {
        let folder = run(0.5, 1.0);
        assert!(check(folder.path()).is_err(), "no weights");
        std::fs::remove_file(folder.path().join("base-seed0.safetensors")).unwrap();
        assert_eq!(check(folder.path()).unwrap(), None);
        std::fs::write(folder.path().join("base-seed1.json"), "{\"schema\": \"runner.hist").unwrap();
        assert!(check(folder.path()).is_err());
    }
}
