//! `runner runs tag|note|rename|archive|unarchive`: changes what is written about runs.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, ensure};

use crate::cli::args::runs_dir::RunsDir;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::experiment::store::about::{About, parse_name, parse_note, parse_tag};
use crate::experiment::store::run_id::{self, FoundRun};
use crate::experiment::store::run_name::single_run;

/// Arguments of `runner runs tag`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  runner runs tag 4e1f paper\n  runner runs tag 4e1f +paper -draft\n  runner runs tag 4e1f      prints the tags"
)]
pub struct TagArgs {
    /// Id, name or directory of a run
    #[arg(value_name = "RUN")]
    run: String,
    /// Tags to add (`TAG` or `+TAG`) or to remove (`-TAG`)
    #[arg(value_name = "TAG", allow_hyphen_values = true, trailing_var_arg = true)]
    tags: Vec<String>,
    #[command(flatten)]
    out: RunsDir,
}

/// Arguments of `runner runs note`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  runner runs note 4e1f 'dropout only after the first layer'\n  runner runs note 4e1f ''   removes the note\n  runner runs note 4e1f      prints the note"
)]
pub struct NoteArgs {
    /// Id, name or directory of a run
    #[arg(value_name = "RUN")]
    run: String,
    /// The note; empty removes it
    #[arg(value_name = "TEXT", allow_hyphen_values = true, value_parser = parse_note)]
    text: Option<String>,
    #[command(flatten)]
    out: RunsDir,
}

/// Arguments of `runner runs rename`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  runner runs rename 4e1f wide-net\n  runner runs rename wide-net ''   removes the name"
)]
pub struct RenameArgs {
    /// Id, name or directory of a run
    #[arg(value_name = "RUN")]
    run: String,
    /// The new name, with at least one character other than 0–9 and a–f; an empty name removes it. The run directory is
    /// not renamed
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    out: RunsDir,
}

/// Arguments of `runner runs archive`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  runner runs archive 4e1f 77ab\n  runner runs archive 4e1f --undo\n  runner runs --archived"
)]
pub struct ArchiveArgs {
    #[command(flatten)]
    pub(super) archived: ArchivedRuns,
    /// Undo: show the runs in lists again
    #[arg(long)]
    pub(super) undo: bool,
}

/// Arguments of `runner runs unarchive`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  runner runs unarchive 4e1f 77ab\n  runner runs --archived        lists archived runs, too"
)]
pub struct UnarchiveArgs {
    #[command(flatten)]
    pub(super) archived: ArchivedRuns,
}

/// The runs that are archived or listed again.
#[derive(Debug, clap::Args)]
pub(super) struct ArchivedRuns {
    /// Ids, names or directories of runs
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    #[command(flatten)]
    out: RunsDir,
}

/// Returns the directory of a run and its short name for messages. Prints a note if other runs have the same name.
pub(super) fn find(named: &str, out: &Path) -> anyhow::Result<(PathBuf, String)> {
    let FoundRun { folder, note } = single_run(named, out)?;
    note.iter().for_each(|note| terminal::say(&format!("note: {note}")));
    let mut id = run_id::of_folder(&folder);
    id.truncate(7);
    let experiment = folder.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let label = format!("{} {id}", experiment.unwrap_or_default());
    Ok((folder, label.trim().to_owned()))
}

/// Adds and removes tags.
pub(super) fn tag(args: &TagArgs) -> anyhow::Result<Exit> {
    let (folder, label) = find(&args.run, &args.out)?;
    let mut about = About::read(&folder)?;
    let stored = about.tags.clone();
    for word in &args.tags {
        let (removes, text) = match word.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, word.strip_prefix('+').unwrap_or(word)),
        };
        let tag = parse_tag(text).map_err(|error| anyhow!(error))?;
        match removes {
            true => {
                let tags: Vec<&str> = stored.iter().map(String::as_str).collect();
                let known = match tags.is_empty() {
                    true => "it has no tags".to_owned(),
                    false => format!("its tags are {}", suggest::list(&tags)),
                };
                ensure!(about.tags.contains(&tag), "{label} has no tag `{tag}`: {known}; nothing was changed");
                about.tags.retain(|other| *other != tag);
            }
            false => about.add_tag(&tag),
        }
    }
    if !args.tags.is_empty() {
        about.write(&folder)?;
    }
    terminal::out(&format!("{label}: {}", list(&about.tags)));
    Ok(Exit::Done)
}

/// Returns tags in a line.
fn list(tags: &[String]) -> String {
    if tags.is_empty() { "no tags".to_owned() } else { tags.join(", ") }
}

/// Writes, removes or prints the note of a run.
pub(super) fn note(args: &NoteArgs) -> anyhow::Result<Exit> {
    let (folder, label) = find(&args.run, &args.out)?;
    let mut about = About::read(&folder)?;
    if let Some(text) = &args.text {
        about.note = Some(text.clone()).filter(|text| !text.is_empty());
        about.write(&folder)?;
    }
    terminal::out(&format!("{label}: {}", about.note.as_deref().unwrap_or("no note")));
    Ok(Exit::Done)
}

/// Gives a run another name, or removes it.
pub(super) fn rename(args: &RenameArgs) -> anyhow::Result<Exit> {
    let (folder, label) = find(&args.run, &args.out)?;
    let mut about = About::read(&folder)?;
    about.name = match args.name.trim() {
        "" => None,
        name => Some(
            parse_name(name)
                .map_err(|error| anyhow!(error).context(Hint("choose a name such as `wide-net`".to_owned())))?,
        ),
    };
    about.write(&folder)?;
    terminal::out(&format!("{label}: {}", about.name.as_deref().unwrap_or("no name")));
    Ok(Exit::Done)
}

/// Archives runs, which hides them from lists; with `archived` false, lists them again.
pub(super) fn set_archived(args: &ArchivedRuns, archived: bool) -> anyhow::Result<Exit> {
    let found: Vec<(PathBuf, String)> = args.runs.iter().map(|run| find(run, &args.out)).collect::<Result<_, _>>()?;
    for (folder, label) in found {
        let mut about = About::read(&folder)?;
        about.archived = archived;
        about.write(&folder)?;
        terminal::out(&format!("{label}: {}", if archived { "archived" } else { "listed again" }));
    }
    Ok(Exit::Done)
}
