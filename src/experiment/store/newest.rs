//! Finds the newest run of an experiment. Names of run directories begin with the start time, which orders them. The
//! link `latest` is for people and other programs; a copy of the runs may have turned it into a directory.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;

use crate::experiment::store::run_record::{FILE, RunRecord};
use crate::experiment::store::{about, preprocessing_file};
use crate::io::bounded_file;
use crate::run_dir::latest;

/// Pattern that the names of run directories begin with; `0` means any digit.
const TIME: &[u8] = b"0000-00-00T000000Z-";

/// The newest run of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestRun {
    /// The newest finished run; if none finished, the newest run with a history, else the newest run.
    pub run: PathBuf,
    /// A newer, unfinished run.
    pub newer: Option<PathBuf>,
}

impl NewestRun {
    /// Finds the newest run in an experiment's directory; `None` if there is no run.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn find(folder: &Path) -> anyhow::Result<Option<NewestRun>> {
        let runs = runs_in(folder)?;
        let newest_first = || runs.iter().rev();
        let finished = newest_first().find(|run| is_finished(run));
        let run = finished.or_else(|| newest_first().find(|run| holds_history(run))).or(runs.last());
        Ok(run.map(|run| NewestRun { run: run.clone(), newer: newer_unfinished(run) }))
    }
}

/// Returns the runs in an experiment's directory, oldest first: directories whose names begin with the time. Runs that
/// started in the same second are ordered by the modification time of `experiment.toml`. If there are none, returns the
/// target of the link `latest`, or else any other directory that holds a run.
///
/// # Errors
/// When the directory cannot be read.
pub fn runs_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut runs = folders_in(folder)?;
    runs.retain(|run| is_run(run) || holds_history(run));
    runs.sort_by_cached_key(|run| order(run));
    if runs.iter().any(|run| is_stamped(run)) {
        runs.retain(|run| is_stamped(run));
    } else if let Some(latest) = runs.iter().find(|run| run.ends_with(latest::LATEST) && run.is_symlink()) {
        runs = vec![latest.clone()];
    }
    Ok(runs)
}

/// Returns the subdirectories of a directory, sorted by name.
///
/// # Errors
/// When the directory cannot be read.
pub fn folders_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| path.is_dir()).collect();
    found.sort();
    Ok(found)
}

/// Returns the paths in a directory.
///
/// # Errors
/// When the directory cannot be read.
pub fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    entries.with_context(|| format!("failed to read the directory `{}`", folder.display()))
}

/// Returns the files in a directory that may be histories, sorted by name.
///
/// # Errors
/// When the directory cannot be read.
pub fn histories_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = entries(folder)?;
    files.retain(|path| may_be_history(path));
    files.sort();
    Ok(files)
}

/// Returns the newest unfinished run in an experiment's directory; `None` if all are finished.
///
/// # Errors
/// When the directory cannot be read.
pub fn unfinished(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let is_unfinished = |run: &PathBuf| RunRecord::read(run).is_ok_and(|record| !record.is_complete(run));
    Ok(runs_in(folder)?.into_iter().rev().find(is_unfinished))
}

/// Returns the newest unfinished run of the same experiment that is newer than `run`.
pub fn newer_unfinished(run: &Path) -> Option<PathBuf> {
    let run = latest::resolve_link(run);
    let parent = run.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let runs = runs_in(parent).ok()?.into_iter().rev().take_while(|other| other.file_name() != run.file_name());
    is_stamped(&run).then_some(runs)?.find(|other| is_run(other) && !is_finished(other))
}

/// Points the link `latest` to the newest finished run, or to the newest run if none is finished.
pub fn update_latest(folder: &Path) {
    const MOST: usize = 100; // repeated because another run may finish meanwhile
    for _ in 0..MOST {
        let Ok(runs) = runs_in(folder) else { return };
        let newest = runs.iter().rev().find(|run| is_finished(run)).or(runs.last());
        let Some(name) = newest.filter(|run| is_stamped(run)).and_then(|run| run.file_name()) else { return };
        let latest = folder.join(latest::LATEST);
        let is_there = latest.read_link().is_ok_and(|target| target.as_os_str() == name);
        if is_there || !latest::point_latest_to(folder, name) {
            return;
        }
    }
}

/// Sort key of a directory of a run or a sweep: time at the beginning of its name, or the complete name if it does not begin
/// with a time, modification time of its first file, path.
pub type Order = (Vec<u8>, Option<SystemTime>, PathBuf);

/// Sort key that orders run directories by the start of the run, oldest first.
pub fn order(run: &Path) -> Order {
    order_by_file(run, "experiment.toml")
}

/// Sort key that orders directories of runs and sweeps by their start, oldest first. Those that started in the same
/// second are ordered by the modification time of `file`, which is written at the start.
pub fn order_by_file(folder: &Path, file: &str) -> Order {
    let mut time = folder.file_name().map(|name| name.as_encoded_bytes().to_vec()).unwrap_or_default();
    time.truncate(if is_stamped(folder) { TIME.len() } else { time.len() });
    let modified = folder.join(file).metadata().and_then(|metadata| metadata.modified()).ok();
    (time, modified, folder.to_path_buf())
}

/// Whether a directory's name begins with a time, as names of runs do: `2026-11-28T090715Z-f69e03`.
pub fn is_stamped(folder: &Path) -> bool {
    let name = folder.file_name().map(|name| name.as_encoded_bytes().to_vec()).unwrap_or_default();
    let fits = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    name.len() > TIME.len() && name.iter().zip(TIME).all(fits)
}

/// Whether a directory is a run directory: it contains the resolved experiment.
pub fn is_run(folder: &Path) -> bool {
    folder.join("experiment.toml").is_file()
}

/// Whether a run is finished. Runs of older versions without a record count as finished if they have a history.
pub fn is_finished(run: &Path) -> bool {
    match RunRecord::is_in(run) {
        true => RunRecord::read(run).is_ok_and(|record| record.finished),
        false => holds_history(run),
    }
}

/// Whether a directory contains a history. A copied run may have lost its other files.
pub fn holds_history(folder: &Path) -> bool {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut candidates = files.filter(|path| may_be_history(path));
    match is_run(folder) {
        true => candidates.next().is_some(),
        false => candidates.any(|path| has_history_schema(&path)),
    }
}

/// Whether a file in a run directory may be a history, judging by its name.
pub fn may_be_history(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_other = name.starts_with('.')
        || name.ends_with(".tree.json")
        || [FILE, preprocessing_file::FILE, about::FILE].contains(&&*name);
    name.ends_with(".json") && !is_other
}

/// Whether the first bytes of a file contain the schema of a history.
fn has_history_schema(path: &Path) -> bool {
    const BEGINNING: u64 = 4096;
    let beginning = bounded_file::beginning(path, BEGINNING).unwrap_or_default();
    let marks: &[u8] = b"runner.history/";
    beginning.windows(marks.len()).any(|window| window == marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates an experiment's directory with runs of these names; `true` marks a finished run.
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
        let NewestRun { run, newer } = NewestRun::find(folder.path()).unwrap().unwrap();
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
        assert_eq!(NewestRun::find(folder(&[]).path()).unwrap(), None);
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
        assert!(!copied.path().join("latest").is_symlink(), "links of others are kept");
    }
}
