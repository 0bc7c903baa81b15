//! `runner sweep export DIR`: the results for other programs.

use std::path::PathBuf;

use anyhow::ensure;

use crate::cli::args::output_args::check_is_no_experiment;
use crate::cli::args::sweeps_dir::NamedSweep;
use crate::cli::exit::Exit;
use crate::cli::text::number_format::count;
use crate::cli::text::terminal;
use crate::io::atomic_write;
use crate::sweep::export::{optuna, trials_csv};

/// Arguments of `runner sweep export`.
#[derive(Debug, clap::Args)]
#[command(after_help = NOTES, group = clap::ArgGroup::new("form").required(true).multiple(true))]
pub struct ExportArgs {
    #[command(flatten)]
    sweep: NamedSweep,
    /// Write a CSV table with a line for each trial (configuration, seed and fold)
    #[arg(long, value_name = "FILE", group = "form")]
    csv: Option<PathBuf>,
    /// Write a study of Optuna, a file for `JournalFileBackend`
    #[arg(long, value_name = "FILE", group = "form")]
    optuna: Option<PathBuf>,
}

const NOTES: &str = "\
Examples:
  runner sweep export digits_mlp --csv trials.csv
  runner sweep export digits_mlp --optuna digits.log

In Python, with Optuna 4 or later:
  from optuna.storages import JournalStorage
  from optuna.storages.journal import JournalFileBackend
  storage = JournalStorage(JournalFileBackend(\"digits.log\"))
  study = optuna.load_study(study_name=\"digits_mlp\", storage=storage)

A configuration is a trial of the study; its value is the mean over the
seeds. Configurations that have not ended are left out.";

/// Writes the results of a sweep.
pub fn run(args: &ExportArgs) -> anyhow::Result<Exit> {
    let (_, record, state) = args.sweep.read()?;
    [&args.csv, &args.optuna].into_iter().flatten().try_for_each(|file| check_is_no_experiment(file))?;
    ensure!(!state.ended.is_empty(), "no stack of the sweep has ended: there are no results yet");
    if let Some(file) = &args.csv {
        let table = trials_csv::table(&record, &state.ended);
        atomic_write::write_whole(file, table.as_bytes())?;
        terminal::say(&format!("wrote `{}`: {} trials", file.display(), count(table.lines().count() - 1)));
    }
    if let Some(file) = &args.optuna {
        let study = optuna::study(&record, &state.ended);
        atomic_write::write_whole(file, study.journal.as_bytes())?;
        let trials = count(study.trials);
        terminal::say(&format!("wrote `{}`: study `{}` with {trials} trials", file.display(), record.experiment));
    }
    if !state.is_over() {
        terminal::say(&state.progress(&record));
    }
    Ok(Exit::Done)
}
