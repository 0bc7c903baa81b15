//! From what a command names to groups of trials.
//!
//! A name is a run's folder, one of its files, an experiment (its newest run), one variant of these
//! (`regularize_mnist/dropout`), a history of another program, or a glob over any of them. Trials of one run that differ
//! by seed and fold alone are a group. So are the matches of one glob, and histories named one by one, even where they
//! come from several runs, if all their settings are the same. Each history of another program is a run. What cannot be read is told, and does not keep the others
//! from being compared.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use indexmap::IndexMap;

use crate::compare::group::Group;
use crate::compare::label::{self, Loose};
use crate::compare::settings;
use crate::compare::trial::Trial;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::device::memory;
use crate::experiment::store::find::{Damaged, SavedRun};
use crate::experiment::store::newest;
use crate::history::foreign;
use crate::io::bounded_file;

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The groups in the order in which they were named, one at least.
    pub groups: Vec<Group>,
    /// What could not be read.
    pub faults: Vec<anyhow::Error>,
    /// What is worth knowing of what was read, a sentence each.
    pub notes: Vec<String>,
    /// By which argument each group was named.
    pub named: Vec<String>,
}

/// Finds and reads all that is named; names of experiments are looked for under `out`.
///
/// # Errors
/// When nothing of it can be read: the first fault.
pub fn find(names: &[String], out: &Path) -> anyhow::Result<Found> {
    let mut gathered = Gathered::default();
    for (argument, name) in names.iter().enumerate() {
        if let Err(error) = gathered.add(argument, name, out) {
            gathered.faults.push(error);
        }
    }
    if gathered.trials.is_empty() {
        return Err(gathered.faults.into_iter().next().unwrap_or_else(|| anyhow!("no run is named")));
    }
    let repeated = gathered.without_repeats(names);
    gathered.notes.extend(repeated);
    let (loose, notes) = grouped(gathered.trials);
    gathered.notes.extend(notes);
    let named = loose.iter().map(|group| names[group.argument].clone()).collect();
    Ok(Found { groups: label::labeled(loose), faults: gathered.faults, notes: gathered.notes, named })
}

/// A trial, and what it was named by.
struct Gathering {
    argument: usize,
    /// The folder of its run, where the run was named; `None` of lone files and the matches of a glob.
    folder: Option<PathBuf>,
    /// Whether a glob found it.
    matched: bool,
    trial: Trial,
}

#[derive(Default)]
struct Gathered {
    trials: Vec<Gathering>,
    faults: Vec<anyhow::Error>,
    notes: Vec<String>,
}

impl Gathered {
    /// Adds what an argument names.
    fn add(&mut self, argument: usize, name: &str, out: &Path) -> anyhow::Result<()> {
        if !name.contains(['*', '?', '[']) || Path::new(name).exists() {
            return self.add_one(argument, name, out, false);
        }
        let matches = glob::glob(name)
            .with_context(|| format!("failed to read the pattern `{name}`"))
            .context(Hint("`*` stands for any characters, `?` for one, `**` for folders".to_owned()))?;
        let (found, unread): (Vec<_>, Vec<_>) = matches.partition(Result::is_ok);
        let matches: Vec<PathBuf> = found.into_iter().flatten().collect();
        self.faults.extend(unread.into_iter().filter_map(|error| Some(anyhow::Error::new(error.err()?))));
        let before = self.trials.len() + self.faults.len();
        for path in &matches {
            // of a run's folder, `*` also finds weights and pictures
            let may_be_one = path.is_dir() || is_history_like(path);
            let added = may_be_one.then(|| self.add_one(argument, &path.to_string_lossy(), out, true));
            self.faults.extend(added.and_then(Result::err));
        }
        if before == self.trials.len() + self.faults.len() {
            let message = match matches.len() {
                0 => format!("nothing matches `{name}`"),
                _ => format!("nothing that matches `{name}` is a run or a history"),
            };
            let hint = "a run is its folder, one of its files, or its experiment; histories end in `.json` or `.csv`";
            return Err(anyhow!(message).context(Hint(hint.to_owned())));
        }
        Ok(())
    }

    /// Adds what a name without a pattern stands for.
    fn add_one(&mut self, argument: usize, name: &str, out: &Path, matched: bool) -> anyhow::Result<()> {
        let path = Path::new(name);
        if path.exists() && !path.is_dir() && !is_weights(path) && !is_ours(path) {
            return self.add_foreign(argument, path, matched);
        }
        let run = match SavedRun::find(name, out) {
            Ok(run) => run,
            Err(_) if path.is_dir() && foreign::folder::holds_history(path) => {
                return self.add_foreign(argument, path, matched);
            }
            Err(error) if path.exists() => return Err(error),
            Err(error) => match self.variant_of(name, out)? {
                Some(run) => run,
                None => return Err(error),
            },
        };
        let is_whole = !path.is_file();
        self.notes.extend(run.note());
        let folder = is_whole.then(|| run.folder.canonicalize().unwrap_or(run.folder));
        self.faults.extend(run.damaged.into_iter().map(|Damaged { error, .. }| error));
        self.trials.extend(run.trials.into_iter().map(|saved| Gathering {
            argument,
            folder: folder.clone(),
            matched,
            trial: Trial::ours(saved.history, saved.file),
        }));
        Ok(())
    }

    /// Leaves out what was named before: `latest` is a run beside it, and a pattern finds both. Says which arguments
    /// name nothing else.
    fn without_repeats(&mut self, names: &[String]) -> Vec<String> {
        let mut seen = std::collections::HashSet::new();
        let repeated: std::collections::BTreeSet<usize> = self.trials.iter().map(|trial| trial.argument).collect();
        self.trials.retain(|Gathering { trial, .. }| {
            seen.insert(trial.file.canonicalize().unwrap_or_else(|_| trial.file.clone()))
        });
        let left: std::collections::BTreeSet<usize> = self.trials.iter().map(|trial| trial.argument).collect();
        repeated
            .difference(&left)
            .map(|&argument| format!("`{}` is named twice, by whatever name: it is compared once", names[argument]))
            .collect()
    }

    fn add_foreign(&mut self, argument: usize, path: &Path, matched: bool) -> anyhow::Result<()> {
        let foreign = foreign::read(path)?;
        self.notes.extend(foreign.notes.iter().map(|note| format!("`{}`: {note}", path.display())));
        let trial = Trial::foreign(foreign, path.to_path_buf());
        self.trials.push(Gathering { argument, folder: None, matched, trial });
        Ok(())
    }

    /// The trials of one variant, for `RUN/VARIANT`; `None` where no run is named before the last slash.
    fn variant_of(&self, name: &str, out: &Path) -> anyhow::Result<Option<SavedRun>> {
        let Some((run, variant)) = name.rsplit_once('/').filter(|(run, _)| !run.is_empty()) else { return Ok(None) };
        let Ok(mut run) = SavedRun::find(run, out) else { return Ok(None) };
        let variants: Vec<String> = run.trials.iter().map(|trial| trial.history.variant.clone()).collect();
        run.trials.retain(|trial| trial.history.variant == variant);
        if run.trials.is_empty() {
            let mut variants: Vec<&str> = variants.iter().map(String::as_str).collect();
            variants.dedup();
            let message = format!("the run in `{}` has no variant `{variant}`", run.folder.display());
            return Err(anyhow!(message).context(Hint(suggest::hint(variant, variants))));
        }
        Ok(Some(run))
    }
}

/// Whether a file says that it is a history of ours, of whatever version; what another program has saved again may have
/// its keys in another order.
fn is_ours(path: &Path) -> bool {
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let marks: &[u8] = b"\"runner.history/";
    let has_marks =
        |text: io::Result<Vec<u8>>| text.is_ok_and(|text| text.windows(marks.len()).any(|window| window == marks));
    const BEGINNING: u64 = 4096;
    is_json
        && (has_marks(bounded_file::beginning(path, BEGINNING))
            || has_marks(bounded_file::read(path, memory::most_json())))
}

fn is_weights(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "safetensors")
}

/// Whether a file that a glob found may be a history: ours, or one of another program.
fn is_history_like(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_other = name.ends_with(".json") && !newest::may_be_history(path);
    !is_other && (name.ends_with(".json") || name.ends_with(".csv") || name.contains("tfevents"))
}

/// Trials of the same settings together, and what was left out.
fn grouped(trials: Vec<Gathering>) -> (Vec<Loose>, Vec<String>) {
    let mut by_key: IndexMap<String, Loose> = IndexMap::new();
    let mut lone = Vec::new();
    for Gathering { argument, folder, matched, trial } in trials {
        let history = trial.history().map(settings::identity);
        let key = match (&folder, matched, history) {
            (Some(folder), false, Some(settings)) => format!("{argument} {} {settings}", folder.display()),
            (_, true, Some(settings)) => format!("{argument} {settings}"),
            (None, false, Some(settings)) => settings,
            // the settings of another program are not known: each of its histories is a run
            (_, _, None) => format!("{argument} {}", trial.file.display()),
        };
        let is_lone = folder.is_none() && !matched && trial.history().is_some();
        let group = by_key.entry(key).or_insert_with(|| {
            lone.push(is_lone);
            Loose { argument, folder, trials: Vec::new() }
        });
        group.trials.push(trial);
    }
    let mut loose: Vec<Loose> = by_key.into_values().collect();
    // histories of one variant, and nothing beside them: their trials are what is compared
    if loose.len() == 1 && lone[0] && loose[0].trials.len() > 1 {
        let Loose { argument, trials, .. } = loose.remove(0);
        let each = trials.into_iter().map(|trial| Loose { argument, folder: None, trials: vec![trial] });
        return (each.collect(), Vec::new());
    }
    let notes = loose.iter_mut().filter_map(|group| group.without_repeats()).collect();
    (loose, notes)
}
