//! The ways to name a run: its directory, one of its files, its experiment, its id, or the name that a user gave it.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::config::hint::Hint;
use crate::config::suggest;
use crate::experiment::spec::catalogue;
use crate::experiment::store::newest::{self, folders_in, is_run};
use crate::experiment::store::run_id::{FoundRun, RunEntries};
use crate::io::bounded_file;
use crate::run_dir::latest;

/// Hint on the ways to name a run.
pub(super) const HOW_TO_NAME: &str =
    "name a run by its id, its name, its experiment, its directory, or one of its files; `runner runs` lists them";

/// Finds the directory of a single run, with or without histories: by its path, by the path of a file in it, or by its id
/// or name. The name of an experiment names its run if there is only one.
///
/// # Errors
/// When there is no such run, or an experiment has several.
pub fn single_run(named: &str, out: &Path) -> anyhow::Result<FoundRun> {
    let path = Path::new(named);
    let is_one = |folder: &Path| is_run(folder) || newest::holds_history(folder);
    let found = |folder: PathBuf| Ok(FoundRun { folder: latest::resolve_link(&folder), note: None });
    let parent = || path.parent().map(Path::to_path_buf).unwrap_or_default();
    let directory = match experiment_directory(named, out) {
        Some(directory) => directory,
        None if path.is_dir() => path.to_path_buf(),
        None if path.is_file() && is_one(&parent()) => parent(),
        None => return run_with_id(named, path, out),
    };
    if is_one(&directory) {
        return found(directory);
    }
    match &newest::runs_in(&directory)?[..] {
        [] => Err(anyhow!("there is no run in `{}`", directory.display()).context(Hint(HOW_TO_NAME.to_owned()))),
        [run] => found(run.clone()),
        several => Err(anyhow!("`{named}` has {} runs", several.len())
            .context(Hint("name one of them by its id, as `runner runs` lists it".to_owned()))),
    }
}

/// Finds a run by its id or name.
///
/// # Errors
/// When there is no such run, or the beginning of an id is ambiguous.
pub(super) fn run_with_id(named: &str, path: &Path, out: &Path) -> anyhow::Result<FoundRun> {
    RunEntries::list(out).find(named)?.ok_or_else(|| not_found_error(named, path, out))
}

/// Returns the directory of the experiment's runs under `out`, if `named` is the name of an experiment or the path of its
/// file.
pub fn experiment_directory(named: &str, out: &Path) -> Option<PathBuf> {
    if let Some(name) = name_in_file(Path::new(named)) {
        return Some(out.join(name)).filter(|directory| directory.is_dir());
    }
    let is_name = Path::new(named).components().count() == 1 && !named.ends_with(std::path::MAIN_SEPARATOR);
    let directory = out.join(named);
    (is_name && directory.is_dir() && !matches!(named, "." | "..")).then_some(directory)
}

/// Returns the name of the experiment of a TOML file; `None` for other files and for the file in a run directory.
fn name_in_file(path: &Path) -> Option<String> {
    let is_toml = path.extension().is_some_and(|extension| extension == "toml") && path.is_file();
    if !is_toml || path.parent().is_some_and(is_run) {
        return None;
    }
    let text = bounded_file::read_to_string(path, bounded_file::EXPERIMENT).ok()?;
    let document = toml_edit::Document::parse(text).ok();
    let stated = document.and_then(|document| Some(document.get("name")?.as_str()?.to_owned()));
    stated.or_else(|| Some(path.file_stem()?.to_str()?.to_owned()))
}

/// Lists the first few names.
pub(super) fn list_some(names: &[&str]) -> String {
    const MOST: usize = 8;
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", suggest::list(&names[..names.len().min(MOST)]))
}

/// Returns the error for a name that is no run.
pub(super) fn not_found_error(named: &str, path: &Path, out: &Path) -> anyhow::Error {
    if let Some(file) = path.ancestors().find(|part| part.is_file()) {
        let hint = match file.extension().and_then(|ending| ending.to_str()) {
            Some("toml") => {
                format!("train it with `runner exp {}`: it has no run under `{}`", file.display(), out.display())
            }
            Some("pt" | "pth" | "bin" | "ckpt") => {
                let weights = file.with_extension("safetensors");
                format!(
                    "save the weights in Python: `safetensors.torch.save_file(model.state_dict(), \"{}\")`",
                    weights.display()
                )
            }
            _ => HOW_TO_NAME.to_owned(),
        };
        return anyhow!("`{}` is a file, not a run", file.display()).context(Hint(hint));
    }
    let runs = folders_in(out).unwrap_or_default();
    let names: Vec<&str> = runs.iter().filter_map(|folder| folder.file_name()?.to_str()).collect();
    let is_experiment = || catalogue::all().0.iter().any(|experiment| experiment.name == named);
    let hint = match suggest::nearest(named, names.iter().copied()) {
        _ if path.components().count() > 1 => HOW_TO_NAME.to_owned(),
        _ if is_experiment() => {
            format!("start one with `runner exp {named}`, or choose another directory of the runs with `--out`")
        }
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => {
            "start one with `runner exp NAME`, or choose another directory of the runs with `--out`".to_owned()
        }
        None => format!("name one of {}; `runner runs` lists all runs", list_some(&names)),
    };
    let message = match path.components().count() {
        1 => format!("there is no run `{named}` under `{}`", out.display()),
        _ => format!("there is no run `{named}`"),
    };
    anyhow!(message).context(Hint(hint))
}
