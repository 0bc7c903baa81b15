//! `runner predict RUN`

mod data;
mod text;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{ArgGroup, ValueEnum};
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

use crate::cli::args::lookup::find_run;
use crate::cli::commands::eval;
use crate::cli::commands::predict::text::Shown;
use crate::cli::exit::Exit;
use crate::cli::text::page::Page;
use crate::cli::text::progress_bar::Progress;
use crate::cli::text::{image, number_format, terminal};
use crate::config::hint::{Hint, in_a_line};
use crate::data::image_file::{Invert, Picture};
use crate::data::prepare::fitted_data::FittedData;
use crate::data::store::cache::Cache;
use crate::data::table::external_table::Truth;
use crate::data::table::form::{Form, ImageSize};
use crate::data::{Rows, Target};
use crate::experiment::predict::external_rows::{self, GivenTable};
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

/// Whether a picture's dark and light are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WrittenInvert {
    Auto,
    Yes,
    No,
}

/// Rows as the network takes them, and what is to be told of them.
struct Input {
    /// `[rows, …sample]` f32.
    features: Tensor,
    targets: Option<Tensor>,
    /// What each row is called.
    numbers: Vec<usize>,
    /// Where they come from, for people.
    heading: String,
    /// The same for programs.
    origin: Value,
    /// What a lone row looks like.
    look: Option<String>,
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

fn of_index(data: &TrialData, part: Part, index: usize) -> anyhow::Result<Input> {
    let (name, count) = (part.name(), eval::rows_of(data, part, "--rows")?.len());
    let last = count.saturating_sub(1);
    let (raw, Rows { features, targets, .. }) = data.row(part, index).ok_or_else(|| {
        let message = format!("there is no {name} row {index}: the run has {}", eval::count(count));
        anyhow!(message).context(Hint(format!("they are counted from 0: the last one is `--index {last}`")))
    })?;
    Ok(Input {
        features,
        targets: Some(targets),
        numbers: vec![index],
        heading: format!(
            "{}: {name} row {} (of 0 to {})",
            data.name(),
            number_format::count(index),
            number_format::count(last)
        ),
        origin: json!({ "data": data.name(), "rows": name, "index": index }),
        look: look(&data.fitted, &raw.features),
    })
}

fn of_table(data: &FittedData, path: &std::path::Path) -> anyhow::Result<Input> {
    let GivenTable { table, features, targets, rows } = external_rows::table(data, path, Truth::WhereThere)?;
    let left_out = table.rows() - rows.len();
    if left_out > 0 {
        let count = eval::count(left_out);
        terminal::warn(&format!("{count} of `{}` left out, as in training: values are missing", path.display()));
    }
    Ok(Input {
        features,
        targets,
        heading: format!("`{}`: {}", path.display(), eval::count(rows.len())),
        numbers: rows.iter().map(|row| row + 1).collect(),
        origin: json!({ "csv": path }),
        look: None,
    })
}

fn of_picture(
    saved: &Saved,
    data: &FittedData,
    path: &std::path::Path,
    invert: Option<WrittenInvert>,
) -> anyhow::Result<Input> {
    let invert = match invert {
        None | Some(WrittenInvert::Auto) => Invert::Auto,
        Some(WrittenInvert::Yes) => Invert::Yes,
        Some(WrittenInvert::No) => Invert::No,
    };
    let (picture, raw, features) = external_rows::picture(&saved.plan, data, path, invert)?;
    let heading = format!("`{}`: {}", path.display(), what_was_done(data, &picture, invert));
    Ok(Input {
        features,
        targets: None,
        numbers: vec![0],
        heading,
        origin: json!({ "image": path, "width": picture.from.0, "height": picture.from.1,
            "padded": picture.is_padded, "inverted": picture.is_inverted }),
        look: look(data, &raw),
    })
}

/// What a picture was made into, in a line.
fn what_was_done(data: &FittedData, picture: &Picture, invert: Invert) -> String {
    let Form::Image(size) = data.form else { unreachable!("a picture was read for images") };
    let ImageSize { height, width } = size;
    let (from_width, from_height) = picture.from;
    let fitted = match (picture.from == (width as u32, height as u32), picture.is_padded) {
        (true, _) => format!("{width}×{height} pixels"),
        (false, false) => format!("resized from {from_width}×{from_height} to {width}×{height}"),
        (false, true) => format!("resized from {from_width}×{from_height} to {width}×{height}, with room at two sides"),
    };
    let [own, other] = match data.is_light_on_dark() {
        true => ["light on dark", "dark on light"],
        false => ["dark on light", "light on dark"],
    };
    let turned = match (picture.is_inverted, invert) {
        (true, Invert::Auto) => format!(", inverted ({other}, and `{}` is {own})", data.name),
        (true, _) => ", inverted".to_owned(),
        (false, _) => String::new(),
    };
    format!("{fitted}{turned}")
}

/// What a row looks like: an image drawn, or the columns of a table; `raw` is `[1, …]` as the source gives it.
fn look(data: &FittedData, raw: &Tensor) -> Option<String> {
    let values = Vec::<f64>::try_from(raw.to_kind(Kind::Double).flatten(0, -1)).expect("just made f64");
    match &data.form {
        Form::Image(size) => {
            let pixels: Vec<f64> = values.iter().map(|value| value / data.largest).collect();
            Some(image::drawn(&pixels, *size, terminal::greys(), terminal::width().min(80)))
        }
        Form::Table(form) => {
            let column = |(planned, value): (&crate::data::table::encode::Planned, &f64)| {
                let text = match planned.categories() {
                    _ if value.is_nan() => "missing".to_owned(),
                    [] => value.to_string(),
                    categories => categories[*value as usize].clone(),
                };
                format!("{} {text}", planned.name)
            };
            let columns: Vec<String> = form.encoding.columns.iter().zip(&values).map(column).collect();
            Some(wrapped(&columns.join(", ")))
        }
        Form::Points => Some(values.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")),
    }
}
