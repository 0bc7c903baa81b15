//! Runs a study in a run directory whose writer is the holder of a lease: a stack of a sweep.

use anyhow::ensure;
use time::OffsetDateTime;

use crate::experiment::halving::rule::HalvingRule;
use crate::experiment::plan::study::Study;
use crate::experiment::run::checkpointing::RunCheckpoint;
use crate::experiment::run::progress::RunProgress;
use crate::experiment::run::run_study::loading::LoadedData;
use crate::experiment::run::run_study::options::Options;
use crate::experiment::run::run_study::{Finished, first_files, train_study};
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::stack_record::GroupRecord;
use crate::run_dir::RunDir;

/// Runs a study in a leased run directory: a new run, or the run that an earlier process has left there, from its
/// checkpoint. `data` is the checksum that the data of the first group must have, if it is known. `halving` drops variants at
/// rungs. `loaded` are the rows of the previous run of this process; they are replaced by those of this run.
///
/// # Errors
/// As for `run` and `resume`, and when the directory holds a run of another study.
pub fn run_leased(
    study: &Study,
    folder: RunDir,
    data: Option<String>,
    halving: Option<HalvingRule>,
    options: &Options,
    loaded: &mut LoadedData,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<Finished> {
    let new_record = || {
        let mut record = RunRecord::new(study, options.record(), OffsetDateTime::now_utc())?;
        record.halving.clone_from(&halving);
        record.groups.extend(data.map(|data| GroupRecord { data, stacks: Vec::new() }));
        Ok(record)
    };
    run_or_continue(study, folder, halving.as_ref(), new_record, options, loaded, watch)
}

/// Runs a study in a leased run directory, as [`run_leased`]. `new_record` returns the record of a new run.
///
/// # Errors
/// As there.
pub fn run_or_continue(
    study: &Study,
    folder: RunDir,
    halving: Option<&HalvingRule>,
    new_record: impl FnOnce() -> anyhow::Result<RunRecord>,
    options: &Options,
    loaded: &mut LoadedData,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<Finished> {
    (loaded.first, loaded.is_unavailable) = (None, false);
    let checkpoint = RunCheckpoint::read(&folder)?;
    // a power failure may have shortened the record: then the run starts again, from the checkpoint
    if let Ok(record) = RunRecord::read(folder.path()) {
        ensure!(
            record.is_of(study) && record.halving.as_ref() == halving,
            "`{}` holds a run of other settings",
            folder.path().display()
        );
        return train_study(folder, record, study, options, loaded, checkpoint, watch);
    }
    let record = new_record()?;
    folder.begin(&study.spec.to_toml(), &first_files(&record, study)?)?;
    train_study(folder, record, study, options, loaded, checkpoint, watch)
}
