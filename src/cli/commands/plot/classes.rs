//! `runner plot classes DATA|RUN`

use std::path::{Path, PathBuf};

use crate::cli::args::picture_args::{Target, stem_of};
use crate::cli::commands::data::description::description;
use crate::cli::commands::plot::input::{Opened, base_of, is_data};
use crate::cli::exit::Exit;
use crate::data::class_numbers;
use crate::data::store::cache::Cache;
use crate::data::table::reading::{Reading, TextColumns};
use crate::experiment::store::trial_data::Part;
use crate::io::separator;
use crate::plot::charts::classes::{self, Part as Bars};
use crate::plot::charts::metric_names::{capital, count};

/// Arguments of `runner plot classes`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A data set, a table of your own (`.csv`, `.csv.gz`), or a run
    #[arg(value_name = "DATA|RUN")]
    name: String,
    /// The column of a table that is to be predicted
    #[arg(long, value_name = "COLUMN")]
    target_column: Option<String>,
    /// Field separator of the table: `,`, `;`, `tab`, …
    #[arg(long, default_value = ",", value_name = "CHARACTER", value_parser = separator::parse)]
    separator: char,
    /// Directory of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    #[command(flatten)]
    target: Target,
}

/// Draws how many rows each class has.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    args.target.check()?;
    let drawn = if is_data(&args.name, &args.out) {
        let column = args.target_column.as_deref();
        let reading = Reading { text: TextColumns::All, ..Reading::new(args.separator) };
        let described = description(&Cache::of_user(), &args.name, column, &reading)?;
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
        let opened = Opened::new(&args.name, &args.out, None)?;
        let (title, subtitle) = (format!("Classes of {}", opened.title()), opened.subtitle());
        let loaded = &opened.data.source.loaded;
        classes::draw(&title, &subtitle, &loaded.classes, &bars(&opened), args.target.size())?
    };
    args.target.write(drawn.svg, &stem_of(&base_of(&args.name), "classes"))?;
    Ok(Exit::Done)
}

/// How many rows each class has, part by part; the training rows also as the model was fitted to them.
fn bars(opened: &Opened) -> Vec<Bars> {
    let loaded = &opened.data.source.loaded;
    let mut bars = Vec::new();
    for part in Part::ALL {
        let Some(rows) = opened.data.rows(part).and_then(|rows| class_numbers(rows, loaded.target)) else { continue };
        bars.push(Bars { name: capital(part.name()), rows: counts(&rows, loaded.classes.len()) });
        let resampled = opened.trial.history.data.resample.as_ref();
        if let Some(record) = resampled.filter(|record| part == Part::Training && !record.before_split) {
            bars.push(Bars { name: format!("Training after {}", record.method), rows: record.to.clone() });
        }
    }
    bars
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
