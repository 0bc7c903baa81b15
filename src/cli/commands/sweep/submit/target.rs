//! The sweep whose workers are submitted: one that exists, or a new one.

use std::path::{Path, PathBuf};

use tch::Device;
use time::OffsetDateTime;

use crate::cli::args::compute_args::ComputeArgs;
use crate::cli::commands::sweep::plan_args::PlanArgs;
use crate::cli::commands::sweep::start::StartArgs;
use crate::cli::commands::worker_processes::choice_of;
use crate::cli::slurm::compute::{check_is_cached, device_of_job, threads_of_job};
use crate::slurm::sbatch_options::SbatchOptions;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::state::SweepState;
use crate::sweep::plan::{self, PlannedSweep};
use crate::sweep::record::SweepRecord;

/// Name of a directory that does not exist yet.
const UNKNOWN: &str = "TIME-ID";

/// Bytes of memory that a worker takes without a stack: 256 MiB.
const OWN_MEMORY: u64 = 256 << 20;

/// The sweep whose workers are submitted.
#[derive(Debug)]
pub enum Target {
    /// It exists.
    Existing(SweepDir, Box<SweepRecord>),
    /// It is planned, and not written yet.
    New(Box<PlannedSweep>),
}

impl Target {
    /// Returns the sweep that is named, or plans a new one; with `resume` the newest one of the same plan, if there is one.
    /// `options` decide on the device and the threads of its workers.
    ///
    /// # Errors
    /// If there is no such sweep, or it cannot be planned.
    pub fn find(args: &StartArgs, resume: bool, options: SbatchOptions) -> anyhow::Result<Target> {
        if let Some(path) = args.named_sweep() {
            let (dir, record) = SweepDir::open(&path)?;
            args.check_keeps_plan(&path, &record, "name an experiment to start another sweep")?;
            return Ok(Target::Existing(dir, Box::new(record)));
        }
        let ComputeArgs { device, threads } = args.plan_args.compute_args;
        let device = device_of_job(device, options);
        let threads = threads_of_job(threads, options);
        let compute_args = ComputeArgs { device: choice_of(device), threads: Some(threads) };
        let plan_args = PlanArgs { compute_args, ..args.plan_args.clone() };
        let mut request = plan_args.request(&[device])?;
        if let (Device::Cpu, None, Some(memory)) = (device, plan_args.stack, options.memory()) {
            request.free_memory = memory.saturating_sub(OWN_MEMORY);
        }
        let sweep = plan::plan(&request)?;
        check_is_cached(&sweep.plans)?;
        let existing = if resume { args.newest_matching(&sweep.record) } else { None };
        Ok(match existing {
            Some((dir, record)) => Target::Existing(dir, Box::new(record)),
            None => Target::New(Box::new(sweep)),
        })
    }

    /// The record of the sweep.
    pub fn record(&self) -> &SweepRecord {
        match self {
            Target::Existing(_, record) => record,
            Target::New(sweep) => &sweep.record,
        }
    }

    /// Notes about a new sweep.
    pub fn notes(&self) -> &[String] {
        match self {
            Target::Existing(..) => &[],
            Target::New(sweep) => &sweep.notes,
        }
    }

    /// Number of stacks that have not ended; `None` if rounds or further seeds will add others.
    ///
    /// # Errors
    /// When the files of the sweep cannot be read.
    pub fn open_stacks(&self) -> anyhow::Result<Option<usize>> {
        let record = self.record();
        let mut state = SweepState::default();
        if let Target::Existing(dir, record) = self {
            state.update(dir, record)?;
        }
        let is_over = matches!(self, Target::Existing(..)) && state.is_over();
        let grows = record.unchosen() > 0 || (!record.further_seeds.is_empty() && !is_over);
        Ok((!grows).then(|| record.stacks.len().saturating_sub(state.ended.len())))
    }

    /// Absolute path of the sweep; a new one below `out` has no name yet.
    pub fn path(&self, out: &Path) -> PathBuf {
        let path = match self {
            Target::Existing(dir, _) => dir.path().to_path_buf(),
            Target::New(sweep) => out.join(&sweep.record.experiment).join(UNKNOWN),
        };
        std::path::absolute(&path).unwrap_or(path)
    }

    /// Returns the directory and the record of the sweep. A new one is written below `out`.
    ///
    /// # Errors
    /// When the directory cannot be created.
    pub fn create(self, out: &Path) -> anyhow::Result<(SweepDir, Box<SweepRecord>)> {
        match self {
            Target::Existing(dir, record) => Ok((dir, record)),
            Target::New(sweep) => {
                let dir = SweepDir::create(out, &sweep.record, &sweep.experiment, OffsetDateTime::now_utc())?;
                Ok((dir, Box::new(sweep.record)))
            }
        }
    }
}
