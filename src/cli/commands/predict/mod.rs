//! `runner predict RUN`

mod formats;
mod input;
mod kept_columns;
mod models;
mod text;

use std::path::{Path, PathBuf};

use clap::{ArgGroup, ValueEnum};
use serde_json::json;

use crate::cli::args::lookup::find_run;
use crate::cli::args::run_args::parse_positive;
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::commands::eval::evaluation::EvalRows;
use crate::cli::commands::predict::input::{
    Input, input_from_arrays, input_from_directory, input_from_image, input_from_part, input_from_table,
    input_from_text,
};
use crate::cli::commands::predict::models::{Chosen, LoadedModel};
pub(crate) use crate::cli::commands::predict::models::{first_usable_trial, load_trial_data, trial_by_name};
use crate::cli::commands::predict::text::PredictionView;
use crate::cli::exit::Exit;
use crate::cli::text::text_style::wrapped;
use crate::cli::text::{number_format, terminal};
use crate::config::hint::hinted;
use crate::data::Target;
use crate::data::image_file::Invert;
use crate::data::images::listing::is_image;
use crate::data::table::external_table::Unknown;
use crate::experiment::predict::array_rows::{ArrayRows, are_array_files};
use crate::experiment::predict::external_rows;
use crate::experiment::predict::input_kind::STDIN;
use crate::experiment::predict::prediction::Predictions;
use crate::experiment::store::find::SavedRun;
use crate::experiment::store::load_model::TrainedModel;
use crate::experiment::store::trial_data::Part;
use crate::io::{atomic_write, separator};

/// Arguments of `runner predict`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = EXAMPLES,
    override_usage = USAGE,
    group = ArgGroup::new("input").args(["index", "csv", "image", "text"])
)]
pub struct Args {
    /// Id, name or directory of a run, a history or weight file of it, an experiment (its newest finished run), or
    /// RUN/VARIANT
    run: String,
    /// Rows to predict: `test`, `validation`, `train`, or your own file: a table (`--csv`), arrays (`.npz`, `.npy`), an image
    /// or a directory of images (`--image`) [default: test, or validation if there are no test rows]
    #[arg(value_name = "ROWS|FILE", conflicts_with_all = ["csv", "image", "text", "rows"])]
    data: Option<String>,
    /// Only the row with this index, counted from 0
    #[arg(long, value_name = "N", value_parser = parse_index, allow_negative_numbers = true)]
    index: Option<usize>,
    /// CSV file (for texts, also `.jsonl`) with the same columns in any order; the target column is optional; `-` reads
    /// stdin
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    csv: Option<PathBuf>,
    /// Field separator of the table, such as `;` or `tab` [default: that of the run's table]
    #[arg(long, value_name = "CHAR", value_parser = separator::parse, allow_hyphen_values = true)]
    separator: Option<char>,
    /// What to do with categories that the training data does not have: `error` stops, `missing` treats them as missing
    /// values, `ignore` sets all one-hot features of the column to 0. Texts without a known token are predicted with
    /// `ignore` only
    #[arg(long, value_enum, value_name = "POLICY", default_value = "error")]
    unknown: Unknown,
    /// Copy these columns of the table to the output, such as an id; separated by commas, repeatable
    #[arg(long, value_name = "COLUMNS")]
    keep: Vec<String>,
    /// Text, for a run on texts
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    text: Option<String>,
    /// PNG or JPEG image, or a directory of them; images are converted and resized as the network needs them
    #[arg(long, value_name = "PATH")]
    image: Option<PathBuf>,
    /// Former form of the argument ROWS.
    #[arg(long, value_name = "PART", hide = true, conflicts_with_all = ["csv", "image", "text"])]
    rows: Option<Part>,
    /// Whether to invert the image; `auto` inverts it if its background differs from that of the data [default: auto]
    #[arg(long, value_enum)]
    invert: Option<Invert>,
    /// Trial, such as `base-seed0` [default: the best by its monitored metric, such as val_loss]
    #[arg(long, value_name = "NAME")]
    trial: Option<String>,
    /// Average the predictions of all trials (seeds, folds) of the best trial's variant
    #[arg(long, conflicts_with = "trial")]
    ensemble: bool,
    /// Show only the K most probable classes
    #[arg(long, value_name = "K", value_parser = parse_positive, allow_negative_numbers = true)]
    top: Option<usize>,
    #[command(flatten)]
    out: RunsDir,
    /// Output format [default: by the name of `--output`, else text]
    #[arg(long, value_enum, conflicts_with = "json")]
    format: Option<Format>,
    /// Write to FILE instead of stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Same as `--format json`
    #[arg(long)]
    json: bool,
}

/// Usage, in lines that fit a terminal.
const USAGE: &str = "\
runner predict [OPTIONS] <RUN> [ROWS|FILE]
       runner predict [OPTIONS] <RUN> [ROWS] --index <N>
       runner predict [OPTIONS] <RUN> --text <TEXT>";

const EXAMPLES: &str = "\
Examples:
  runner predict overfit_mnist -o predicted.csv        all test rows
  runner predict overfit_mnist --index 4523
  runner predict overfit_mnist my_digit.png --top 3
  runner predict mnist_dropout new.npz -o predicted.csv
  runner predict encoding_penguins new.csv --keep id -o predicted.csv
  zcat new.csv.gz | runner predict encoding_penguins - --format csv
  runner predict mnist_dropout validation --index 7 --ensemble --json

Arrays of new rows are `x` in a `.npz` file, with the shape and type of the
run's data; `y` is optional. Rows of a CSV or text file of yours are counted
from 1, without the header, all others from 0. The text output shows at most
50 rows of the run's data or of arrays; `-o FILE` writes all rows.";

/// Maximum number of rows of the run's data, or of arrays, that are listed on stdout as text.
const MOST_LISTED: usize = 50;

/// What is predicted.
enum Wanted {
    /// A part of the run's data, or one row of it.
    Part(Part),
    /// The rows of a table.
    Table(PathBuf),
    /// The rows of arrays: a file, or `X,Y`.
    Arrays(String),
    /// An image or a directory of images.
    Image(PathBuf),
    Text(String),
}

impl Args {
    /// Returns what is to be predicted.
    ///
    /// # Errors
    /// If a name is neither a part of the data nor a file, or an option does not apply.
    fn wanted(&self, run: &SavedRun) -> anyhow::Result<Wanted> {
        let named = self.data.as_deref().or(self.rows.or(self.index.map(|_| Part::Test)).map(Part::word));
        let wanted = match (&self.csv, &self.image, &self.text, named) {
            (Some(file), ..) if are_array_files(&file.to_string_lossy()) => {
                Wanted::Arrays(file.to_string_lossy().into_owned())
            }
            (Some(file), ..) => Wanted::Table(file.clone()),
            (_, Some(path), ..) => Wanted::Image(path.clone()),
            (_, _, Some(text), _) => Wanted::Text(text.clone()),
            (.., Some(STDIN)) => Wanted::Table(PathBuf::from(STDIN)),
            (.., named) => match EvalRows::parse(named, run)? {
                EvalRows::Part { part, .. } => Wanted::Part(part),
                EvalRows::File(path) if is_image(&path) || Path::new(&path).is_dir() => Wanted::Image(path.into()),
                EvalRows::File(path) if are_array_files(&path) => Wanted::Arrays(path),
                EvalRows::File(path) => Wanted::Table(path.into()),
            },
        };
        let part = matches!(wanted, Wanted::Part(_));
        let (table, image) = (matches!(wanted, Wanted::Table(_)), matches!(wanted, Wanted::Image(_)));
        let misplaced = [
            ("--index", self.index.is_some() && !part, "a row of the run's data: `runner predict RUN --index 7`"),
            ("--keep", !self.keep.is_empty() && !table, "columns of a table: `runner predict RUN new.csv --keep id`"),
            ("--separator", self.separator.is_some() && !table, "a table: `runner predict RUN new.csv`"),
            ("--invert", self.invert.is_some() && !image, "an image: `runner predict RUN digit.png`"),
        ];
        match misplaced.into_iter().find(|(_, is_misplaced, _)| *is_misplaced) {
            Some((option, _, of)) => Err(hinted(format!("`{option}` is for {of}"), format!("leave `{option}` out"))),
            None => Ok(wanted),
        }
    }

    /// Returns the output format: as asked for, or by the name of the output file.
    ///
    /// # Errors
    /// If the name ends in the extension of another format.
    fn format(&self) -> anyhow::Result<Format> {
        let extension = |file: &Path| file.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        Ok(match (self.format, self.output.as_deref().and_then(extension).as_deref()) {
            _ if self.json => Format::Json,
            (Some(format), _) => format,
            (None, Some("csv")) => Format::Csv,
            (None, Some("json")) => Format::Json,
            (None, Some("txt") | None) => Format::Text,
            (None, Some(other)) => {
                let hint = "use a name that ends in `.csv`, `.json` or `.txt`, or add `--format`";
                return Err(hinted(format!("predictions cannot be written as `.{other}`"), hint));
            }
        })
    }
}

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
    let format = args.format()?;
    if let (Format::Csv, Some(_)) = (format, args.top) {
        let message = "`--top` does not apply to CSV, which has a column for every class";
        return Err(hinted(message, "leave `--top` out, or print JSON"));
    }
    let run = find_run(&args.run, &args.out)?;
    let chosen = match args.ensemble {
        true => Chosen::ensemble(&run)?,
        false => Chosen::one(&run, args.trial.as_deref())?,
    };
    let wanted = args.wanted(&run)?;
    if let Wanted::Part(part) = wanted {
        chosen.check_same_rows(part)?;
    }
    let invert = args.invert.unwrap_or_default();
    let (mut table, mut arrays) = (None, None);
    let mut first: Option<(LoadedModel, Input)> = None;
    let mut each = Vec::with_capacity(chosen.trials.len());
    for trial in &chosen.trials {
        let model = LoadedModel::load(trial, matches!(wanted, Wanted::Part(_)))?;
        let input = match &wanted {
            Wanted::Part(part) => input_from_part(model.rows(), *part, args.index)?,
            Wanted::Table(csv) => {
                if table.is_none() {
                    let columns = kept_columns::candidates(&args.keep);
                    table = Some(external_rows::read_table(model.data(), csv, args.separator, &columns)?);
                }
                input_from_table(model.data(), csv, table.as_ref().expect("it was read"), &args.keep, args.unknown)?
            }
            Wanted::Arrays(written) => {
                if arrays.is_none() {
                    arrays = Some(ArrayRows::read(&model.saved.plan, model.data(), written)?);
                }
                input_from_arrays(&model.saved, model.data(), written, arrays.as_ref().expect("they were read"))?
            }
            Wanted::Image(directory) if directory.is_dir() => {
                input_from_directory(&model.saved, model.data(), directory, invert)?
            }
            Wanted::Image(image) => input_from_image(&model.saved, model.data(), image, invert)?,
            Wanted::Text(text) => input_from_text(model.data(), text, args.unknown)?,
        };
        each.push(model.predict(&input.features, input.targets.as_ref())?);
        first.get_or_insert((model, input));
    }
    let (model, input) = first.expect("there is at least one trial");
    let (saved, data) = (&model.saved, model.data());
    let predictions = Predictions::mean(each)?;
    let view = PredictionView {
        predictions: &predictions,
        target: data.info.target,
        names: &data.classes,
        numbers: &input.numbers,
        kept: &input.kept,
        top: args.top,
        has_truth: input.targets.is_some(),
        most_rows: match wanted {
            Wanted::Part(_) | Wanted::Arrays(_) if args.output.is_none() => MOST_LISTED,
            _ => usize::MAX,
        },
    };
    let text = match format {
        Format::Csv => formats::to_csv(&view),
        Format::Json => {
            let stems: Vec<String> = chosen.trials.iter().map(|trial| trial.stem()).collect();
            let mut object = json!({ "run": run.folder, "experiment": chosen.trials[0].history.experiment });
            match args.ensemble {
                true => object["ensemble"] = json!(stems),
                false => object["trial"] = json!(stems[0]),
            }
            object["input"] = input.origin;
            object["classes"] = json!(data.classes);
            object["predictions"] = formats::to_json(&view);
            serde_json::to_string_pretty(&object)?
        }
        Format::Text => {
            let mut parts = vec![format!("{}\n{}", chosen.heading(), wrapped(&input.heading))];
            match input.preview {
                Some(preview) => parts.extend([preview, text::single_row(&view)]),
                None => parts.push(text::table(&view)),
            }
            if !predictions.are_probabilities {
                parts.extend(scores_note(saved));
            }
            parts.extend(threshold_note(saved, predictions.are_probabilities).filter(|_| !args.ensemble));
            parts.join("\n\n")
        }
    };
    match &args.output {
        Some(file) => {
            atomic_write::write_whole(file, format!("{text}\n").as_bytes())?;
            let rows = number_format::counted(view.numbers.len(), "row");
            terminal::say(&format!("wrote `{}`: {rows}", file.display()));
        }
        None => terminal::out(&text),
    }
    Ok(Exit::Done)
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
    let positive = saved.plan.info.classes.get(saved.positive)?;
    let text =
        format!("positive class `{positive}`: predicted if its {output} is at least {threshold}, the chosen threshold");
    Some(wrapped(&text))
}
