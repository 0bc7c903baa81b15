//! `runner report RUN…`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::compare::find::{Found, find};
use crate::config::hint::{Hint, in_a_line};
use crate::io::{atomic_write, bounded_file};
use crate::report::page;

/// Arguments of `runner report`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Runs to show: run directories, histories, glob patterns, experiments (their newest runs), variants
    /// (`regularize_mnist/dropout`), or histories of Keras, Lightning, skorch, Hugging Face or TensorBoard
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// Output file [default: report.html in the run directory; for several runs, in the current directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Directory of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  runner report overfit_mnist
  runner report overfit_mnist mnist_dropout -o compared.html
  runner report runs/regularize_mnist/latest
  runner report overfit_mnist keras_history.json

The file is self-contained: it opens in any browser without a network.";

/// What a report is called.
const NAME: &str = "report.html";

/// Writes a report.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let found = find(&args.runs, &args.out)?;
    let path = args.output.clone().unwrap_or_else(|| default_path(args, &found));
    check_free(&path)?;
    let page = page::html(&found);
    atomic_write::write_whole(&path, page.as_bytes())
        .map_err(|error| error.context(Hint("`-o FILE` names another file".to_owned())))?;
    found.notes.iter().for_each(|note| terminal::say(&format!("note: {note}")));
    found.faults.iter().for_each(|fault| terminal::warn(&in_a_line(fault)));
    terminal::out(&path.display().to_string());
    Ok(if found.faults.is_empty() { Exit::Done } else { Exit::Failed })
}

/// In the run's folder where one run was named, and else in the current one.
fn default_path(args: &Args, found: &Found) -> PathBuf {
    let trials = || found.groups.iter().flat_map(|group| &group.trials);
    let folders: BTreeSet<&Path> = trials().filter_map(|trial| trial.file.parent()).collect();
    let is_ours = trials().all(|trial| trial.history().is_some());
    match folders.first() {
        Some(folder) if args.runs.len() == 1 && folders.len() == 1 && is_ours => folder.join(NAME),
        _ => PathBuf::from(NAME),
    }
}

/// Whether the file may be written: what is there already is a report.
fn check_free(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        let hint = Hint(format!("name a file in it: `-o {}`", path.join(NAME).display()));
        return Err(anyhow!("`{}` is a folder", path.display()).context(hint));
    }
    let there = match bounded_file::beginning(path, 2000) {
        Ok(there) => there,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(anyhow::Error::new(error).context(format!("failed to read `{}`", path.display()))),
    };
    let beginning = String::from_utf8_lossy(&there);
    if there.is_empty() || beginning.contains(page::SIGN) {
        return Ok(());
    }
    let hint = Hint("name another with `-o FILE`, or remove it".to_owned());
    Err(anyhow!("`{}` is there, and is no report: it would be lost", path.display()).context(hint))
}
