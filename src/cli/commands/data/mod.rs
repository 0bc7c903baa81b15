//! `runner data list|fetch|verify|path|describe`

mod describe;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::process::work::{Begun, Work};
use crate::cli::text::progress_bar::Progress;
use crate::cli::text::table::Columns;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::data::inspect::describe::{Description, describe, describe_table};
use crate::data::source::{DataSpec, csv};
use crate::data::store::cache::{Cache, Fault};
use crate::data::store::fetch;
use crate::data::store::manifest::Manifest;
use crate::data::table::csv_text::TableFault;
use crate::data::table::reading::{Reading, TextColumns};
use crate::data::table::recognize::dates::Dates;
use crate::data::table::recognize::number_format::NumberFormat;
use crate::data::table::{Column, Table};
use crate::io::separator;

/// Arguments of `runner data`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  runner data list\n  runner data fetch mnist\n  runner data describe digits\n  runner data describe my/table.csv --target price"
)]
pub struct Args {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// List data sets and whether they are available
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Download or repair a data set
    Fetch {
        /// The data set
        name: String,
        /// Use this file instead of a download (`.gz` is unpacked)
        #[arg(long, value_name = "PATH")]
        file: Option<PathBuf>,
    },
    /// Verify the checksums of cached files
    Verify {
        /// Data set [default: all]
        name: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the directory of a data set
    Path {
        /// The data set
        name: String,
    },
    /// Describe rows, columns and classes of a data set
    Describe(Described),
}

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

/// Runs a command about files of data sets; what describes their rows is the engine's.
pub(crate) fn begin(args: &Args) -> Begun<'_> {
    let cache = Cache::of_user();
    Begun::Ended(match &args.command {
        DataCommand::List { json } => list(&cache, *json),
        DataCommand::Fetch { name, file } => {
            manifest(name).and_then(|manifest| fetch(&cache, &manifest, file.as_deref()))
        }
        DataCommand::Verify { name, json } => verify(&cache, name.as_deref(), *json),
        DataCommand::Path { name } => manifest(name).and_then(|manifest| path(&cache, &manifest)),
        DataCommand::Describe(args) => return Begun::NeedsTensors(Work::Describe(args)),
    })
}

fn manifest(name: &str) -> anyhow::Result<Manifest> {
    Manifest::named(name)
        .ok_or_else(|| anyhow!("there is no data set `{name}`").context(Hint(suggest::hint(name, Manifest::names()))))
}

/// Whether a data set is at hand, in a word or two.
fn state(cache: &Cache, manifest: &Manifest) -> &'static str {
    if manifest.is_embedded() {
        return "in the binary";
    }
    let faults = manifest.files.iter().filter_map(|file| cache.read(manifest, file).err()).collect::<Vec<_>>();
    match &faults[..] {
        [] => "fetched",
        faults if faults.iter().any(|fault| !matches!(fault, Fault::Missing(_))) => "damaged",
        _ => "not fetched",
    }
}

fn list(cache: &Cache, json: bool) -> anyhow::Result<Exit> {
    let manifests: Vec<Manifest> = Manifest::names().filter_map(Manifest::named).collect();
    if json {
        let listed: Vec<_> = manifests
            .iter()
            .map(|m| {
                json!({ "name": m.name, "title": m.title, "rows": m.rows, "features": m.features, "target": m.target,
                    "license": m.license, "citation": m.citation, "bytes": m.bytes(), "state": state(cache, m) })
            })
            .collect();
        terminal::json(&listed);
        return Ok(Exit::Done);
    }
    let mut table = Columns::new(["data set", "rows", "features", "license", "state"], []);
    for manifest in &manifests {
        let state = state(cache, manifest);
        // what else is to be said of a license, `describe` says
        let license = manifest.license.split([':', ';']).next().unwrap_or_default();
        table.row([&manifest.name, &manifest.rows, &manifest.features, license, state]);
    }
    terminal::out(&table.text());
    Ok(Exit::Done)
}

fn fetch(cache: &Cache, manifest: &Manifest, file: Option<&Path>) -> anyhow::Result<Exit> {
    if manifest.is_embedded() {
        terminal::say(&format!("`{}` is in the binary: there is nothing to fetch", manifest.name));
        return Ok(Exit::Done);
    }
    let mut progress = Progress::new(false);
    let fetched = match file {
        Some(file) => fetch::take(manifest, cache, file),
        None => fetch::fetch(manifest, cache, &mut progress),
    };
    progress.end();
    fetched?;
    let folder = cache.folder_of(manifest);
    terminal::say(&format!("`{}` is whole in `{}`; license: {}", manifest.name, folder.display(), manifest.license));
    Ok(Exit::Done)
}

fn verify(cache: &Cache, name: Option<&str>, json: bool) -> anyhow::Result<Exit> {
    let manifests: Vec<Manifest> = match name {
        Some(name) => vec![manifest(name)?],
        None => Manifest::names().filter_map(Manifest::named).filter(|manifest| !manifest.is_embedded()).collect(),
    };
    let mut all_whole = true;
    let mut found = Vec::new();
    for manifest in &manifests {
        for file in &manifest.files {
            let fault = cache.read(manifest, file).err();
            // what was never fetched is no fault, unless it was asked for by name
            let missing = matches!(fault, Some(Fault::Missing(_)));
            all_whole &= fault.is_none() || (missing && name.is_none());
            let verdict = fault.map_or("whole".to_owned(), |fault| fault.to_string());
            found.push((manifest.name.clone(), file.name.clone(), verdict));
        }
    }
    if json {
        let rows: Vec<_> = found
            .iter()
            .map(|(name, file, verdict)| json!({ "name": name, "file": file, "verdict": verdict }))
            .collect();
        terminal::json(&rows);
    } else {
        found.iter().for_each(|(name, file, verdict)| terminal::out(&format!("{name}/{file}: {verdict}")));
        if found.is_empty() {
            terminal::out("in the binary: there are no files to check");
        }
    }
    if !all_whole {
        let name = name.unwrap_or("NAME");
        return Err(anyhow!("files are missing or damaged")
            .context(Hint(format!("`runner data fetch {name}` gets them again"))));
    }
    Ok(Exit::Done)
}

fn path(cache: &Cache, manifest: &Manifest) -> anyhow::Result<Exit> {
    if manifest.is_embedded() {
        return Err(anyhow!("`{}` is in the binary, and has no folder", manifest.name));
    }
    terminal::out(&cache.folder_of(manifest).display().to_string());
    Ok(Exit::Done)
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
    if Manifest::named(name).is_none()
        && (Path::new(name).exists() || name.contains(['.', '/', std::path::MAIN_SEPARATOR]))
    {
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
