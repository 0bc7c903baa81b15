//! `runner sweep submit`: workers of a sweep as jobs of Slurm.

mod target;

use std::path::Path;

use serde_json::json;

use crate::cli::args::run_args::parse_positive;
use crate::cli::args::sweeps_dir::SweepsDir;
use crate::cli::args::user_defaults;
use crate::cli::commands::sweep::plan_args::PlanArgs;
use crate::cli::commands::sweep::start::StartArgs;
use crate::cli::commands::sweep::submit::target::Target;
use crate::cli::commands::sweep::work::{check_is_same, resume_command};
use crate::cli::commands::sweep::worker_args::{ExecuteArgs, WorkerArgs};
use crate::cli::exit::Exit;
use crate::cli::slurm::compute::check_libtorch_supports;
use crate::cli::slurm::paths::JobPaths;
use crate::cli::slurm::script::JobRequest;
use crate::cli::slurm::submit::numbers;
use crate::cli::text::shell_words::quoted_path;
use crate::cli::text::terminal;
use crate::slurm::sbatch;
use crate::slurm::sbatch_options::SbatchOptions;
use crate::slurm::submission::SubmittedJob;
use crate::sweep::dir::stop_request;

/// Usage in two lines: one would be wider than 80 columns.
const USAGE: &str = "runner sweep submit [OPTIONS] --workers <N> <NAME|FILE|DIR>
                           [-- <SBATCH OPTIONS>...]";

/// Arguments of `runner sweep submit`.
#[derive(Clone, Debug, clap::Args)]
#[command(mut_arg("experiment", |argument| argument.index(1).value_name("NAME|FILE|DIR").help(EXPERIMENT)))]
#[command(mut_arg("threads", |argument| argument.help(THREADS)), after_help = EXAMPLES, override_usage = USAGE)]
pub struct SubmitArgs {
    #[command(flatten)]
    plan_args: PlanArgs,
    /// Number of workers
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    workers: usize,
    /// Submit N follow-up jobs for each worker, for clusters where a job cannot requeue itself; each starts when the one before it
    /// has ended
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    chain: Option<usize>,
    /// Submit workers of the newest sweep with these settings; start a sweep if there is none
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    worker_args: WorkerArgs,
    #[command(flatten)]
    out: SweepsDir,
    /// Print the script; submit and write nothing
    #[arg(long)]
    print: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "print")]
    json: bool,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
    /// Options of sbatch, after `--`: `-- --partition=gpu --time=4:00:00`
    #[arg(last = true, index = 2, value_name = "SBATCH OPTIONS", allow_hyphen_values = true)]
    sbatch: Vec<String>,
}

/// Help of the experiment.
const EXPERIMENT: &str = "To start a sweep: name of an experiment or path of its TOML file. For more workers of a sweep: its directory, \
or the name of its experiment (its newest sweep)";

/// Help of the threads.
const THREADS: &str = "Maximum number of CPU threads of each worker [default: `--cpus-per-task` of sbatch, else \
`OMP_NUM_THREADS`, else `threads` of runner.toml, else 1]";

const EXAMPLES: &str = "\
Examples:
  runner sweep submit sweeps/digits_mlp/latest --workers 8
  runner sweep submit my/idea.toml --workers 8 -- --time=4:00:00 --mem=4G
  runner sweep submit digits_mlp --space lr=log:1e-4..1e-1 --trials 64 \\
      --workers 4 -- --partition=gpu --gres=gpu:1 --cpus-per-task=8
  runner sweep submit sweeps/digits_mlp/latest --workers 8 --print

The command plans the sweep, submits a job array with a task for each worker
(with `--chain`, separate jobs), and exits. A worker trains stacks until all
have ended. If its time limit is reached or another job takes its place,
it saves a checkpoint and returns to the queue; with `--chain`, the next job
continues. `runner sweep status` shows the jobs, `runner sweep stop` cancels
them.

With `--device auto`, workers use GPUs if the options of sbatch ask for some.
Script, job numbers and logs are in `slurm/` in the directory of the sweep.";

/// Submits workers.
///
/// # Errors
/// If an option is not allowed, `sbatch` is missing or refuses the jobs, or the sweep cannot be planned.
pub fn run(args: &SubmitArgs) -> anyhow::Result<Exit> {
    let options = SbatchOptions(&args.sbatch);
    options.check(args.chain.is_some())?;
    if !args.print {
        sbatch::check_is_installed()?;
    }
    args.worker_args.event_args.files()?;
    let paths = JobPaths::of_this_process(Path::new(user_defaults::out()))?;
    let target = Target::find(&args.start_args(), args.resume, options)?;
    if !args.quiet {
        target.notes().iter().for_each(|note| terminal::say(&format!("note: {note}")));
    }
    if let Target::Existing(dir, record) = &target
        && !args.worker_args.force
    {
        check_is_same(dir, record)?;
    }
    let open_stacks = target.open_stacks()?;
    if open_stacks == Some(0) {
        terminal::say(&format!("the sweep in `{}` is already complete", target.path(&args.out).display()));
        return Ok(Exit::Done);
    }
    check_libtorch_supports(&target.record().options.device)?;
    let note = open_stacks.and_then(|stacks| idle_workers(args.workers, stacks));
    note.filter(|_| !args.quiet).iter().for_each(|note| terminal::say(note));
    if args.print {
        terminal::out(args.request(&target, &target.path(&args.out), &paths).script().trim_end());
        return Ok(Exit::Done);
    }
    // nothing is written for jobs that Slurm would refuse
    args.request(&target, &target.path(&args.out), &paths).check()?;
    let (dir, record) = target.create(&args.out)?;
    let path = std::path::absolute(dir.path()).unwrap_or_else(|_| dir.path().to_path_buf());
    let target = Target::Existing(dir.clone(), record);
    let is_stopped = stop_request::is_requested(&dir);
    stop_request::withdraw(&dir)?;
    if is_stopped && !args.quiet {
        terminal::say("the sweep was stopped; it continues");
    }
    let jobs = args.request(&target, &path, &paths).submit()?;
    args.print_jobs(&path, &jobs);
    if target.record().confirm.is_some() && !args.quiet {
        let shown = quoted_path(&path);
        terminal::say(&format!(
            "when all configurations are trained, confirm the best: `runner sweep {shown} --resume`"
        ));
    }
    Ok(Exit::Done)
}

/// Returns a note if there are more workers than stacks.
fn idle_workers(workers: usize, stacks: usize) -> Option<String> {
    let left = match stacks {
        1 => "1 stack is left to train".to_owned(),
        several => format!("{several} stacks are left to train"),
    };
    (workers > stacks).then(|| {
        let idle = workers - stacks;
        format!("note: {left}, so {idle} of {workers} workers would only wait: submit fewer, or start a sweep with `--stack N`")
    })
}

impl SubmitArgs {
    /// Returns the arguments of a command that plans the same sweep, or finds it.
    fn start_args(&self) -> StartArgs {
        StartArgs {
            plan_args: self.plan_args.clone(),
            execute_args: ExecuteArgs {
                workers: None,
                devices: Vec::new(),
                resume: true, // also the name of an experiment may mean its newest sweep
                worker_args: self.worker_args.clone(),
            },
            out: self.out.clone(),
            dry_run: false,
            all: false,
            json: self.json,
            strict: false,
            quiet: self.quiet,
        }
    }

    /// Returns the jobs of a sweep in this directory.
    fn request<'a>(&'a self, target: &'a Target, path: &'a Path, paths: &'a JobPaths) -> JobRequest<'a> {
        let mut arguments = vec!["sweep".to_owned(), "work".to_owned(), path.display().to_string()];
        arguments.extend(self.worker_args.arguments());
        JobRequest {
            title: "Workers of a sweep. Submit them again: `sbatch` with this file.",
            name: &target.record().experiment,
            directory: path,
            tasks: self.chain.is_none().then_some(self.workers),
            jobs: if self.chain.is_some() { self.workers } else { 1 },
            follow_ups: self.chain.unwrap_or(0),
            cpus: target.record().options.threads,
            paths,
            arguments,
            options: &self.sbatch,
        }
    }

    fn print_jobs(&self, path: &Path, jobs: &[SubmittedJob]) {
        if self.json {
            terminal::json(&json!({ "sweep": path, "jobs": jobs }));
            return;
        }
        if self.quiet {
            return;
        }
        let workers = if self.workers == 1 { "1 worker".to_owned() } else { format!("{} workers", self.workers) };
        let chain = match self.chain {
            None => String::new(),
            Some(1) => ", 1 follow-up job for each".to_owned(),
            Some(more) => format!(", {more} follow-up jobs for each"),
        };
        terminal::out(&format!("submitted {}: {workers}{chain}", numbers(jobs)));
        let shown = quoted_path(path);
        terminal::say(&format!("progress: `runner sweep status {shown}`"));
        terminal::say(&format!("without Slurm: `{}`", resume_command(path)));
    }
}
