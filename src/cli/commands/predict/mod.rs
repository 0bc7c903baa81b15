//! `runner predict RUN`

mod formats;
mod input;
mod text;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{ArgGroup, ValueEnum};
use serde_json::json;
use tch::Device;

use crate::cli::args::lookup::find_run;
use crate::cli::args::run_args::parse_positive;
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::commands::predict::input::{InvertArg, input_from_image, input_from_row, input_from_table};
use crate::cli::commands::predict::text::PredictionView;
use crate::cli::exit::Exit;
use crate::cli::text::progress_bar::Progress;
use crate::cli::text::text_style::TextStyle;
use crate::cli::text::{number_format, terminal};
use crate::config::hint::{Hint, in_a_line};
use crate::data::Target;
use crate::data::store::cache::Cache;
use crate::experiment::predict::prediction::Predictions;
use crate::experiment::store::find::{Damaged, SavedRun, SavedTrial};
use crate::experiment::store::load_model::TrainedModel;
use crate::experiment::store::trial_data::{Part, TrialData};
use crate::history::Status;

/// Arguments of `runner predict`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("input").required(true).args(["index", "csv", "image"]))]
pub struct Args {
    /// Id, name or directory of a run, a history or weight file of it, an experiment (its newest finished run), or
    /// RUN/VARIANT
    run: String,
    /// Index of a row, counted from 0
    #[arg(long, value_name = "N", value_parser = parse_index, allow_negative_numbers = true)]
    index: Option<usize>,
    /// CSV file with the same columns in any order; the target column is optional
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// PNG or JPEG image; it is converted to grayscale and resized
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// Part of the data that `--index` refers to: test, validation or train [default: test]
    #[arg(long, value_name = "PART", conflicts_with_all = ["csv", "image"])]
    rows: Option<Part>,
    /// Invert the image [default: if its background differs from that of the data]
    #[arg(long, value_enum, conflicts_with_all = ["csv", "index"])]
    invert: Option<InvertArg>,
    /// Trial, such as `base-seed0` [default: the first that did not diverge]
    #[arg(long, value_name = "NAME")]
    trial: Option<String>,
    /// Show only the K most probable classes
    #[arg(long, value_name = "K", value_parser = parse_positive, allow_negative_numbers = true)]
    top: Option<usize>,
    #[command(flatten)]
    out: RunsDir,
    /// Output format
    #[arg(long, value_enum, default_value = "text", conflicts_with = "json")]
    format: Format,
    /// Same as `--format json`
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  runner predict overfit_mnist --index 4523
  runner predict overfit_mnist --image my_digit.png --top 3
  runner predict encoding_penguins --csv new.csv --format csv > predicted.csv
  runner predict mnist_dropout --trial dropout-seed0 --index 7 --rows validation --json

Rows of `--csv` are counted from 1, after the header.";

fn parse_index(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected a whole number, at least 0".to_owned())
}

/// Output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text
    Text,
    /// CSV: one line per row, with the probability of each class
    Csv,
    /// JSON
    Json,
}

/// Prints predictions of a trained model.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let format = if args.json { Format::Json } else { args.format };
    if let (Format::Csv, Some(_)) = (format, args.top) {
        let hint = "leave `--top` out, or print JSON";
        return Err(
            anyhow!("`--top` does not apply to CSV, which has a column for every class").context(Hint(hint.to_owned()))
        );
    }
    let run = find_run(&args.run, &args.out)?;
    let trial = match &args.trial {
        Some(stem) => trial_by_name(&run, stem)?,
        None => first_usable_trial(&run),
    };
    let saved = TrainedModel::load(trial, Device::Cpu)?;
    // for rows of a file, the preprocessing stored in the run is enough
    let trial_data =
        if args.index.is_some() || saved.data.is_none() { Some(load_trial_data(&saved, trial)?) } else { None };
    let data = trial_data
        .as_ref()
        .map(|trial_data| &trial_data.fitted)
        .or(saved.data.as_ref())
        .expect("the data are loaded if the run has no preprocessing file");
    let input = match (args.index.zip(trial_data.as_ref()), &args.csv, &args.image) {
        (Some((index, trial_data)), ..) => input_from_row(trial_data, args.rows.unwrap_or(Part::Test), index)?,
        (_, Some(csv), _) => input_from_table(data, csv)?,
        (.., Some(image)) => input_from_image(&saved, data, image, args.invert)?,
        (None, None, None) => unreachable!("clap requires one of them"),
    };
    let predictions = Predictions::new(&saved, &input.features, input.targets.as_ref());
    let view = PredictionView {
        predictions: &predictions,
        target: data.info.target,
        names: &data.classes,
        numbers: &input.numbers,
        top: args.top,
        has_truth: input.targets.is_some(),
    };
    match format {
        Format::Csv => terminal::out(&formats::to_csv(&view)),
        Format::Json => {
            let mut object =
                json!({ "run": run.folder, "trial": trial.stem(), "experiment": trial.history.experiment });
            object["input"] = input.origin;
            object["classes"] = json!(data.classes);
            object["predictions"] = formats::to_json(&view);
            terminal::json(&object);
        }
        Format::Text => {
            let mut parts =
                vec![format!("{}\n{}", heading(&run, trial, args.trial.is_some()), wrapped(&input.heading))];
            parts.extend(input.preview);
            parts.push(if args.csv.is_some() { text::table(&view) } else { text::single_row(&view) });
            if !predictions.are_probabilities {
                parts.extend(scores_note(&saved));
            }
            parts.extend(threshold_note(&saved, predictions.are_probabilities));
            terminal::out(&parts.join("\n\n"));
        }
    }
    Ok(Exit::Done)
}

/// Loads the data of a trial. Warns if they have changed since training.
pub(crate) fn load_trial_data(saved: &TrainedModel, trial: &SavedTrial) -> anyhow::Result<TrialData> {
    let mut progress = Progress::new(false);
    let data = TrialData::load(&saved.plan, trial, None, &Cache::for_user(), &mut progress);
    progress.end();
    let data = data?;
    data.difference(&trial.history).iter().for_each(|difference| terminal::warn(difference));
    Ok(data)
}

/// Returns the trial with this name.
///
/// # Errors
/// If there is none, or if it diverged and another trial did not.
pub(crate) fn trial_by_name<'a>(run: &'a SavedRun, stem: &str) -> anyhow::Result<&'a SavedTrial> {
    let trial = run.trial(stem)?;
    match run.trials.iter().find(|trial| trial.history.status != Status::Diverged) {
        Some(usable) if trial.history.status == Status::Diverged => {
            let hint = format!("choose one that did not diverge: `--trial {}`", usable.stem());
            Err(anyhow!("trial `{}` diverged: its weights are unusable", trial.stem()).context(Hint(hint)))
        }
        _ => Ok(trial),
    }
}

/// Returns the first trial that did not diverge; if all did, the first trial.
pub(crate) fn first_usable_trial(run: &SavedRun) -> &SavedTrial {
    for Damaged { error, .. } in &run.damaged {
        terminal::warn(&format!("skipped a trial: {}", in_a_line(error)));
    }
    run.trials.iter().find(|trial| trial.history.status != Status::Diverged).unwrap_or(&run.trials[0])
}

/// Returns the name of the trial. If it was not named with `--trial`, also says which one of several it is.
fn heading(run: &SavedRun, trial: &SavedTrial, is_named: bool) -> String {
    let others = match run.trials.len() {
        count @ 2.. if !is_named => {
            let which = match trial.stem() == run.trials[0].stem() {
                true => format!("the first of {count} trials"),
                false => format!("the first trial that did not diverge, of {count}"),
            };
            format!("\n{}", wrapped(&format!("{which}; choose another with `--trial NAME`")))
        }
        _ => String::new(),
    };
    format!("{}, trial {}{others}", terminal::bold(&trial.history.experiment), trial.stem())
}

/// Wraps a sentence to the width of the terminal.
fn wrapped(sentence: &str) -> String {
    TextStyle::of_output().wrapped(sentence, 0)
}

/// Returns why scores and no probabilities are shown; `None` for values.
fn scores_note(saved: &TrainedModel) -> Option<String> {
    let network = saved.plan.network()?;
    match saved.plan.info.target {
        Target::Values(_) => None,
        Target::Classes(_) | Target::Labels(_) => Some(wrapped(&format!(
            "scores are the outputs of the network, not probabilities: its last layer is `{}` and its loss is `{}`",
            network.last().kind(),
            network.train.loss.name()
        ))),
    }
}

/// Returns the threshold from which on the positive class is predicted, if one was chosen.
fn threshold_note(saved: &TrainedModel, are_probabilities: bool) -> Option<String> {
    let output = if are_probabilities { "probability" } else { "score" };
    let threshold = number_format::metric(Some(saved.threshold()?));
    let positive = saved.plan.info.classes.get(saved.positive())?;
    let text = format!(
        "positive class `{positive}`: predicted if its {output} is at least {threshold}, the threshold chosen for the test"
    );
    Some(wrapped(&text))
}
