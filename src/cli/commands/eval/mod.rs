//! `runner eval RUN`

pub(crate) mod evaluation;
mod text;

use indexmap::IndexMap;
use std::collections::BTreeSet;
use tch::{Device, Kind};

use crate::cli::args::compute_args::ComputeArgs;
use crate::cli::args::lookup::{find_run, resolve_device};
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::commands::eval::evaluation::{EvalRows, Evaluation, Failure, TrialResult, to_json};
use crate::cli::exit::Exit;
use crate::cli::text::progress::progress_bar::Progress;
use crate::cli::text::{number_format, terminal};
use crate::config::hint::{hinted, in_a_line};
use crate::config::suggest;
use crate::data::store::cache::Cache;
use crate::data::table::external_table::Unknown;
use crate::data::{Rows, Target};
use crate::device::compute_mode::ComputeMode;
use crate::device::fault::catch_fault;
use crate::device::precision::Precision;
use crate::experiment::predict::external_rows;
use crate::experiment::run::error;
use crate::experiment::store::find::{Damaged, SavedTrial};
use crate::experiment::store::load_model::TrainedModel;
use crate::experiment::store::trial_data::{Part, TrialData};
use crate::experiment::verify::agreement::{Agreement, HistoryMetrics};
use crate::history::Status;
use crate::tensor::threads;
use crate::train::kept_weights::Keep;

/// Arguments of `runner eval`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id, name or directory of a run, a history or weight file of it, an experiment (its newest finished run), or
    /// RUN/VARIANT
    run: String,
    /// Rows to evaluate: `test`, `validation`, `train`, or your own file with the same columns or arrays (for images, a
    /// directory, or `IMAGES,LABELS` in the IDX format) [default: test, or validation if there are no test rows]
    #[arg(value_name = "ROWS|FILE")]
    data: Option<String>,
    /// Former form of the argument.
    #[arg(long = "data", value_name = "ROWS|FILE", hide = true, conflicts_with = "data")]
    data_option: Option<String>,
    /// What to do with categories that the training data does not have: `error` stops, `missing` treats them as missing
    /// values, `ignore` sets all one-hot features of the column to 0. Texts without a known token are predicted with
    /// `ignore` only
    #[arg(long, value_enum, value_name = "POLICY", default_value = "error")]
    unknown: Unknown,
    #[command(flatten)]
    compute_args: ComputeArgs,
    #[command(flatten)]
    out: RunsDir,
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
  runner eval kfold_digits validation
  runner eval my_run more_rows.csv --json
  runner eval my_run next_month.csv --unknown ignore
  runner eval my_run --strict

If a trial cannot be evaluated, the others still are; the exit code is then 2.";

/// Computes the metrics of each trial from its saved weights and compares them with the history. A trial that cannot be
/// evaluated is reported; the others still are evaluated.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let run = find_run(&args.run, &args.out)?;
    let eval_rows = EvalRows::parse(args.data.as_deref().or(args.data_option.as_deref()), &run)?;
    if args.unknown != Unknown::Error && eval_rows.part().is_some() {
        let message = format!("`--unknown` is for the rows of a file, not for {}", eval_rows.name());
        return Err(hinted(message, format!("name a file: `runner eval {} FILE --unknown …`", args.run)));
    }
    if args.strict && matches!(eval_rows.part(), None | Some(Part::Training)) {
        let message =
            format!("`--strict` has nothing to compare with: a history has no metrics of {}", eval_rows.name());
        return Err(hinted(message, "evaluate `test` or `validation`"));
    }
    let device = resolve_device(args.compute_args.device)?;
    let threads = threads::requested_or_available(args.compute_args.threads);
    threads::set_limit(threads);
    threads::set_libtorch(threads);
    let (mut data, mut warnings) = (None, BTreeSet::new());
    let is_single = run.trials.len() == 1 && run.damaged.is_empty();
    let mut trials = Vec::with_capacity(run.trials.len());
    for trial in &run.trials {
        // one of several trials that diverged or is damaged is part of the result; a single one is an error
        let outcome = match trial.history.status {
            Status::Diverged if !is_single => Err(Failure::Diverged),
            _ => catch_fault(|| evaluate(trial, &eval_rows, args.unknown, device, &mut data, &mut warnings))
                .unwrap_or_else(|fault| {
                    Err(error::into_run_error(fault, &format!("failed to evaluate `{}`", trial.stem()), None))
                })
                .map_err(Failure::Failed),
        };
        match outcome {
            Err(Failure::Failed(error)) if is_single => return Err(error),
            outcome => trials.push(TrialResult { trial, outcome }),
        }
    }
    if run.damaged.is_empty() && trials.iter().all(|trial| matches!(trial.outcome, Err(Failure::Diverged))) {
        let message = format!("all {} trials diverged: their weights are unusable", trials.len());
        return Err(hinted(message, "train with a smaller learning rate"));
    }
    if trials.iter().any(|trial| trial.outcome.is_ok()) {
        if args.json {
            terminal::json(&to_json(&run, &eval_rows, &trials));
        } else {
            terminal::out(&text::render(&eval_rows, &trials));
        }
    }
    let missed: Vec<String> = if args.strict { trials.iter().filter_map(missed).collect() } else { Vec::new() };
    missed.iter().for_each(|missed| terminal::say(missed));
    Ok(match report_failures(trials, run.damaged) {
        true => Exit::Failed,
        false if !missed.is_empty() => Exit::Missed,
        false => Exit::Done,
    })
}

/// Returns why a trial fails `--strict`; `None` if it passes, diverged or could not be evaluated.
fn missed(TrialResult { trial, outcome }: &TrialResult) -> Option<String> {
    let stem = trial.stem();
    match &outcome.as_ref().ok()?.agreement {
        None => Some(format!("`{stem}`: its history has no metrics to compare with")),
        Some(agreement) if !agreement.is_same() => Some(format!("`{stem}`: differs from its history")),
        Some(agreement) if !agreement.is_complete() => Some(format!("`{stem}`: {}", text::not_compared(agreement))),
        Some(_) => None,
    }
}

/// Prints why trials could not be evaluated, each error once for all trials that it concerns. Returns whether there was any.
fn report_failures(trials: Vec<TrialResult>, damaged: Vec<Damaged>) -> bool {
    let all = trials.len() + damaged.len();
    let mut faults: IndexMap<String, (anyhow::Error, Vec<String>)> = IndexMap::new();
    for TrialResult { trial, outcome } in trials {
        if let Err(Failure::Failed(error)) = outcome {
            let (_, stems) = faults.entry(in_a_line(&error)).or_insert_with(|| (error, Vec::new()));
            stems.push(format!("`{}`", trial.stem()));
        }
    }
    let has_errors = !faults.is_empty() || !damaged.is_empty();
    for (error, stems) in faults.into_values() {
        terminal::error(&match stems.len() == all {
            true => error, // it concerns all trials
            false => error.context(format!("failed to evaluate {}", stems.join(", "))),
        });
    }
    damaged.iter().for_each(|damaged| terminal::error(&damaged.error));
    has_errors
}

/// If at most one row in this many equals a training row, it may be by chance.
const FEW_TRAINED_ROWS: usize = 50;

/// Computes the metrics of a trial. `previous_data` are reused if this trial has the same data.
fn evaluate(
    trial: &SavedTrial,
    eval_rows: &EvalRows,
    unknown: Unknown,
    device: Device,
    previous_data: &mut Option<TrialData>,
    warnings: &mut BTreeSet<String>,
) -> anyhow::Result<Evaluation> {
    let history = &trial.history;
    let precision = Precision::recorded(history.environment.precision.as_deref()); // as in training
    ComputeMode { precision, deterministic: false }.apply();
    let saved = TrainedModel::load(trial, device)?;
    let keep = saved.keep().unwrap_or(Keep::Last);
    let cache = Cache::for_user();
    let data = Progress::during(|p| TrialData::load(&saved.plan, trial, previous_data.take(), &cache, p))?;
    let data = previous_data.insert(data);
    let mut warn = |warning: String| {
        if warnings.insert(warning.clone()) {
            terminal::warn(&warning); // once for all trials
        }
    };
    data.difference(history).into_iter().for_each(&mut warn);
    let file_rows;
    let (rows, stated) = match eval_rows {
        EvalRows::Part { part, .. } => (rows_of(data, *part)?, HistoryMetrics::from_history(history, keep, *part)),
        EvalRows::File(file) => {
            let (rows, left_out) = external_rows::rows(&saved.plan, &data.fitted, file, unknown)?;
            if left_out > 0 {
                let (count, all) =
                    (number_format::count(left_out), number_format::counted(rows.len() + left_out, "row"));
                let why = external_rows::why_left_out(&data.fitted)?;
                warn(format!("skipped {count} of {all} of `{file}`{why}"));
            }
            let trained = data.rows(Part::Training).map_or(0, |training| rows.count_in(training));
            if trained * FEW_TRAINED_ROWS > rows.len() {
                let (trained, all) = (number_format::count(trained), number_format::counted(rows.len(), "row"));
                warn(format!(
                    "{trained} of {all} of `{file}` are training rows of the run: the metrics are better than on new rows"
                ));
            }
            file_rows = rows;
            (&file_rows, None)
        }
    };
    // a history has the metrics of training and validation rows at the default threshold
    let use_threshold = !matches!(eval_rows, EvalRows::Part { part: Part::Training | Part::Validation, .. });
    let record = saved.test(data, rows, use_threshold);
    let magnitude = magnitude(rows, data.source.loaded.target);
    let expected: Vec<String> = match eval_rows.part() {
        Some(Part::Test) => {
            // histories of earlier versions have no report, and only the test metrics named in the experiment
            let has_report = history.test.as_ref().is_some_and(|test| test.report.is_some());
            let named = saved.plan.metric_names();
            record.metrics.keys().filter(|name| has_report || named.contains(name)).cloned().collect()
        }
        Some(Part::Validation) => {
            saved.plan.metric_names().iter().filter_map(|name| Some(name.strip_prefix("val_")?.to_owned())).collect()
        }
        Some(Part::Training) | None => Vec::new(),
    };
    let agreement = stated.as_ref().map(|stated| Agreement::new(&record, stated, &expected, magnitude));
    let model = match saved.plan.network() {
        Some(network) => format!("{} parameters", number_format::count(network.architecture.parameters())),
        None => {
            let leaves = history.tree.as_ref().map_or(0, |tree| tree.leaves);
            format!("a tree of {} leaves", number_format::count(leaves))
        }
    };
    Ok(Evaluation { data: data.name(), rows: rows.len(), model, device, keep, record, stated, agreement })
}

/// Returns the rows of a part.
///
/// # Errors
/// If the run has no such rows.
pub(crate) fn rows_of(data: &TrialData, part: Part) -> anyhow::Result<&Rows> {
    data.rows(part).ok_or_else(|| {
        let available = Part::ALL.iter().filter(|part| data.rows(**part).is_some()).map(|part| part.word());
        let hint = format!("choose other rows: {}", suggest::either(&available.collect::<Vec<_>>()));
        hinted(format!("the run has no {} rows", part.name()), hint)
    })
}

/// Returns the typical size of the targets, which scales the rounding errors of the metrics.
fn magnitude(rows: &Rows, target: Target) -> f64 {
    match target {
        Target::Classes(_) | Target::Labels(_) => 1.0,
        Target::Values(_) => rows.targets.abs().mean(Kind::Double).double_value(&[]).max(1.0),
    }
}
