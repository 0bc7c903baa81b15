//! `runner report RUN…`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::cli::args::runs_dir::RunsDir;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::compare::find::{Found, find};
use crate::config::hint::{Hint, in_a_line};
use crate::io::{atomic_write, bounded_file};
use crate::report::{frame, markdown, page};

/// Arguments of `runner report`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Runs to show: ids, names, run directories, histories, glob patterns, experiments (their newest finished runs),
    /// variants (`regularize_mnist/dropout`), or histories of Keras, Lightning, fastai, skorch, Hugging Face or TensorBoard
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// Output format [default: by the extension of `--output`, else html]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Output file; `-` writes to stdout [default: report.html or report.md in the run directory; for several runs, in
    /// the current directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    out: RunsDir,
}

const EXAMPLES: &str = "\
Examples:
  runner report overfit_mnist
  runner report overfit_mnist mnist_dropout -o compared.html
  runner report runs/regularize_mnist/latest --format md
  runner report overfit_mnist -o results.md
  runner report overfit_mnist keras_history.json

An HTML file is self-contained: it opens in any browser without a network.
Markdown has a section for each experiment; runs that differ only in their
seeds share one section, with a column for each run.";

/// Format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// One page with interactive charts
    Html,
    /// Markdown without charts
    Md,
}

impl Format {
    /// Returns the format that was asked for, else that of the file's extension, else HTML.
    ///
    /// # Errors
    /// If the extension is that of neither format, and no format was asked for.
    fn of(args: &Args) -> anyhow::Result<Format> {
        if let Some(format) = args.format {
            return Ok(format);
        }
        let Some(output) = args.output.as_deref().filter(|output| !output.is_dir()) else { return Ok(Format::Html) };
        Format::of_extension(output).ok_or_else(|| {
            let hint = "use a name that ends in `.html` or `.md`, or add `--format html` or `--format md`; to get a \
                        PDF, print the HTML page from a browser";
            let message = format!("`-o {}` ends in neither `.html` nor `.md`", output.display());
            anyhow!(message).context(Hint(hint.to_owned()))
        })
    }

    /// Returns the format of a file by its extension, HTML without one; `None` if the extension is that of neither format.
    pub(crate) fn of_extension(output: &Path) -> Option<Format> {
        let extension = output.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            None | Some("html" | "htm") => Some(Format::Html),
            Some("md" | "markdown") => Some(Format::Md),
            Some(_) => None,
        }
    }

    /// Returns the default file name.
    fn file_name(self) -> &'static str {
        match self {
            Format::Html => "report.html",
            Format::Md => "report.md",
        }
    }
}

/// Writes a report.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let format = Format::of(args)?;
    let found = find(&args.runs, &args.out)?;
    let report = || match format {
        Format::Html => page::html(&found),
        Format::Md => markdown::markdown(&found),
    };
    let written = write(args.output.as_deref(), &default_path(args, format, &found), report)?;
    found.notes.iter().for_each(|note| terminal::say(&format!("note: {note}")));
    found.faults.iter().for_each(|fault| terminal::warn(&in_a_line(fault)));
    terminal::out(&written);
    Ok(if found.faults.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Returns the path in the run directory if one run is named, else in the current directory.
fn default_path(args: &Args, format: Format, found: &Found) -> PathBuf {
    let trials = || found.groups.iter().flat_map(|group| &group.trials);
    let folders: BTreeSet<&Path> = trials().filter_map(|trial| trial.file.parent()).collect();
    let is_ours = trials().all(|trial| trial.history().is_some());
    match folders.first() {
        Some(folder) if args.runs.len() == 1 && folders.len() == 1 && is_ours => folder.join(format.file_name()),
        _ => PathBuf::from(format.file_name()),
    }
}

/// Writes a report to a file, and returns its path; with the output `-`, returns the report itself.
pub(crate) fn write(output: Option<&Path>, default: &Path, report: impl Fn() -> String) -> anyhow::Result<String> {
    let path = output.unwrap_or(default);
    if path.as_os_str() == "-" {
        return Ok(report());
    }
    check_free(path, default)?;
    atomic_write::write_whole(path, report().as_bytes())
        .map_err(|error| error.context(Hint("`-o FILE` names another file".to_owned())))?;
    Ok(path.display().to_string())
}

/// Returns an error if the file exists and is no report. `default` is the path of a report without `--output`.
fn check_free(path: &Path, default: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        let file = path.join(default.file_name().unwrap_or_default());
        let hint = Hint(format!("name a file in it: `-o {}`", file.display()));
        return Err(anyhow!("`{}` is a directory", path.display()).context(hint));
    }
    let there = match bounded_file::beginning(path, 2000) {
        Ok(there) => there,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(anyhow::Error::new(error).context(format!("failed to read `{}`", path.display()))),
    };
    let beginning = String::from_utf8_lossy(&there);
    if there.is_empty() || beginning.contains(frame::SIGN) || beginning.contains(markdown::SIGN) {
        return Ok(());
    }
    let hint = Hint("write to another file with `-o FILE`, or remove it".to_owned());
    Err(anyhow!("`{}` exists and is not a report of runner", path.display()).context(hint))
}
