//! Creates and opens the directory of a sweep.

use std::collections::HashSet;
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::config::hint::Hint;
use crate::config::suggest;
use crate::data::store::checksum::sha256;
use crate::experiment::spec::catalogue;
use crate::experiment::store::newest;
use crate::experiment::store::run_name::experiment_directory;
use crate::history::readable_json;
use crate::io::{atomic_write, bounded_file};
use crate::run_dir::latest;
use crate::sweep::dir::create_once::retry_stale;
use crate::sweep::dir::{extensions, record_check};
use crate::sweep::record::{FILE, SCHEMA, SweepRecord};
use crate::sweep::spec::SweepSpec;

/// File name of the resolved experiment in the directory of a sweep.
pub const EXPERIMENT: &str = "sweep.toml";

/// Subdirectory with the run directories of the stacks.
const STACKS: &str = "stacks";

/// Subdirectories of a sweep.
pub const FOLDERS: [&str; 6] = [STACKS, "claims", "beats", "ended", "data", "workers"];

/// The directory of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepDir(PathBuf);

impl SweepDir {
    /// Creates the directory of a new sweep, `<out>/<experiment>/<UTC time>-<6 hex digits>/`, with its record and the
    /// resolved experiment. It gets its name when it is complete.
    ///
    /// # Errors
    /// When it cannot be created or written to; nothing is left behind.
    pub fn create(
        out: &Path,
        record: &SweepRecord,
        experiment: &str,
        started: OffsetDateTime,
    ) -> anyhow::Result<SweepDir> {
        let parent = out.join(&record.experiment);
        let fail = |error: std::io::Error| {
            let hint = Hint("choose a writable directory: `--out DIR`".to_owned());
            let message = format!("failed to create the directory of the sweep in `{}`", parent.display());
            anyhow::Error::new(error).context(message).context(hint)
        };
        std::fs::create_dir_all(&parent).map_err(fail)?;
        let json = readable_json::readable(record).context("failed to serialize the record of the sweep")?;
        let stamp = started
            .format(format_description!("[year]-[month]-[day]T[hour][minute][second]Z"))
            .context("failed to format the time")?;
        let name = format!("{stamp}-{}", &sha256(json.as_bytes())[..6]);
        let (part, ()) =
            atomic_write::make_beside(&parent.join(&name), |part| std::fs::create_dir(part)).map_err(fail)?;
        let filled = FOLDERS.iter().try_for_each(|folder| std::fs::create_dir(part.join(folder))).and_then(|()| {
            atomic_write::put(&part.join(EXPERIMENT), experiment.as_bytes())?;
            atomic_write::put(&part.join(FILE), json.as_bytes())?;
            rename_to_free_name(&part, &parent.join(&name))
        });
        let path = filled.map_err(|error| {
            let _ = std::fs::remove_dir_all(&part); // report the first error
            fail(error)
        })?;
        // failures are ignored: if the names do not reach the disk, later writes report it
        let _ = atomic_write::sync_folder(&parent).and_then(|()| atomic_write::sync_folder(out));
        if let Some(name) = path.file_name() {
            latest::point_latest_to(&parent, name); // a convenience
        }
        Ok(SweepDir(path))
    }

    /// Opens the directory of a sweep, and reads its record with all extensions.
    ///
    /// # Errors
    /// When it is not the directory of a sweep, or its record is damaged or of another version.
    pub fn open(path: &Path) -> anyhow::Result<(SweepDir, SweepRecord)> {
        let (dir, mut record) = SweepDir::open_original(path)?;
        extensions::read_new(dir.path(), &mut record)?;
        record_check::check(&record).with_context(|| format!("failed to read `{}`", dir.file(FILE).display()))?;
        Ok((dir, record))
    }

    /// Opens the directory of a sweep, and reads its record without extensions.
    ///
    /// # Errors
    /// When it is not the directory of a sweep, or its record is damaged or of another version.
    pub fn open_original(path: &Path) -> anyhow::Result<(SweepDir, SweepRecord)> {
        let path = latest::resolve_link(path);
        let file = path.join(FILE);
        if !file.is_file() {
            let what = if path.is_dir() { "is not the directory of a sweep" } else { "does not exist" };
            let hint = format!("name a directory with a `{FILE}`, as `runner sweep` creates it");
            return Err(anyhow!("`{}` {what}", path.display()).context(Hint(hint)));
        }
        let read = || {
            let text = retry_stale(|| bounded_file::read(&file, bounded_file::JSON))?;
            let value: serde_json::Value = serde_json::from_slice(&text)?;
            match value.get("schema").and_then(serde_json::Value::as_str) {
                Some(SCHEMA) => Ok(serde_json::from_value(value)?),
                Some(other) => Err(anyhow!("its schema is `{other}`, but this version reads `{SCHEMA}`")),
                None => Err(anyhow!("it has no `schema`")),
            }
        };
        let record = read().with_context(|| format!("failed to read `{}`", file.display()))?;
        Ok((SweepDir(path), record))
    }

    /// Returns the path of the sweep that a command line names: by its directory, by one of the files in it, or by the name
    /// or the file of an experiment, whose newest sweep under `out` it is.
    ///
    /// # Errors
    /// When there is none.
    pub fn locate(name: &str, out: &Path) -> anyhow::Result<PathBuf> {
        let path = Path::new(name);
        let is_sweep = |path: &Path| path.join(FILE).is_file();
        if let Some(sweep) =
            [Some(path), path.parent().filter(|_| path.is_file())].into_iter().flatten().find(|path| is_sweep(path))
        {
            return Ok(sweep.to_path_buf());
        }
        match SweepDir::all(path).pop().or_else(|| SweepDir::newest_of(name, out)) {
            Some(newest) => Ok(newest),
            None if path.is_dir() || (path.components().count() > 1 && !path.is_file()) => Ok(path.to_path_buf()),
            None => {
                let folders = newest::folders_in(out).unwrap_or_default();
                let names = folders.iter().filter_map(|folder| folder.file_name()?.to_str());
                let hint = match suggest::nearest(name, names) {
                    Some(near) if near != name => format!("did you mean `{near}`?"),
                    _ => how_to_start(name, out),
                };
                Err(anyhow!("no sweep `{name}` under `{}`", out.display()).context(Hint(hint)))
            }
        }
    }

    /// Returns the path of the newest sweep under `out` of the experiment with this name or in this file.
    pub fn newest_of(name: &str, out: &Path) -> Option<PathBuf> {
        SweepDir::all(&experiment_directory(name, out)?).pop()
    }

    /// Returns the paths of the sweeps of an experiment, oldest first.
    pub fn all(experiment: &Path) -> Vec<PathBuf> {
        let mut found = newest::folders_in(experiment).unwrap_or_default();
        found.retain(|path| newest::is_stamped(path) && path.join(FILE).is_file());
        found.sort_by_cached_key(|path| newest::order_by_file(path, FILE));
        found
    }

    /// Returns the directory of the sweep that has this run as a stack; `None` if it is a run by itself.
    pub fn of_stack(run: &Path) -> Option<PathBuf> {
        let run = run.canonicalize().ok()?;
        let stacks = run.parent().filter(|parent| parent.file_name().is_some_and(|name| name == STACKS))?;
        stacks.parent().filter(|sweep| sweep.join(FILE).is_file()).map(Path::to_path_buf)
    }

    /// Path of the directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Path of a file or a subdirectory in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Path of the run directory of a stack.
    pub fn stack(&self, stack: &str) -> PathBuf {
        self.0.join(STACKS).join(stack)
    }

    /// Names in a subdirectory, without temporary files. The listing of a network file system may be late.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn names(&self, folder: &str) -> Result<HashSet<String>> {
        retry_stale(|| {
            let entries = std::fs::read_dir(self.file(folder))?;
            let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            names.filter(|name| !name.as_ref().is_ok_and(|name: &String| name.starts_with('.'))).collect()
        })
    }

    /// Removes temporary files of workers that were killed.
    pub fn remove_temporary_files(&self) {
        const OLD: std::time::Duration = std::time::Duration::from_secs(3600);
        FOLDERS.iter().for_each(|folder| atomic_write::sweep(&self.file(folder), OLD));
    }
}

/// Returns the hint on a name that has no sweep under `out`: how to start one, if it is an experiment.
fn how_to_start(name: &str, out: &Path) -> String {
    let file = format!("{name}.toml");
    let name = if Path::new(&file).is_file() { &file } else { name };
    let has_space = |sweep: &SweepSpec| !sweep.space.is_empty() || !sweep.zip.is_empty();
    match catalogue::find(name).map(|source| source.parse()) {
        Ok(Ok(spec)) if spec.sweep.as_ref().is_some_and(has_space) => {
            format!("start one with `runner sweep {name}`, or name its directory")
        }
        Ok(_) => format!("start one with `runner sweep {name} --space KEY=VALUES`, or name its directory"),
        Err(_) => format!("name the directory of a sweep, or an experiment with a sweep under `{}`", out.display()),
    }
}

/// Renames a complete directory; appends a number to the name if it is taken.
fn rename_to_free_name(part: &Path, path: &Path) -> Result<PathBuf> {
    const MOST: u32 = 10_000;
    for number in 1..MOST {
        let numbered = if number == 1 { path.to_path_buf() } else { numbered(path, number) };
        match std::fs::rename(part, &numbered) {
            Err(error)
                if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists)
                    || numbered.exists() => {}
            renamed => return renamed.map(|()| numbered),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}-{number}"))
}

/// Returns the empty directory of a sweep without a record.
#[cfg(test)]
pub(crate) fn empty_for_tests() -> (tempfile::TempDir, SweepDir) {
    let folder = tempfile::tempdir().unwrap();
    FOLDERS.iter().for_each(|name| std::fs::create_dir(folder.path().join(name)).unwrap());
    let dir = SweepDir(folder.path().to_path_buf());
    (folder, dir)
}
