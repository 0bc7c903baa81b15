//! `runner export RUN`

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::args::lookup::find_run;
use crate::cli::exit::Exit;
use crate::cli::text::{number_format, terminal};
use crate::experiment::store::find::{SavedRun, SavedTrial};
use crate::export::Format;
use crate::export::files::{File, Trial};
use crate::export::place::{self, Existing};

/// Arguments of `runner export`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Run directory, a history or weight file of it, or an experiment (its newest finished run)
    run: String,
    #[command(flatten)]
    format: Formats,
    /// Output directory [default: export/FORMAT/EXPERIMENT/RUN]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Export only this trial, such as `base-seed0`
    #[arg(long, value_name = "NAME")]
    trial: Option<String>,
    /// Directory of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// Overwrite existing files
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Formats {
    /// TensorBoard event files, one directory per trial
    #[arg(long)]
    tensorboard: bool,
    /// Two tables: `epochs.csv` with one row per epoch, `trials.csv` with one row per trial
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
  runner export regularize_mnist --csv --to tables
  runner export overfit_mnist --keras --trial base-seed0

If a file exists with different content, nothing is written; use `--force`.";

/// Writes a run's histories for another tool.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let run = find_run(&args.run, &args.out)?;
    let format = match &args.format {
        Formats { tensorboard: true, .. } => Format::TensorBoard,
        Formats { csv: true, .. } => Format::Csv,
        _ => Format::Keras,
    };
    let chosen: Vec<&SavedTrial> = match &args.trial {
        Some(name) => vec![run.trial(name)?],
        None => run.trials.iter().collect(),
    };
    let trials: Vec<Trial> = chosen.iter().map(|trial| Trial { stem: trial.stem(), history: &trial.history }).collect();
    let mut files = format.files(&trials)?;
    if let (Some(trial), Format::Csv) = (chosen.first().filter(|_| args.trial.is_some()), format) {
        files.iter_mut().for_each(|file| file.path = Path::new(&trial.stem()).join(&file.path));
    }
    let folder = args.to.clone().unwrap_or_else(|| usual_folder(format, &run));
    place::write(&folder, &files, if args.force { Existing::Replace } else { Existing::Keep })?;
    match args.json {
        true => terminal::json(&json!({
            "format": format.word(),
            "folder": folder,
            "files": files.iter().map(|file| folder.join(&file.path)).collect::<Vec<_>>(),
        })),
        false => tell(format, &folder, &files, trials.len(), args.to.is_some()),
    }
    // one that cannot be read keeps no other back, and is no success either
    run.damaged.iter().filter(|_| args.trial.is_none()).for_each(|damaged| terminal::error(&damaged.error));
    Ok(if args.trial.is_none() && !run.damaged.is_empty() { Exit::Failed } else { Exit::Done })
}

/// Where files go without a word: a place of its own for each run.
fn usual_folder(format: Format, run: &SavedRun) -> PathBuf {
    let history = &run.trials[0].history; // a run has one at least
    let folder = run.folder.canonicalize().unwrap_or_else(|_| run.folder.clone());
    let of_run = folder.file_name().map_or_else(|| history.started.clone(), |name| name.to_string_lossy().into_owned());
    // a history is a file that anyone may have written: its words lead nowhere else
    let plain = |name: &str| name.replace(['/', '\\', ':'], "_").trim_start_matches('.').to_owned();
    Path::new("export").join(format.word()).join(plain(&history.experiment)).join(plain(&of_run))
}

fn tell(format: Format, folder: &Path, files: &[File], trials: usize, is_named: bool) {
    let count = |number: usize, what: &str| {
        format!("{} {what}{}", number_format::count(number), if number == 1 { "" } else { "s" })
    };
    let mut lines =
        vec![format!("{}, {}:", count(trials, "trial"), count(files.len(), "file")), format!("{}/", folder.display())];
    lines.extend(files.iter().map(|file| format!("  {}", file.path.display())));
    terminal::out(&lines.join("\n"));
    if format == Format::TensorBoard {
        let logs = if is_named { folder } else { Path::new("export/tensorboard") };
        terminal::say(&format!("to look at them: tensorboard --logdir {}", logs.display()));
    }
}
