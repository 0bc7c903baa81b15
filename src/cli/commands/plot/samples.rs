//! `runner plot samples DATA|RUN`

use std::path::PathBuf;

use anyhow::anyhow;
use tch::{Kind, Tensor};

use crate::cli::args::picture_args::{Target, stem_of};
use crate::cli::commands::eval;
use crate::cli::commands::plot::input::{Opened, base_of, is_data};
use crate::cli::exit::Exit;
use crate::cli::text::progress_bar::Progress;
use crate::config::hint::Hint;
use crate::data::source::DataSpec;
use crate::data::store::cache::Cache;
use crate::data::table::form::{Form, ImageSize};
use crate::data::{Loaded, Rows, class_numbers};
use crate::experiment::predict::prediction::{Prediction, Predictions};
use crate::experiment::store::trial_data::{Part, TrialData};
use crate::plot::Drawn;
use crate::plot::charts::metric_names::count;
use crate::plot::charts::samples::{self, Tile};
use crate::plot::draw::page::Page;
use crate::plot::draw::ticks::{number, percent};

/// Arguments of `runner plot samples`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A data set of images, or a run on one
    #[arg(value_name = "DATA|RUN")]
    name: String,
    /// How many images
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=400))]
    count: u16,
    /// Rows that are predicted wrong, and no others
    #[arg(long)]
    wrong: bool,
    /// The part of a run's data: test, validation or train [default: test]
    #[arg(long, value_name = "PART")]
    rows: Option<Part>,
    /// The trial of a run, by the name of its files [default: the first that did not diverge]
    #[arg(long, value_name = "NAME")]
    trial: Option<String>,
    /// Directory of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    #[command(flatten)]
    target: Target,
}

/// Draws sample images.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    args.target.check()?;
    let drawn = if is_data(&args.name, &args.out) {
        if args.wrong || args.trial.is_some() || args.rows.is_some() {
            let flag = if args.wrong {
                "--wrong"
            } else if args.trial.is_some() {
                "--trial"
            } else {
                "--rows"
            };
            let hint =
                format!("`{}` is a data set; a run's name or folder shows what its network makes of rows", args.name);
            return Err(anyhow!("`{flag}` is for runs").context(Hint(hint)));
        }
        of_data(args)?
    } else {
        of_run(args)?
    };
    args.target.write(drawn.svg, &stem_of(&base_of(&args.name), if args.wrong { "wrong" } else { "samples" }))?;
    Ok(Exit::Done)
}

fn of_data(args: &Args) -> anyhow::Result<Drawn> {
    let spec = DataSpec::by_name(&args.name).ok_or_else(|| {
        anyhow!("`{}` holds no images", args.name).context(Hint("`runner plot classes` counts its classes".to_owned()))
    })?;
    let mut progress = Progress::new(false);
    let loaded = spec.load(&Cache::of_user(), &mut progress);
    progress.end();
    let loaded = loaded?;
    let size = image_size(&loaded, &args.name)?;
    let numbers: Vec<usize> = (0..loaded.rows.len().min(usize::from(args.count))).collect();
    let rows = loaded.rows.take(&numbers);
    let classes = class_numbers(&rows, loaded.target);
    let tile = |number: usize| Tile {
        pixels: pixels(&rows, number, loaded.largest),
        caption: classes.as_ref().map(|classes| name_of(&loaded.classes, classes[number])).unwrap_or_default(),
        below: format!("row {}", self::number(number as f64, 0)),
        is_wrong: false,
    };
    let tiles: Vec<Tile> = numbers.iter().map(|&number| tile(number)).collect();
    let title = format!("Images of {}", args.name);
    let all = count(loaded.rows.len(), "training row");
    let page = Page {
        subtitle: format!("the first {} of {all}", tiles.len()),
        description: format!("{title}: the first {} of {all}, each with its class.", tiles.len()),
        title,
        ..Page::default()
    };
    Ok(samples::draw(page, &tiles, size, args.target.size()))
}

fn of_run(args: &Args) -> anyhow::Result<Drawn> {
    let opened = Opened::new(&args.name, &args.out, args.trial.as_deref())?;
    let Opened { trial, saved, data } = &opened;
    let loaded = &data.source.loaded;
    let size = image_size(loaded, data.name())?;
    let part = args.rows.unwrap_or(if data.rows(Part::Test).is_some() { Part::Test } else { Part::Validation });
    let rows = eval::rows_of(data, part, "--rows")?;
    let wanted = usize::from(args.count);
    let mut found: Vec<(usize, Prediction)> = Vec::new();
    let mut seen = 0;
    let mut wrong = 0;
    while seen < rows.len() && (args.wrong || found.len() < wanted) {
        let until = rows.len().min(seen + if args.wrong { CHUNK } else { wanted });
        let some = rows.take(&(seen..until).collect::<Vec<_>>());
        let predictions = Predictions::of(saved, &some.features, Some(&some.targets));
        for (number, prediction) in (seen..until).zip(predictions.rows) {
            let is_wrong = prediction.is_right() == Some(false);
            wrong += usize::from(is_wrong);
            if (is_wrong || !args.wrong) && found.len() < wanted {
                found.push((number, prediction));
            }
        }
        seen = until;
    }
    if found.is_empty() {
        let hint = "without `--wrong`, right ones are shown";
        return Err(anyhow!(
            "none of the {} {} rows is predicted wrong",
            self::number(rows.len() as f64, 0),
            part.name()
        )
        .context(Hint(hint.to_owned())));
    }
    let tiles: Vec<Tile> = found.iter().map(|(number, prediction)| tile(data, part, *number, prediction)).collect();
    let all = count(rows.len(), &format!("{} row", part.name()));
    let which = match args.wrong {
        true if tiles.len() == wrong => format!("all {} of {all} that are predicted wrong", tiles.len()),
        true => format!("the first {} of {} that are predicted wrong, of {all}", tiles.len(), number(wrong as f64, 0)),
        false => format!("the first {} of {all}", tiles.len()),
    };
    let title = format!("What {} makes of {} rows", opened.title(), part.name());
    let note = "Below each image what is predicted, and how sure the network is of it; ✗ and a thick frame mark what is wrong.";
    let page = Page {
        subtitle: format!("{} · {which}", trial.stem()),
        description: format!("{title}: {which}."),
        notes: vec![note.to_owned()],
        title,
        ..Page::default()
    };
    Ok(samples::draw(page, &tiles, size, args.target.size()))
}

/// So many rows are predicted at once.
const CHUNK: usize = 2_048;

fn tile(data: &TrialData, part: Part, row: usize, prediction: &Prediction) -> Tile {
    let loaded = &data.source.loaded;
    let (raw, _) = data.row(part, row).expect("the row was just predicted");
    let is_wrong = prediction.is_right() == Some(false);
    let (caption, truth) = match prediction {
        Prediction::Class { class, shares, truth } => {
            let name = |class: usize| name_of(&loaded.classes, class as i64);
            let sure = shares.get(*class).filter(|share| (0.0..=1.0).contains(*share));
            let sure = sure.map(|share| format!(" · {}", percent((share * 100.0).round() / 100.0))).unwrap_or_default();
            (format!("{}{sure}", name(*class)), truth.filter(|_| is_wrong).map(name))
        }
        Prediction::Labels(labels) => {
            let named = |yes: &dyn Fn(usize) -> bool| {
                let named: Vec<String> = (0..labels.len())
                    .filter(|label| yes(*label))
                    .map(|label| name_of(&loaded.classes, label as i64))
                    .collect();
                if named.is_empty() { "none".to_owned() } else { named.join(", ") }
            };
            (named(&|label| labels[label].yes), is_wrong.then(|| named(&|label| labels[label].truth == Some(true))))
        }
        Prediction::Values(values) => {
            let figures: Vec<String> =
                values.iter().map(|value| crate::plot::draw::ticks::figure(value.value)).collect();
            (figures.join(", "), None)
        }
    };
    let row = format!("row {}", number(row as f64, 0));
    let below = truth.map_or(row.clone(), |truth| format!("true {truth} · {row}"));
    Tile { pixels: pixels(&raw, 0, loaded.largest), caption, below, is_wrong }
}

fn name_of(classes: &[String], class: i64) -> String {
    usize::try_from(class).ok().and_then(|class| classes.get(class).cloned()).unwrap_or_else(|| class.to_string())
}

fn image_size(loaded: &Loaded, name: &str) -> anyhow::Result<ImageSize> {
    match loaded.form {
        Form::Image(size) => Ok(size),
        Form::Table(_) | Form::Points => {
            let hint = format!("`runner plot classes {name}` counts the classes of a table");
            Err(anyhow!("`{name}` holds no images").context(Hint(hint)))
        }
    }
}

/// The pixels of a row, 0 for black to 1 for white.
fn pixels(rows: &Rows, row: usize, largest: f64) -> Vec<f64> {
    let values: Tensor = rows.features.get(row as i64).to_kind(Kind::Double).flatten(0, -1) / largest;
    Vec::try_from(values).expect("just made f64")
}
