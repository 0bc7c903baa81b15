//! `runner sweep work DIR`: a worker.

pub mod pool;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use tch::Device;

use crate::cli::args::run_args::{ExecutionConfig, listen};
use crate::cli::args::sweeps_dir::NamedSweep;
use crate::cli::args::user_defaults;
use crate::cli::commands::sweep::worker_args::WorkerArgs;
use crate::cli::commands::worker_processes;
use crate::cli::exit::Exit;
use crate::cli::text::shell_words::quoted_path;
use crate::cli::text::{number_format, terminal};
use crate::config::hint::{Hint, in_a_line, into_error};
use crate::data::source::DataSpec;
use crate::data::store::cache::Cache;
use crate::device::{self, DeviceChoice};
use crate::io::signals::SIGUSR2;
use crate::slurm::job::Job;
use crate::slurm::job_clock::JobClock;
use crate::sweep::dir::{SweepDir, data_sum, ended, extensions, stop_request};
use crate::sweep::record::{StackPlan, SweepRecord};
use crate::sweep::results::csv;
use crate::sweep::supervise::devices;
use crate::sweep::work::data_check::changed;
use crate::sweep::work::event::{Event, Events, LoggedEvents};
use crate::sweep::work::identity::Identity;
use crate::sweep::work::next_round::{Following, publish_following};
use crate::sweep::work::worker::{Departure, Kept, WorkOptions, work};
use crate::tensor::threads;

/// Arguments of `runner sweep work`.
#[derive(Debug, clap::Args)]
pub struct WorkArgs {
    #[command(flatten)]
    sweep: NamedSweep,
    /// cpu, cuda or cuda:N [default: the device of the sweep]
    #[arg(long)]
    device: Option<DeviceChoice>,
    /// Devices of several workers, one each: `auto` (all visible GPUs, else the CPU), `cpu,cpu`, `cuda:0,cuda:1` [default: in a
    /// job of Slurm, the GPUs of the job if the sweep is trained on GPUs]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', conflicts_with_all = ["device", "threads"])]
    devices: Vec<DeviceChoice>,
    /// Maximum number of CPU threads [default: as in the sweep]
    #[arg(long, value_name = "N", value_parser = threads::parse, allow_negative_numbers = true)]
    threads: Option<usize>,
    #[command(flatten)]
    worker_args: WorkerArgs,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
    /// Name of the worker, chosen by the process that started it.
    #[arg(long, hide = true)]
    name: Option<String>,
    /// Process that started the worker, which ends with it.
    #[arg(long, hide = true)]
    parent: Option<u32>,
}

/// Trains stacks of a sweep until all have ended.
pub fn run(args: &WorkArgs) -> anyhow::Result<Exit> {
    let (dir, mut record) = args.sweep.open()?;
    if !args.worker_args.force {
        check_is_same(&dir, &record)?;
    }
    if let Some(reason) = stop_request::reason(&dir) {
        let resume = resume_command(dir.path());
        terminal::say(&format!("the sweep was stopped ({reason}); continue it with `{resume}`"));
        return Ok(Exit::Done);
    }
    let events = args.worker_args.event_args.files()?;
    let devices = args.devices(&record)?;
    if devices.len() > 1 {
        return pool::run(&dir, &mut record, &devices, &args.worker_args, args.quiet);
    }
    let chosen = devices.first().map(|device| worker_processes::choice_of(*device));
    let device = args.device.or(chosen).or_else(|| visible_instead_of(&record.options.device));
    let execution = ExecutionConfig::from_run(&record.options, device, args.threads)?.apply();
    let signals = listen()?;
    if args.parent.is_none() {
        signals.set_exit_message(format!("interrupted: continue with `runner sweep work {}`", quoted_path(dir.path())));
    }
    let identity = Identity::of_this_process(args.name.as_deref());
    let job_clock = JobClock::of_this_process();
    let options = WorkOptions {
        device: execution.device,
        threads: execution.threads,
        checkpoint_interval: args.worker_args.checkpoint,
        events: events.as_ref(),
        cache: &Cache::for_user(),
        runs: PathBuf::from(user_defaults::out()),
        stop_on_failure: args.worker_args.stops_on_failure(),
        force: args.worker_args.force,
        parent: args.parent,
        job_clock: job_clock.as_ref(),
        signals: &signals,
    };
    let mut lines = Lines { quiet: args.quiet || args.parent.is_some() };
    let mut events = LoggedEvents::open(&dir, &identity.worker, &mut lines);
    events.event(&Event::Started { device: &device::name(execution.device), threads: execution.threads });
    let mut kept = Kept::default();
    let departure = loop {
        let departure = work(&dir, &record, &identity, &options, &mut kept, &mut events);
        let departure = departure.inspect_err(|error| events.event(&Event::Left { reason: &in_a_line(error) }))?;
        if departure != Departure::Over {
            break departure;
        }
        let following = publish_following(&dir, &record);
        match following.inspect_err(|error| events.event(&Event::Left { reason: &in_a_line(error) }))? {
            Following::Nothing if csv::write(&dir, &record)?.is_some() => break departure,
            Following::Nothing | Following::Other => {}
            Following::Round(configurations) => events.event(&Event::Chosen { configurations }),
            Following::FurtherSeeds(configurations) => events.event(&Event::FurtherSeeds { configurations }),
        }
        // a round, or an extension of a user
        extensions::read_new(dir.path(), &mut record)?;
    };
    let (reason, exit) = match &departure {
        Departure::Over => ("all stacks have ended".to_owned(), Exit::Done),
        Departure::Stopped(reason) => (format!("stopped: {reason}"), Exit::Done),
        Departure::Interrupted => ("interrupted".to_owned(), Exit::Interrupted(signals.signal())),
        Departure::OutOfTime => ("less time is left than an epoch takes".to_owned(), Exit::Interrupted(SIGUSR2)),
        Departure::Orphaned => ("the process that started this worker is gone".to_owned(), Exit::Done),
    };
    events.event(&Event::Left { reason: &reason });
    Ok(match exit {
        // the process that has started this one puts the job into the queue again
        Exit::Interrupted(SIGUSR2) if args.parent.is_some() => match departure {
            Departure::OutOfTime => Exit::Done,
            _ => Exit::Interrupted(libc::SIGTERM),
        },
        exit => exit,
    })
}

impl WorkArgs {
    /// Returns the devices of several workers: the named ones, or in a job of Slurm those of the job, if the sweep is trained on
    /// GPUs; none for one worker on its usual device.
    ///
    /// # Errors
    /// When a device cannot be used.
    fn devices(&self, record: &SweepRecord) -> anyhow::Result<Vec<Device>> {
        if !self.devices.is_empty() {
            return devices::of_workers(&self.devices, None);
        }
        let is_on_gpu = matches!(record.options.device.parse(), Ok(DeviceChoice::Cuda(_)));
        let job = Job::of_this_process().filter(|_| is_on_gpu && self.device.is_none() && self.parent.is_none());
        let Some(job) = job else { return Ok(Vec::new()) };
        let visible = device::open_cuda().unwrap_or(0);
        Ok((0..gpus_of_job(visible, job.gpus)).map(Device::Cuda).collect())
    }
}

/// Returns the number of GPUs of a job that sees `visible` GPUs. Where Slurm does not hide the GPUs of other jobs, it is the number
/// that Slurm gave to the job.
fn gpus_of_job(visible: usize, given: Option<usize>) -> usize {
    given.map_or(visible, |given| visible.min(given))
}

/// Returns the first visible GPU if a sweep was started on another one that this process does not see: a batch system may
/// give each process one GPU.
fn visible_instead_of(recorded: &str) -> Option<DeviceChoice> {
    let Ok(DeviceChoice::Cuda(index)) = recorded.parse() else { return None };
    let found = device::open_cuda().ok()?;
    (index >= found).then_some(DeviceChoice::Cuda(0))
}

/// Checks that this program is the one of the sweep, and the data are those of the stacks that have not ended.
///
/// # Errors
/// When they are not: results of different programs or data cannot be ranked together.
pub fn check_is_same(dir: &SweepDir, record: &SweepRecord) -> anyhow::Result<()> {
    check_same(dir, record, |stack| !ended::path(dir, &stack.name).exists())
}

/// Checks that this program and the data are those of the sweep, also if all of its stacks have ended.
///
/// # Errors
/// As [`check_is_same`].
pub fn check_is_extendable(dir: &SweepDir, record: &SweepRecord) -> anyhow::Result<()> {
    check_same(dir, record, |_| true)
}

fn check_same(dir: &SweepDir, record: &SweepRecord, is_checked: impl Fn(&StackPlan) -> bool) -> anyhow::Result<()> {
    let hint = |what: &str| Hint(format!("{what}, start a new sweep, or mix the results with `--force`"));
    let program = crate::experiment::store::history_fields::Program::this();
    let differences = record.program.differences(&program);
    if !differences.is_empty() {
        return Err(anyhow!("the sweep was started by another build of runner: {}", differences.join("; "))
            .context(hint("use the build that started it")));
    }
    // if settings of the data vary, stacks may have different data
    let vary = record.settings.iter().any(|key| key.split('.').next() == Some("data"));
    let mut checked: Vec<DataSpec> = Vec::new();
    let checked_stacks = record.stacks.iter().filter(|stack| is_checked(stack));
    for stack in checked_stacks.take(if vary { usize::MAX } else { 1 }) {
        for plan in record.study_of_stack(stack)?.plans {
            let data = plan.spec.data;
            if checked.contains(&data) {
                continue;
            }
            let Some(known) = data_sum::known(dir, &data) else { continue };
            match data.checksum_of_files().map_err(into_error)? {
                Some(now) if now != known => return Err(changed(&data, &known, &now)),
                _ => checked.push(data),
            }
        }
    }
    Ok(())
}

/// Shows the events of a worker as lines on stderr.
struct Lines {
    quiet: bool,
}

impl Events for Lines {
    fn event(&mut self, event: &Event) {
        let text = match event {
            Event::Started { device, threads } => {
                format!("working on {device} with at most {threads} thread{}", if *threads == 1 { "" } else { "s" })
            }
            Event::Claimed { stack, generation: 1 } => format!("{stack}: training"),
            Event::Claimed { stack, generation } => format!("{stack}: continuing (worker {generation} of this stack)"),
            Event::Note { stack, text } => format!("{stack}: {text}"),
            Event::Ended { stack, failure: Some(failure), .. } => format!("{stack}: failed: {}", failure.error),
            Event::Ended { stack, trials, seconds, failure: None } => {
                format!("{stack}: {trials} trials done in {}", number_format::seconds(*seconds))
            }
            Event::Chosen { configurations: 1 } => "1 further configuration chosen".to_owned(),
            Event::Chosen { configurations } => format!("{configurations} further configurations chosen"),
            Event::FurtherSeeds { configurations: 1 } => "1 configuration is trained on further seeds".to_owned(),
            Event::FurtherSeeds { configurations } => {
                format!("{configurations} configurations are trained on further seeds")
            }
            Event::Released { stack } => format!("{stack}: left with a checkpoint"),
            Event::LeaseLost { stack } => format!("{stack}: another worker has taken it over"),
            Event::Retrying { error } => format!("trying again: {error}"),
            Event::Left { reason } => (*reason).to_owned(),
        };
        if !self.quiet {
            terminal::say(&text);
        }
    }
}

/// Returns the command that continues a sweep.
pub fn resume_command(dir: &Path) -> String {
    format!("runner sweep {} --resume", quoted_path(dir))
}

/// Returns the command that continues the newest confirmation of a sweep.
pub fn confirm_command(dir: &Path) -> String {
    format!("runner sweep confirm {}", quoted_path(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_uses_the_gpus_that_it_was_given() {
        assert_eq!(gpus_of_job(2, Some(2)), 2);
        assert_eq!(gpus_of_job(8, Some(2)), 2, "those of other jobs are visible, too");
        assert_eq!(gpus_of_job(1, Some(2)), 1);
        assert_eq!(gpus_of_job(4, None), 4);
    }
}
