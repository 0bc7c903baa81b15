//! `runner data describe`: its arguments, and the rows of a data set or of a table in figures.

use std::path::{MAIN_SEPARATOR, Path};

use anyhow::anyhow;

use crate::cli::commands::data::describe;
use crate::cli::exit::Exit;
use crate::cli::text::progress_bar::Progress;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::data::inspect::describe::{Description, describe, describe_table};
use crate::data::source::{DataSpec, csv};
use crate::data::store::cache::Cache;
use crate::data::store::manifest::Manifest;
use crate::data::table::csv_text::TableFault;
use crate::data::table::reading::{Reading, TextColumns};
use crate::data::table::recognize::dates::Dates;
use crate::data::table::recognize::number_format::NumberFormat;
use crate::data::table::{Column, Table};
use crate::io::separator;

/// Arguments of `runner data describe`.
#[derive(Debug, clap::Args)]
pub(crate) struct Described {
    /// Data set, or path of a table (`.csv`, `.csv.gz`)
    name: String,
    /// Target column of the table
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Field separator of the table: `,`, `;`, `tab`, …
    #[arg(long, default_value = ",", value_name = "CHARACTER", value_parser = separator::parse)]
    separator: char,
    /// Decimal mark of numbers: `.` or `,`
    #[arg(long, value_name = "MARK", default_value = ".")]
    decimal: char,
    /// Thousands separator of numbers, such as `.` in 1.299,99
    #[arg(long, value_name = "MARK")]
    thousands: Option<char>,
    /// Missing values, separated by commas, such as `,NA,?` [default: the list of pandas]
    #[arg(long, value_name = "VALUES", value_delimiter = ',', allow_hyphen_values = true)]
    missing_values: Option<Vec<String>>,
    /// Date columns, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    dates: Option<Vec<String>>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Described {
    /// How a table of the user's own is read: the text of every column is looked at.
    fn reading(&self) -> anyhow::Result<Reading> {
        let numbers = NumberFormat { decimal: self.decimal, thousands: self.thousands };
        numbers.check().map_err(|fault| anyhow!("`--{}` {}", fault.key, fault.message))?;
        let dates = self.dates.clone().map(Dates::Columns);
        Ok(Reading {
            missing_values: self.missing_values.clone(),
            numbers,
            text: TextColumns::All,
            ..Reading::new(self.separator).with_dates(dates.as_ref())
        })
    }
}

/// The data set of this name.
pub(super) fn manifest(name: &str) -> anyhow::Result<Manifest> {
    Manifest::named(name)
        .ok_or_else(|| anyhow!("there is no data set `{name}`").context(Hint(suggest::hint(name, Manifest::names()))))
}

/// Describes the rows of a data set, or of a table of the user's own.
pub(crate) fn describe_any(args: &Described) -> anyhow::Result<Exit> {
    let description = description(&Cache::of_user(), &args.name, args.target.as_deref(), &args.reading()?)?;
    let known = Manifest::named(&args.name);
    if args.json {
        terminal::json(&description);
    } else {
        terminal::out(&describe::text(known.as_ref(), &description));
    }
    Ok(Exit::Done)
}

/// A data set in figures, or a table of the user's own.
pub(crate) fn description(
    cache: &Cache,
    name: &str,
    target: Option<&str>,
    reading: &Reading,
) -> anyhow::Result<Description> {
    if Manifest::named(name).is_none() && (Path::new(name).exists() || name.contains(['.', '/', MAIN_SEPARATOR])) {
        let (table, sum) = csv::read(Path::new(name), reading).map_err(|fault| of_file(name, fault))?;
        let target = target.map(|target| column(name, &table, target)).transpose()?;
        return Ok(describe_table(name, &table, sum, target));
    }
    describe_data(cache, &manifest(name)?, target)
}

fn describe_data(cache: &Cache, manifest: &Manifest, target: Option<&str>) -> anyhow::Result<Description> {
    let spec = DataSpec::by_name(&manifest.name).expect("every manifest has a loader");
    let mut progress = Progress::new(false);
    let table = spec.table(cache, &mut progress).and_then(|table| match table {
        Some((table, sum)) => {
            let target = target.or(spec.target_column()).map(|target| column(&manifest.name, &table, target));
            Ok(describe_table(&manifest.name, &table, sum, target.transpose()?))
        }
        None if target.is_some() => Err(anyhow!("`{}` is no table, and has no column to name", manifest.name)
            .context(Hint("leave `--target` out".to_owned()))),
        None => spec.load(cache, &mut progress).map(|loaded| describe(&manifest.name, &loaded)),
    });
    progress.end();
    table
}

/// A file's fault, in the words of this command.
fn of_file(name: &str, fault: TableFault) -> anyhow::Error {
    let error = anyhow!("`{name}` {}", fault.message);
    // a shell takes `;` and the like for its own without quotes
    let of_command = |hint: String| match hint.split_once("Then say `separator = \"") {
        Some((question, separator)) => format!("{question}Then say `--separator '{}", separator.replace("\"`", "'`")),
        None => hint,
    };
    match fault.hint.map(of_command) {
        Some(hint) => error.context(Hint(hint)),
        None => error,
    }
}

/// The column of a table that `--target` names.
fn column<'t>(name: &str, table: &'t Table, target: &str) -> anyhow::Result<&'t Column> {
    table
        .column(target)
        .ok_or_else(|| anyhow!("`{name}` has no column `{target}`").context(Hint(suggest::hint(target, table.names()))))
}
