//! Submits the jobs of a sweep or a run.

use std::io::Write;
use std::path::Path;

use anyhow::Context;

use crate::cli::slurm::script::JobRequest;
use crate::slurm::sbatch;
use crate::slurm::submission::{self, SCHEMA, Submission, SubmittedJob};
use crate::sweep::work::identity::now;

impl JobRequest<'_> {
    /// Checks that `sbatch` accepts the first job.
    ///
    /// # Errors
    /// When it does not, with its words.
    pub fn check(&self) -> anyhow::Result<()> {
        let mut file = tempfile::NamedTempFile::new().context("failed to create a temporary file")?;
        file.write_all(self.script().as_bytes()).context("failed to write a temporary file")?;
        sbatch::test(&self.words(file.path(), &[]))
    }

    /// Writes the script into the directory, submits the jobs, and records them.
    ///
    /// # Errors
    /// When a file cannot be written, or `sbatch` refuses a job.
    pub fn submit(&self) -> anyhow::Result<Vec<SubmittedJob>> {
        let script = submission::write_script(self.directory, &self.script());
        let script = script.with_context(|| format!("failed to write a script to `{}`", self.directory.display()))?;
        let mut jobs = Vec::new();
        let submitted = self.submit_all(&script, &mut jobs);
        if jobs.is_empty() {
            let _ = std::fs::remove_file(&script); // nothing refers to it
        } else {
            let (schema, options) = (SCHEMA.to_owned(), self.options.to_vec());
            submission::write(&script, &Submission { schema, submitted: now(), options, jobs: jobs.clone() })?;
        }
        submitted.map(|()| jobs)
    }

    fn submit_all(&self, script: &Path, jobs: &mut Vec<SubmittedJob>) -> anyhow::Result<()> {
        let number = script.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        for worker in 0..self.jobs {
            // jobs of one name follow each other, so each worker of each submission has its own
            let name = (self.follow_ups > 0).then(|| format!("--job-name={}-{number}-{worker}", self.name));
            let mut follows = None;
            for link in 0..=self.follow_ups {
                let dependency = (link > 0).then(|| "--dependency=singleton".to_owned());
                let further: Vec<String> = name.iter().cloned().chain(dependency).collect();
                let id = sbatch::submit(&self.words(script, &further))?;
                jobs.push(SubmittedJob { id: id.clone(), tasks: self.tasks, follows: follows.replace(id) });
            }
        }
        Ok(())
    }

    /// Returns the arguments of `sbatch`.
    fn words(&self, script: &Path, further: &[String]) -> Vec<String> {
        let path = script.display().to_string();
        self.options.iter().chain(further).cloned().chain([path]).collect()
    }
}

/// Returns the numbers of jobs for a message: `job 12`, `jobs 12, 13`; of many, the first and the last.
pub fn numbers(jobs: &[SubmittedJob]) -> String {
    match jobs {
        [one] => format!("job {}", one.id),
        [first, .., last] if jobs.len() > 6 => format!("{} jobs, {} to {}", jobs.len(), first.id, last.id),
        several => format!("jobs {}", several.iter().map(|job| job.id.as_str()).collect::<Vec<_>>().join(", ")),
    }
}
