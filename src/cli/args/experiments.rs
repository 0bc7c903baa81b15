//! The experiments that `runner exp` is given: names, files and patterns such as `'ideas/*.toml'`.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::args::run_args::RunArgs;
use crate::cli::text::shell_words::quoted;
use crate::config::hint::hinted;
use crate::experiment::plan::study::Study;
use crate::experiment::spec::catalogue;
use crate::experiment::spec::extends::is_path;

/// An experiment, planned and checked, with the arguments of its run.
pub struct Planned {
    /// The arguments of the run, with this experiment only.
    pub run_args: RunArgs,
    /// The plan.
    pub study: Study,
}

/// The experiments of one command.
#[derive(Default)]
pub struct Experiments {
    /// The planned experiments in order.
    pub planned: Vec<Planned>,
    /// Errors of the others.
    pub errors: Vec<anyhow::Error>,
    /// Notes about experiments that were named twice.
    pub notes: Vec<String>,
}

impl Experiments {
    /// Plans and checks the experiments with these names, in order. The other settings are those of `run_args`.
    pub fn plan(run_args: &RunArgs, names: &[&String]) -> Experiments {
        let mut all = Experiments::default();
        for name in names {
            match expanded(name) {
                Ok(names) => {
                    names.into_iter().for_each(|name| all.add(RunArgs { experiment: name, ..run_args.clone() }))
                }
                Err(error) => all.errors.push(error),
            }
        }
        all
    }

    fn add(&mut self, run_args: RunArgs) {
        let name = run_args.experiment.clone();
        match run_args.study() {
            Ok(study) if self.planned.iter().any(|other| identity(&other.study) == identity(&study)) => {
                self.notes.push(format!("`{name}` is named twice and runs once"));
            }
            Ok(study) => self.planned.push(Planned { run_args, study }),
            Err(error) => self.errors.push(error),
        }
    }
}

/// Returns what two names of the same experiment have in common: the directory and the name of its file.
fn identity(study: &Study) -> (Option<PathBuf>, &str) {
    let folder = study.source.folder.clone();
    (folder.map(|folder| folder.canonicalize().unwrap_or(folder)), &study.source.name)
}

/// Returns the experiments that a pattern matches, sorted; other names as they are.
///
/// # Errors
/// If the pattern is invalid or matches nothing.
fn expanded(name: &str) -> anyhow::Result<Vec<String>> {
    if !name.contains(['*', '?', '[']) || Path::new(name).exists() {
        return Ok(vec![name.to_owned()]);
    }
    let invalid = || format!("failed to read the pattern `{name}`");
    let found: Vec<String> = match is_path(name) {
        true => {
            let is_toml = |path: &PathBuf| path.is_file() && path.extension().is_some_and(|end| end == "toml");
            let paths = glob::glob(name).with_context(invalid)?.filter_map(Result::ok).filter(is_toml);
            paths.filter_map(|path| path.to_str().map(str::to_owned)).collect()
        }
        false => {
            let pattern = glob::Pattern::new(name).with_context(invalid)?;
            let names = catalogue::all().0.into_iter().map(|experiment| experiment.name);
            names.filter(|name| pattern.matches(name)).collect()
        }
    };
    if found.is_empty() {
        let hint = "`runner list` shows all names; a pattern of files ends with `.toml`: `'ideas/*.toml'`";
        return Err(hinted(format!("no experiment matches {}", quoted(name)), hint));
    }
    Ok(found)
}
