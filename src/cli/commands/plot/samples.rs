//! `runner plot samples DATA|RUN`

use tch::{Kind, Tensor};

use crate::cli::args::plot_args::{PlotOutput, safe_file_stem};
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::commands::eval;
use crate::cli::commands::plot::loaded_trial::{LoadedTrial, base_name, file_name_of, is_data_set};
use crate::cli::commands::plot::scored_rows::predictions;
use crate::cli::exit::Exit;
use crate::cli::text::progress::progress_bar::Progress;
use crate::config::hint::hinted;
use crate::data::source::DataSpec;
use crate::data::store::cache::Cache;
use crate::data::table::form::{Form, ImageSize};
use crate::data::{Loaded, Rows, Target, class_numbers};
use crate::experiment::predict::prediction::Prediction;
use crate::experiment::store::trial_data::{Part, TrialData};
use crate::history::number::counted;
use crate::plot::Plot;
use crate::plot::charts::samples::{self, Tile};
use crate::plot::draw::page::Page;
use crate::plot::draw::ticks::{format_number, number, percent};

/// Arguments of `runner plot samples`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A data set of images, or a run that was trained on one
    #[arg(value_name = "DATA|RUN")]
    name: String,
    /// Number of images
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=400))]
    count: u16,
    /// Only images that are predicted wrongly
    #[arg(long)]
    wrong: bool,
    /// Part of a run's data: test, validation or train [default: test]
    #[arg(long, value_name = "PART")]
    rows: Option<Part>,
    /// Trial of a run, such as `base-seed0` [default: the first that did not diverge]
    #[arg(long, value_name = "NAME")]
    trial: Option<String>,
    #[command(flatten)]
    out: RunsDir,
    #[command(flatten)]
    target: PlotOutput,
}

/// Plots sample images.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    args.target.check()?;
    let (drawn, name) = if is_data_set(&args.name, &args.out) {
        let flags = [("--wrong", args.wrong), ("--trial", args.trial.is_some()), ("--rows", args.rows.is_some())];
        if let Some((flag, _)) = flags.into_iter().find(|(_, is_set)| *is_set) {
            let hint = format!("name a run to plot its predictions: `{}` is a data set", args.name);
            return Err(hinted(format!("`{flag}` applies only to runs"), hint));
        }
        (plot_data_set(args)?, base_name(&args.name))
    } else {
        plot_run(args)?
    };
    args.target.write(drawn, &safe_file_stem(&name, if args.wrong { "wrong" } else { "samples" }))
}

/// Plots the first training rows of a data set, with their classes.
fn plot_data_set(args: &Args) -> anyhow::Result<Plot> {
    let spec = DataSpec::by_name(&args.name).ok_or_else(|| {
        let hint = "use `runner plot classes` to plot its class counts";
        hinted(format!("`{}` has no images to plot", args.name), hint)
    })?;
    let loaded = Progress::during(|progress| spec.load(&Cache::for_user(), progress))?;
    let size = image_size(&loaded, &args.name)?;
    let numbers: Vec<usize> = (0..loaded.rows.len().min(usize::from(args.count))).collect();
    let rows = loaded.rows.take(&numbers);
    let classes = class_numbers(&rows, loaded.target);
    let tile = |number: usize| Tile {
        pixels: pixels(&rows, number, loaded.largest),
        caption: classes.as_ref().map(|classes| class_name(&loaded.classes, classes[number])).unwrap_or_default(),
        below: format!("row {}", self::number(number as f64, 0)),
        is_wrong: false,
    };
    let tiles: Vec<Tile> = numbers.iter().map(|&number| tile(number)).collect();
    let title = format!("Images of {}", args.name);
    let all = counted(loaded.rows.len(), "training row");
    let page = Page {
        subtitle: format!("the first {} of {all}", tiles.len()),
        description: format!("{title}: the first {} of {all}, each with its class.", tiles.len()),
        title,
        ..Page::default()
    };
    Ok(samples::draw(page, &tiles, size, &args.target.page()))
}

/// Plots rows of a run with their predictions. Also returns the name of the run in the name of the file.
fn plot_run(args: &Args) -> anyhow::Result<(Plot, String)> {
    let loaded_trial = LoadedTrial::load(&args.name, &args.out, args.trial.as_deref())?;
    let LoadedTrial { trial, saved, data } = &loaded_trial;
    let loaded = &data.source.loaded;
    let size = image_size(loaded, &args.name)?;
    let part = args.rows.unwrap_or(if data.rows(Part::Test).is_some() { Part::Test } else { Part::Validation });
    let rows = eval::rows_of(data, part)?;
    let max_images = usize::from(args.count);
    let considered = if args.wrong { rows.len() } else { rows.len().min(max_images) };
    let predicted = predictions(saved, rows, considered).rows.into_iter().enumerate();
    let is_shown = |(_, prediction): &(usize, Prediction)| !args.wrong || prediction.is_right() == Some(false);
    let mut shown: Vec<(usize, Prediction)> = predicted.filter(is_shown).collect();
    if shown.is_empty() {
        let (all, part) = (number(rows.len() as f64, 0), part.name());
        let hint = "leave `--wrong` out to plot right predictions";
        return Err(hinted(format!("none of the {all} {part} rows is predicted wrong"), hint));
    }
    let found = shown.len();
    shown.truncate(max_images);
    let tiles: Vec<Tile> = shown.iter().map(|(number, prediction)| tile(data, part, *number, prediction)).collect();
    let all = counted(rows.len(), &format!("{} row", part.name()));
    let selection = match args.wrong {
        true if tiles.len() == found => format!("all {found} wrong predictions among {all}"),
        true => format!("the first {} of {} wrong predictions among {all}", tiles.len(), number(found as f64, 0)),
        false => format!("the first {} of {all}", tiles.len()),
    };
    let title = format!("Predictions of {} for {} rows", loaded_trial.title(), part.name());
    let note =
        "Below each image: the prediction and its probability. Wrong predictions are marked by a thick frame and ✗.";
    let page = Page {
        subtitle: format!("{} · {selection}", trial.stem()),
        description: format!("{title}: {selection}."),
        notes: vec![note.to_owned()],
        title,
        ..Page::default()
    };
    Ok((samples::draw(page, &tiles, size, &args.target.page()), file_name_of(&args.name, trial)))
}

/// Returns a row as an image with its prediction, and with its true class if the prediction is wrong.
fn tile(data: &TrialData, part: Part, row: usize, prediction: &Prediction) -> Tile {
    let loaded = &data.source.loaded;
    let (raw, _) = data.row(part, row).expect("the row was just predicted");
    let is_wrong = prediction.is_right() == Some(false);
    let (caption, truth) = match prediction {
        Prediction::Class { class, shares, truth } => {
            let name = |class: usize| class_name(&loaded.classes, class as i64);
            let probability = shares.get(*class).filter(|share| (0.0..=1.0).contains(*share));
            let probability =
                probability.map(|share| format!(" · {}", percent((share * 100.0).round() / 100.0))).unwrap_or_default();
            (format!("{}{probability}", name(*class)), truth.filter(|_| is_wrong).map(name))
        }
        Prediction::Labels(labels) => {
            let names = |is_listed: &dyn Fn(usize) -> bool| {
                let listed = (0..labels.len()).filter(|label| is_listed(*label));
                let names: Vec<String> = listed.map(|label| class_name(&loaded.classes, label as i64)).collect();
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            };
            (names(&|label| labels[label].yes), is_wrong.then(|| names(&|label| labels[label].truth == Some(true))))
        }
        Prediction::Values(values) => {
            let values: Vec<String> = values.iter().map(|value| format_number(value.value)).collect();
            (values.join(", "), None)
        }
    };
    let row = format!("row {}", number(row as f64, 0));
    let below = truth.map_or(row.clone(), |truth| format!("true {truth} · {row}"));
    Tile { pixels: pixels(&raw, 0, loaded.largest), caption, below, is_wrong }
}

/// Returns the name of a class, or its number if it has none.
fn class_name(classes: &[String], class: i64) -> String {
    usize::try_from(class).ok().and_then(|class| classes.get(class).cloned()).unwrap_or_else(|| class.to_string())
}

/// Returns the image size of a data set of gray or color images.
///
/// # Errors
/// If it has no images.
fn image_size(loaded: &Loaded, name: &str) -> anyhow::Result<ImageSize> {
    match (&loaded.form, &loaded.rows.features.size()[..]) {
        (Form::Image(size), _) => Ok(*size),
        (Form::Points, &[_, 3, height, width]) => Ok(ImageSize { height: height as usize, width: width as usize }),
        (Form::Table(_) | Form::Text(_) | Form::Points, _) => {
            let hint = match loaded.target {
                Target::Classes(_) => "use `runner plot classes` with the same argument to plot its class counts",
                Target::Labels(_) | Target::Values(_) => "name images, such as `mnist`, or a run on images",
            };
            Err(hinted(format!("`{name}` has no images to plot"), hint))
        }
    }
}

/// Returns the pixels of a row, from 0 (black) to 1 (white); of a color image, all red ones, then green, then blue.
fn pixels(rows: &Rows, row: usize, largest: f64) -> Vec<f64> {
    let values: Tensor = rows.features.get(row as i64).to_kind(Kind::Double).flatten(0, -1) / largest;
    Vec::try_from(values).expect("the tensor was converted to f64")
}
