//! `runner plot classes DATA|RUN`

use std::path::Path;

use crate::cli::args::plot_args::{PlotOutput, safe_file_stem};
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::commands::data::describe::describe_data_or_table;
use crate::cli::commands::plot::loaded_trial::{LoadedTrial, base_name, file_name_of, is_data_set};
use crate::cli::exit::Exit;
use crate::config::hint::hinted;
use crate::data::Target;
use crate::data::arrays::array_file::is_array_file;
use crate::data::store::cache::Cache;
use crate::data::table::field_format::{FieldFormat, TextColumns};
use crate::experiment::store::trial_data::Part;
use crate::history::number::counted;
use crate::io::separator;
use crate::plot::charts::classes::{self, Part as Bars};
use crate::views::capital::capital;

/// Arguments of `runner plot classes`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A data set, a table of your own (`.csv`, `.csv.gz`), or a run
    #[arg(value_name = "DATA|RUN")]
    name: String,
    /// Target column of the table
    #[arg(long = "target", alias = "target-column", value_name = "COLUMN")]
    target_column: Option<String>,
    /// Field separator of the table: `,`, `;`, `tab`, … [default: detected]
    #[arg(long, value_name = "CHARACTER", value_parser = separator::parse)]
    separator: Option<char>,
    #[command(flatten)]
    out: RunsDir,
    #[command(flatten)]
    target: PlotOutput,
}

/// Plots the number of rows of each class.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    args.target.check()?;
    let (drawn, name) = if is_data_set(&args.name, &args.out) {
        let column = args.target_column.as_deref();
        let reading = FieldFormat { text: TextColumns::All, ..FieldFormat::new(',') };
        let description = describe_data_or_table(&Cache::for_user(), &args.name, column, &reading, args.separator)?;
        let classes_of_first = description.parts.iter().take(1).flat_map(|part| &part.classes);
        let names: Vec<String> = classes_of_first.map(|class| class.class.clone()).collect();
        let bars = description.parts.iter().map(|part| {
            let class_rows = |name: &String| {
                part.classes.iter().find(|class| class.class == *name).map_or(0, |class| class.rows as u64)
            };
            Bars { name: part.part.to_owned(), rows: names.iter().map(class_rows).collect() }
        });
        let rows: usize = description.parts.iter().map(|part| part.rows).sum();
        let name = Path::new(&args.name).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (title, bars) = (format!("Classes of {name}"), bars.collect::<Vec<_>>());
        (classes::draw(&title, &counted(rows, "row"), &names, &bars, &args.target.page())?, base_name(&args.name))
    } else if is_array_file(Path::new(&args.name)) {
        let hint = "train an experiment with `[data.arrays]`, then name its run: `runner plot classes RUN`";
        let message = "has arrays, and which of them are the classes is in an experiment file";
        return Err(hinted(format!("`{}` {message}", args.name), hint));
    } else {
        let loaded_trial = LoadedTrial::load(&args.name, &args.out, None)?;
        let (title, subtitle) = (format!("Classes of {}", loaded_trial.title()), loaded_trial.subtitle());
        let loaded = &loaded_trial.data.source.loaded;
        let drawn = classes::draw(&title, &subtitle, &loaded.classes, &bars(&loaded_trial), &args.target.page())?;
        (drawn, file_name_of(&args.name, &loaded_trial.trial))
    };
    args.target.write(drawn, &safe_file_stem(&name, "classes"))
}

/// Returns the class counts of each part of the data, and of the training rows after resampling.
fn bars(loaded_trial: &LoadedTrial) -> Vec<Bars> {
    let loaded = &loaded_trial.data.source.loaded;
    let mut bars = Vec::new();
    for part in Part::ALL {
        let has_classes = matches!(loaded.target, Target::Classes(_));
        let Some(rows) = loaded_trial.data.rows(part).filter(|_| has_classes) else { continue };
        bars.push(Bars { name: capital(part.name()), rows: rows.counts(loaded.classes.len()) });
        let resampled = loaded_trial.trial.history.data.resample.as_ref();
        if let Some(record) = resampled.filter(|record| part == Part::Training && !record.before_split) {
            bars.push(Bars { name: format!("Training after {}", record.method), rows: record.to.clone() });
        }
    }
    bars
}
