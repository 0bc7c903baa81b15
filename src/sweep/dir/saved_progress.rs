//! How much of a stack its run directory has saved, read without tensors.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::experiment::run::checkpointing;
use crate::experiment::store::run_record::RunRecord;

/// How much of a stack is saved. A worker that dies without a change has made no progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedProgress {
    /// Number of trials that are done.
    pub done: usize,
    /// Epoch of the checkpoint.
    pub epoch: usize,
}

impl SavedProgress {
    /// Reads the progress of a run directory. What cannot be read counts as nothing.
    pub fn read(folder: &Path) -> SavedProgress {
        SavedProgress {
            done: RunRecord::read(folder).map_or(0, |record| record.done()),
            epoch: epoch_of(&folder.join(checkpointing::FILE)).unwrap_or(0),
        }
    }
}

/// Returns the epoch of a checkpoint, from the metadata at the beginning of the file.
fn epoch_of(path: &Path) -> Option<usize> {
    const LONGEST: u64 = 100 << 20;
    let mut file = File::open(path).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let length = Some(u64::from_le_bytes(length)).filter(|length| *length <= LONGEST)?;
    let header: Value = serde_json::from_reader(file.take(length)).ok()?;
    let state: Value = serde_json::from_str(header.pointer("/__metadata__/state")?.as_str()?).ok()?;
    usize::try_from(state.pointer("/training/epoch")?.as_u64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_is_read_from_the_beginning_of_a_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(SavedProgress::read(folder.path()), SavedProgress::default());
        let state = r#"{"trials":[],"training":{"epoch":12}}"#;
        let header = serde_json::json!({ "__metadata__": { "state": state } }).to_string();
        let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[7; 100]].concat();
        std::fs::write(folder.path().join(checkpointing::FILE), &bytes).unwrap();
        assert_eq!(SavedProgress::read(folder.path()), SavedProgress { done: 0, epoch: 12 });
        std::fs::write(folder.path().join(checkpointing::FILE), &bytes[..30]).unwrap();
        assert_eq!(SavedProgress::read(folder.path()).epoch, 0);
    }
}
