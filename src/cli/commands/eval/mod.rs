//! `runner eval RUN`

pub(crate) mod evaluated;
mod json;
mod text;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{anyhow, bail};
use indexmap::IndexMap;
use tch::{Device, Kind};

use crate::cli::args::lookup::{find_run, resolve_device};
use crate::cli::commands::eval::evaluated::{Chosen, Evaluated, Found, Unfound, count};
use crate::cli::exit::Exit;
use crate::cli::text::progress_bar::Progress;
use crate::cli::text::{number_format, terminal};
use crate::config::hint::{Hint, in_a_line};
use crate::data::store::cache::Cache;
use crate::data::{Rows, Target};
use crate::device::DeviceChoice;
use crate::device::arithmetic::Arithmetic;
use crate::device::fault::guarded;
use crate::experiment::predict::external_rows;
use crate::experiment::run::error::{self, Work};
use crate::experiment::store::find::{Damaged, SavedTrial};
use crate::experiment::store::load_model::Saved;
use crate::experiment::store::trial_data::{Part, TrialData};
use crate::experiment::verify::agreement::{Agreement, Stated};
use crate::history::Status;
use crate::tensor::threads;
use crate::train::keep::Keep;

/// Arguments of `runner eval`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Run directory, a history or weight file of it, or an experiment (its newest finished run)
    run: String,
    /// The rows: `test`, `validation`, `train`, or a file of your own with the same columns (for images,
    /// `IMAGES,LABELS` in the IDX format) [default: test, or validation where there are no test rows]
    #[arg(long, value_name = "ROWS|FILE")]
    data: Option<String>,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// Maximum number of CPU threads [default: `OMP_NUM_THREADS`, else one for each core]
    #[arg(long, value_name = "N", value_parser = threads::parse, allow_negative_numbers = true)]
    threads: Option<usize>,
    /// Directory of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// Exit with code 1 if the metrics of a trial differ from its history or are missing there
    #[arg(long)]
    strict: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner eval overfit_mnist
  runner eval runs/overfit_mnist/latest/base-seed0.safetensors
  runner eval kfold_digits --data validation
  runner eval my_run --data more_rows.csv --json
  runner eval my_run --strict

If a trial cannot be evaluated, the others still are; the exit code is then 2.";

/// Takes the figures of each trial anew. One that cannot be evaluated is told, and keeps no other from it.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let run = find_run(&args.run, &args.out)?;
    let chosen = Chosen::of(args.data.as_deref(), &run)?;
    if args.strict && matches!(chosen.part(), None | Some(Part::Training)) {
        let message = format!("`--strict` has nothing to compare with: a history has no metrics of {}", chosen.name());
        return Err(anyhow!(message).context(Hint("it states some on test and validation rows".to_owned())));
    }
    let device = resolve_device(args.device)?;
    let threads = threads::asked_or_available(args.threads);
    threads::limit(threads);
    threads::set_libtorch(threads);
    let (mut data, mut warnings) = (None, BTreeSet::new());
    let is_lone = run.trials.len() == 1 && run.damaged.is_empty();
    let mut trials = Vec::with_capacity(run.trials.len());
    for trial in &run.trials {
        // among others, a trial that diverged or is damaged is a result; alone, there is nothing to evaluate
        let found = match trial.history.status {
            Status::Diverged if !is_lone => Err(Unfound::Diverged),
            _ => guarded(|| evaluate(trial, &chosen, device, &mut data, &mut warnings))
                .unwrap_or_else(|fault| {
                    Err(error::told(fault, &format!("failed to evaluate `{}`", trial.stem()), Work::Evaluation))
                })
                .map_err(Unfound::Failed),
        };
        match found {
            Err(Unfound::Failed(error)) if is_lone => return Err(error),
            found => trials.push(Evaluated { trial, found }),
        }
    }
    if run.damaged.is_empty() && trials.iter().all(|trial| matches!(trial.found, Err(Unfound::Diverged))) {
        bail!(
            anyhow!("all {} trials diverged: their weights predict nothing", trials.len())
                .context(Hint("a smaller learning rate often helps".to_owned()))
        );
    }
    if trials.iter().any(|trial| trial.found.is_ok()) {
        if args.json {
            terminal::json(&json::json(&run, &chosen, &trials));
        } else {
            terminal::out(&text::text(&chosen, &trials));
        }
    }
    let missed: Vec<String> = trials.iter().filter_map(missed).collect();
    let is_missed = args.strict && !missed.is_empty();
    if is_missed {
        missed.iter().for_each(|missed| terminal::say(missed));
    }
    Ok(match tell_faults(trials, run.damaged) {
        true => Exit::Failed,
        false if is_missed => Exit::Missed,
        false => Exit::Done,
    })
}

/// Why a trial does not pass under `--strict`; `None` of one that passes, diverged or could not be evaluated.
fn missed(Evaluated { trial, found }: &Evaluated) -> Option<String> {
    let stem = trial.stem();
    match &found.as_ref().ok()?.agreement {
        None => Some(format!("`{stem}`: its history states nothing to compare with")),
        Some(agreement) if !agreement.is_same() => Some(format!("`{stem}`: differs from its history")),
        Some(agreement) if !agreement.is_complete() => Some(format!("`{stem}`: {}", text::not_compared(agreement))),
        Some(_) => None,
    }
}

/// Tells what kept trials from being evaluated, each fault once however many trials it concerns; whether there was any.
fn tell_faults(trials: Vec<Evaluated>, damaged: Vec<Damaged>) -> bool {
    let all = trials.len() + damaged.len();
    let mut faults: IndexMap<String, (anyhow::Error, Vec<String>)> = IndexMap::new();
    for Evaluated { trial, found } in trials {
        if let Err(Unfound::Failed(error)) = found {
            let (_, stems) = faults.entry(in_a_line(&error)).or_insert_with(|| (error, Vec::new()));
            stems.push(format!("`{}`", trial.stem()));
        }
    }
    let is_any = !faults.is_empty() || !damaged.is_empty();
    for (error, stems) in faults.into_values() {
        terminal::error(&match stems.len() == all {
            true => error, // of the run as a whole
            false => error.context(format!("failed to evaluate {}", stems.join(", "))),
        });
    }
    damaged.iter().for_each(|damaged| terminal::error(&damaged.error));
    is_any
}

fn evaluate(
    trial: &SavedTrial,
    chosen: &Chosen,
    device: Device,
    kept: &mut Option<TrialData>,
    warnings: &mut BTreeSet<String>,
) -> anyhow::Result<Found> {
    let history = &trial.history;
    let tf32 = history.environment.precision.as_deref() == Some("tf32"); // as it was trained
    Arithmetic { tf32, deterministic: false }.put_into_use();
    let saved = Saved::load(trial, device)?;
    let keep = saved.keep().unwrap_or(Keep::Last);
    let mut progress = Progress::new(false);
    let data = TrialData::load(&saved.plan, trial, kept.take(), &Cache::of_user(), &mut progress);
    progress.end();
    let data = kept.insert(data?);
    let mut warn = |warning: String| {
        if warnings.insert(warning.clone()) {
            terminal::warn(&warning); // once, however many trials it concerns
        }
    };
    data.difference(history).into_iter().for_each(&mut warn);
    let of_file;
    let (rows, stated) = match chosen {
        Chosen::Part { part, .. } => (rows_of(data, *part, "--data")?, Stated::of(history, keep, *part)),
        Chosen::File(file) => {
            let (rows, left_out) = external_rows::rows(&saved.plan, &data.fitted, file)?;
            if left_out > 0 {
                warn(format!("{} of `{file}` left out, as in training: values are missing", count(left_out)));
            }
            of_file = rows;
            (&of_file, None)
        }
    };
    // the figures of validation rows in a history are those without it
    let at_threshold = !matches!(chosen, Chosen::Part { part: Part::Training | Part::Validation, .. });
    let record = saved.test(data, rows, at_threshold);
    let magnitude = magnitude(rows, data.source.loaded.target);
    let expected: Vec<String> = match chosen.part() {
        Some(Part::Test) => {
            // histories of earlier versions, without a report, state no metric of tests but those that were named
            let has_report = history.test.as_ref().is_some_and(|test| test.report.is_some());
            let named = saved.plan.metric_names();
            record.metrics.keys().filter(|name| has_report || named.contains(name)).cloned().collect()
        }
        Some(Part::Validation) => {
            saved.plan.metric_names().iter().filter_map(|name| Some(name.strip_prefix("val_")?.to_owned())).collect()
        }
        Some(Part::Training) | None => Vec::new(),
    };
    let agreement = stated.as_ref().map(|stated| Agreement::of(&record, stated, &expected, magnitude));
    let model = match saved.plan.network() {
        Some(network) => format!("{} parameters", number_format::count(network.architecture.parameters())),
        None => {
            format!("a tree of {} leaves", number_format::count(history.tree.as_ref().map_or(0, |tree| tree.leaves)))
        }
    };
    Ok(Found { data: data.name(), rows: rows.len(), model, device, keep, record, stated, agreement })
}

/// The rows of a part; `flag` is what another part is named with.
pub(crate) fn rows_of<'a>(data: &'a TrialData, part: Part, flag: &str) -> anyhow::Result<&'a Rows> {
    data.rows(part).ok_or_else(|| {
        let there = Part::ALL.iter().filter(|part| data.rows(**part).is_some());
        let there: Vec<String> = there.map(|part| format!("`{flag} {}`", part.word())).collect();
        anyhow!("the run has no {} rows", part.name()).context(Hint(format!("available: {}", there.join(", "))))
    })
}

/// How large outputs are: what figures that add them up are rounded by.
fn magnitude(rows: &Rows, target: Target) -> f64 {
    match target {
        Target::Classes(_) | Target::Labels(_) => 1.0,
        Target::Values(_) => rows.targets.abs().mean(Kind::Double).double_value(&[]).max(1.0),
    }
}
