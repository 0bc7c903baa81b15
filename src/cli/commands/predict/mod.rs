//! `runner predict RUN`

mod data;
mod input;
mod text;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{ArgGroup, ValueEnum};
use serde_json::json;
use tch::Device;

use crate::cli::args::lookup::find_run;
use crate::cli::commands::predict::input::{WrittenInvert, of_index, of_picture, of_table};
use crate::cli::commands::predict::text::Shown;
use crate::cli::exit::Exit;
use crate::cli::text::page::Page;
use crate::cli::text::progress_bar::Progress;
use crate::cli::text::{number_format, terminal};
use crate::config::hint::{Hint, in_a_line};
use crate::data::Target;
use crate::data::store::cache::Cache;
use crate::experiment::predict::prediction::Predictions;
use crate::experiment::store::find::{Damaged, SavedRun, SavedTrial};
use crate::experiment::store::load_model::Saved;
use crate::experiment::store::trial_data::{Part, TrialData};
use crate::history::Status;

/// Arguments of `runner predict`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("input").required(true).args(["index", "csv", "image"]))]
pub struct Args {
    /// Run directory, a history or weight file of it, or an experiment (its newest finished run)
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
    /// Rows that `--index` counts in: test, validation or train [default: test]
    #[arg(long, value_name = "PART", conflicts_with_all = ["csv", "image"])]
    rows: Option<Part>,
    /// Invert the image [default: if its background differs from that of the data]
    #[arg(long, value_enum, conflicts_with_all = ["csv", "index"])]
    invert: Option<WrittenInvert>,
    /// Trial, such as `base-seed0` [default: the first that did not diverge]
    #[arg(long, value_name = "NAME")]
    trial: Option<String>,
    /// Show only the K most probable classes
    #[arg(long, value_name = "K", value_parser = parse_top, allow_negative_numbers = true)]
    top: Option<usize>,
    /// Directory of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// What is printed
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

fn parse_top(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(top @ 1..) => Ok(top),
        _ => Err("expected a whole number, at least 1".to_owned()),
    }
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text
    Text,
    /// CSV: one line per row, with the probability of each class
    Csv,
    /// JSON
    Json,
}

/// Predicts.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let format = if args.json { Format::Json } else { args.format };
    if let (Format::Csv, Some(_)) = (format, args.top) {
        let hint = "leave `--top` out, or print JSON";
        return Err(
            anyhow!("`--top` cannot be had as CSV, which has a column for every class").context(Hint(hint.to_owned()))
        );
    }
    let run = find_run(&args.run, &args.out)?;
    let trial = match &args.trial {
        Some(stem) => chosen(&run, stem)?,
        None => first(&run),
    };
    let saved = Saved::load(trial, Device::Cpu)?;
    // new rows need nothing but what the run has stored
    let own = if args.index.is_some() || saved.data.is_none() { Some(own_rows(&saved, trial)?) } else { None };
    let data = own.as_ref().map(|own| &own.fitted).or(saved.data.as_ref()).expect("it is one or the other");
    let input = match (args.index.zip(own.as_ref()), &args.csv, &args.image) {
        (Some((index, own)), ..) => of_index(own, args.rows.unwrap_or(Part::Test), index)?,
        (_, Some(csv), _) => of_table(data, csv)?,
        (.., Some(image)) => of_picture(&saved, data, image, args.invert)?,
        (None, None, None) => unreachable!("clap requires one of them"),
    };
    let predictions = Predictions::of(&saved, &input.features, input.targets.as_ref());
    let shown = Shown {
        predictions: &predictions,
        target: data.card.target,
        names: &data.classes,
        numbers: &input.numbers,
        top: args.top,
        has_truth: input.targets.is_some(),
    };
    match format {
        Format::Csv => terminal::out(&data::csv(&shown)),
        Format::Json => {
            let mut object =
                json!({ "run": run.folder, "trial": trial.stem(), "experiment": trial.history.experiment });
            object["input"] = input.origin;
            object["classes"] = json!(data.classes);
            object["predictions"] = data::json(&shown);
            terminal::json(&object);
        }
        Format::Text => {
            let mut parts = vec![format!("{}\n{}", named(&run, trial, args.trial.is_some()), wrapped(&input.heading))];
            parts.extend(input.look);
            parts.push(if args.csv.is_some() { text::table(&shown) } else { text::one(&shown) });
            if !predictions.are_probabilities {
                parts.extend(scores_note(&saved));
            }
            parts.extend(threshold_note(&saved, predictions.are_probabilities));
            terminal::out(&parts.join("\n\n"));
        }
    }
    Ok(Exit::Done)
}

/// The rows that the trial was trained and tested on.
fn own_rows(saved: &Saved, trial: &SavedTrial) -> anyhow::Result<TrialData> {
    let mut progress = Progress::new(false);
    let data = TrialData::load(&saved.plan, trial, None, &Cache::of_user(), &mut progress);
    progress.end();
    let data = data?;
    data.difference(&trial.history).iter().for_each(|difference| terminal::warn(difference));
    Ok(data)
}

/// The trial that was asked for.
pub(crate) fn chosen<'a>(run: &'a SavedRun, stem: &str) -> anyhow::Result<&'a SavedTrial> {
    let trial = run.trial(stem)?;
    match run.trials.iter().find(|trial| trial.history.status != Status::Diverged) {
        Some(sound) if trial.history.status == Status::Diverged => {
            let hint = format!("another did not: `--trial {}`", sound.stem());
            Err(anyhow!("trial `{}` diverged: its weights predict nothing", trial.stem()).context(Hint(hint)))
        }
        _ => Ok(trial),
    }
}

/// The first trial whose weights predict anything; where none do, the first.
pub(crate) fn first(run: &SavedRun) -> &SavedTrial {
    for Damaged { error, .. } in &run.damaged {
        terminal::warn(&format!("a trial was passed over: {}", in_a_line(error)));
    }
    run.trials.iter().find(|trial| trial.history.status != Status::Diverged).unwrap_or(&run.trials[0])
}

/// Which trial it is; where none was chosen, that it is one of several.
fn named(run: &SavedRun, trial: &SavedTrial, is_chosen: bool) -> String {
    let others = match run.trials.len() {
        count @ 2.. if !is_chosen => {
            let passed_over = if trial.stem() == run.trials[0].stem() { "" } else { " that did not diverge," };
            let others = format!("the first{passed_over} of {count} trials: `--trial NAME` takes another");
            format!("\n{}", wrapped(&others))
        }
        _ => String::new(),
    };
    format!("{}, trial {}{others}", terminal::bold(&trial.history.experiment), trial.stem())
}

/// Breaks a sentence into lines that fit the terminal.
fn wrapped(sentence: &str) -> String {
    Page::of_output().wrapped(sentence, 0)
}

/// Why no probabilities are shown, where classes or labels are predicted.
fn scores_note(saved: &Saved) -> Option<String> {
    let network = saved.plan.network()?;
    match saved.plan.card.target {
        Target::Values(_) => None,
        Target::Classes(_) | Target::Labels(_) => Some(wrapped(&format!(
            "scores are the network's outputs, and no probabilities: it ends in `{}`, and was trained with `{}`",
            network.last().kind(),
            network.train.loss.name()
        ))),
    }
}

/// From where on the positive class is predicted, where a threshold was chosen.
fn threshold_note(saved: &Saved, are_probabilities: bool) -> Option<String> {
    let what = if are_probabilities { "probability" } else { "score" };
    let threshold = number_format::metric(Some(saved.threshold()?));
    let positive = saved.plan.card.classes.get(saved.positive())?;
    let text = format!("positive class `{positive}`: predicted from a {what} of {threshold} on, the test's threshold");
    Some(wrapped(&text))
}
