//! Defaults of `runner.toml`: of the project's file, else of the user's file. The command line and the environment come
//! first.
//!
//! The project's file is the nearest `runner.toml` in the working directory or one above it, up to the root of the
//! repository. The user's file is `$XDG_CONFIG_HOME/runner/runner.toml`, else `~/.config/runner/runner.toml`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use toml_edit::{Document, Item};

use crate::config::check::Invalid;
use crate::config::hint::with_hint;
use crate::config::suggest;
use crate::device::DeviceChoice;
use crate::experiment::run::checkpointing::CheckpointInterval;
use crate::io::bounded_file;
use crate::tensor::threads;

/// File name of the project's and of the user's defaults.
pub const FILE: &str = "runner.toml";

/// Environment variable that names the directory of the runs.
const RUNS_VARIABLE: &str = "RUNNER_RUNS";

/// The keys of `runner.toml`.
const KEYS: [&str; 4] = ["out", "device", "threads", "log_every"];

/// A default and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The value, as an option of the command line takes it.
    pub value: OsString,
    /// Where it comes from.
    pub source: Source,
}

/// Source of a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An environment variable.
    Variable(&'static str),
    /// A line of a file.
    File {
        /// Whose file it is: `project` or `user`.
        of: &'static str,
        /// The file, as it is shown.
        file: String,
        /// The line.
        line: usize,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Variable(name) => write!(f, "`{name}`"),
            Source::File { of, file, line } => write!(f, "{of} file `{file}`, line {line}"),
        }
    }
}

/// Defaults of the user, by key. A key that is absent has the built-in default. `OMP_NUM_THREADS` comes before `threads`.
pub type UserDefaults = BTreeMap<&'static str, Setting>;

/// An invalid `runner.toml`.
#[derive(Clone, Debug, PartialEq)]
struct Fault {
    message: String,
    hint: Option<String>,
}

/// Returns the defaults of this process.
///
/// # Errors
/// When a `runner.toml` cannot be read, or has an unknown key or an invalid value.
pub fn get() -> anyhow::Result<&'static UserDefaults> {
    let to_error = |fault: &Fault| with_hint(anyhow::Error::msg(fault.message.clone()), fault.hint.clone());
    loaded().as_ref().map_err(to_error)
}

/// Returns the default directory of the runs.
pub fn out() -> &'static OsStr {
    value("out").unwrap_or(OsStr::new("runs"))
}

/// Returns the default device.
pub fn device() -> &'static str {
    value("device").and_then(OsStr::to_str).unwrap_or("auto")
}

/// Returns the default number of threads; `None` for `OMP_NUM_THREADS` or one for each core.
pub fn threads() -> Option<&'static str> {
    value("threads")?.to_str()
}

/// Returns the default interval of log lines, if there is one: every N epochs (`5`) or a time (`30s`).
pub fn log_every() -> Option<&'static str> {
    value("log_every")?.to_str()
}

/// Returns the user's default; `None` if there is none. It is also `None` if a `runner.toml` is invalid: commands report that
/// once their arguments are parsed.
fn value(key: &str) -> Option<&'static OsStr> {
    Some(&loaded().as_ref().ok()?.get(key)?.value)
}

fn loaded() -> &'static Result<UserDefaults, Fault> {
    static LOADED: OnceLock<Result<UserDefaults, Fault>> = OnceLock::new();
    LOADED.get_or_init(|| {
        let current = std::env::current_dir().unwrap_or_default();
        let mut defaults = load(&current, user_folder().as_deref(), std::env::var_os(RUNS_VARIABLE))?;
        if threads::available().source == threads::Source::Variable {
            defaults.remove("threads");
        }
        Ok(defaults)
    })
}

/// Returns the directory of the user's file.
fn user_folder() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let config = named.or_else(|| Some(home()?.join(".config")))?;
    Some(config.join("runner"))
}

fn home() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|folders| folders.home_dir().to_path_buf())
}

/// Returns the defaults in the working directory `current`. `user` is the directory of the user's file, and `runs` the
/// value of `RUNNER_RUNS`.
fn load(current: &Path, user: Option<&Path>, runs: Option<OsString>) -> Result<UserDefaults, Fault> {
    let mut defaults = UserDefaults::default();
    if let Some(value) = runs.filter(|runs| !runs.is_empty()) {
        defaults.insert("out", Setting { value, source: Source::Variable(RUNS_VARIABLE) });
    }
    if let Some(folder) = project_folder(current) {
        // paths in the working directory stay short
        let shown = if folder == current { Path::new("") } else { folder };
        read(folder, shown, "project", &mut defaults)?;
    }
    if let Some(folder) = user.filter(|folder| folder.join(FILE).exists()) {
        read(folder, folder, "user", &mut defaults)?;
    }
    Ok(defaults)
}

/// Returns the nearest directory with a `runner.toml`, up to the root of the repository.
fn project_folder(current: &Path) -> Option<&Path> {
    let has_file = |folder: &&Path| folder.join(FILE).exists();
    current.ancestors().find(|folder| has_file(folder) || folder.join(".git").exists()).filter(has_file)
}

/// Adds the settings of the file in `folder` that have no value yet. `shown` is the directory as messages show it, and `of`
/// whose file it is.
fn read(folder: &Path, shown: &Path, of: &'static str, defaults: &mut UserDefaults) -> Result<(), Fault> {
    let file = shown.join(FILE).display().to_string();
    let text = bounded_file::read_to_string(&folder.join(FILE), bounded_file::EXPERIMENT).map_err(|error| Fault {
        message: format!("failed to read `{file}`: {error}"),
        hint: Some(format!("`{FILE}` sets defaults, such as `device = \"cpu\"`")),
    })?;
    let document = Document::parse(text.as_str()).map_err(|error| Fault {
        message: format!("failed to read `{file}`\n{}", error.to_string().trim_end()),
        hint: None,
    })?;
    for (key, item) in document.iter() {
        let span = document.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
        let line = 1 + span.map_or(0, |span| text[..span.start].matches('\n').count());
        let Some(key) = KEYS.into_iter().find(|known| *known == key) else {
            let hint = match suggest::nearest(key, KEYS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys: {}", suggest::list(&KEYS)),
            };
            return Err(Fault { message: format!("unknown key `{key}` ({file}, line {line})"), hint: Some(hint) });
        };
        let value = match key {
            "out" => out_value(item, shown),
            "device" => device_value(item),
            "threads" => threads_value(item),
            "log_every" => log_every_value(item),
            other => unreachable!("`{other}` is not one of the keys"),
        };
        let locate = |fault: Invalid| Fault { message: format!("{fault} ({file}, line {line})"), hint: fault.hint };
        let (value, source) = (value.map_err(locate)?, Source::File { of, file: file.clone(), line });
        defaults.entry(key).or_insert(Setting { value, source });
    }
    Ok(())
}

/// Returns a path relative to the directory of the file; `~` is the home directory.
fn out_value(item: &Item, folder: &Path) -> Result<OsString, Invalid> {
    let path = item.as_str().filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| wrong("out", "must be the path of a directory", item))?;
    let in_home = path.strip_prefix("~/").and_then(|rest| Some(home()?.join(rest)));
    Ok(in_home.unwrap_or_else(|| folder.join(path)).into_os_string())
}

fn device_value(item: &Item) -> Result<OsString, Invalid> {
    let device = item.as_str().and_then(|device| device.parse::<DeviceChoice>().ok());
    device
        .map(|device| device.to_string().into())
        .ok_or_else(|| wrong("device", "must be `auto`, `cpu`, `cuda` or `cuda:N`", item))
}

fn threads_value(item: &Item) -> Result<OsString, Invalid> {
    let threads = item.as_integer().and_then(|threads| usize::try_from(threads).ok());
    let threads = threads.filter(|threads| (1..=threads::MAX).contains(threads));
    let wrong = || wrong("threads", "must be a whole number, at least 1 and at most 1,024", item);
    threads.map(|threads| threads.to_string().into()).ok_or_else(wrong)
}

fn log_every_value(item: &Item) -> Result<OsString, Invalid> {
    let text = item.as_str().map(str::to_owned).or_else(|| item.as_integer().map(|epochs| epochs.to_string()));
    let is_valid =
        |text: &String| text.parse::<CheckpointInterval>().is_ok_and(|every| every != CheckpointInterval::Never);
    text.filter(is_valid)
        .map(OsString::from)
        .ok_or_else(|| wrong("log_every", "must be epochs (`5`) or a time (`\"30s\"`)", item))
}

fn wrong(key: &str, wanted: &str, item: &Item) -> Invalid {
    let found = match item {
        Item::Value(value) => format!("`{}`", value.to_string().trim()),
        Item::Table(_) => "a table".to_owned(),
        Item::ArrayOfTables(_) => "a list of tables".to_owned(),
        Item::None => "nothing".to_owned(),
    };
    Invalid::new(key, format!("{wanted}, found {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, text: &str) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join(FILE), text).unwrap();
    }

    #[test]
    fn the_project_comes_before_the_user_and_the_environment_before_both() {
        let root = tempfile::tempdir().unwrap();
        let (project, user) = (root.path().join("project"), root.path().join("config"));
        let below = project.join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        write(&project, "# shared\nout = \"results\"\nthreads = 2\n");
        write(&user, "threads = 8\ndevice = \"cpu\"\nlog_every = 10\n");
        let found = load(&below, Some(&user), None).unwrap();
        let file = |folder: &Path| folder.join(FILE).display().to_string();
        let out = Setting {
            value: project.join("results").into(),
            source: Source::File { of: "project", file: file(&project), line: 2 },
        };
        assert_eq!(found["out"], out);
        assert_eq!(found["threads"].value, "2");
        let device = Setting { value: "cpu".into(), source: Source::File { of: "user", file: file(&user), line: 2 } };
        assert_eq!((&found["device"], &found["log_every"].value), (&device, &OsString::from("10")));
        let here = load(&project, None, None).unwrap();
        assert_eq!(here["out"].value, "results", "paths in the working directory are short");
        let named = load(&below, Some(&user), Some("/elsewhere".into())).unwrap();
        let elsewhere = Setting { value: "/elsewhere".into(), source: Source::Variable(RUNS_VARIABLE) };
        assert_eq!(named["out"], elsewhere);
        std::fs::create_dir(below.join(".git")).unwrap();
        assert_eq!(load(&below, None, None).unwrap(), UserDefaults::default(), "the search ends at a repository");
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let cases = [
            ("thread = 2", "unknown key `thread` (runner.toml, line 2)"),
            ("threads = \"two\"", "found `\"two\"` (runner.toml, line 2)"),
            ("threads = 0", "at most 1,024, found `0` (runner.toml, line 2)"),
            ("device = \"gpu\"", "found `\"gpu\"` (runner.toml, line 2)"),
            ("log_every = \"never\"", "found `\"never\"` (runner.toml, line 2)"),
            ("[out]", "found a table (runner.toml, line 2)"),
            ("out = ", "TOML parse error at line 2"),
        ];
        for (text, wanted) in cases {
            write(folder.path(), &format!("# defaults\n{text}\n"));
            let fault = load(folder.path(), None, None).unwrap_err();
            assert!(fault.message.contains(wanted), "{text}: {}", fault.message);
        }
        std::fs::remove_file(folder.path().join(FILE)).unwrap();
        std::fs::create_dir(folder.path().join(FILE)).unwrap();
        let fault = load(folder.path(), None, None).unwrap_err();
        assert!(fault.message.starts_with("failed to read `runner.toml`: "), "{}", fault.message);
    }
}
