//! Submits jobs.

use std::process::Command;

use anyhow::{Context, anyhow};

use crate::config::hint::Hint;
use crate::slurm::program::{self, ProgramError};

/// Environment variables that would replace options of the script.
const REPLACING: [&str; 3] = ["SBATCH_ARRAY_INX", "SBATCH_SIGNAL", "SBATCH_OPEN_MODE"];

/// Checks that `sbatch` is in `PATH`.
///
/// # Errors
/// When it is not.
pub fn check_is_installed() -> anyhow::Result<()> {
    call("--version", &[]).map(drop)
}

/// Asks Slurm whether it would accept a job. `words` are options of `sbatch`, and the path of the script.
///
/// # Errors
/// When it refuses the job, with its words.
pub fn test(words: &[String]) -> anyhow::Result<()> {
    call("--test-only", words).map(drop)
}

/// Submits a job, and returns its number. `words` are options of `sbatch`, and the path of the script.
///
/// # Errors
/// When it is refused, with the words of `sbatch`.
pub fn submit(words: &[String]) -> anyhow::Result<String> {
    let answer = call("--parsable", words)?;
    parse_id(&answer).with_context(|| format!("`sbatch --parsable` must print the number of a job, found `{answer}`"))
}

/// Returns the number in an answer such as `12` or `12;cluster`.
fn parse_id(answer: &str) -> Option<String> {
    let id = answer.lines().next_back()?.trim().split(';').next()?;
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| id.to_owned())
}

/// Calls `sbatch` with this option and these words.
fn call(option: &str, words: &[String]) -> anyhow::Result<String> {
    let all: Vec<String> = std::iter::once(option.to_owned()).chain(words.iter().cloned()).collect();
    let clean = |command: &mut Command| {
        for name in REPLACING {
            command.env_remove(name);
        }
    };
    program::run("sbatch", &all, clean).map_err(into_error)
}

/// Returns whether these words of `sbatch` say that it did not reach the controller of the cluster.
fn is_unreachable(words: &str) -> bool {
    let words = words.to_lowercase();
    let causes = ["configuration source", "contact slurm controller", "connection refused", "socket timed out"];
    causes.iter().any(|cause| words.contains(cause))
}

fn into_error(error: ProgramError) -> anyhow::Error {
    let hint = match &error {
        ProgramError::Missing(_) => "run this command on a login node of a cluster with Slurm",
        ProgramError::Refused(_, words) if is_unreachable(words) => {
            "check the cluster with `sinfo`; if Slurm does not answer, try again later"
        }
        ProgramError::Refused(..) => "write options of sbatch after `--`: `-- --partition=NAME --time=1:00:00`",
        ProgramError::NoAnswer(..) => "check that the controller of Slurm runs: `scontrol ping`",
    };
    anyhow!(error).context(Hint(hint.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_no_remedy_if_the_controller_is_not_reached() {
        let hint = |words: &str| {
            let error = into_error(ProgramError::Refused("sbatch".to_owned(), words.to_owned()));
            error.downcast_ref::<Hint>().map(|hint| hint.0.clone()).unwrap_or_default()
        };
        let lost = "sbatch: fatal: Could not establish a configuration source";
        assert!(hint(lost).contains("`sinfo`") && !hint(lost).contains("--time"));
        assert!(hint("sbatch: error: invalid partition specified: gpu").contains("--partition"));
    }

    #[test]
    fn the_number_of_a_job_is_read() {
        assert_eq!(parse_id("12\n"), Some("12".to_owned()));
        assert_eq!(parse_id("12;north\n"), Some("12".to_owned()));
        assert_eq!(parse_id("note\n12\n"), Some("12".to_owned()));
        assert_eq!(parse_id("Submitted batch job 12"), None);
        assert_eq!(parse_id(""), None);
    }
}
