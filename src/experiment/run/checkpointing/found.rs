//! The checkpoint that is in a run's folder.

use anyhow::{Context, anyhow, ensure};
use serde::Deserialize;

use crate::config::hint::Hint;
use crate::device::{byte_size, memory};
use crate::experiment::store::stack_record::TrialName;
use crate::history::Environment;
use crate::io::bounded_file;
use crate::run_dir::RunDir;
use crate::train::checkpoint::{Checkpoint, State, Tensors, file};

/// The file in a run's folder.
pub const FILE: &str = "checkpoint.safetensors";

/// All of a checkpoint but its tensors, as it is read.
#[derive(Debug, Deserialize)]
struct Kept {
    trials: Vec<TrialName>,
    /// SHA-256 over all settings of the trials, and over their data.
    #[serde(default)]
    settings: String,
    environment: Environment,
    training: State,
}

/// A checkpoint that was read from a run's folder.
#[derive(Debug)]
pub struct Found {
    pub(super) trials: Vec<TrialName>,
    pub(super) settings: String,
    /// What it was trained on.
    pub environment: Environment,
    pub(super) checkpoint: Checkpoint,
}

impl Found {
    /// Reads the checkpoint in a run's folder; `None` where there is none.
    ///
    /// # Errors
    /// When it is damaged, or memory does not suffice for it.
    pub fn read(folder: &RunDir) -> anyhow::Result<Option<Found>> {
        Self::read_into(folder, memory::free_of_machine())
    }

    /// As [`Found::read`], with this number of bytes of memory free.
    fn read_into(folder: &RunDir, free: u64) -> anyhow::Result<Option<Found>> {
        let path = folder.file(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let shown = path.display();
        let what = || format!("failed to read the checkpoint `{shown}`");
        let opened = bounded_file::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let without = Hint(format!("without it its trials are trained from the start: `rm '{shown}'`"));
        let (size, mut file) = match opened {
            Ok(opened) => opened,
            Err(error) => return Err(anyhow::Error::new(error).context(what()).context(without)),
        };
        if size > free {
            let (size, free) = (byte_size::in_words(size), byte_size::in_words(free));
            let hint = "free memory, or resume the run on a machine that has more; the checkpoint is kept";
            let error = anyhow!("it needs {size} of memory, and {free} are free");
            return Err(error.context(what()).context(Hint(hint.to_owned())));
        }
        let read = file::read(&mut file, size).map(|(kept, tensors)| Some(Self::of(kept, tensors)));
        read.with_context(what).context(without)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// When it is damaged, or no checkpoint of a run.
    pub fn of_bytes(bytes: &[u8]) -> anyhow::Result<Found> {
        file::decode(bytes).map(|(kept, tensors)| Self::of(kept, tensors))
    }

    fn of(Kept { trials, settings, environment, training }: Kept, tensors: Tensors) -> Found {
        Found { trials, settings, environment, checkpoint: Checkpoint { state: training, tensors } }
    }

    /// The epoch that it stands at.
    pub fn epoch(&self) -> usize {
        self.checkpoint.state.epoch
    }

    /// How long training took up to it, seconds.
    pub fn seconds(&self) -> f64 {
        self.checkpoint.state.seconds
    }

    /// Checks that it was trained with these settings.
    ///
    /// # Errors
    /// When it was trained with others, or on other data.
    pub fn check(&self, settings: &str) -> anyhow::Result<()> {
        ensure!(self.settings == settings, "it was trained with other settings, or on other data");
        Ok(())
    }

    /// Whether it is one of this stack.
    pub fn is_of(&self, trials: &[TrialName]) -> bool {
        self.trials == trials
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::hint::in_a_line;
    use crate::experiment::run::checkpointing::Pace;
    use crate::experiment::run::tests::interrupted;

    #[test]
    fn a_checkpoint_that_does_not_fit_into_memory_is_not_damaged() {
        let out = tempfile::tempdir().unwrap();
        let (finished, _) = interrupted(out.path(), Pace::Never);
        let size = finished.folder.file(FILE).metadata().unwrap().len();
        let error = Found::read_into(&finished.folder, size - 1).unwrap_err();
        let said = in_a_line(&error);
        let (needed, free) = (byte_size::in_words(size), byte_size::in_words(size - 1));
        assert!(said.ends_with(&format!("it needs {needed} of memory, and {free} are free")), "{said}");
        let hint = &error.downcast_ref::<Hint>().unwrap().0;
        assert!(hint.contains("the checkpoint is kept") && !hint.contains("rm "), "{hint}");
        assert_eq!(Found::read_into(&finished.folder, size).unwrap().unwrap().epoch(), 2);

        std::fs::write(finished.folder.file(FILE), [7; 4000]).unwrap();
        let damaged = Found::read_into(&finished.folder, size).unwrap_err();
        assert!(damaged.downcast_ref::<Hint>().unwrap().0.contains("`rm '"));
    }
}
