//! The newest run of an experiment. The names of runs' folders begin with the time, so they tell which is newer; `latest`
//! is a link for people and other programs, and a copy of it may be a folder.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;

use crate::experiment::store::preprocessing_file;
use crate::experiment::store::run_record::{FILE, RunRecord};
use crate::io::bounded_file;
use crate::run_dir::latest;

/// How the names of runs begin.
const TIME: &[u8] = b"0000-00-00T000000Z-";

/// The newest run of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// The newest run that finished; where none did, the newest one with a history, else the newest.
    pub run: PathBuf,
    /// A newer run that has not finished.
    pub newer: Option<PathBuf>,
}

impl Newest {
    /// Finds it in an experiment's folder; `None` where no run is there.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn find(folder: &Path) -> anyhow::Result<Option<Newest>> {
        let runs = runs_in(folder)?;
        let newest_first = || runs.iter().rev();
        let finished = newest_first().find(|run| is_finished(run));
        let run = finished.or_else(|| newest_first().find(|run| holds_history(run))).or(runs.last());
        Ok(run.map(|run| Newest { run: run.clone(), newer: newer_unfinished(run) }))
    }
}

/// The runs in an experiment's folder, the newest last: folders whose names begin with the time. Those that began in the
/// same second are ordered by when their experiments were written. Where there are none,
/// the run that the link `latest` leads to, or else any other folder that holds a run.
///
/// # Errors
/// When the folder cannot be read.
pub fn runs_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut runs = folders_in(folder)?;
    runs.retain(|run| is_run(run) || holds_history(run));
    runs.sort_by_cached_key(|run| (stamp(run), written(run), run.clone()));
    if runs.iter().any(|run| is_stamped(run)) {
        runs.retain(|run| is_stamped(run));
    } else if let Some(latest) = runs.iter().find(|run| run.ends_with(latest::LATEST) && run.is_symlink()) {
        runs = vec![latest.clone()];
    }
    Ok(runs)
}

/// The folders in a folder, sorted by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn folders_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| path.is_dir()).collect();
    found.sort();
    Ok(found)
}

/// What is in a folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    entries.with_context(|| format!("failed to read the folder `{}`", folder.display()))
}

/// The newest run in an experiment's folder that can be resumed; `None` where all have finished.
///
/// # Errors
/// When the folder cannot be read.
pub fn unfinished(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let is_unfinished = |run: &PathBuf| RunRecord::read(run).is_ok_and(|record| !record.is_whole(run));
    Ok(runs_in(folder)?.into_iter().rev().find(is_unfinished))
}

/// The newest run beside this one that is newer, and has not finished.
pub fn newer_unfinished(run: &Path) -> Option<PathBuf> {
    let run = latest::without_link(run);
    let parent = run.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let runs = runs_in(parent).ok()?.into_iter().rev().take_while(|other| other.file_name() != run.file_name());
    is_stamped(&run).then_some(runs)?.find(|other| is_run(other) && !is_finished(other))
}

/// Points `latest` to the newest run that finished, or to the newest one where none did.
pub fn update_latest(folder: &Path) {
    const MOST: usize = 100; // another run may finish meanwhile
    for _ in 0..MOST {
        let Ok(runs) = runs_in(folder) else { return };
        let newest = runs.iter().rev().find(|run| is_finished(run)).or(runs.last());
        let Some(name) = newest.filter(|run| is_stamped(run)).and_then(|run| run.file_name()) else { return };
        let latest = folder.join(latest::LATEST);
        if latest.read_link().is_ok_and(|target| target.as_os_str() == name) {
            return;
        }
        if !latest::point_latest_to(folder, name) {
            return;
        }
    }
}

/// The part of a run's name that is a time, or the whole name of another folder.
fn stamp(run: &Path) -> Vec<u8> {
    let name = run.file_name().map(|name| name.as_encoded_bytes().to_vec()).unwrap_or_default();
    let length = if is_stamped(run) { TIME.len() } else { name.len() };
    name[..length].to_vec()
}

/// When the run's experiment was written: it orders runs that began in the same second.
fn written(run: &Path) -> Option<SystemTime> {
    run.join("experiment.toml").metadata().and_then(|metadata| metadata.modified()).ok()
}

/// Whether a folder's name begins with a time, as those of runs do: `2026-11-28T090715Z-f69e03`.
pub fn is_stamped(folder: &Path) -> bool {
    let name = folder.file_name().map(|name| name.as_encoded_bytes().to_vec()).unwrap_or_default();
    let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    name.len() > TIME.len() && name.iter().zip(TIME).all(fits)
}

/// Whether a folder is a run's: it holds the resolved experiment.
pub fn is_run(folder: &Path) -> bool {
    folder.join("experiment.toml").is_file()
}

/// Whether all of a run is done; runs of earlier versions without a record are taken for that.
fn is_finished(run: &Path) -> bool {
    match RunRecord::is_in(run) {
        true => RunRecord::read(run).is_ok_and(|record| record.finished),
        false => holds_history(run),
    }
}

/// Whether a folder holds a history: a copy of a run may have lost the rest.
pub fn holds_history(folder: &Path) -> bool {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut candidates = files.filter(|path| may_be_history(path));
    match is_run(folder) {
        true => candidates.next().is_some(),
        false => candidates.any(|path| says_that_it_is_one(&path)),
    }
}

/// Whether a file in a run's folder may be a history, by its name.
pub fn may_be_history(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_other =
        name.starts_with('.') || name.ends_with(".tree.json") || [FILE, preprocessing_file::FILE].contains(&&*name);
    name.ends_with(".json") && !is_other
}

/// Whether the beginning of a file names the schema of a history.
fn says_that_it_is_one(path: &Path) -> bool {
    const BEGINNING: u64 = 4096;
    let beginning = bounded_file::beginning(path, BEGINNING).unwrap_or_default();
    let marks: &[u8] = b"runner.history/";
    beginning.windows(marks.len()).any(|window| window == marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An experiment's folder with runs of these names; `true` where the run finished.
    fn folder(runs: &[(&str, bool)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, finished) in runs {
            let run = folder.path().join(name);
            std::fs::create_dir(&run).unwrap();
            std::fs::write(run.join("experiment.toml"), "").unwrap();
            let record = serde_json::json!({
                "schema": "runner.run/1", "experiment": "t", "started": "2026-11-28T09:07:15Z", "finished": finished,
                "program": { "runner": "", "commit": "", "libtorch": "" }, "groups": [], "changes": [],
                "options": { "device": "cpu", "threads": 1, "stack": null, "tf32": false, "deterministic": false },
                "source": { "name": "t", "origin": "t.toml", "text": "" },
            });
            std::fs::write(run.join("run.json"), record.to_string()).unwrap();
        }
        folder
    }

    const FIRST: &str = "2026-11-28T090715Z-f69e03";
    const SECOND: &str = "2026-11-28T090715Z-f69e03-2";
    const THIRD: &str = "2026-11-29T090715Z-000000";

    fn found(folder: &tempfile::TempDir) -> (String, Option<String>) {
        let Newest { run, newer } = Newest::find(folder.path()).unwrap().unwrap();
        let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        (name(run), newer.map(name))
    }

    #[test]
    fn the_newest_is_the_last_that_finished_and_a_newer_one_is_named() {
        assert_eq!(found(&folder(&[(FIRST, true), (SECOND, true)])), (SECOND.to_owned(), None));
        let all = folder(&[(FIRST, true), (SECOND, false), (THIRD, false)]);
        assert_eq!(found(&all), (FIRST.to_owned(), Some(THIRD.to_owned())));
        assert_eq!(unfinished(all.path()).unwrap(), Some(all.path().join(THIRD)));
        assert_eq!(found(&folder(&[(FIRST, false), (THIRD, false)])), (THIRD.to_owned(), None));
        assert_eq!(found(&folder(&[(FIRST, false), (THIRD, true)])), (THIRD.to_owned(), None));
        assert_eq!(Newest::find(folder(&[]).path()).unwrap(), None);
    }

    #[test]
    fn a_folder_called_latest_counts_only_where_there_is_no_other_run() {
        assert_eq!(found(&folder(&[(FIRST, true), ("latest", true), ("notes", true)])), (FIRST.to_owned(), None));
        assert_eq!(found(&folder(&[("latest", true)])), ("latest".to_owned(), None));
        let empty = folder(&[(FIRST, true)]);
        std::fs::create_dir(empty.path().join("latest")).unwrap();
        assert_eq!(found(&empty), (FIRST.to_owned(), None));
    }

    #[cfg(unix)]
    #[test]
    fn latest_is_pointed_to_the_newest_run_that_finished() {
        let target = |folder: &tempfile::TempDir| {
            update_latest(folder.path());
            std::fs::read_link(folder.path().join("latest")).unwrap().to_string_lossy().into_owned()
        };
        assert_eq!(target(&folder(&[(FIRST, true), (SECOND, false)])), FIRST);
        assert_eq!(target(&folder(&[(FIRST, false), (SECOND, false)])), SECOND);
        let copied = folder(&[(FIRST, true), ("latest", true)]);
        update_latest(copied.path());
        assert!(!copied.path().join("latest").is_symlink(), "what is no link of ours is kept");
    }
}
