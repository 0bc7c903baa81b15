//! `runner export RUN`

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::args::lookup::find_run;
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::exit::Exit;
use crate::cli::text::number_format::counted;
use crate::cli::text::terminal;
use crate::experiment::store::find::{SavedRun, SavedTrial};
use crate::experiment::store::whole_run;
use crate::export::Format;
use crate::export::files::{File, Trial, folder_of_run};
use crate::export::write_files::{self, Existing};

/// Arguments of `runner export`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id, name or directory of a run, a history or weight file of it, an experiment (its newest finished run), or
    /// RUN/VARIANT
    run: String,
    #[command(flatten)]
    format: Formats,
    /// Output directory [default: export/FORMAT/EXPERIMENT/RUN]
    #[arg(short, long, alias = "to", value_name = "DIR")]
    output: Option<PathBuf>,
    /// Export only this trial, such as `base-seed0`
    #[arg(long, value_name = "NAME")]
    trial: Option<String>,
    #[command(flatten)]
    out: RunsDir,
    /// Overwrite existing files
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Format of the exported files.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Formats {
    /// TensorBoard event files, one directory per trial
    #[arg(long)]
    tensorboard: bool,
    /// Two tables: `epochs.csv` with one row per epoch, `trials.csv` with one row per trial and a column for each setting
    #[arg(long)]
    csv: bool,
    /// Keras's `History.history` as JSON, one file per trial
    #[arg(long)]
    keras: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner export overfit_mnist --tensorboard
  tensorboard --logdir export/tensorboard
  runner export regularize_mnist --csv -o tables
  runner export overfit_mnist --keras --trial base-seed0

If a file exists with different content, nothing is written; use `--force`.";

/// Exports the histories of a run for another tool.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let run = find_run(&args.run, &args.out)?;
    let is_whole = args.trial.is_none() && !Path::new(&args.run).is_file();
    let training = is_whole.then(|| whole_run::training_note(&run.folder)).flatten();
    training.iter().for_each(|note| terminal::say(&format!("note: {note}")));
    let format = match &args.format {
        Formats { tensorboard: true, .. } => Format::TensorBoard,
        Formats { csv: true, .. } => Format::Csv,
        _ => Format::Keras,
    };
    let selected: Vec<&SavedTrial> = match &args.trial {
        Some(name) => vec![run.trial(name)?],
        None => run.trials.iter().collect(),
    };
    let trials: Vec<Trial> =
        selected.iter().map(|trial| Trial { stem: trial.stem(), history: &trial.history }).collect();
    let mut files = format.files(&trials)?;
    if let (Some(trial), Format::Csv) = (selected.first().filter(|_| args.trial.is_some()), format) {
        files.iter_mut().for_each(|file| file.path = Path::new(&trial.stem()).join(&file.path));
    }
    let folder = args.output.clone().unwrap_or_else(|| default_folder(format, &run));
    write_files::write(&folder, &files, if args.force { Existing::Replace } else { Existing::Keep })?;
    match args.json {
        true => terminal::json(&json!({
            "format": format.word(),
            "folder": folder,
            "files": files.iter().map(|file| folder.join(&file.path)).collect::<Vec<_>>(),
        })),
        false => print_files(format, &folder, &files, trials.len(), args.output.is_some()),
    }
    // the other trials are exported even if one cannot be read
    run.damaged.iter().filter(|_| args.trial.is_none()).for_each(|damaged| terminal::error(&damaged.error));
    Ok(if args.trial.is_none() && !run.damaged.is_empty() { Exit::Failed } else { Exit::Done })
}

/// Returns the default directory, a different one for each run.
fn default_folder(format: Format, run: &SavedRun) -> PathBuf {
    let experiment = &run.trials[0].history.experiment; // a run has at least one trial
    Path::new("export").join(format.word()).join(folder_of_run(experiment, &run.folder))
}

/// Prints the names of the written files.
fn print_files(format: Format, folder: &Path, files: &[File], trials: usize, has_custom_folder: bool) {
    let counts = format!("{}, {}:", counted(trials, "trial"), counted(files.len(), "file"));
    let mut lines = vec![counts, format!("{}/", folder.display())];
    lines.extend(files.iter().map(|file| format!("  {}", file.path.display())));
    terminal::out(&lines.join("\n"));
    if format == Format::TensorBoard {
        let logs = if has_custom_folder { folder } else { Path::new("export/tensorboard") };
        terminal::say(&format!("view them with `tensorboard --logdir {}`", logs.display()));
    }
}
