//! The script of a job.

use std::path::Path;
use std::time::Duration;

use crate::cli::slurm::paths::JobPaths;
use crate::cli::text::shell_words::{quoted_path, quoted_words};
use crate::slurm::job::{CHAIN_VARIABLE, LEAD, LEAD_VARIABLE};
use crate::slurm::job_log;
use crate::slurm::sbatch_options::SbatchOptions;
use crate::slurm::submission::FOLDER;

/// What jobs start, and where.
#[derive(Clone, Debug)]
pub struct JobRequest<'a> {
    /// What the jobs do, for the first line of the script.
    pub title: &'a str,
    /// Name of the jobs.
    pub name: &'a str,
    /// Directory of the sweep or the run.
    pub directory: &'a Path,
    /// Number of tasks of an array; `None` for a job without an array.
    pub tasks: Option<usize>,
    /// Number of jobs that train at the same time, if they are no array.
    pub jobs: usize,
    /// Number of follow-up jobs of each job, which continue it.
    pub follow_ups: usize,
    /// Number of CPUs of each task.
    pub cpus: usize,
    /// Paths and environment.
    pub paths: &'a JobPaths,
    /// Arguments of `runner`.
    pub arguments: Vec<String>,
    /// Options of `sbatch` that the user added.
    pub options: &'a [String],
}

impl JobRequest<'_> {
    /// Returns the text of the script.
    pub fn script(&self) -> String {
        let JobRequest { title, name, directory, tasks, follow_ups, cpus, paths, arguments, options, .. } = self;
        let lead = lead(SbatchOptions(options).time_limit()).as_secs();
        let log = directory.join(FOLDER).display().to_string().replace('%', "%%");
        let log = format!("{log}/{}", job_log::pattern(tasks.is_some()));
        let mut directives = vec![format!("--job-name={}", directive_value(name))];
        directives.extend(tasks.map(|tasks| format!("--array=0-{}", tasks.saturating_sub(1))));
        directives.push(format!("--cpus-per-task={cpus}"));
        directives.push("--requeue".to_owned());
        directives.push("--open-mode=append".to_owned());
        directives.push(format!("--signal=B:USR2@{lead}"));
        directives.push(format!("--output={}", directive_value(&log)));
        directives.push(format!("--chdir={}", directive_value(&paths.working_directory.display().to_string())));
        let mut lines = vec!["#!/bin/bash".to_owned(), format!("# {title}")];
        lines.extend(directives.iter().map(|directive| format!("#SBATCH {directive}")));
        lines.push(String::new());
        lines.extend(paths.environment.iter().map(|(variable, value)| format!("export {variable}=\"{value}\"")));
        lines.push(format!("export {LEAD_VARIABLE}={lead}"));
        lines.extend((*follow_ups > 0).then(|| format!("export {CHAIN_VARIABLE}=1")));
        lines.push(String::new());
        lines.push("# `exec`: the signals of Slurm must reach `runner`, not the shell".to_owned());
        lines.push(format!("exec {} {}", quoted_path(&paths.program), quoted_words(arguments)));
        lines.join("\n") + "\n"
    }
}

/// Returns the time before the end of a job at which Slurm sends SIGUSR2: three minutes, or a quarter of a short time limit.
pub fn lead(time_limit: Option<Duration>) -> Duration {
    const LEAST: Duration = Duration::from_secs(10);
    time_limit.map_or(LEAD, |limit| LEAD.min(limit / 4).max(LEAST))
}

/// Returns a value for a line `#SBATCH`, in double quotes if necessary.
fn directive_value(text: &str) -> String {
    match text.contains([' ', '\t', '"', '\'', '\\', '#']) {
        true => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn script(tasks: Option<usize>, follow_ups: usize) -> String {
        let paths = JobPaths {
            program: PathBuf::from("/opt/runner/bin/runner"),
            working_directory: PathBuf::from("/home/me/my ideas"),
            environment: vec![("RUNNER_DATA_DIR", "/data".to_owned())],
        };
        let arguments = ["sweep", "work", "/home/me/my ideas/sweeps/idea"].map(str::to_owned);
        let request = JobRequest {
            title: "Workers of a sweep",
            name: "idea-ab12cd",
            directory: Path::new("/home/me/my ideas/100%/idea"),
            tasks,
            jobs: 1,
            follow_ups,
            cpus: 2,
            paths: &paths,
            arguments: arguments.to_vec(),
            options: &[],
        };
        request.script()
    }

    #[test]
    fn the_script_of_an_array_is_complete() {
        let wanted = "#!/bin/bash\n\
                      # Workers of a sweep\n\
                      #SBATCH --job-name=idea-ab12cd\n\
                      #SBATCH --array=0-7\n\
                      #SBATCH --cpus-per-task=2\n\
                      #SBATCH --requeue\n\
                      #SBATCH --open-mode=append\n\
                      #SBATCH --signal=B:USR2@180\n\
                      #SBATCH --output=\"/home/me/my ideas/100%%/idea/slurm/%A_%a.log\"\n\
                      #SBATCH --chdir=\"/home/me/my ideas\"\n\
                      \n\
                      export RUNNER_DATA_DIR=\"/data\"\n\
                      export RUNNER_SLURM_SIGNAL=180\n\
                      \n\
                      # `exec`: the signals of Slurm must reach `runner`, not the shell\n\
                      exec /opt/runner/bin/runner sweep work '/home/me/my ideas/sweeps/idea'\n";
        assert_eq!(script(Some(8), 0), wanted);
    }

    #[test]
    fn a_job_of_a_chain_has_no_array() {
        let text = script(None, 1);
        assert!(!text.contains("--array") && text.contains("/slurm/%j.log\""), "{text}");
        assert!(text.contains("\nexport RUNNER_SLURM_CHAIN=1\n"), "{text}");
    }

    #[test]
    fn the_signal_comes_earlier_only_if_the_job_is_long_enough() {
        let seconds = |limit: u64| lead(Some(Duration::from_secs(limit))).as_secs();
        assert_eq!(lead(None).as_secs(), 180);
        assert_eq!([24 * 3600, 720, 600, 120, 20].map(seconds), [180, 180, 150, 30, 10]);
    }
}
