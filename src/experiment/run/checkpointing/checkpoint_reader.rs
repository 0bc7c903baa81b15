//! Reads the checkpoint of a run directory.

use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use serde::Deserialize;

use crate::config::hint::Hint;
use crate::device::memory;
use crate::experiment::run::checkpointing::passed_rungs::{ENDED, PassedRungs};
use crate::experiment::run::checkpointing::settings_hash::{HashedTrial, hashes_of_older_versions};
use crate::experiment::store::stack_record::TrialName;
use crate::history::Environment;
use crate::history::curves::Curves;
use crate::io::bounded_file;
use crate::io::byte_size::format_bytes;
use crate::run_dir::RunDir;
use crate::train::checkpoint::{Checkpoint, State, Tensors, file};

/// File name in the run directory.
pub const FILE: &str = "checkpoint.safetensors";

/// Returns the name of the file with the checkpoint of a stack's last epoch.
pub fn final_file(trials: &[TrialName]) -> String {
    format!("{}.checkpoint", trials[0].stem())
}

/// The metadata of a checkpoint, without its tensors.
#[derive(Debug, Deserialize)]
struct CheckpointMetadata {
    trials: Vec<TrialName>,
    /// SHA-256 over the settings and the data of the trials.
    #[serde(default)]
    settings: String,
    environment: Environment,
    training: State,
    #[serde(default)]
    rungs: Option<PassedRungs>,
}

/// A checkpoint of a run.
#[derive(Debug)]
pub struct RunCheckpoint {
    pub(super) trials: Vec<TrialName>,
    pub(super) settings: String,
    /// Environment of the training.
    pub environment: Environment,
    pub(super) checkpoint: Checkpoint,
    /// What has happened at the rungs before, with the tensors of the replicas that ended at them.
    pub(super) rungs: Option<(PassedRungs, Tensors)>,
}

impl RunCheckpoint {
    /// Reads the checkpoint of a run directory; `None` if there is none.
    ///
    /// # Errors
    /// When it is damaged or does not fit into memory.
    pub fn read(folder: &RunDir) -> anyhow::Result<Option<RunCheckpoint>> {
        Self::read_file(&folder.file(FILE), memory::free_main_memory())
    }

    /// Reads the checkpoint of the last epoch of a stack; `None` if there is none.
    ///
    /// # Errors
    /// As for [`RunCheckpoint::read`].
    pub fn read_final(folder: &Path, trials: &[TrialName]) -> anyhow::Result<Option<RunCheckpoint>> {
        let found = Self::read_file(&folder.join(final_file(trials)), memory::free_main_memory())?;
        Ok(found.filter(|found| found.is_of(trials)))
    }

    /// Reads a checkpoint, with this number of free bytes of memory.
    fn read_file(path: &Path, free: u64) -> anyhow::Result<Option<RunCheckpoint>> {
        if !path.exists() {
            return Ok(None);
        }
        let shown = path.display();
        let describe = || format!("failed to read the checkpoint `{shown}`");
        let opened = bounded_file::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let without = Hint(format!("remove it to train its trials from the start: `rm '{shown}'`"));
        let (size, mut file) = match opened {
            Ok(opened) => opened,
            Err(error) => return Err(anyhow::Error::new(error).context(describe()).context(without)),
        };
        if size > free {
            let (size, free) = (format_bytes(size), format_bytes(free));
            let hint = "free memory, or resume the run on a machine that has more; the checkpoint is kept";
            let error = anyhow!("reading it needs {size} of memory, but only {free} is free");
            return Err(error.context(describe()).context(Hint(hint.to_owned())));
        }
        let read = file::read(&mut file, size).map(|(metadata, tensors)| Some(Self::new(metadata, tensors)));
        read.with_context(describe).context(without)
    }

    /// Parses a checkpoint.
    ///
    /// # Errors
    /// When it is damaged or not a checkpoint of a run.
    pub fn parse(bytes: &[u8]) -> anyhow::Result<RunCheckpoint> {
        file::decode(bytes).map(|(metadata, tensors)| Self::new(metadata, tensors))
    }

    fn new(
        CheckpointMetadata { trials, settings, environment, training, rungs }: CheckpointMetadata,
        tensors: Tensors,
    ) -> RunCheckpoint {
        let (ended, tensors): (Tensors, Tensors) = tensors.into_iter().partition(|(name, _)| name.starts_with(ENDED));
        let ended = ended.into_iter().map(|(name, tensor)| (name.replacen(ENDED, "", 1), tensor)).collect();
        let checkpoint = Checkpoint { state: training, tensors };
        RunCheckpoint { trials, settings, environment, checkpoint, rungs: rungs.map(|passed| (passed, ended)) }
    }

    /// Epoch of the checkpoint.
    pub fn epoch(&self) -> usize {
        self.checkpoint.state.epoch
    }

    /// Training time up to this epoch, in seconds.
    pub fn seconds(&self) -> f64 {
        self.checkpoint.state.seconds
    }

    /// Returns the curves of each replica of the whole stack, up to this epoch.
    pub fn curves(&self) -> Vec<Curves> {
        let live = self.checkpoint.state.replica_states.curves().cloned();
        let Some((passed, _)) = &self.rungs else { return live.collect() };
        let mut curves = vec![Curves::default(); passed.live.len() + passed.ended.len()];
        let ended = passed.ended.iter().map(|ended| (ended.replica, ended.result.curves.clone()));
        for (replica, own) in passed.live.iter().copied().zip(live).chain(ended) {
            curves.get_mut(replica).into_iter().for_each(|curves| curves.clone_from(&own));
        }
        curves
    }

    /// Checks that it was written with the settings and data of these trials, whose hash is `settings`.
    ///
    /// # Errors
    /// When the settings or the data differ.
    pub fn check(&self, settings: &str, trials: &[HashedTrial]) -> anyhow::Result<()> {
        let is_same =
            self.settings == settings || hashes_of_older_versions(trials).flatten().any(|older| self.settings == older);
        ensure!(is_same, "its settings or data are different");
        Ok(())
    }

    /// Whether it belongs to this stack.
    pub fn is_of(&self, trials: &[TrialName]) -> bool {
        self.trials == trials
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::hint::in_a_line;
    use crate::experiment::run::checkpointing::CheckpointInterval;
    use crate::experiment::run::tests::interrupted;

    #[test]
    fn a_checkpoint_that_does_not_fit_into_memory_is_not_damaged() {
        let out = tempfile::tempdir().unwrap();
        let (finished, _) = interrupted(out.path(), CheckpointInterval::Never);
        let size = finished.folder.file(FILE).metadata().unwrap().len();
        let error = RunCheckpoint::read_file(&finished.folder.file(FILE), size - 1).unwrap_err();
        let message = in_a_line(&error);
        let (needed, free) = (format_bytes(size), format_bytes(size - 1));
        assert!(
            message.ends_with(&format!("reading it needs {needed} of memory, but only {free} is free")),
            "{message}"
        );
        let hint = &error.downcast_ref::<Hint>().unwrap().0;
        assert!(hint.contains("the checkpoint is kept") && !hint.contains("rm "), "{hint}");
        assert_eq!(RunCheckpoint::read_file(&finished.folder.file(FILE), size).unwrap().unwrap().epoch(), 2);

        std::fs::write(finished.folder.file(FILE), [7; 4000]).unwrap();
        let damaged = RunCheckpoint::read_file(&finished.folder.file(FILE), size).unwrap_err();
        assert!(damaged.downcast_ref::<Hint>().unwrap().0.contains("`rm '"));
    }
}
