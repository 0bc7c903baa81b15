//! Pictures of rows: `runner plot classes` and `runner plot samples`, of a data set or of a run's data.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use tch::{Device, Kind, Tensor};

use crate::cli::plot_file::{Target, stem_of};
use crate::cli::progress::Progress;
use crate::cli::{Exit, data, eval, predict, terminal};
use crate::data::cache::Cache;
use crate::data::form::{Form, ImageSize};
use crate::data::manifest::Manifest;
use crate::data::source::DataSpec;
use crate::data::{Loaded, Rows, class_numbers};
use crate::experiment::prediction::{Prediction, Predictions};
use crate::experiment::runs::{SavedRun, SavedTrial};
use crate::experiment::saved::Saved;
use crate::experiment::trial_data::{Part, TrialData};
use crate::hint::Hint;
use crate::plot::classes::{self, Part as Bars};
use crate::plot::names::{capital, count};
use crate::plot::page::Page;
use crate::plot::samples::{self, Tile};
use crate::plot::ticks::{number, percent};

/// Arguments of `runner plot classes`.
#[derive(Debug, clap::Args)]
pub struct Classes {
    /// A data set, a table of your own (`.csv`, `.csv.gz`), or a run
    #[arg(value_name = "DATA|RUN")]
    name: String,
    /// The column of a table that is to be predicted
    #[arg(long, value_name = "COLUMN")]
    target_column: Option<String>,
    /// What stands between two fields of a table of your own
    #[arg(long, default_value = ",")]
    separator: char,
    /// The folder that runs are in
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    #[command(flatten)]
    target: Target,
}

/// Arguments of `runner plot samples`.
#[derive(Debug, clap::Args)]
pub struct Samples {
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
    /// The folder that runs are in
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    #[command(flatten)]
    target: Target,
}

/// Whether a name is that of a data set or of a table, and no run's.
fn is_data(name: &str, out: &Path) -> bool {
    let is_table = [".csv", ".csv.gz", ".tsv"].iter().any(|ending| name.ends_with(ending));
    is_table || (Manifest::named(name).is_some() && !out.join(name).is_dir())
}

/// Draws how many rows each class has.
pub fn classes(args: &Classes) -> anyhow::Result<Exit> {
    args.target.check()?;
    let drawn = if is_data(&args.name, &args.out) {
        let column = args.target_column.as_deref();
        let described = data::description(&Cache::of_user(), &args.name, column, args.separator)?;
        let names: Vec<String> = described
            .parts
            .first()
            .map_or(&[][..], |part| &part.classes)
            .iter()
            .map(|class| class.class.clone())
            .collect();
        let bars = described.parts.iter().map(|part| {
            let of = |name: &String| {
                part.classes.iter().find(|class| class.class == *name).map_or(0, |class| class.rows as u64)
            };
            Bars { name: part.part.to_owned(), rows: names.iter().map(of).collect() }
        });
        let rows: usize = described.parts.iter().map(|part| part.rows).sum();
        let name = Path::new(&args.name).file_name().unwrap_or_default().to_string_lossy().into_owned();
        classes::draw(
            &format!("Classes of {name}"),
            &count(rows, "row"),
            &names,
            &bars.collect::<Vec<_>>(),
            args.target.size(),
        )?
    } else {
        let opened = Opened::new(&args.name, &args.out, None).map_err(|error| or_data(error, &args.name))?;
        let (title, subtitle) = (format!("Classes of {}", opened.title()), opened.subtitle());
        let loaded = &opened.data.source.loaded;
        classes::draw(&title, &subtitle, &loaded.classes, &opened.bars(), args.target.size())?
    };
    args.target.write(drawn.svg, &stem_of(&base_of(&args.name), "classes"))?;
    Ok(Exit::Done)
}

/// Draws sample images.
pub fn samples(args: &Samples) -> anyhow::Result<Exit> {
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
        of_run(args).map_err(|error| or_data(error, &args.name))?
    };
    args.target.write(drawn.svg, &stem_of(&base_of(&args.name), if args.wrong { "wrong" } else { "samples" }))?;
    Ok(Exit::Done)
}

/// The last part of a path that says what it is.
fn base_of(name: &str) -> String {
    let parts: Vec<&str> = name.split(['/', std::path::MAIN_SEPARATOR]).filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [.., before, "latest"] => before.to_owned(),
        [.., last] => last.trim_end_matches(".gz").trim_end_matches(".csv").trim_end_matches(".json").to_owned(),
        [] => name.to_owned(),
    }
}

/// An error that no run was found, with what else the name could have been.
fn or_data(error: anyhow::Error, name: &str) -> anyhow::Error {
    if Path::new(name).exists() || name.contains(['/', std::path::MAIN_SEPARATOR]) {
        return error;
    }
    match crate::suggest::nearest(name, Manifest::names()) {
        Some(near) => error.context(Hint(format!("did you mean the data set `{near}`?"))),
        None => error,
    }
}

fn of_data(args: &Samples) -> anyhow::Result<crate::plot::Drawn> {
    let spec = DataSpec::by_name(&args.name).ok_or_else(|| {
        anyhow!("`{}` holds no images", args.name).context(Hint("`runner plot classes` counts its classes".to_owned()))
    })?;
    let mut progress = Progress::new(false, Arc::default());
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

fn of_run(args: &Samples) -> anyhow::Result<crate::plot::Drawn> {
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
            let figures: Vec<String> = values.iter().map(|value| crate::plot::ticks::figure(value.value)).collect();
            (figures.join(", "), None)
        }
    };
    let row = format!("row {}", number(row as f64, 0));
    let below = truth.map_or(row.clone(), |truth| format!("true {truth} · {row}"));
    Tile { pixels: pixels(&raw, 0, loaded.largest), caption, below, is_wrong }
}

/// A trial's model and its data.
struct Opened {
    trial: SavedTrial,
    saved: Saved,
    data: TrialData,
}

impl Opened {
    fn new(name: &str, out: &Path, trial: Option<&str>) -> anyhow::Result<Opened> {
        let mut run = SavedRun::find(name, out)?;
        let stem = match trial {
            Some(stem) => predict::chosen(&run, stem)?.stem(),
            None => predict::first(&run).stem(),
        };
        let place = run.trials.iter().position(|trial| trial.stem() == stem).expect("it was just found");
        let trial = run.trials.swap_remove(place);
        let saved = Saved::load(&trial, Device::Cpu)?;
        let mut progress = Progress::new(false, Arc::default());
        let data = TrialData::load(&saved.plan, &trial, None, &Cache::of_user(), &mut progress);
        progress.end();
        let data = data?;
        data.difference(&trial.history).iter().for_each(|difference| terminal::warn(difference));
        Ok(Opened { trial, saved, data })
    }

    fn title(&self) -> String {
        let history = &self.trial.history;
        match history.variant.as_str() {
            "base" => history.experiment.clone(),
            variant => format!("{}/{variant}", history.experiment),
        }
    }

    fn subtitle(&self) -> String {
        let fold = self.trial.history.fold.map(|fold| format!(", fold {fold}")).unwrap_or_default();
        format!("{}{fold}", self.data.name())
    }

    /// How many rows each class has, part by part; the training rows also as the model was fitted to them.
    fn bars(&self) -> Vec<Bars> {
        let loaded = &self.data.source.loaded;
        let mut bars = Vec::new();
        for part in Part::ALL {
            let Some(rows) = self.data.rows(part).and_then(|rows| class_numbers(rows, loaded.target)) else { continue };
            bars.push(Bars { name: capital(part.name()), rows: counts(&rows, loaded.classes.len()) });
            let resampled = self.trial.history.data.resample.as_ref();
            if let Some(record) = resampled.filter(|record| part == Part::Training && !record.before_split) {
                bars.push(Bars { name: format!("Training after {}", record.method), rows: record.to.clone() });
            }
        }
        bars
    }
}

fn counts(rows: &[i64], classes: usize) -> Vec<u64> {
    let mut counts = vec![0; classes];
    for &class in rows {
        if let Some(count) = usize::try_from(class).ok().and_then(|class| counts.get_mut(class)) {
            *count += 1;
        }
    }
    counts
}

fn name_of(classes: &[String], class: i64) -> String {
    usize::try_from(class).ok().and_then(|class| classes.get(class).cloned()).unwrap_or_else(|| class.to_string())
}

fn image_size(loaded: &Loaded, name: &str) -> anyhow::Result<ImageSize> {
    match loaded.form {
        Form::Image(size) => Ok(size),
        Form::Table(_) | Form::Points => {
            let hint = "`runner plot classes` counts the classes of a table";
            Err(anyhow!("`{name}` holds no images").context(Hint(hint.to_owned())))
        }
    }
}

/// The pixels of a row, 0 for black to 1 for white.
fn pixels(rows: &Rows, row: usize, largest: f64) -> Vec<f64> {
    let values: Tensor = rows.features.get(row as i64).to_kind(Kind::Double).flatten(0, -1) / largest;
    Vec::try_from(values).expect("just made f64")
}
