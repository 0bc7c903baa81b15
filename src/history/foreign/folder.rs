//! The run directory of another program: it contains TensorBoard event files, or else a log with a known name.
//!
//! Lightning writes `lightning_logs/version_0/metrics.csv` without TensorBoard, Ultralytics `results.csv`, and Hugging
//! Face's `Trainer` `trainer_state.json`.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::config::hint::Hint;
use crate::config::suggest;
use crate::history::foreign::foreign_history::Foreign;
use crate::history::foreign::tensorboard;

/// Names of logs.
const LOGS: [&str; 7] = [
    "metrics.csv",
    "results.csv",
    "trainer_state.json",
    "history.json",
    "history.csv",
    "training.csv",
    "training_log.csv",
];

/// Maximum depth of directories that are searched.
const DEEPEST: usize = 3;

/// Reads the history in a run directory; `read_log` reads a log.
///
/// # Errors
/// If there is no history, it cannot be read, or there are several.
pub fn read(folder: &Path, read_log: impl Fn(&Path) -> anyhow::Result<Foreign>) -> anyhow::Result<Foreign> {
    if tensorboard::holds_events(folder) {
        return tensorboard::read(folder);
    }
    match &logs(folder, DEEPEST)[..] {
        [] => tensorboard::read(folder).map_err(|error| {
            error.context(Hint(format!(
                "a run directory contains TensorBoard event files (`events.out.tfevents.…`), or a log named {}",
                suggest::list(&LOGS)
            )))
        }),
        [log] => read_log(log),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|log| log.strip_prefix(folder).unwrap_or(log).to_string_lossy().into_owned())
                .take(8)
                .collect();
            Err(anyhow!("it contains {} logs, not one", several.len())
                .context(Hint(format!("name one of them: {}", suggest::list(&names)))))
        }
    }
}

/// Returns whether a directory or its subdirectories contain a history of another program.
pub fn holds_history(folder: &Path) -> bool {
    tensorboard::holds_events(folder) || !logs(folder, DEEPEST).is_empty()
}

/// Returns the logs in a directory, or if there are none, those in its subdirectories.
fn logs(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let own: Vec<PathBuf> = LOGS.iter().map(|name| folder.join(name)).filter(|path| path.is_file()).collect();
    if !own.is_empty() || depth == 0 {
        return own;
    }
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect())
        .unwrap_or_default();
    folders.sort();
    folders.iter().flat_map(|inner| logs(inner, depth - 1)).collect()
}
