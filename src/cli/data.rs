//! `runner data list|fetch|verify|path|describe`

use std::path::{Path, PathBuf};

use std::sync::Arc;

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::json;

use crate::cli::progress::Progress;
use crate::cli::table::Columns;
use crate::cli::{Exit, figures, terminal};
use crate::data::cache::{Cache, Fault};
use crate::data::describe::{
    ClassCount, ColumnDescription, Constant, Description, PartDescription, describe, describe_table,
};
use crate::data::fetch;
use crate::data::manifest::Manifest;
use crate::data::source::{DataSpec, csv};
use crate::hint::Hint;
use crate::suggest;

/// Arguments of `runner data`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  runner data list\n  runner data fetch mnist\n  runner data describe digits\n  runner data describe my/table.csv"
)]
pub struct Args {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// List the data sets, and whether they are at hand
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Fetch a data set, or mend its damaged files
    Fetch {
        /// The data set
        name: String,
        /// Take its one file from here (`.gz` is unpacked) in place of the network
        #[arg(long, value_name = "PATH")]
        file: Option<PathBuf>,
    },
    /// Check the cached files against their checksums
    Verify {
        /// The data set [default: all]
        name: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the folder that a data set is kept in
    Path {
        /// The data set
        name: String,
    },
    /// Show a data set's rows, columns and classes, and what to look out for
    Describe {
        /// The data set, or the path of a table of your own (`.csv`, `.csv.gz`)
        name: String,
        /// What stands between two fields of a table of your own
        #[arg(long, default_value = ",")]
        separator: char,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs a command about data sets.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let cache = Cache::of_user();
    match &args.command {
        DataCommand::List { json } => list(&cache, *json),
        DataCommand::Fetch { name, file } => fetch(&cache, &manifest(name)?, file.as_deref()),
        DataCommand::Verify { name, json } => verify(&cache, name.as_deref(), *json),
        DataCommand::Path { name } => path(&cache, &manifest(name)?),
        DataCommand::Describe { name, separator, json } => describe_any(&cache, name, *separator, *json),
    }
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
        table.row([&manifest.name, &manifest.rows, &manifest.features, &manifest.license, state]);
    }
    terminal::out(&table.text());
    Ok(Exit::Done)
}

fn fetch(cache: &Cache, manifest: &Manifest, file: Option<&Path>) -> anyhow::Result<Exit> {
    if manifest.is_embedded() {
        terminal::say(&format!("`{}` is in the binary: there is nothing to fetch", manifest.name));
        return Ok(Exit::Done);
    }
    let mut progress = Progress::new(false, Arc::default());
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

fn describe_any(cache: &Cache, name: &str, separator: char, json: bool) -> anyhow::Result<Exit> {
    let known = Manifest::named(name);
    let description = match &known {
        Some(manifest) => describe_data(cache, manifest)?,
        None if Path::new(name).exists() || name.contains(['.', '/', std::path::MAIN_SEPARATOR]) => {
            let (table, sum) = csv::read(Path::new(name), separator).map_err(|fault| {
                let error = anyhow!("`{name}` {}", fault.message);
                match fault.hint.map(|hint| hint.replace("Then say `separator = ", "Then say `--separator ")) {
                    Some(hint) => error.context(Hint(hint)),
                    None => error,
                }
            })?;
            describe_table(name, &table, sum)
        }
        None => return manifest(name).map(|_| Exit::Done),
    };
    if json {
        terminal::json(&description);
    } else {
        terminal::out(&described(known.as_ref(), &description));
    }
    Ok(Exit::Done)
}

fn describe_data(cache: &Cache, manifest: &Manifest) -> anyhow::Result<Description> {
    let spec = DataSpec::by_name(&manifest.name).expect("every manifest has a loader");
    let mut progress = Progress::new(false, Arc::default());
    let description = match spec.table(cache, &mut progress) {
        Ok(Some((table, sum))) => Ok(describe_table(&manifest.name, &table, sum)),
        Ok(None) => spec.load(cache, &mut progress).map(|loaded| describe(&manifest.name, &loaded)),
        Err(error) => Err(error),
    };
    progress.end();
    description
}

fn described(manifest: Option<&Manifest>, description: &Description) -> String {
    let mut lines = match manifest {
        Some(m) => vec![terminal::bold(&m.title), format!("license {}; {}", m.license, m.citation)],
        None => vec![terminal::bold(&description.name)],
    };
    for part in &description.parts {
        lines.push(String::new());
        lines.push(headline(part));
        lines.extend(counts(&part.classes));
        if !part.columns.is_empty() {
            lines.push(columns(&part.columns));
        }
        for column in part.columns.iter().filter(|column| !column.values.is_empty()) {
            lines.push(format!("\n{}", column.name));
            lines.extend(counts(&column.values));
        }
        let warnings = warnings(part);
        if !warnings.is_empty() {
            lines.push(String::new());
            lines.extend(warnings);
        }
    }
    lines.join("\n")
}

fn headline(part: &PartDescription) -> String {
    let shape: Vec<String> = part.sample.iter().map(i64::to_string).collect();
    let (rows, shape) = (figures::count(part.rows), shape.join("×"));
    match (part.min, part.max, part.mean) {
        (Some(min), Some(max), Some(mean)) => {
            format!("{}: {rows} rows of {shape} values, {min} to {max}, mean {mean:.4}", part.part)
        }
        _ => format!("{}: {rows} rows of {shape} columns", part.part),
    }
}

/// A bar for each class or value.
fn counts(classes: &[ClassCount]) -> Vec<String> {
    let most = classes.iter().map(|class| class.rows).max().unwrap_or(1).max(1);
    let width = classes.iter().map(|class| class.class.chars().count()).max().unwrap_or(0);
    let line = |class: &ClassCount| {
        let bar = "█".repeat((class.rows * 40).div_ceil(most));
        let (rows, share) = (figures::count(class.rows), 100.0 * class.share);
        format!("  {:>width$}  {rows:>7}  {share:>8.4} %  {bar}", class.class)
    };
    classes.iter().map(line).collect()
}

fn columns(columns: &[ColumnDescription]) -> String {
    let mut table = Columns::new(["column", "type", "missing", "distinct", "min", "mean", "max"], 2..7);
    for column in columns {
        let [min, mean, max] = [column.min, column.mean, column.max].map(figures::metric);
        let (missing, distinct) = (figures::count(column.missing), figures::count(column.distinct));
        table.row([&column.name, column.kind, &missing, &distinct, &min, &mean, &max]);
    }
    table.text()
}

/// What to look out for before training on these rows.
fn warnings(part: &PartDescription) -> Vec<String> {
    let mut warnings = Vec::new();
    let missing: Vec<&str> = part.columns.iter().filter(|c| c.missing > 0).map(|c| c.name.as_str()).collect();
    if !missing.is_empty() {
        warnings.push(format!("missing values in {}: see `missing`", suggest::list(&missing)));
    }
    match &part.constant {
        Constant::Count(0) => {}
        Constant::Count(count) => warnings.push(format!("{count} of the features have the same value in every row")),
        Constant::Columns(names) if names.is_empty() => {}
        Constant::Columns(names) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            warnings.push(format!("the same value in every row that has one: {}", suggest::list(&names)));
        }
    }
    if part.duplicate_rows > 0 {
        let rows = figures::count(part.duplicate_rows);
        warnings.push(format!("{rows} rows are the same as an earlier one: a split may put them on both sides"));
    }
    warnings
}
