//! `runner exp NAME --slurm`: a run as a job of Slurm.

use std::path::{Path, PathBuf};

use serde_json::json;
use time::OffsetDateTime;

use crate::cli::args::experiments::Planned;
use crate::cli::args::log_args::EventArgs;
use crate::cli::args::output_args::OutputArgs;
use crate::cli::exit::Exit;
use crate::cli::slurm::compute::{check_is_cached, check_libtorch_supports, device_of_job, threads_of_job};
use crate::cli::slurm::paths::JobPaths;
use crate::cli::slurm::script::JobRequest;
use crate::cli::slurm::submit::numbers;
use crate::cli::text::shell_words::quoted_path;
use crate::cli::text::terminal;
use crate::config::hint::hinted;
use crate::experiment::plan::study::Study;
use crate::experiment::run::checkpointing::CheckpointInterval;
use crate::experiment::run::create;
use crate::experiment::run_options::RunOptions;
use crate::experiment::store::pretrained;
use crate::run_dir::remove::remove;
use crate::slurm::sbatch;
use crate::slurm::sbatch_options::SbatchOptions;

/// Name of a directory that does not exist yet.
const UNKNOWN: &str = "TIME-ID";

/// Options of a run that is a job.
#[derive(Clone, Debug, clap::Args)]
pub struct JobArgs {
    /// Submit the run as a job of Slurm and return; the job saves checkpoints, and continues from them if it is interrupted
    #[arg(long, conflicts_with_all = ["resume", "dry_run", "devices", "workers", "phases", "max_time", "log_file"])]
    pub slurm: bool,
    /// Print the script of `--slurm`; submit and write nothing
    #[arg(long, conflicts_with = "json")]
    print: bool,
    /// Options of sbatch, after `--`: `--slurm -- --time=4:00:00`
    #[arg(last = true, value_name = "SBATCH OPTIONS", allow_hyphen_values = true)]
    sbatch: Vec<String>,
}

impl JobArgs {
    /// Checks that the options of a job are used with `--slurm`.
    ///
    /// # Errors
    /// If one is used without it.
    pub fn check(&self) -> anyhow::Result<()> {
        let (what, option) = match (self.print, &self.sbatch[..]) {
            _ if self.slurm => return Ok(()),
            (true, _) => ("`--print` needs".to_owned(), "leave `--print` out"),
            (false, []) => return Ok(()),
            (false, options) => (format!("options of sbatch (`-- {}`) need", options.join(" ")), "leave them out"),
        };
        let hint = format!("add `--slurm` to train the run as a job of Slurm, or {option}");
        Err(hinted(format!("{what} `--slurm`"), hint))
    }

    /// Creates the directory of a run under `out`, and submits a job that trains it.
    ///
    /// # Errors
    /// If an option is not allowed, `sbatch` is missing or refuses the job, or the directory cannot be created.
    pub fn submit(
        &self,
        planned: &Planned,
        out: &Path,
        checkpoint: CheckpointInterval,
        event_args: &EventArgs,
        output_args: &OutputArgs,
    ) -> anyhow::Result<Exit> {
        let options = SbatchOptions(&self.sbatch);
        options.check(false)?;
        event_args.files()?;
        if !self.print {
            sbatch::check_is_installed()?;
        }
        let mut study = planned.study.clone();
        check_is_cached(&study.plans)?;
        pretrained::resolve(&mut study.plans, out)?;
        let run_args = &planned.run_args;
        let device = device_of_job(run_args.compute_args.device, options);
        let threads = threads_of_job(run_args.compute_args.threads, options);
        let run_options = RunOptions::new(device, threads, run_args.stack, run_args.mode_args.mode());
        check_libtorch_supports(&run_options.device)?;
        let paths = JobPaths::of_this_process(out)?;
        let words = |directory: &Path| {
            let mut words = vec!["resume".to_owned(), directory.display().to_string()];
            words.extend(["--checkpoint".to_owned(), checkpoint.to_string()]);
            words.extend(event_args.arguments());
            words.extend(output_args.strict.then(|| "--strict".to_owned()));
            words.extend(output_args.verbose.then(|| "--verbose".to_owned()));
            words
        };
        let unknown = absolute(&out.join(&study.name).join(UNKNOWN));
        let first = self.request(&study, &run_options, &paths, &unknown, words(&unknown));
        if self.print {
            terminal::out(first.script().trim_end());
            return Ok(Exit::Done);
        }
        first.check()?;
        let (folder, _) = create(&study, out, run_options.clone(), OffsetDateTime::now_utc())?;
        let directory = absolute(folder.path());
        drop(folder); // the job locks it
        let submitted = self.request(&study, &run_options, &paths, &directory, words(&directory)).submit();
        let jobs = submitted.inspect_err(|_| drop(remove(&directory)))?; // report the first error
        if output_args.json {
            terminal::json(&json!({ "run": directory, "jobs": jobs }));
        } else if !output_args.quiet {
            terminal::out(&format!("submitted {}: {}", numbers(&jobs), directory.display()));
            terminal::say(&format!("progress: `runner runs {}` and `squeue -j {}`", study.name, jobs[0].id));
            terminal::say(&format!("without Slurm: `runner resume {}`", quoted_path(&directory)));
        }
        Ok(Exit::Done)
    }

    fn request<'a>(
        &'a self,
        study: &'a Study,
        run_options: &RunOptions,
        paths: &'a JobPaths,
        directory: &'a Path,
        arguments: Vec<String>,
    ) -> JobRequest<'a> {
        JobRequest {
            title: "A run. Continue it after an interruption: `sbatch` with this file.",
            name: &study.name,
            directory,
            tasks: None,
            jobs: 1,
            follow_ups: 0,
            cpus: run_options.threads,
            paths,
            arguments,
            options: &self.sbatch,
        }
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
