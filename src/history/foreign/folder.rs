//! The folder that a run of another program left: TensorBoard's event files, or else the one log that its program names so.
//!
//! Lightning leaves `lightning_logs/version_0/metrics.csv` where TensorBoard is not installed, Ultralytics `results.csv`,
//! Hugging Face's `Trainer` a `trainer_state.json`.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::config::hint::Hint;
use crate::config::suggest;
use crate::history::foreign::foreign_history::Foreign;
use crate::history::foreign::tensorboard;

/// Logs that are known by their names.
const LOGS: [&str; 7] = [
    "metrics.csv",
    "results.csv",
    "trainer_state.json",
    "history.json",
    "history.csv",
    "training.csv",
    "training_log.csv",
];

/// How many folders deep a log is looked for.
const DEEPEST: usize = 3;

/// Reads the history in a run's folder; `read_log` reads a log.
///
/// # Errors
/// When there is none, none can be read, or the folder holds several.
pub fn read(folder: &Path, read_log: impl Fn(&Path) -> anyhow::Result<Foreign>) -> anyhow::Result<Foreign> {
    if tensorboard::holds_events(folder) {
        return tensorboard::read(folder);
    }
    match &logs(folder, DEEPEST)[..] {
        [] => tensorboard::read(folder).map_err(|error| {
            error.context(Hint(format!(
                "a run's folder holds event files of TensorBoard (`events.out.tfevents.…`), or a log that is called {}",
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
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Err(anyhow!("it holds {} logs, and a history is of one run", several.len())
                .context(Hint(format!("name one of them: {}", suggest::list(&names)))))
        }
    }
}

/// Whether a folder holds a history of another program, itself or in its folders.
pub fn holds_history(folder: &Path) -> bool {
    tensorboard::holds_events(folder) || !logs(folder, DEEPEST).is_empty()
}

/// The logs in a folder; where it holds none, those in its folders.
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
