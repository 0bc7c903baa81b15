//! Ids of runs: a hash over the names of the experiment and of the run directory, so that nothing needs to be stored, old
//! runs have ids, and ids stay the same when the runs are moved or copied. Any unique beginning of an id names the run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::config::hint::Hint;
use crate::data::store::checksum::sha256;
use crate::experiment::store::about::{self, About};
use crate::experiment::store::newest::is_stamped;
use crate::run_dir::latest::LATEST;

/// Number of digits of a complete id.
const LENGTH: usize = 12;

/// Minimum number of digits that are shown.
const SHORTEST: usize = 4;

/// Maximum number of candidates that an error lists.
const MOST_CANDIDATES: usize = 8;

/// Returns the id of a run: 12 hex digits.
pub fn of_names(experiment: &str, run: &str) -> String {
    let mut hash = sha256(format!("{experiment}/{run}").as_bytes());
    hash.truncate(LENGTH);
    hash
}

/// Returns the id of the run in this directory.
pub fn of_folder(folder: &Path) -> String {
    let name = |path: Option<&Path>| {
        path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    of_names(&name(whole.parent()), &name(Some(&whole)))
}

/// A run directory, known by its name only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEntry {
    /// The experiment: name of the directory of its runs.
    pub experiment: String,
    /// Name of the run directory.
    pub name: String,
    /// Path of the run directory.
    pub folder: PathBuf,
    /// Complete id.
    pub id: String,
}

/// The run directories under `out`, without reading any of their files.
#[derive(Debug, Default)]
pub struct RunEntries(pub Vec<RunEntry>);

impl RunEntries {
    /// Lists the run directories under `out`: `<experiment>/<run>/`. Directories that cannot be listed are left out.
    pub fn list(out: &Path) -> RunEntries {
        let mut runs = Vec::new();
        for experiment in directories(out) {
            let folder = out.join(&experiment);
            let mut names = directories(&folder);
            if names.iter().any(|name| is_stamped(Path::new(name))) {
                names.retain(|name| name != LATEST); // a copy of the link, which has become a directory
            }
            runs.extend(names.into_iter().map(|name| RunEntry {
                id: of_names(&experiment, &name),
                folder: folder.join(&name),
                experiment: experiment.clone(),
                name,
            }));
        }
        RunEntries(runs)
    }

    /// Returns the shortest unique beginning of each id, with at least 4 digits, by complete id.
    pub fn short_ids(&self) -> HashMap<&str, &str> {
        let mut ids: Vec<&str> = self.0.iter().map(|run| run.id.as_str()).collect();
        ids.sort_unstable();
        let common = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
        let short = |place: usize| {
            let before = place.checked_sub(1).map_or(0, |before| common(ids[before], ids[place]));
            let after = ids.get(place + 1).map_or(0, |after| common(after, ids[place]));
            (ids[place], &ids[place][..(before.max(after) + 1).clamp(SHORTEST, LENGTH)])
        };
        (0..ids.len()).map(short).collect()
    }

    /// Finds a run by the beginning of its id, by the name of its directory, or by the name that a user gave it. Of
    /// several runs with the same name, the newest is returned, with a note. `None` if there is no such run.
    ///
    /// # Errors
    /// When several ids begin with these digits.
    pub fn find(&self, named: &str) -> anyhow::Result<Option<FoundRun>> {
        let found = |run: &RunEntry| Some(FoundRun { folder: run.folder.clone(), note: None });
        let wanted = named.to_ascii_lowercase();
        if !named.is_empty() && wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let candidates: Vec<&RunEntry> = self.0.iter().filter(|run| run.id.starts_with(&wanted)).collect();
            match &candidates[..] {
                [] => {}
                [run] => return Ok(found(run)),
                several => return Err(self.ambiguity(named, several)),
            }
        }
        if let Some(run) = self.0.iter().find(|run| run.name == named && is_stamped(Path::new(named))) {
            return Ok(found(run));
        }
        if about::parse_name(named).is_err() {
            return Ok(None);
        }
        let has_name = |run: &&RunEntry| {
            run.folder.join(about::FILE).is_file()
                && About::read(&run.folder).is_ok_and(|about| about.name.as_deref() == Some(named))
        };
        let mut with_name: Vec<&RunEntry> = self.0.iter().filter(has_name).collect();
        with_name.sort_by(|a, b| b.name.cmp(&a.name));
        Ok(with_name.first().map(|newest| FoundRun {
            folder: newest.folder.clone(),
            note: (with_name.len() > 1).then(|| {
                let short = self.short_ids();
                let others = with_name[1..].iter().take(MOST_CANDIDATES);
                let others: Vec<String> = others.map(|run| format!("`{}`", short[&*run.id])).collect();
                let newest = short[&*newest.id];
                let s = if others.len() == 1 { "" } else { "s" };
                format!(
                    "{} runs are named `{named}`; using the newest, `{newest}` (other{s}: {})",
                    with_name.len(),
                    others.join(", ")
                )
            }),
        }))
    }

    fn ambiguity(&self, named: &str, candidates: &[&RunEntry]) -> anyhow::Error {
        let short = self.short_ids();
        let mut listed: Vec<String> = candidates
            .iter()
            .take(MOST_CANDIDATES)
            .map(|run| format!("`{}` ({} {})", short[&*run.id], run.experiment, run.name))
            .collect();
        let more = candidates.len().saturating_sub(MOST_CANDIDATES);
        listed.extend((more > 0).then(|| format!("{more} more")));
        anyhow!("the id `{named}` is ambiguous: {} runs have ids that begin with it", candidates.len())
            .context(Hint(format!("name one of {}", listed.join(", "))))
    }
}

/// A run that was found by its id or name.
#[derive(Debug)]
pub struct FoundRun {
    /// The run directory.
    pub folder: PathBuf,
    /// A note for the user if other runs have the same name.
    pub note: Option<String>,
}

/// Returns the names of the subdirectories, sorted; without links such as `latest`, and without hidden ones.
pub fn directories(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_directory = |entry: &std::fs::DirEntry| {
        entry
            .file_type()
            .is_ok_and(|kind| kind.is_dir() || (kind.is_symlink() && leads_elsewhere(&entry.path(), folder)))
    };
    let mut names: Vec<String> = entries
        .filter(is_directory)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    names
}

/// Whether a link leads to a directory that is not in `folder`, as a link to runs on another disk does.
fn leads_elsewhere(link: &Path, folder: &Path) -> bool {
    let target = link.canonicalize().ok().filter(|target| target.is_dir());
    target.is_some_and(|target| target.parent().map(Path::to_path_buf) != folder.canonicalize().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(ids: &[&str]) -> RunEntries {
        let entry = |id: &&str| RunEntry {
            experiment: "a".to_owned(),
            name: format!("2026-11-28T090715Z-{id}"),
            folder: PathBuf::from(id),
            id: format!("{id:0<12}"),
        };
        RunEntries(ids.iter().map(entry).collect())
    }

    #[test]
    fn ids_are_as_short_as_is_unique() {
        let runs = entries(&["abcd1", "abcd23", "abcd24", "77"]);
        let short = runs.short_ids();
        let of = |id: &str| short[&*format!("{id:0<12}")];
        assert_eq!(["abcd1", "abcd23", "abcd24", "77"].map(of), ["abcd1", "abcd23", "abcd24", "7700"]);
    }

    #[test]
    fn the_beginning_of_an_id_finds_one_run_or_lists_the_candidates() {
        let runs = entries(&["abcd1", "abcd23", "77"]);
        assert_eq!(runs.find("7").unwrap().unwrap().folder, Path::new("77"));
        assert_eq!(runs.find("ABCD2").unwrap().unwrap().folder, Path::new("abcd23"));
        assert!(runs.find("99").unwrap().is_none() && runs.find("xyz").unwrap().is_none());
        let error = format!("{:?}", runs.find("abcd").unwrap_err());
        assert!(error.contains("2 runs have ids") && error.contains("`abcd1` (a 2026-11-28T090715Z-abcd1)"), "{error}");
    }

    #[test]
    fn the_id_depends_on_names_only() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("mnist").join("2026-11-28T090715Z-f69e03");
        std::fs::create_dir_all(&run).unwrap();
        let listed = RunEntries::list(folder.path()).0;
        assert_eq!(listed[0].id, of_folder(&run));
        assert_eq!(listed[0].id, of_names("mnist", "2026-11-28T090715Z-f69e03"));
        assert_ne!(listed[0].id, of_names("mnist", "2026-11-28T090715Z-f69e03-2"));
    }
}
