//! `runner eval RUN`

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use serde_json::{Map, Value, json};
use tch::{Device, Kind};

use crate::cli::progress::Progress;
use crate::cli::{Exit, evaluated, figures, resolved, terminal};
use crate::data::cache::Cache;
use crate::data::{Rows, Target};
use crate::device::DeviceChoice;
use crate::experiment::agreement::{Agreement, Stated};
use crate::experiment::given;
use crate::experiment::runs::{SavedRun, SavedTrial};
use crate::experiment::saved::{Part, Saved, TrialData};
use crate::hint::Hint;
use crate::history::number::Number;
use crate::history::{Status, TestRecord};
use crate::train::Keep;

/// Arguments of `runner eval`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The run: its folder, a history or weights of it, or an experiment, whose newest run it is
    run: String,
    /// The rows: `test`, `validation`, `train`, or a file of your own with the same columns (for images,
    /// `IMAGES,LABELS` in the IDX format)
    #[arg(long, value_name = "ROWS|FILE", default_value = "test")]
    data: String,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
    /// The folder that runs are in
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner eval overfit_mnist
  runner eval runs/overfit_mnist/latest/base-seed0.safetensors
  runner eval kfold_digits --data validation
  runner eval my_run --data more_rows.csv --json";

/// The rows that figures are taken on.
pub(super) enum Chosen {
    /// A part of the trial's own.
    Part(Part),
    /// Those of a file.
    File(String),
}

impl Chosen {
    fn read(written: &str) -> anyhow::Result<Chosen> {
        if let Ok(part) = written.parse() {
            return Ok(Chosen::Part(part));
        }
        let is_path = written.contains(['.', ',', std::path::MAIN_SEPARATOR]) || PathBuf::from(written).exists();
        if is_path {
            return Ok(Chosen::File(written.to_owned()));
        }
        let hint = "`test`, `validation`, `train`, or the path of a file";
        Err(anyhow!("there are no rows `{written}`: no part of the data and no file has this name")
            .context(Hint(format!("`--data` takes {hint}"))))
    }

    /// What the rows are called: `test rows`.
    pub(super) fn name(&self) -> String {
        match self {
            Chosen::Part(part) => format!("{} rows", part.name()),
            Chosen::File(file) => format!("rows of `{file}`"),
        }
    }
}

/// What has come of one trial.
pub(super) struct Evaluated<'a> {
    pub(super) trial: &'a SavedTrial,
    /// `None` of a trial that has diverged.
    pub(super) found: Option<Found>,
}

/// The figures of one trial.
pub(super) struct Found {
    /// How many rows they are taken on.
    pub(super) rows: usize,
    /// How many parameters the network has.
    pub(super) parameters: usize,
    /// Where they are taken.
    pub(super) device: Device,
    /// Which weights were kept.
    pub(super) keep: Keep,
    /// The figures.
    pub(super) record: TestRecord,
    /// Those of the history, where it states any.
    pub(super) stated: Option<Stated>,
    /// How far both agree.
    pub(super) agreement: Option<Agreement>,
}

/// Takes the figures of each trial anew.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let chosen = Chosen::read(&args.data)?;
    let run = SavedRun::find(&args.run, &args.out)?;
    let device = resolved(args.device)?;
    let (mut data, mut warnings) = (None, BTreeSet::new());
    let mut trials = Vec::with_capacity(run.trials.len());
    for trial in &run.trials {
        // among others, a diverged trial is a result; alone, there is nothing to evaluate
        let is_left_out = trial.history.status == Status::Diverged && run.trials.len() > 1;
        let found = match is_left_out {
            true => None,
            false => Some(evaluate(trial, &chosen, device, &mut data, &mut warnings)?),
        };
        trials.push(Evaluated { trial, found });
    }
    if trials.iter().all(|trial| trial.found.is_none()) {
        bail!(
            anyhow!("all {} trials diverged: their weights predict nothing", trials.len())
                .context(Hint("a smaller learning rate often helps".to_owned()))
        );
    }
    if args.json {
        terminal::json(&as_json(&run, &chosen, &trials));
    } else {
        terminal::out(&evaluated::text(&chosen, &trials, data.as_ref().map(TrialData::name).unwrap_or_default()));
    }
    Ok(Exit::Done)
}

fn evaluate(
    trial: &SavedTrial,
    chosen: &Chosen,
    device: Device,
    kept: &mut Option<TrialData>,
    warnings: &mut BTreeSet<String>,
) -> anyhow::Result<Found> {
    let saved = Saved::load(trial, device)?;
    let (history, keep) = (&trial.history, saved.plan.spec.train.keep);
    let mut progress = Progress::new(false, Arc::default());
    let data = TrialData::load(&saved.plan, history, kept.take(), &Cache::of_user(), &mut progress);
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
        Chosen::Part(part) => (rows_of(data, *part, "--data")?, Stated::of(history, keep, *part)),
        Chosen::File(file) => {
            let (rows, left_out) = given::rows(&saved.plan, data, file)?;
            if left_out > 0 {
                warn(format!("{} of `{file}` left out, as in training: values are missing", count(left_out)));
            }
            of_file = rows;
            (&of_file, None)
        }
    };
    let record = saved.test(data, rows);
    let magnitude = magnitude(rows, data.loaded.target);
    let agreement = stated.as_ref().map(|stated| Agreement::of(&record, stated, magnitude));
    let parameters = saved.plan.architecture.parameters();
    Ok(Found { rows: rows.len(), parameters, device, keep, record, stated, agreement })
}

/// The rows of a part; `flag` is what another part is named with.
pub(super) fn rows_of<'a>(data: &'a TrialData, part: Part, flag: &str) -> anyhow::Result<&'a Rows> {
    data.rows(part).ok_or_else(|| {
        let there = Part::ALL.iter().filter(|part| data.rows(**part).is_some());
        let there: Vec<String> = there.map(|part| format!("`{flag} {}`", part.word())).collect();
        anyhow!("the run has no {} rows", part.name()).context(Hint(format!("there are others: {}", there.join(", "))))
    })
}

/// So many rows.
pub(super) fn count(rows: usize) -> String {
    format!("{} {}", figures::count(rows), if rows == 1 { "row" } else { "rows" })
}

/// How large outputs are: what figures that add them up are rounded by.
fn magnitude(rows: &Rows, target: Target) -> f64 {
    match target {
        Target::Classes(_) | Target::Labels(_) => 1.0,
        Target::Values(_) => rows.targets.abs().mean(Kind::Double).double_value(&[]).max(1.0),
    }
}

fn as_json(run: &SavedRun, chosen: &Chosen, evaluated: &[Evaluated]) -> Value {
    let numbers = |figures: &mut dyn Iterator<Item = (&String, &Number)>| -> Value {
        figures.map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>().into()
    };
    let trial = |Evaluated { trial, found }: &Evaluated| {
        let history = &trial.history;
        let mut object = json!({ "trial": trial.stem(), "experiment": history.experiment, "variant": history.variant,
            "seed": history.seed, "fold": history.fold, "status": history.status });
        if let Some(found) = found {
            object["rows"] = json!(found.rows);
            object["figures"] = numbers(&mut found.record.metrics.iter());
            object["confusion"] = json!(found.record.confusion);
            object["history"] = found.stated.as_ref().map_or(Value::Null, |s| numbers(&mut s.metrics.iter()));
            object["same"] = json!(found.agreement.as_ref().map(Agreement::is_same));
            object["largest_difference"] = json!(found.agreement.as_ref().map(|a| Number(a.largest())));
        }
        object
    };
    let data = match chosen {
        Chosen::Part(part) => part.name(),
        Chosen::File(file) => file,
    };
    json!({ "run": run.folder, "data": data, "trials": evaluated.iter().map(trial).collect::<Vec<_>>() })
}
