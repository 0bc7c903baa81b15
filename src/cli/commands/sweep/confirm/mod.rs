//! `runner sweep confirm DIR`: the best configurations on seeds that were not used for the selection.

pub(super) mod at_end;
pub(super) mod text;

use anyhow::anyhow;

use crate::cli::args::run_args::parse_positive;
use crate::cli::args::sweeps_dir::NamedSweep;
use crate::cli::commands::sweep::confirm::at_end::add;
use crate::cli::commands::sweep::confirm::text::describe;
use crate::cli::commands::sweep::execute::{self, Execution};
use crate::cli::commands::sweep::start::devices_to_continue;
use crate::cli::commands::sweep::work::{check_is_same, confirm_command, resume_command};
use crate::cli::commands::sweep::worker_args::WorkerArgs;
use crate::cli::exit::Exit;
use crate::cli::text::number_format::count;
use crate::cli::text::shell_words::quoted;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::device::DeviceChoice;
use crate::experiment::spec::seeds::{self, Seeds};
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::state::SweepState;
use crate::sweep::plan::confirm::{best, confirmation};
use crate::sweep::record::{StackPlan, SweepRecord};
use crate::sweep::spec::Confirm;

/// Arguments of `runner sweep confirm`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ConfirmArgs {
    #[command(flatten)]
    sweep: NamedSweep,
    /// Fresh seeds: `100..109` (both included) or `7,8,9` [default: `seeds` of the file's `confirm`, else
    /// the first ten from 100 on that the sweep has not used]
    #[arg(long, value_name = "SEEDS", value_parser = seeds::parse, allow_hyphen_values = true)]
    seeds: Option<Seeds>,
    /// Maximum number of configurations, best first [default: `at_most` of the file's `confirm`, else 5]
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    at_most: Option<usize>,
    /// Number of worker processes [default: as many as the CPU has room for]
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    workers: Option<usize>,
    /// Devices of the workers, one worker each: `auto`, `cpu`, `cuda:0,cuda:1` [default: the device of the sweep]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    devices: Vec<DeviceChoice>,
    #[command(flatten)]
    worker_args: WorkerArgs,
    /// Show what would be trained, without writing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print errors only
    #[arg(long, short)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner sweep confirm digits_mlp
  runner sweep confirm digits_mlp --seeds 200..219 --at-most 3 --workers 2

The best of many configurations looks better than it is, because it was
chosen for its results. This command trains the best ones again on fresh
seeds, compares all pairs of them (paired permutation test, Holm's
correction), and shows their test metric. If you run it again, it continues
or shows the last confirmation. With other `--seeds` or another `--at-most`,
it starts another confirmation.";

/// Trains the best configurations of a sweep on fresh seeds, and prints how they compare.
pub fn run(args: &ConfirmArgs) -> anyhow::Result<Exit> {
    let (dir, mut record) = args.sweep.open()?;
    args.worker_args.event_args.files()?;
    let state = SweepState::read(&dir, &record)?;
    let devices = devices_to_continue(&record, &args.devices, args.workers)?;
    let continues = args.continues(&record, &state);
    let confirmed = record.confirmation_stacks();
    let must_have_ended = |stack: &&StackPlan| !continues || !confirmed.contains(stack.name.as_str());
    let is_ended = |stack: &StackPlan| state.ended.contains_key(&stack.name);
    let is_open = record.stacks.iter().filter(must_have_ended).any(|stack| !is_ended(stack));
    let of_search = record.stacks.iter().filter(|stack| !confirmed.contains(stack.name.as_str()));
    if !continues
        && state.unchosen == 0
        && state.lacking == 0
        && of_search.into_iter().all(is_ended)
        && !state.is_over()
    {
        return Err(unfinished(&dir, &record, &state).context(Hint(format!(
            "continue it with `{}` before you start another one",
            confirm_command(dir.path())
        ))));
    }
    if is_open || (!continues && !state.is_over()) {
        let hint = Hint(format!("continue it with `{}`", resume_command(dir.path())));
        return Err(anyhow!("the sweep is not complete: {}", state.progress(&record)).context(hint));
    }
    drop(confirmed);
    if !continues {
        if !args.worker_args.force {
            check_is_same(&dir, &record)?;
        }
        let extension = confirmation(&record, &state.ended, &args.confirm(&record), Some(args.command()))?;
        if args.dry_run {
            terminal::out(&describe(&record, &extension));
            terminal::say("nothing was written: leave `--dry-run` out to train them");
            return Ok(Exit::Done);
        }
        add(&dir, &mut record, extension, args.quiet || args.json)?;
    } else if args.dry_run {
        let (error, what) = match state.is_over() {
            true => (anyhow!("the sweep has a confirmation already"), "show it, or choose other `--seeds`"),
            false => (unfinished(&dir, &record, &state), "continue it"),
        };
        return Err(error.context(Hint(format!("leave `--dry-run` out to {what}"))));
    }
    let (worker_args, quiet, json) = (args.worker_args.clone(), args.quiet, args.json);
    let execution = Execution { devices, worker_args, quiet, json, is_silent: false, confirms: true, strict: false };
    execute::train(&dir, &record, &execution)
}

/// Returns the error about the newest confirmation, of which stacks have not ended.
fn unfinished(dir: &SweepDir, record: &SweepRecord, state: &SweepState) -> anyhow::Error {
    let newest = record.extensions.iter().rev().find(|extension| extension.confirmation.is_some());
    let stacks = newest.map_or(&[][..], |extension| &extension.stacks);
    let ended = stacks.iter().filter(|stack| state.ended.contains_key(&stack.name)).count();
    let on = record.confirmation().map(|plan| format!(" on seeds {}", seeds::format(&plan.seeds))).unwrap_or_default();
    let (path, ended, all) = (dir.path().display(), count(ended), count(stacks.len()));
    anyhow!("the confirmation{on} of the sweep in `{path}` is not complete: {ended} of its {all} stacks have ended")
}

impl ConfirmArgs {
    /// Returns the options; those that are not given are those of the sweep.
    fn confirm(&self, record: &SweepRecord) -> Confirm {
        let of_sweep = record.confirm.clone().unwrap_or_default();
        Confirm { seeds: self.seeds.clone().or(of_sweep.seeds), at_most: self.at_most.or(of_sweep.at_most) }
    }

    /// Whether the newest confirmation of the sweep is the one that is asked for.
    fn continues(&self, record: &SweepRecord, state: &SweepState) -> bool {
        record.confirmation().is_some_and(|plan| {
            self.seeds.as_ref().is_none_or(|seeds| *seeds == plan.seeds)
                && self.at_most.is_none_or(|most| best(record, &state.ended, most).len() == plan.configurations.len())
        })
    }

    /// Returns the command for the record.
    fn command(&self) -> String {
        let mut words = vec!["runner sweep confirm".to_owned(), quoted(&self.sweep.sweep)];
        words.extend(self.seeds.as_ref().map(|seeds| format!("--seeds {}", quoted(&seeds::format(seeds)))));
        words.extend(self.at_most.map(|at_most| format!("--at-most {at_most}")));
        words.join(" ")
    }
}
