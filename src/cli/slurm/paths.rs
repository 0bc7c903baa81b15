//! Absolute paths and environment variables that a job needs, each checked to exist on this machine.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};

use crate::config::hint::Hint;
use crate::data::store::cache::Cache;
use crate::device;
use crate::sweep::dir::beat;

/// Environment variable that names the directory of the runs.
const RUNS_VARIABLE: &str = "RUNNER_RUNS";

/// Paths and environment variables of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPaths {
    /// The program `runner`.
    pub program: PathBuf,
    /// Working directory.
    pub working_directory: PathBuf,
    /// Environment variables with their values.
    pub environment: Vec<(&'static str, String)>,
}

impl JobPaths {
    /// Returns the paths of this process. `runs` is the directory of the runs.
    ///
    /// # Errors
    /// When the program, libtorch or the data cache does not exist.
    pub fn of_this_process(runs: &Path) -> anyhow::Result<JobPaths> {
        let engine = std::env::current_exe().context("failed to find the path of this program")?;
        let program = engine.with_file_name(format!("runner{}", std::env::consts::EXE_SUFFIX));
        ensure!(
            program.is_file(),
            anyhow!("`{}` does not exist", program.display()).context(Hint(
                "install `runner` and `runner-engine` into one directory: `cargo xtask install`".to_owned()
            ))
        );
        let libtorch = device::libtorch_folder();
        ensure!(
            libtorch.is_dir(),
            anyhow!("the directory of libtorch, `{}`, does not exist", libtorch.display())
                .context(Hint("set LD_LIBRARY_PATH to the directory of libtorch_cpu.so".to_owned()))
        );
        let cache = Cache::for_user().folder().to_path_buf();
        std::fs::create_dir_all(&cache)
            .with_context(|| format!("failed to create the data cache `{}`", cache.display()))
            .context(Hint("set RUNNER_DATA_DIR to a directory that all machines see".to_owned()))?;
        let working_directory = std::env::current_dir().context("failed to find the working directory")?;
        let libraries = format!("{}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}", in_double_quotes(&libtorch)?);
        let mut environment = vec![("LD_LIBRARY_PATH", libraries), ("RUNNER_DATA_DIR", in_double_quotes(&cache)?)];
        let runs = std::path::absolute(runs).unwrap_or_else(|_| runs.to_path_buf());
        if runs.is_dir() {
            environment.push((RUNS_VARIABLE, in_double_quotes(&runs)?));
        }
        let kept = std::env::var(beat::INTERVAL_VARIABLE).ok();
        environment.extend(kept.map(|value| (beat::INTERVAL_VARIABLE, value)));
        Ok(JobPaths { program, working_directory, environment })
    }
}

/// Returns a path as it is written between double quotes in a shell script.
///
/// # Errors
/// When it is not valid Unicode.
fn in_double_quotes(path: &Path) -> anyhow::Result<String> {
    let text = path.to_str().with_context(|| format!("`{}` is not valid Unicode", path.display()))?;
    let escaped = text.chars().flat_map(|letter| {
        let escape = matches!(letter, '"' | '\\' | '$' | '`').then_some('\\');
        escape.into_iter().chain([letter])
    });
    Ok(escaped.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_whole_between_double_quotes() {
        assert_eq!(in_double_quotes(Path::new("/a b/c")).unwrap(), "/a b/c");
        assert_eq!(in_double_quotes(Path::new("/a\"b$c`d\\e")).unwrap(), "/a\\\"b\\$c\\`d\\\\e");
    }
}
