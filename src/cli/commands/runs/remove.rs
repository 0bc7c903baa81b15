//! `runner runs rm`: deletes runs after a question.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::cli::args::runs_dir::RunsDir;
use crate::cli::commands::runs::manage;
use crate::cli::exit::Exit;
use crate::cli::text::table::Columns;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::experiment::store::newest;
use crate::io::byte_size::format_bytes;
use crate::run_dir::latest::LATEST;
use crate::run_dir::remove::remove;
use crate::run_dir::writer::Writer;

/// Arguments of `runner runs rm`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  runner runs rm 4e1f\n  runner runs rm 4e1f 77ab --yes\n\nLists what would be deleted, and asks first. A run that is still training is\nnever deleted."
)]
pub struct RemoveArgs {
    /// Ids, names or directories of runs
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// Delete without confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    out: RunsDir,
}

/// Lists the runs with their sizes, asks, and deletes them.
pub(super) fn run(args: &RemoveArgs) -> anyhow::Result<Exit> {
    let mut found: Vec<(PathBuf, String)> = Vec::new();
    for named in &args.runs {
        let (folder, label) = manage::find(named, &args.out)?;
        if let Some(Writer { is_running: true, process, .. }) = Writer::find(&folder) {
            let process = process.map(|process| format!(" (pid {process})")).unwrap_or_default();
            return Err(anyhow!("{label} is still training{process}; nothing was deleted")
                .context(Hint("stop it first, or wait until it ends".to_owned())));
        }
        if !newest::is_run(&folder) && !newest::holds_history(&folder) {
            return Err(anyhow!("`{}` is not a run; nothing was deleted", folder.display()));
        }
        if !found.iter().any(|(other, _)| *other == folder) {
            found.push((folder, label));
        }
    }
    let mut table = Columns::new(["run", "files", "size"], [1, 2]);
    let mut total = 0;
    for (folder, label) in &found {
        let (files, bytes) = contents(folder)?;
        total += bytes;
        table.row([label.clone(), files.to_string(), format_bytes(bytes)]);
    }
    // a directory is too long for a column
    let text = table.text();
    let (header, rows) = text.split_once('\n').unwrap_or_default();
    terminal::say(header);
    for (row, (folder, _)) in rows.lines().zip(&found) {
        terminal::say(&format!("{row}\n  {}", folder.display()));
    }
    let what = match found.len() {
        1 => format!("this run ({})", format_bytes(total)),
        count => format!("these {count} runs ({})", format_bytes(total)),
    };
    if !args.yes && !confirm(&what)? {
        terminal::say("nothing was deleted");
        return Ok(Exit::Done);
    }
    for (folder, label) in &found {
        remove(folder).with_context(|| format!("failed to delete `{}`", folder.display()))?;
        folder.parent().into_iter().for_each(tidy);
        terminal::out(&format!("deleted {label}"));
    }
    Ok(Exit::Done)
}

/// Asks for confirmation.
///
/// # Errors
/// If stdin is no terminal.
fn confirm(what: &str) -> anyhow::Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(anyhow!("deleting runs needs a confirmation, but stdin is not a terminal; nothing was deleted")
            .context(Hint("add `--yes` to delete without confirmation".to_owned())));
    }
    terminal::ask(&format!("delete {what}? [y/N] "));
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).context("failed to read the answer")?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Returns the number of files in a directory and their size in bytes.
fn contents(folder: &Path) -> anyhow::Result<(usize, u64)> {
    let (mut files, mut bytes) = (0, 0);
    for path in newest::entries(folder)? {
        let metadata = path.symlink_metadata().with_context(|| format!("failed to read `{}`", path.display()))?;
        if metadata.is_dir() {
            let (inner_files, inner_bytes) = contents(&path)?;
            (files, bytes) = (files + inner_files, bytes + inner_bytes);
        } else {
            (files, bytes) = (files + 1, bytes + metadata.len());
        }
    }
    Ok((files, bytes))
}

/// Updates the link `latest` in an experiment's directory; deletes the link and the directory if no run is left.
fn tidy(experiment: &Path) {
    let link = experiment.join(LATEST);
    if link.is_symlink() && !link.exists() {
        let _ = std::fs::remove_file(&link);
    }
    newest::update_latest(experiment);
    let _ = std::fs::remove_dir(experiment); // fails unless it is empty
}
