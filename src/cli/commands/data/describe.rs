//! `runner data describe`: arguments, and statistics of the rows of a data set or a table.

use std::path::{MAIN_SEPARATOR, Path};

use anyhow::anyhow;

use crate::cli::commands::data::describe_text;
use crate::cli::exit::Exit;
use crate::cli::text::progress_bar::Progress;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::data::inspect::describe::{Description, describe, describe_table};
use crate::data::source::{DataSpec, csv};
use crate::data::store::cache::Cache;
use crate::data::store::manifest::Manifest;
use crate::data::table::csv_text::TableError;
use crate::data::table::field_format::{FieldFormat, TextColumns};
use crate::data::table::recognize::dates::Dates;
use crate::data::table::recognize::number_format::NumberFormat;
use crate::data::table::{Column, Table};
use crate::io::separator;

/// Arguments of `runner data describe`.
#[derive(Debug, clap::Args)]
pub(crate) struct DescribeArgs {
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

impl DescribeArgs {
    /// Returns how a user's table is read. Text columns are described as text.
    fn reading(&self) -> anyhow::Result<FieldFormat> {
        let numbers = NumberFormat { decimal: self.decimal, thousands: self.thousands };
        numbers.check().map_err(|fault| anyhow!("`--{}` {}", fault.key, fault.message))?;
        let dates = self.dates.clone().map(Dates::Columns);
        Ok(FieldFormat {
            missing_values: self.missing_values.clone(),
            numbers,
            text: TextColumns::All,
            ..FieldFormat::new(self.separator).with_dates(dates.as_ref())
        })
    }
}

/// Returns the data set with this name.
///
/// # Errors
/// If there is none.
pub(super) fn find_manifest(name: &str) -> anyhow::Result<Manifest> {
    Manifest::named(name)
        .ok_or_else(|| anyhow!("there is no data set `{name}`").context(Hint(suggest::hint(name, Manifest::names()))))
}

/// Prints a description of the rows of a data set or of a user's table.
pub(crate) fn run(args: &DescribeArgs) -> anyhow::Result<Exit> {
    let description = describe_data_or_table(&Cache::for_user(), &args.name, args.target.as_deref(), &args.reading()?)?;
    let manifest = Manifest::named(&args.name);
    if args.json {
        terminal::json(&description);
    } else {
        terminal::out(&describe_text::render(manifest.as_ref(), &description));
    }
    Ok(Exit::Done)
}

/// Returns statistics of a data set or of a user's table.
///
/// # Errors
/// If there is neither, or if it cannot be read or has no column `target`.
pub(crate) fn describe_data_or_table(
    cache: &Cache,
    name: &str,
    target: Option<&str>,
    reading: &FieldFormat,
) -> anyhow::Result<Description> {
    if Manifest::named(name).is_none() && (Path::new(name).exists() || name.contains(['.', '/', MAIN_SEPARATOR])) {
        let (table, sum) = csv::read(Path::new(name), reading).map_err(|fault| table_error(name, fault))?;
        let target = target.map(|target| find_column(name, &table, target)).transpose()?;
        return Ok(describe_table(name, &table, sum, target));
    }
    describe_data_set(cache, &find_manifest(name)?, target)
}

/// Returns statistics of a data set.
fn describe_data_set(cache: &Cache, manifest: &Manifest, target: Option<&str>) -> anyhow::Result<Description> {
    let spec = DataSpec::by_name(&manifest.name).expect("every manifest has a loader");
    let mut progress = Progress::new(false);
    let description = spec.table(cache, &mut progress).and_then(|table| match table {
        Some((table, sum)) => {
            let target = target.or(spec.target_column()).map(|target| find_column(&manifest.name, &table, target));
            Ok(describe_table(&manifest.name, &table, sum, target.transpose()?))
        }
        None if target.is_some() => Err(anyhow!("`--target` needs a table, and `{}` is not one", manifest.name)
            .context(Hint("leave `--target` out".to_owned()))),
        None => spec.load(cache, &mut progress).map(|loaded| describe(&manifest.name, &loaded)),
    });
    progress.end();
    description
}

/// Returns the error of a file, with a hint that names the options of this command.
fn table_error(name: &str, fault: TableError) -> anyhow::Error {
    let error = anyhow!("`{name}` {}", fault.message);
    // characters such as `;` need quotes in a shell
    let for_command_line = |hint: String| match hint.split_once("Then say `separator = \"") {
        Some((question, separator)) => format!("{question}Then say `--separator '{}", separator.replace("\"`", "'`")),
        None => hint,
    };
    match fault.hint.map(for_command_line) {
        Some(hint) => error.context(Hint(hint)),
        None => error,
    }
}

/// Returns the column named by `--target`.
fn find_column<'t>(name: &str, table: &'t Table, target: &str) -> anyhow::Result<&'t Column> {
    table
        .column(target)
        .ok_or_else(|| anyhow!("`{name}` has no column `{target}`").context(Hint(suggest::hint(target, table.names()))))
}
