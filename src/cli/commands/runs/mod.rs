//! `runner runs`

mod columns;
mod formats;
mod group_by;
mod layout;
mod list;
mod manage;
mod of_sweep;
mod remove;

use clap::Subcommand;

use crate::cli::exit::Exit;

/// Arguments of `runner runs`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Option<RunsCommand>,
    #[command(flatten)]
    list: list::ListArgs,
}

const EXAMPLES: &str = "\
Examples:
  runner runs
  runner runs overfit_mnist --sort test.acc -n 5
  runner runs --filter 'best.val_acc>0.96' --filter status=complete
  runner runs --filter tag=paper --columns id,name,lr,test.acc --latex
  runner runs overfit_mnist --group-by train.batch
  runner runs --filter optimizer=adam --group-by schedule
  runner runs regularize_mnist --variants --sort diagnosis.val_loss_rise
  runner runs tag 4e1f paper

Every command takes the id of a run, or the beginning of it, in place of its
directory. For a run with variants, the list shows the metrics of the variant
that is best on the validation rows (on the training rows if there are none);
`--variants` shows all variants. The table shows two metrics, each averaged
over seeds: the monitored metric in its best epoch, and the main test metric.

`changed` lists the settings you gave on the command line, and all other
settings that differ from the oldest run of the experiment. `--filter
status=complete` also matches runs that stopped early. `incomplete` means that
history files are missing. A wider terminal shows more columns.

Settings have short names if these are unique: `lr`. `optimizer`, `schedule`,
`loss` and `data` are also settings: `--filter optimizer=adam`. Metrics may
have the names of Keras and scikit-learn: `val_accuracy`. `--sort loss` and
`--filter 'loss<0.1'` use the metric `best.loss`; `--columns loss` and
`--filter loss=mse` use the setting `train.loss`.";

/// What to do with runs, instead of listing them.
#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// Add or remove tags
    Tag(manage::TagArgs),
    /// Write or print the note of a run
    Note(manage::NoteArgs),
    /// Give a run a name
    Rename(manage::RenameArgs),
    /// Hide runs from lists
    Archive(manage::ArchiveArgs),
    /// Show archived runs in lists again
    Unarchive(manage::UnarchiveArgs),
    /// Delete runs
    Rm(remove::RemoveArgs),
}

/// Lists past runs, or changes what is written about them.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        None => list::run(&args.list),
        Some(RunsCommand::Tag(args)) => manage::tag(args),
        Some(RunsCommand::Note(args)) => manage::note(args),
        Some(RunsCommand::Rename(args)) => manage::rename(args),
        Some(RunsCommand::Archive(args)) => manage::set_archived(&args.archived, !args.undo),
        Some(RunsCommand::Unarchive(args)) => manage::set_archived(&args.archived, false),
        Some(RunsCommand::Rm(args)) => remove::run(args),
    }
}
